"""Documents as sections: the text below each heading, without what stands on every page."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.database import Database
from core.prompt import detect_language
from core.sql import load_queries
from learning.exercises.draft import Section

QUERIES = load_queries(__file__)

# A paragraph that stands in so many documents is no text of any of them: a running head, a line for questions.
FURNITURE_DOCUMENTS = 3
LONGEST_SECTION = 6_000
_PAGE_NUMBER = re.compile(r"\s*[-–]?\s*\d{1,4}\s*[-–]?\s*")


@dataclass(frozen=True, slots=True)
class _Row:
    document_id: int
    version: int
    place: int
    path: str
    title: str
    heading_path: str
    text: str
    allow: list[str]


async def read_sections(
    database: Database, *, source: str | None = None, words: str | None = None
) -> dict[int, list[Section]]:
    """The sections of each document that is there and that somebody may read, by document.

    Args:
        source: name of the source that they were read from; None for all.
        words: that stand in path or title.
    """
    rows = await database.fetch_all(QUERIES["find_sections"], {"source": source, "words": words}, _Row)
    sections = [
        Section(
            row.document_id,
            row.version,
            row.place,
            row.path,
            row.title,
            row.heading_path,
            detect_language(row.text),
            row.text[:LONGEST_SECTION],
            row.allow,
        )
        for row in rows
    ]
    documents: dict[int, list[Section]] = {}
    for section in drop_furniture(sections):
        documents.setdefault(section.document_id, []).append(section)
    return documents


def drop_furniture(sections: Sequence[Section]) -> list[Section]:
    """Sections without page numbers and without paragraphs that stand in many documents; empty ones go."""
    pairs = {(section.document_id, text) for section in sections for text in _split(section.text)}
    repeated = Counter(text for _, text in pairs)
    kept = (
        replace(
            section,
            text="\n\n".join(text for text in _split(section.text) if repeated[text] < FURNITURE_DOCUMENTS),
        )
        for section in sections
    )
    return [section for section in kept if section.text.strip()]


def _split(text: str) -> Iterable[str]:
    paragraphs = (
        "\n".join(line for line in paragraph.split("\n") if not _PAGE_NUMBER.fullmatch(line))
        for paragraph in text.split("\n\n")
    )
    return [paragraph.strip() for paragraph in paragraphs if paragraph.strip()]
