"""Markdown of an answer that grows or is too long: the start that is settled, and pieces that are whole again. Pure."""

import re
from collections.abc import Iterator

from core.addresses import find_addresses

# Between a bracket and what would make a link of it; nobody sees it.
WORD_JOINER = "\u2060"

_CODE = re.compile(r"^(?P<fence>```|~~~)[^\n]*\n.*?(?:^(?P=fence)[^\n]*$|\Z)|`[^`\n]+`", re.MULTILINE | re.DOTALL)
# The end of a text that may still become a link, an address, a mention, code or a citation.
_UNSETTLED = re.compile(
    r"(?:!?\[[^\[\]\n]*(?:\](?:\([^()\n]*\)?)?)?|[^\s\[]*(?:://|www\.|mailto:)\S*|[<@!\]]\w*|\S+)\Z"
)
_ROW = re.compile(r"^\s*\|")
_BREAKS = ("\n\n", "\n", ". ", "。", " ")
# What a cut may not go through.
_WHOLE = re.compile(r"`[^`\n]+`|\[\[\d+\]\]\([^()\s]*\)")


def settle_start(text: str) -> str:
    """As much of a growing text as is read the same whatever comes after it."""
    fences = len(re.findall(r"^(?:```|~~~)", text, re.MULTILINE))
    if fences % 2 == 0:
        line = text[text.rfind("\n") + 1 :]
        # Code or a link that is open on the last line may take in all of the line.
        at = min((line.rfind(mark) for mark in "`[" if _is_open(line, mark)), default=-1)
        if at != -1:
            text = text[: len(text) - len(line) + at]
    return text[: match.start()] if (match := _UNSETTLED.search(text)) else text


def divide_code(text: str) -> Iterator[tuple[bool, str]]:
    """Code and what is between, in order."""
    at = 0
    for match in _CODE.finditer(text):
        yield False, text[at : match.start()]
        yield True, match[0]
        at = match.end()
    yield False, text[at:]


def quote_addresses(text: str) -> str:
    """The text with its addresses as code, so that no client makes links of them; call it outside code."""
    parts: list[str] = []
    at = 0
    for begin, end in find_addresses(text):
        parts += [text[at:begin], "`", text[begin:end], "`"]
        at = end
    return "".join([*parts, text[at:]])


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
