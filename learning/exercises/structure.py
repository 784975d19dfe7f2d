"""What the form of a section says without a model: tables, entries, definitions, questions, sentences. Pure.

Tables come as the reader lays them out, a row a line: `Region: Japan | Daily allowance: 71 dollars`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from learning.exercises.draft import Section

LEAST_ENTRIES = 3
LEAST_DEFINITION_CHARACTERS = 8

_CELL = re.compile(r"([^:|]{1,60}): (.+)")
_ENTRY = re.compile(r"(?:[-*•]\s+)?([^:|\n]{1,40}):(?:\*\*)? (\S[^|\n]*)")
_MARKER = re.compile(r"^(?:[-*•]\s+|\(\d{1,2}\)\s+|[①-⑳]\s*|\d{1,2}[.)]\s+)")
# Around a term in text that was Markdown once.
_EMPHASIS = " *_`"
_PAGE_NUMBER = re.compile(r"-?\s*\d{1,4}\s*-?")
# An abbreviation or a decimal does not end a sentence: what follows must be white space and the line's next word.
_SENTENCE_END = re.compile(r"(?<=[.!?。])(?<!\b[A-Z]\.)(?<!e\.g\.)(?<!i\.e\.)\s+")
_ENDED = re.compile(r"[.!?。:][\"'”’)]?$")
_MEANS = re.compile(
    r"[\"“'‘]?(?P<term>[A-Z][\w'’ -]{0,40}?)[\"”'’]?(?: at [A-Z]\w+)? (?:means|is defined as|refers to|stands for) "
    r"\S.+"
)
_IS_A = re.compile(r"(?:The|An?) (?P<term>[A-Za-z][\w' -]{1,40}?) is (?:the|an?) (?!same\b)\S.{12,}")
# `The person who submits it is …` speaks of somebody and explains no term.
_CLAUSE = re.compile(r"\b(?:who|that|which|of|in|it|you|this)\b")
_MEANS_KO = re.compile(
    r"(?:[가-힣\w]+에서 )?['\"‘“「]?(?P<term>[^\s'\"’”」][^'\"’”」\n]{0,24}?)['\"’”」]?"
    r"(?:(?:이란|란) .+(?:말합니다|말한다|것이다|것입니다|일컫는다|일컫습니다)|(?:이란|란|은|는) "
    r".+(?:뜻합니다|뜻한다|뜻입니다|뜻이다))\."
)
_ASKED = re.compile(r"\[?(?:Q|질문|문)\]?\s?\d{0,3}\s?[.:)]\s*", re.IGNORECASE)
_ANSWERED = re.compile(r"\[?(?:A|답변|답)\]?\s?\d{0,3}\s?[.:)]\s*", re.IGNORECASE)
_PRONOUN = re.compile(r"(?:It|This|That|These|Those|They|He|She|We|You|그|이|저|이것|그것)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of the same columns; `lines` are the rows as they stand in the text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A term with what is said of it; `line` is how it stands in the text."""

    term: str
    definition: str
    line: str


def find_tables(section: Section) -> list[Table]:
    """Tables of two rows and more, a key in the first column and every key once."""
    tables: list[Table] = []
    columns: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = []
    lines: list[str] = []
    for line in [*section.text.split("\n"), ""]:
        cells = _read_cells(line)
        names = tuple(name for name, _ in cells)
        if rows and names != columns:
            tables.append(Table(columns, tuple(rows), tuple(lines)))
            rows, lines = [], []
        if cells:
            columns = names
            rows.append(tuple(value for _, value in cells))
            lines.append(line)
    return [table for table in tables if len({row[0] for row in table.rows}) == len(table.rows) > 1]


def find_entries(section: Section) -> list[Entry]:
    """Entries of a glossary: a list of at least three lines `Term: what it is`."""
    found = [(line, _ENTRY.fullmatch(line.strip())) for line in section.text.split("\n")]
    entries = [
        Entry(match[1].strip(_EMPHASIS), match[2].strip(), line.strip())
        for line, match in found
        if match and len(match[2].strip()) >= LEAST_DEFINITION_CHARACTERS and not _MARKER.fullmatch(match[1] + " ")
    ]
    return entries if len(entries) >= LEAST_ENTRIES else []


def find_definitions(section: Section) -> list[Entry]:
    """Sentences that say what a word means."""
    found: list[Entry] = []
    for sentence in find_sentences(section):
        match = next(filter(None, (one.fullmatch(sentence) for one in (_MEANS, _IS_A, _MEANS_KO))), None)
        term = match["term"].strip() if match else ""
        if term and not _PRONOUN.match(term) and not _CLAUSE.search(term):
            found.append(Entry(term, sentence, sentence))
    return found


def find_asked(section: Section) -> tuple[str, str] | None:
    """Question and answer, where the heading asks."""
    heading = section.heading
    question = _ASKED.sub("", heading, count=1) if _ASKED.match(heading) else heading
    if not (question.rstrip().endswith(("?", "？")) or _ASKED.match(heading)):
        return None
    answer = _ANSWERED.sub("", " ".join(find_sentences(section)), count=1).strip()
    return (question.strip(), answer) if answer else None


def find_sentences(section: Section) -> list[str]:
    """The sentences of running text, lines of a page joined; rows, entries, page numbers and list marks left out."""
    entries = {entry.line for entry in find_entries(section)}
    return [
        sentence
        for paragraph in section.text.split("\n\n")
        for text in _join_lines(paragraph.split("\n"), entries)
        for sentence in _SENTENCE_END.split(text)
        if _ENDED.search(sentence)
    ]


def _join_lines(lines: Sequence[str], entries: set[str]) -> Iterator[str]:
    """Paragraphs and items, each in one line."""
    joined = ""
    for raw in lines:
        line = raw.strip()
        if not line or _PAGE_NUMBER.fullmatch(line) or _read_cells(line) or line in entries:
            if joined:
                yield joined
            joined = ""
        elif joined and not _MARKER.match(line):
            joined = f"{joined} {line}"
        else:
            if joined:
                yield joined
            joined = _MARKER.sub("", line, count=1)
    if joined:
        yield joined


def _read_cells(line: str) -> list[tuple[str, str]]:
    """Columns with values of a row; empty where the line is none."""
    parts = line.split(" | ")
    matches = [_CELL.fullmatch(part.strip()) for part in parts]
    if len(parts) < 2 or not all(matches):
        return []
    return [(match[1].strip(), match[2].strip()) for match in matches if match]
