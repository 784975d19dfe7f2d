"""Markdown that Teams may read: a model's and a document's words made safe, long texts split. Pure."""

import re

from bot.markdown import WORD_JOINER, divide_code, quote_addresses, split_markdown

# A message may have about 28 KB in the worst client, counted in UTF-16 with all markup; Hangul and Latin alike.
MESSAGE_CHARACTERS = 8_000

_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]*)\]\(\s*<?[^()\s]*>?(?:\s+[\"'][^\"'\n]*[\"'])?\s*\)")
_REFERENCE_LINK = re.compile(r"^\s*\[[^\[\]]+\]:\s*\S+.*$", re.MULTILINE)
# What is left of links that are nested, or written in a way that only some clients read.
_OPENED = re.compile(r"\](?=\()|^(\s*\[[^\n]*\])(?=:)", re.MULTILINE)


def to_markdown(text: str) -> str:
    """A model's Markdown without its links: their words stay, bare addresses are shown as code, tags as text."""
    parts = divide_code(_REFERENCE_LINK.sub("", text))
    return "".join(part if is_code else _tame(part) for is_code, part in parts).replace("<", "&lt;")


def _tame(text: str) -> str:
    text = _OPENED.sub(lambda match: match[0] + WORD_JOINER, _IMAGE_OR_LINK.sub(r"\1", text))
    return quote_addresses(text)


def split(text: str, limit: int = MESSAGE_CHARACTERS) -> list[str]:
    """Pieces of at most `limit` characters; code and tables that are cut begin anew in the next."""
    return split_markdown(text, limit)
