"""Markdown that Slack may read: a model's and a document's words made safe, cited numbers linked.

Pure. Slack renders tables, lists and code of Markdown itself, in streams and in markdown blocks. What it may not find
there is a link, a mention or a word to a whole channel that we did not write; inside code only its own `<…>` is markup.
"""

import re
from collections.abc import Mapping

from bot.markdown import WORD_JOINER, divide_code, quote_addresses

_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s+\"[^\"\n]*\")?\)")
_OPENED = re.compile(r"\](?=[(\[])|^(\s*\[[^\]\n]*\])(?=:)", re.MULTILINE)
_TAG = re.compile(r"<(?=[@#!/a-z])", re.IGNORECASE)
# Slack reads its own markup in code too.
_TAG_IN_CODE = re.compile(r"<(?=[@#!]|[a-z]+:)", re.IGNORECASE)
_BROADCAST = re.compile(r"@(?=channel|here|everyone)", re.IGNORECASE)
_CITATION = re.compile(r"\[(\d+)\](?![\u2060(\[:])")


def make_safe(text: str, links: Mapping[int, str] | None = None) -> str:
    """The words as they are, their links reduced to words, addresses shown as code.

    Args:
        links: addresses of our own by number; `[1]` outside code becomes a link to it.
    """
    parts = divide_code(text)
    return "".join(_tame_code(part) if is_code else _tame(part, links or {}) for is_code, part in parts)


def _tame_code(text: str) -> str:
    return _BROADCAST.sub("@" + WORD_JOINER, _TAG_IN_CODE.sub("<" + WORD_JOINER, text))


def _tame(text: str, links: Mapping[int, str]) -> str:
    text = _LINK.sub(r"\1", text)
    text = _OPENED.sub(lambda match: match[0] + WORD_JOINER, text)
    text = _BROADCAST.sub("@" + WORD_JOINER, _TAG.sub("<" + WORD_JOINER, text))
    return _CITATION.sub(lambda match: _link(match, links), quote_addresses(text))


def _link(match: re.Match[str], links: Mapping[int, str]) -> str:
    address = links.get(int(match[1]))
    return f"[[{match[1]}]]({address})" if address else match[0]
