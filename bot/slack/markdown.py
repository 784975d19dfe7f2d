"""Markdown that Slack may read: a model's and a document's words made safe, cited numbers linked, long texts split.

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
# The end of a text that may still become a link, an address, a mention, code or a citation.
_UNSETTLED = re.compile(
    r"(?:!?\[[^\[\]\n]*(?:\](?:\([^()\n]*\)?)?)?|[^\s\[]*(?:://|www\.|mailto:)\S*|[<@!\]]\w*|\S+)\Z"
)
_ROW = re.compile(r"^\s*\|")
_BREAKS = ("\n\n", "\n", ". ", "。", " ")
# What a cut may not go through.
_WHOLE = re.compile(r"`[^`\n]+`|\[\[\d+\]\]\([^()\s]*\)")


def make_safe(text: str, links: Mapping[int, str] | None = None) -> str:
    """The words as they are, their links reduced to words, addresses shown as code.

    Args:
        links: addresses of our own by number; `[1]` outside code becomes a link to it.
    """
    parts = _divide(text)
    return "".join(_tame_code(part) if is_code else _tame(part, links or {}) for is_code, part in parts)


def settle_start(text: str) -> str:
    """As much of a growing text as `make_safe` will treat the same whatever comes after it."""
    fences = len(re.findall(r"^(?:```|~~~)", text, re.MULTILINE))
    if fences % 2 == 0:
        line = text[text.rfind("\n") + 1 :]
        # Code or a link that is open on the last line may take in all of the line.
        at = min((line.rfind(mark) for mark in "`[" if _is_open(line, mark)), default=-1)
        if at != -1:
            text = text[: len(text) - len(line) + at]
    return text[: match.start()] if (match := _UNSETTLED.search(text)) else text


def split_markdown(text: str, limit: int) -> list[str]:
    """Pieces of at most `limit` characters: code is fenced anew and a table gets its header again where one is cut."""
    pieces: list[str] = []
    piece = ""
    for unit in _to_units(text):
        if len(piece) + len(unit) > limit and piece.strip():
            pieces.append(piece.strip("\n"))
            piece = ""
        if len(unit) > limit:
            *full, piece = _cut(unit, limit)
            pieces += full
        else:
            piece += unit
    return [*pieces, piece.strip("\n")] if piece.strip() or not pieces else pieces


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


def _is_open(line: str, mark: str) -> bool:
    if mark == "`":
        return line.count("`") % 2 == 1
    at = line.rfind("[")
    return at != -1 and "]" not in line[at:]


def _to_units(text: str) -> Iterator[str]:
    """Fences, tables and paragraphs with the blank lines after them; joined again they are the text."""
    unit, kind = "", ""
    for line in text.splitlines(keepends=True):
        fence = line.lstrip()[:3]
        if kind in ("```", "~~~"):
            unit += line
            kind = "end" if fence == kind else kind
            continue
        new = fence if fence in ("```", "~~~") else "table" if _ROW.match(line) else "text"
        if unit and line.strip() and (kind == "end" or new != kind or unit.endswith("\n\n")):
            yield unit
            unit = ""
        unit += line
        kind = new if line.strip() else kind
    if unit:
        yield unit


def _cut(unit: str, limit: int) -> list[str]:
    """A unit that is too long for a piece of its own."""
    lines = unit.strip("\n").splitlines()
    if lines[0].lstrip()[:3] in ("```", "~~~"):
        mark = lines[0].lstrip()[:3]
        body = lines[1:-1] if len(lines) > 1 and lines[-1].strip() == mark else lines[1:]
        return _cut_lines(body, limit, before=f"{lines[0]}\n", after=f"\n{mark}")
    if _ROW.match(lines[0]) and len(lines) > 2:
        head = f"{lines[0]}\n{lines[1]}\n"
        # A row wider than a message is no row any more.
        if all(len(head) + len(line) <= limit for line in lines[2:]):
            return _cut_lines(lines[2:], limit, before=head, after="")
    return _cut_words(unit.rstrip("\n"), limit)


def _cut_lines(lines: list[str], limit: int, *, before: str, after: str) -> list[str]:
    room = limit - len(before) - len(after)
    pieces: list[list[str]] = [[]]
    size = 0
    for line in (part for whole in lines for part in ([whole] if len(whole) <= room else _cut_words(whole, room))):
        if pieces[-1] and size + len(line) + 1 > room:
            pieces.append([])
            size = 0
        pieces[-1].append(line)
        size += len(line) + 1
    return [before + "\n".join(piece) + after for piece in pieces]


def _cut_words(text: str, limit: int) -> list[str]:
    pieces: list[str] = []
    while len(text) > limit:
        at = _find_cut(text, limit)
        pieces.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*pieces, text]


def _find_cut(text: str, limit: int) -> int:
    found = (text.rfind(mark, limit // 2, limit) + len(mark) for mark in _BREAKS if mark in text[limit // 2 : limit])
    at = next(found, limit)
    for whole in _WHOLE.finditer(text[: 2 * limit]):
        if 0 < whole.start() < at < whole.end():
            return whole.start()
    return at
