"""New migrations run while the version before serves: none blocks a large table, or takes away what it uses."""

import asyncio
import re
import shutil
from pathlib import Path

import psycopg
import pytest

from core.database import Database
from core.migrate import FOLDER, Migration, find_migrations, migrate
from core.sql import load_queries

# What the version before applied; those until then were written for a stop. Raise it with a release.
BEFORE = 27
# Tables that grow with use, not with the number of nights or settings.
LARGE = "inbox interactions feedback documents document_texts chunks embeddings postings pairs".split()
_TABLE = rf"(?:public\.)?(?:{'|'.join(LARGE)})\b"

# Each is slow or blocks for as long as it reads the whole table, and what to do instead.
REFUSED = {
    rf"ALTER TABLE {_TABLE}[^;]*ALTER COLUMN \w+ (?:SET DATA )?TYPE": "add a column, and fill it little by little",
    rf"ALTER TABLE {_TABLE}[^;]*ADD COLUMN[^;]*GENERATED ALWAYS AS \(": "it rewrites the table; use a trigger",
    rf"ALTER TABLE {_TABLE}[^;]*SET NOT NULL": "add a CHECK … NOT VALID, and validate it later",
    rf"ALTER TABLE {_TABLE}[^;]*ADD (?:CONSTRAINT \w+ )?CHECK(?![^;]*NOT VALID)": "add it NOT VALID, validate it later",
    rf"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)[^;]* ON {_TABLE}": "it blocks writes as long as it reads the table",
    r"ALTER TABLE [^;]*(?:DROP COLUMN|RENAME)|DROP TABLE": "the version before uses it; take it away one version later",
    rf"UPDATE {_TABLE}(?![^;]*\bWHERE\b)": "it locks and rewrites every row; fill it little by little",
}
# In a migration: `-- Not large: why` before a statement that this test would refuse.
# Applied somewhere already, and so never changed; docs/operations.md tells of each.
KNOWN = {"0028_line"}
EXCUSE = re.compile(r"-- Not large: .+\n[^;]*;")


def find_refused(source: str) -> list[str]:
    """What a file must not do, with advice."""
    plain = re.sub(r"--[^\n]*", "", EXCUSE.sub("", source))
    return [
        f"{found[0].strip()[:80]}…: {advice}" for rule, advice in REFUSED.items() for found in re.finditer(rule, plain)
    ]


@pytest.mark.parametrize(
    "migration", [one for one in find_migrations()[BEFORE:] if one.name not in KNOWN], ids=lambda one: one.name
)
def test_a_new_migration_blocks_nobody(migration: Migration) -> None:
    assert find_refused(migration.source.decode()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE feedback ALTER COLUMN value TYPE integer;",
        "ALTER TABLE inbox ADD COLUMN day date GENERATED ALWAYS AS (received_at::date) STORED;",
        "ALTER TABLE interactions ALTER COLUMN answer SET NOT NULL;",
        "ALTER TABLE chunks ADD CHECK (text <> '');",
        "CREATE INDEX feedback_value ON feedback (value);",
        "ALTER TABLE runs DROP COLUMN reason;",
        "UPDATE documents SET owner = 'nobody';",
    ],
)
def test_what_would_block_is_noticed(statement: str) -> None:
    assert len(find_refused(statement)) == 1
    assert find_refused(f"-- Not large: it is made empty above.\n{statement}") == []


async def test_people_ask_and_vote_while_migrations_are_applied(database_url: str, tmp_path: Path) -> None:
    """With the statements of the version before, in tests/core/before.sql, at the tables as it left them."""
    before = tmp_path / "before"
    before.mkdir()
    for migration in find_migrations()[:BEFORE]:
        shutil.copy(FOLDER / f"{migration.name}.sql", before)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    queries, served, ended = load_queries(str(Path(__file__).with_name("before.py"))), 0, asyncio.Event()
    async with Database(database_url) as database, Database(database_url) as other:
        await migrate(database, before)

        async def serve() -> None:
            nonlocal served
            while not ended.is_set():
                served += 1
                async with asyncio.timeout(10):
                    for query in ("receive", "claim", "begin", "finish_interaction", "record", "finish"):
                        await database.fetch_dicts(queries[query], {"number": served})

        serving = asyncio.create_task(serve())
        await migrate(other)
        # And for a while on the new tables.
        await asyncio.wait({serving}, timeout=0.3)
        ended.set()
        await serving
        rows = await database.fetch_dicts(
            b"SELECT (SELECT count(*) FROM inbox WHERE done_at IS NOT NULL) AS done, "
            b"(SELECT count(*) FROM interactions WHERE finished_at IS NOT NULL) AS answered, "
            b"(SELECT count(*) FROM current_feedback) AS votes"
        )
    assert rows == [{"done": served, "answered": served, "votes": served}]
