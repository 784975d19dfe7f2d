"""Cutting a document into chunks: along its structure, within a token budget, with exact offsets. Pure."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from retrieval.formats.blocks import Block

CountTokens = Callable[[Sequence[str]], list[int]]
"""Tokens of each text, without special tokens; additive over words to good approximation."""

_SENTENCE = re.compile(r"[^\n.!?。]*(?:[.!?。]+(?=\s|$)|[.!?。]+|\n|$)", re.MULTILINE)
_WORD = re.compile(r"\S+")
_TIGHT = ("item", "row")
# A paragraph that announces the list below it.
_LEAD = re.compile(r"(?:[:：]|다음과 같(?:다|습니다)\.?|다음 각 호[^\n]{0,40})$")
# Title and headings are embedded with every chunk: up to this share of the budget beside it, beyond that out of it.
_HEADING_SHARE = 0.25
_OVERLAP_SHARE = 0.125


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
    """A piece that is not cut further.

    Attributes:
        leads: it announces what follows and stays with it.
        continues: it is a later piece of a sentence that was cut.
    """

    start: int
    end: int
    page: int | None
    tokens: int = 0
    leads: bool = False
    continues: bool = False


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
    """Chunks of at most `max_tokens`, none across a heading, fewer where title and headings are long.

    A section that needs several chunks is cut into ones of about equal size, between blocks where possible,
    else between sentences, words, characters. Only where a sentence is cut, the next chunk repeats some of it.
    What announces a list stays with the list's beginning. A heading with nothing below it is a chunk of its own.
    """
    chunks: list[Chunk] = []
    sections = list(_find_sections(spans, title))
    heading_tokens = count_tokens([f"{title}\n{heading_path}" for heading_path, _ in sections])
    for (heading_path, section), above in zip(sections, heading_tokens, strict=True):
        budget = _find_budget(above, max_tokens)
        fitting = _fit_units(text, _make_units(section), count_tokens, budget)
        for group in _pack(fitting, budget):
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


def _find_budget(heading_tokens: int, max_tokens: int) -> int:
    """Tokens for a chunk's text; at least half, however long its headings."""
    free = math.ceil(max_tokens * _HEADING_SHARE)
    return max(max_tokens - max(heading_tokens - free, 0), math.ceil(max_tokens / 2))


def _make_units(section: Sequence[Span]) -> list[_Unit]:
    following = [span.block.kind for span in section[1:]] + [None]
    return [
        _Unit(
            span.start,
            span.end,
            span.block.page,
            leads=kind in _TIGHT and span.block.kind == "paragraph" and bool(_LEAD.search(span.block.text)),
        )
        for span, kind in zip(section, following, strict=True)
    ]


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
    return [replace(unit, tokens=tokens) for unit, tokens in zip(units, counts, strict=True)]


def _cut_sentences(text: str, unit: _Unit, _: int) -> Iterator[_Unit]:
    return _cut(_SENTENCE, text, unit, within_sentence=False)


def _cut_words(text: str, unit: _Unit, _: int) -> Iterator[_Unit]:
    return _cut(_WORD, text, unit, within_sentence=True)


def _cut_characters(_: str, unit: _Unit, max_tokens: int) -> Iterator[_Unit]:
    # A character may take several tokens in a script that the tokenizer does not know: Hangul decomposes into three.
    step = max(max_tokens // 4, 1)
    for start in range(unit.start, unit.end, step):
        continues = unit.continues or start > unit.start
        yield _Unit(start, min(start + step, unit.end), unit.page, continues=continues)


def _cut(pattern: re.Pattern[str], text: str, unit: _Unit, *, within_sentence: bool) -> Iterator[_Unit]:
    continues = False
    for match in pattern.finditer(text, unit.start, unit.end):
        piece = match[0]
        if piece.strip():
            start = match.start() + len(piece) - len(piece.lstrip())
            yield _Unit(start, start + len(piece.strip()), unit.page, continues=continues)
            continues = within_sentence


def _pack(units: Sequence[_Unit], max_tokens: int) -> Iterator[list[_Unit]]:
    """Neighbours together, each group as near to an equal share of what is left as the budget lets it be."""
    left = sum(unit.tokens for unit in units)
    share = _find_share(left, max_tokens)
    group: list[_Unit] = []
    tokens = fresh = 0
    for unit in units:
        if group and (tokens + unit.tokens > max_tokens or fresh + unit.tokens / 2 > share):
            kept = _find_kept(group, unit, max_tokens)
            moves_on = bool(kept) and kept[-1].leads
            yield group[:-1] if moves_on else group
            group, tokens = kept, sum(one.tokens for one in kept)
            left -= fresh - (tokens if moves_on else 0)
            fresh = tokens if moves_on else 0
            share = _find_share(left, max_tokens)
        group.append(unit)
        tokens += unit.tokens
        fresh += unit.tokens
    if group:
        yield group


def _find_share(tokens: int, max_tokens: int) -> float:
    """Size of each of the fewest equal groups that hold so many tokens."""
    return tokens / max(math.ceil(tokens / max_tokens), 1)


def _find_kept(group: Sequence[_Unit], unit: _Unit, max_tokens: int) -> list[_Unit]:
    """What the group that begins with a unit takes over from the one before it: nothing, as a rule."""
    last, room = group[-1], max_tokens - unit.tokens
    if last.leads and len(group) > 1 and last.tokens <= room:
        return [last]
    kept: list[_Unit] = []
    room = min(room, int(max_tokens * _OVERLAP_SHARE))
    if unit.continues:
        for one in reversed(group[1:]):
            room -= one.tokens
            if room < 0:
                break
            kept.insert(0, one)
            if not one.continues:
                break
    return kept
