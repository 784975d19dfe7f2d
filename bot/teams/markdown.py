"""Markdown that Teams may read: a model's and a document's words made safe, long texts split. Pure."""

import re

from bot.markdown import split_markdown

# A message may have about 28 KB in the worst client, counted in UTF-16 with all markup; Hangul and Latin alike.
MESSAGE_CHARACTERS = 8_000

_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_REFERENCE_LINK = re.compile(r"^\s*\[[^\[\]]+\]:\s*\S+.*$", re.MULTILINE)
_BARE_LINK = re.compile(r"(?<!`)\b(?:https?://|www\.)[^\s`<>]+", re.IGNORECASE)


def to_markdown(text: str) -> str:
    """A model's Markdown without its links: their words stay, bare addresses are shown as code, tags as text."""
    plain = _REFERENCE_LINK.sub("", _IMAGE_OR_LINK.sub(r"\1", text))
    return _BARE_LINK.sub(lambda link: f"`{link[0]}`", plain).replace("<", "&lt;")


def split(text: str, limit: int = MESSAGE_CHARACTERS) -> list[str]:
    """Pieces of at most `limit` characters; code and tables that are cut begin anew in the next."""
    return split_markdown(text, limit)
