"""Beneath every statement: who answers people reads what the asker may read, in the transaction that says who asks."""

from dataclasses import dataclass

import pytest

from core.database import Database

MADE = b"""
WITH made AS (
    INSERT INTO documents (source, path, title, format, language, sha256, recipe, allow, deny)
    SELECT 'hr', path, path, 'md', 'en', path, '1', allow, deny
    FROM (VALUES ('all.md', '{everyone}'::text[], '{}'::text[]), ('board.md', '{group:board}', '{}'),
                 ('denied.md', '{everyone}', '{group:board}'), ('nobody.md', '{}', '{}')) AS row(path, allow, deny)
    RETURNING id, path
), texts AS (
    INSERT INTO document_texts (document_id, text) SELECT id, 'text of ' || path FROM made
)
INSERT INTO chunks (document_id, version, ordinal, heading_path, start_offset, end_offset, text, sha256, language,
                    length)
SELECT id, 1, 1, '', 0, 4, 'text of ' || path, path, 'en', 3 FROM made
"""
RAW = (
    b"SELECT path AS name FROM documents",
    b"SELECT text AS name FROM document_texts",
    b"SELECT text AS name FROM chunks",
    b"SELECT heading_path AS name FROM chunks JOIN documents ON documents.id = document_id",
)


@dataclass(frozen=True, slots=True)
class _Name:
    name: str


@pytest.mark.parametrize("query", RAW)
async def test_without_an_asker_there_is_nothing(database: Database, bot: Database, query: bytes) -> None:
    await database.execute(MADE)
    assert await bot.fetch_all(query, None, _Name) == await bot.fetch_for([], query, None, _Name) == []


@pytest.mark.parametrize("query", RAW[:3])
async def test_an_asker_reads_what_they_may_and_the_next_one_does_not(database: Database, query: bytes) -> None:
    await database.execute(MADE)
    async with Database(database.url, role="nightbake_bot", size=1) as bot:
        read = {row.name.removeprefix("text of ") for row in await bot.fetch_for(["everyone"], query, None, _Name)}
        assert read == {"all.md", "denied.md"}
        assert await bot.fetch_all(query, None, _Name) == []
        read = {
            row.name.removeprefix("text of ")
            for row in await bot.fetch_for(["everyone", "group:board"], query, None, _Name)
        }
        assert read == {"all.md", "board.md"}
        assert await bot.fetch_for(["group:unknown", "'; RESET ROLE; --", '{"'], query, None, _Name) == []


async def test_who_asks_is_forgotten_also_when_the_statement_fails(database: Database) -> None:
    await database.execute(MADE)
    async with Database(database.url, role="nightbake_bot", size=1) as bot:
        with pytest.raises(Exception, match="division by zero"):
            await bot.fetch_for(["everyone"], b"SELECT (1 / 0)::text AS name FROM documents", None, _Name)
        assert await bot.fetch_all(RAW[0], None, _Name) == []


async def test_a_document_that_is_erased_takes_its_exercises_along(database: Database, index: Database) -> None:
    await database.execute(MADE)
    await database.execute(
        b"""WITH made AS (
                INSERT INTO exercises (sha256, kind, origin, purpose, language, question, answer, clue, title,
                                       heading_path, shape)
                VALUES ('1', 'definition', 'structure', 'training', 'en', 'q', 'a', 'c', 't', '', 's') RETURNING id)
            INSERT INTO exercise_documents (exercise_id, document_id, version, is_clue)
            SELECT made.id, documents.id, 1, true FROM made, documents WHERE path = 'all.md'"""
    )
    assert await index.execute(b"DELETE FROM documents") == 4
    assert await database.fetch_dicts(b"SELECT id FROM exercises") == []
