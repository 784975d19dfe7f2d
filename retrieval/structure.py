"""Structure that text carries in its words: articles of rules, questions with answers, entries of a glossary. Pure.

Rules, regulations and lists of questions are often written without heading styles. What they say of themselves,
`제3조(휴가)`, `Article 3: Leave`, `Q. …`, becomes a heading, so that every chunk below is found and cited under it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from retrieval.formats.blocks import Block

# Below all headings that a format marks as such, archives within archives included.
_FIRST_LEVEL = 20
_QUESTION_LEVEL = 30
_DIVISIONS = "편장절관조"
_PART, _CHAPTER, _SECTION, _ARTICLE = (_FIRST_LEVEL + place for place in (0, 1, 2, 4))
# An article has a title in brackets; without one the words refer to it: `제3조에 따라`.
_KOREAN_ARTICLE = re.compile(r"제\s?\d+\s?조(?:\s?의\s?\d+)?\s?[(\[【][^)\]】\n]{1,60}[)\]】]")
_KOREAN_DIVISION = re.compile(r"제\s?\d+\s?([편장절관])(?:\s?의\s?\d+)?(?:\s+[^\n]{1,40})?")
_KOREAN_END = re.compile(r"부\s*칙(?:\s*[<(\[][^\n]{1,60})?|[<\[【]\s*별\s*[표지][^\n]{0,60}")
_ENGLISH_DIVISION = re.compile(
    r"(Part|Chapter|Section|Article|Clause)\s+(?:\d+(?:\.\d+)*|[IVXLC]+)\b[.:)]?(?:\s+[^\n]{1,80})?", re.IGNORECASE
)
_ENGLISH_LEVELS = {"part": _PART, "chapter": _CHAPTER, "section": _SECTION, "article": _ARTICLE, "clause": _ARTICLE}
# A line that begins with none of these is no heading: most are told at once.
_OPENERS = frozenset("제부<[【PCSApcsa")
_SENTENCE_END = re.compile(r"[.!?;,。]$")
_CONTENTS = re.compile(r"[.·…‥]{2,}\s*\d*\s*$|\t\s*\d+\s*$")
_PARAGRAPH_SIGN = re.compile(r"[①-⑳]")
_QUESTION = re.compile(r"\[?(?:Q|질문|문)\]?\s?\d{0,3}\s?[.:)．：]\s*\S")
_BRACKETED_QUESTION = re.compile(r"\[(?:Q|질문|문)\s?\d{0,3}\]\s*\S")
_ANSWER = re.compile(r"(?:\[?(?:A|답변|답)\]?\s?\d{0,3}\s?[.:)．：]|\[(?:A|답변|답)\s?\d{0,3}\])\s*\S")
_MAX_QUESTION_CHARACTERS = 300
_ENTRY = re.compile(r"[^\s:：][^:：\n]{0,40}(?:[:：]\s|\s[-–—]\s)\s*\S")
_LEAST_ENTRIES = 3


def find_structure(blocks: Sequence[Block]) -> list[Block]:
    """The same words in the same order, with headings where the words announce one."""
    pieces = [piece for block in blocks for piece in _split_rules(block)]
    following = [*pieces, Block("paragraph", "")][1:]
    found = [part for piece, after in zip(pieces, following, strict=True) for part in _split_question(piece, after)]
    return [part for piece in found for part in _split_entries(piece)]


def _split_rules(block: Block) -> Iterator[Block]:
    """A paragraph cut before articles and their numbered paragraphs."""
    if block.kind != "paragraph":
        yield block
        return
    lines: list[str] = []
    for number, line in enumerate(block.text.split("\n")):
        heading, rest = _find_heading(line, is_first=number == 0)
        begins_paragraph = bool(_PARAGRAPH_SIGN.match(rest.lstrip()))
        if lines and (heading or begins_paragraph):
            yield _join(lines, block)
            lines = []
        if heading:
            yield heading if block.page is None else replace(heading, page=block.page)
        if rest.strip():
            lines.append(rest.strip() if heading else rest)
    if lines:
        yield _join(lines, block)


def _join(lines: Sequence[str], block: Block) -> Block:
    text = "\n".join(lines)
    return replace(block, kind="item", text=text, level=0) if _PARAGRAPH_SIGN.match(text) else replace(block, text=text)


def _find_heading(line: str, *, is_first: bool) -> tuple[Block | None, str]:
    """The heading that a line is or begins with, and what follows it."""
    text = line.strip()
    if text[:1] not in _OPENERS or _CONTENTS.search(text):
        return None, line
    article = _KOREAN_ARTICLE.match(text)
    if article:
        return Block("heading", article[0], level=_ARTICLE), text[article.end() :]
    level = 0 if _SENTENCE_END.search(text) else _find_division_level(text, is_first=is_first)
    return (Block("heading", text, level=level), "") if level else (None, line)


def _find_division_level(text: str, *, is_first: bool) -> int:
    """Level of a line that is a heading as a whole; 0 is none."""
    korean = _KOREAN_DIVISION.fullmatch(text)
    if korean:
        return _FIRST_LEVEL + _DIVISIONS.index(korean[1])
    if _KOREAN_END.fullmatch(text):
        return _CHAPTER
    # English words of the kind begin lines of running text too; a paragraph's first line is less often one of those.
    english = _ENGLISH_DIVISION.fullmatch(text) if is_first else None
    return _ENGLISH_LEVELS[english[1].lower()] if english else 0


def _split_question(block: Block, after: Block) -> Iterator[Block]:
    """A question with an answer in the same block or the next becomes the answer's heading."""
    text = block.text.removeprefix("- ")
    asks = block.kind in ("paragraph", "item") and (_QUESTION.match(text) or _BRACKETED_QUESTION.match(text))
    if not asks:
        yield block
        return
    lines = text.split("\n")
    answer = next((place for place, line in enumerate(lines) if place and _ANSWER.match(line.strip())), None)
    question = "\n".join(lines[:answer])
    is_answered = answer is not None or bool(_ANSWER.match(after.text.removeprefix("- ")))
    if not is_answered or len(question) > _MAX_QUESTION_CHARACTERS:
        yield block
        return
    yield Block("heading", question, level=_QUESTION_LEVEL, page=block.page)
    if answer is not None:
        yield Block("paragraph", "\n".join(lines[answer:]), page=block.page)


def _split_entries(block: Block) -> Iterator[Block]:
    """A paragraph of `term: meaning` lines, one block an entry, so that none is cut in two."""
    lines = block.text.split("\n")
    if block.kind != "paragraph" or len(lines) < _LEAST_ENTRIES or not all(map(_ENTRY.match, lines)):
        yield block
        return
    for line in lines:
        yield Block("item", line, page=block.page)
