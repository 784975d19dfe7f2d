"""Cutting a document into chunks: along its structure, within a token budget, with exact offsets. Pure."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from retrieval.formats.blocks import Block

CountTokens = Callable[[Sequence[str]], list[int]]
"""Tokens of each text, without special tokens; additive over words to good approximation."""

_SENTENCE = re.compile(r"[^\n.!?。]*(?:[.!?。]+(?=\s|$)|[.!?。]+|\n|$)", re.MULTILINE)
_WORD = re.compile(r"\S+")
_TIGHT = ("item", "row")


@dataclass(frozen=True, slots=True)
class Span:
    """A block at its place: `text[start:end] == block.text`, in characters."""

    block: Block
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document: `document_text[start:end] == text`, in characters.

    Attributes:
        heading_path: headings above it, `Leave > Parental leave`, without the document's title.
        page: where it begins, from 1.
    """

    heading_path: str
    page: int | None
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Unit:
    start: int
    end: int
    tokens: int
    page: int | None


def lay_out(blocks: Sequence[Block]) -> tuple[str, list[Span]]:
    """The document's text, and where each block lies in it; lists and tables line by line, the rest set apart."""
    parts: list[str] = []
    spans: list[Span] = []
    place = 0
    for number, block in enumerate(blocks):
        if number:
            tight = block.kind in _TIGHT and blocks[number - 1].kind == block.kind
            parts.append("\n" if tight else "\n\n")
            place += len(parts[-1])
        parts.append(block.text)
        spans.append(Span(block, place, place + len(block.text)))
        place += len(block.text)
    return "".join(parts), spans


def split_into_chunks(
    text: str, spans: Sequence[Span], *, title: str, count_tokens: CountTokens, max_tokens: int
) -> list[Chunk]:
    """Chunks of at most `max_tokens`, none across a heading.

    A section that needs several chunks is cut into ones of about equal size, between blocks where possible,
    else between sentences, words, characters. A heading with nothing below it is a chunk of its own.
    """
    chunks: list[Chunk] = []
    for heading_path, section in _find_sections(spans, title):
        units = [_Unit(span.start, span.end, 0, span.block.page) for span in section]
        fitting = _fit_units(text, units, count_tokens, max_tokens)
        for group in _pack(fitting, max_tokens):
            start, end = group[0].start, group[-1].end
            chunks.append(Chunk(heading_path, group[0].page, start, end, text[start:end]))
    return chunks


def _find_sections(spans: Sequence[Span], title: str) -> Iterator[tuple[str, list[Span]]]:
    """Blocks between two headings with the path of headings above them."""
    above: list[Block] = []
    pending: Span | None = None
    for is_heading, group in groupby(spans, key=lambda span: span.block.kind == "heading"):
        if not is_heading:
            yield _join_path(above, title), list(group)
            pending = None
            continue
        for span in group:
            if pending and pending.block.level >= span.block.level:
                yield _join_path(above, title), [pending]
            above = [heading for heading in above if heading.level < span.block.level] + [span.block]
            pending = span
    if pending:
        yield _join_path(above, title), [pending]


def _join_path(above: Sequence[Block], title: str) -> str:
    names = [" ".join(heading.text.split()) for heading in above]
    return " > ".join(names[1:] if names and names[0] == title else names)


def _fit_units(text: str, units: list[_Unit], count_tokens: CountTokens, max_tokens: int) -> list[_Unit]:
    """Units counted, and those over the budget cut finer until all fit; one call of the tokenizer a level."""
    for cut in (_cut_sentences, _cut_words, _cut_characters):
        units = _count(text, units, count_tokens)
        if all(unit.tokens <= max_tokens for unit in units):
            return units
        units = [
            piece for unit in units for piece in ([unit] if unit.tokens <= max_tokens else cut(text, unit, max_tokens))
        ]
    return _count(text, units, count_tokens)


def _count(text: str, units: Sequence[_Unit], count_tokens: CountTokens) -> list[_Unit]:
    counts = count_tokens([text[unit.start : unit.end] for unit in units])
    return [_Unit(unit.start, unit.end, tokens, unit.page) for unit, tokens in zip(units, counts, strict=True)]


def _cut_sentences(text: str, unit: _Unit, _: int) -> Iterator[_Unit]:
    return _cut(_SENTENCE, text, unit)


def _cut_words(text: str, unit: _Unit, _: int) -> Iterator[_Unit]:
    return _cut(_WORD, text, unit)


def _cut_characters(_: str, unit: _Unit, max_tokens: int) -> Iterator[_Unit]:
    # A character may take several tokens in a script that the tokenizer does not know: Hangul decomposes into three.
    step = max(max_tokens // 4, 1)
    for start in range(unit.start, unit.end, step):
        yield _Unit(start, min(start + step, unit.end), 0, unit.page)


def _cut(pattern: re.Pattern[str], text: str, unit: _Unit) -> Iterator[_Unit]:
    for match in pattern.finditer(text, unit.start, unit.end):
        piece = match[0]
        if piece.strip():
            start = match.start() + len(piece) - len(piece.lstrip())
            yield _Unit(start, start + len(piece.strip()), 0, unit.page)


def _pack(units: Sequence[_Unit], max_tokens: int) -> Iterator[list[_Unit]]:
    """Neighbours together, each group as near to an equal share as the budget lets it be."""
    total = sum(unit.tokens for unit in units)
    share = total / max(math.ceil(total / max_tokens), 1)
    group: list[_Unit] = []
    tokens = 0
    for unit in units:
        if group and (tokens + unit.tokens > max_tokens or tokens + unit.tokens / 2 > share):
            yield group
            group, tokens = [], 0
        group.append(unit)
        tokens += unit.tokens
    if group:
        yield group
