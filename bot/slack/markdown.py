"""Markdown that Slack may read: a model's and a document's words made safe, cited numbers linked.

Pure. Slack renders tables, lists and code of Markdown itself, in streams and in markdown blocks. What it may not find
there is a link, a mention or a word to a whole channel that we did not write; inside code only its own `<…>` is markup.
"""

import re
from collections.abc import Iterator, Mapping

_WORD_JOINER = "\u2060"
_CODE = re.compile(r"^(?P<fence>```|~~~)[^\n]*\n.*?(?:^(?P=fence)[^\n]*$|\Z)|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s+\"[^\"\n]*\")?\)")
_OPENED = re.compile(r"\](?=[(\[])|^(\s*\[[^\]\n]*\])(?=:)", re.MULTILINE)
_ADDRESS = re.compile(r"(?:\b[a-z][a-z0-9+.-]*://|\bwww\.|\bmailto:)[^\s<>`|)\]]+", re.IGNORECASE)
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
    parts = _divide(text)
    return "".join(_tame_code(part) if is_code else _tame(part, links or {}) for is_code, part in parts)


def _divide(text: str) -> Iterator[tuple[bool, str]]:
    """Code and what is between, in order."""
    at = 0
    for match in _CODE.finditer(text):
        yield False, text[at : match.start()]
        yield True, match[0]
        at = match.end()
    yield False, text[at:]


def _tame_code(text: str) -> str:
    return _BROADCAST.sub("@" + _WORD_JOINER, _TAG_IN_CODE.sub("<" + _WORD_JOINER, text))


def _tame(text: str, links: Mapping[int, str]) -> str:
    text = _LINK.sub(r"\1", text)
    text = _OPENED.sub(lambda match: match[0] + _WORD_JOINER, text)
    text = _BROADCAST.sub("@" + _WORD_JOINER, _TAG.sub("<" + _WORD_JOINER, text))
    text = _ADDRESS.sub(lambda match: f"`{match[0]}`", text)
    return _CITATION.sub(lambda match: _link(match, links), text)


def _link(match: re.Match[str], links: Mapping[int, str]) -> str:
    address = links.get(int(match[1]))
    return f"[[{match[1]}]]({address})" if address else match[0]
