"""Open questions that a document's form asks by itself, with answers and clues; most kinds use them. Pure."""

from collections.abc import Iterator, Sequence

from core.prompt import Language
from learning.exercises.draft import Draft, Section
from learning.exercises.structure import Table, find_asked, find_definitions, find_entries, find_sentences, find_tables

# An answer in the words of a section is its beginning: two sentences, as the standing prompt asks for.
ANSWER_SENTENCES = 2
LEAST_SENTENCES = 2

MEANING: dict[Language, str] = {
    "en": 'What does "{term}" mean in "{title}"?',
    "ko": "「{title}」에서 말하는 '{term}'의 뜻은 무엇인가요?",
}
CELL: dict[Language, str] = {
    "en": 'According to "{title}", what is given as "{column}" for {key_column} "{key}"?',
    "ko": "「{title}」에 따르면 {key_column} '{key}'의 '{column}'에는 무엇이라고 되어 있나요?",
}
ABOUT: dict[Language, str] = {
    "en": 'What does "{title}" say about "{heading}"?',
    "ko": "「{title}」에서 '{heading}'에 대해 무엇이라고 하나요?",
}


def find_meanings(section: Section) -> Iterator[Draft]:
    """What terms of a glossary, and of defining sentences, mean."""
    for shape, entries in (("entry", find_entries(section)), ("definition", find_definitions(section))):
        for entry in entries:
            question = MEANING[section.language].format(term=entry.term, title=section.title)
            yield build_open(section, question, entry.definition, shape=shape)


def find_faqs(section: Section) -> Iterator[Draft]:
    """A heading that asks, with what stands below it."""
    if asked := find_asked(section):
        yield build_open(section, *asked, shape="faq")


def find_cells(section: Section) -> Iterator[Draft]:
    """The cells of tables, one of each row in turn."""
    for table in find_tables(section):
        for at in range(1, len(table.columns)):
            for row in table.rows:
                yield build_open(section, ask_cell(section, table, row, at), row[at], shape="table")


def find_about(section: Section) -> Iterator[Draft]:
    """What a section with a heading and several sentences says."""
    sentences = find_sentences(section)
    if section.heading and len(sentences) >= LEAST_SENTENCES and not find_asked(section):
        question = ABOUT[section.language].format(title=section.title, heading=section.heading)
        yield build_open(section, question, " ".join(sentences[:ANSWER_SENTENCES]), shape="heading")


def find_open_questions(sections: Sequence[Section]) -> Iterator[Draft]:
    """All of them over a document, section by section."""
    for section in sections:
        for find in (find_faqs, find_meanings, find_about, find_cells):
            yield from find(section)


def ask_cell(section: Section, table: Table, row: Sequence[str], at: int) -> str:
    """The question for one cell of a row."""
    names = {"key_column": _lower(table.columns[0]), "column": table.columns[at]}
    return CELL[section.language].format(title=section.title, key=row[0], **names)


def build_open(section: Section, question: str, answer: str, *, shape: str) -> Draft:
    """A draft whose clue is its section; kinds take it over by `replace`."""
    return Draft(
        "definition",
        "structure",
        section.language,
        question,
        answer,
        section.text.strip(),
        section.source,
        shape,
        section.title,
        section.heading_path,
    )


def _lower(name: str) -> str:
    """`Daily allowance` inside a sentence; `VPN` stays."""
    return name[0].lower() + name[1:] if name[1:2].islower() else name
