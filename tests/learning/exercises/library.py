"""Documents in the tables as an ingest leaves them, without an embedding model."""

from collections.abc import Sequence
from typing import Any

from core.database import Database
from core.prompt import detect_language
from learning.exercises.draft import Related
from learning.exercises.make import Maker, Wanted
from learning.exercises.store import Exercises
from tests.learning.exercises.making import FERRY, GLOSSARY, REGIONS, count_words

ADD_DOCUMENT = b"""WITH document AS (
    INSERT INTO documents (source, path, title, format, language, sha256, recipe, allow, deny)
    VALUES ('made', %(path)s, %(title)s, 'md', %(language)s, '', '', %(allow)s, '{}') RETURNING id
), stored AS (
    INSERT INTO document_texts (document_id, text) SELECT id, %(text)s FROM document
), cut AS (
    INSERT INTO chunks (document_id, version, ordinal, heading_path, start_offset, end_offset, text, sha256, language,
                        length)
    SELECT id, 1, place, heading, starts, ends, substr(%(text)s, starts + 1, ends - starts), '', %(language)s, 9
    FROM document, unnest(%(places)s::int[], %(headings)s::text[], %(starts)s::int[], %(ends)s::int[])
                   AS cut(place, heading, starts, ends)
)
SELECT id FROM document"""
MONEY = f"Allowances are paid by the day.\n\n{REGIONS}"
DROUGHT = "Wells are measured on Mondays by two people. A dry well is reported to the harbour. Nobody drinks from it."


async def add_document(
    database: Database, title: str, sections: dict[str, str], *, allow: Sequence[str] = ("everyone",)
) -> int:
    """A document of these sections, by heading; its id."""
    text, starts, ends = "", list[int](), list[int]()
    for body in sections.values():
        text += "\n\n" if text else ""
        starts.append(len(text))
        text += body
        ends.append(len(text))
    values: dict[str, Any] = {"title": title, "path": f"{title}.md", "text": text, "language": detect_language(text)}
    values |= {"headings": list(sections), "starts": starts, "ends": ends, "places": list(range(len(starts)))}
    return (await database.fetch_dicts(ADD_DOCUMENT, values | {"allow": list(allow)}))[0]["id"]


async def fill(database: Database) -> dict[str, int]:
    """A travel guide, a glossary and a page about wells; their ids by title."""
    return {
        "Travel": await add_document(database, "Travel", {"Money": MONEY, "Ferry": FERRY, "Wells": DROUGHT}),
        "Words": await add_document(database, "Words", {"People": GLOSSARY}),
        "Wells": await add_document(database, "Wells", {"Measuring": DROUGHT, "Depth": "A well is nine metres deep."}),
    }


class FixedSearch:
    """The same passages for every question; `asked` are the principals of each search."""

    def __init__(self, *related: Related) -> None:
        self.related = list(related)
        self.asked: list[list[str]] = []

    async def __call__(self, question: str, principals: Sequence[str]) -> list[Related]:
        """All of them."""
        self.asked.append(list(principals))
        return self.related


def build_maker(database: Database, wanted: Wanted, **parts: Any) -> Maker:
    """A maker without a model, whose search finds nothing, unless a part says otherwise."""
    parts = {"find_related": FixedSearch(), "count_tokens": count_words} | parts
    return Maker(Exercises(database), wanted, **parts)
