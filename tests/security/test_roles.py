"""What each part of the service may do: all that its statements need, and no more of what people must not see."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import ClientCursor, sql
from psycopg.conninfo import make_conninfo
from psycopg.errors import InsufficientPrivilege

from core.database import Database, Role
from core.errors import MigrationError
from core.migrate import migrate
from core.pools import open_pools
from core.sql import load_queries

ROOT = Path(__file__).parent.parent.parent

BOT: Role = "nightbake_bot"
INDEX: Role = "nightbake_index"
NIGHT: Role = "nightbake_night"
CONSOLE: Role = "nightbake_console"
ALL: tuple[Role, ...] = (BOT, INDEX, NIGHT, CONSOLE)

# Of a file that several roles share, the statements of each; None: all. By folder where it is not named.
SHARED: dict[str, Mapping[Role, set[str] | None]] = {
    "core/adapters.sql": {
        BOT: {"get", "get_active", "find_all", "find_served", "find_serving", "find_answering", "find_baked_prompt"},
        NIGHT: None,
        CONSOLE: None,
    },
    "core/advisory_lock.sql": dict.fromkeys(ALL),
    "core/audit.sql": {**{role: {"record_act"} for role in ALL}, CONSOLE: None},
    "core/consent.sql": {BOT: None},
    "core/directory.sql": {BOT: None, CONSOLE: {"find_same"}},
    "core/exams.sql": {CONSOLE: None, NIGHT: None},
    "core/feedback.sql": {BOT: None},
    "core/forgetting.sql": {CONSOLE: None},
    "core/gaps.sql": {BOT: {"file_gap"}, CONSOLE: None, NIGHT: {"find_topics"}},
    "core/interactions.sql": {BOT: None},
    "core/pauses.sql": {NIGHT: None, CONSOLE: None},
    "core/rests.sql": {BOT: {"is_resting"}, NIGHT: None},
    "bot/admin_messages.sql": {CONSOLE: None},
    "bot/alerts.sql": {CONSOLE: None},
    "bot/desk.sql": {CONSOLE: None},
    "bot/gauges.sql": {CONSOLE: None},
    "bot/golden_questions.sql": {CONSOLE: None},
    "bot/web/sessions.sql": {CONSOLE: None},
    "retrieval/access.sql": {
        BOT: {"find_memberships", "set_memberships", "find_common", "find_visible_ids", "find_further_audience"},
        INDEX: {"find_index_version", "find_visible_chunks", "find_visible_chunks_of_sources"},
    },
    "retrieval/documents.sql": {BOT: {"find_documents", "get_place"}, INDEX: None},
    "retrieval/evidence.sql": {BOT: {"find_chunks", "find_paths"}, INDEX: {"find_known"}},
    "retrieval/examples.sql": {INDEX: None, CONSOLE: {"forget", "forget_terms", "count_terms", "pack_blocks"}},
    "retrieval/memories.sql": {CONSOLE: None},
    "retrieval/memory.sql": {BOT: {"find_near"}, INDEX: {"find_unread", "store_read"}},
    "retrieval/query.sql": {BOT: None},
    "retrieval/search.sql": {BOT: None},
    "retrieval/vocabulary.sql": {BOT: None},
    "retrieval/windows.sql": {BOT: None},
}
FOLDERS: dict[str, Mapping[Role, set[str] | None]] = {
    "bot/web/console": {CONSOLE: None},
    "bot/": {BOT: None},
    "retrieval/": {INDEX: None},
    "learning/": {NIGHT: None},
}
# Only the operator's own commands, which work with the rights of their login, run these.
OPERATORS = (
    "cli/",
    "core/backup.sql",
    "core/point_in_time.sql",
    "retrieval/evaluate_load.sql",
    "learning/exams/pinned.sql",
)

# Functions that read tables: a plan of a statement does not look into them.
CALLS: tuple[tuple[Role, bytes], ...] = (
    (BOT, b"SELECT choose_adapter('{everyone}', 'web:x'), has_learnt('night-1', 1, 1), hold_memories('{1}')"),
    (
        INDEX,
        b"SELECT get_audience('{everyone}', '{}'), pack_postings(), sweep_postings(1), recount_audience_blocks('{0}')",
    ),
    (NIGHT, b"SELECT name_voter('user:ann'), list_example_access('{1}'), has_learnt('night-1', 1, 1)"),
    (NIGHT, b"SELECT judged_exercises(1, 1)"),
    (CONSOLE, b"SELECT name_voter('user:ann'), has_learnt('night-1', 1, 1), judged_exercises(1, 1)"),
)

# Of documents, or of what people asked and were told in other rooms.
TEXTS = ("documents", "document_texts", "chunks", "memories")


class _Nothing(dict[str, Any]):
    """A NULL for every placeholder."""

    def __missing__(self, _: str) -> None:
        return None

    def __contains__(self, _: object) -> bool:
        return True


def list_statements() -> Iterator[tuple[Role, str, bytes]]:
    """Role, name and text of each statement that the service runs."""
    for room in ("core", "bot", "retrieval", "learning"):
        for path in sorted((ROOT / room).rglob("*.sql")):
            file = path.relative_to(ROOT).as_posix()
            if file.startswith(OPERATORS):
                continue
            of_folder = next((users for folder, users in FOLDERS.items() if file.startswith(folder)), None)
            users = SHARED.get(file, of_folder)
            assert users is not None, f"say in SHARED which roles run the statements of {file}"
            for name, statement in load_queries(str(path.with_suffix(".py"))).items():
                for user, names in users.items():
                    if names is None or name in names:
                        yield user, f"{file}: {name}", statement


def test_each_part_may_run_its_statements(database_url: str) -> None:
    """A plan is refused where its tables are."""
    refused: list[str] = []
    with psycopg.connect(database_url, autocommit=True, cursor_factory=ClientCursor) as connection:
        for role, name, statement in list_statements():
            connection.execute("SELECT set_config('role', %s, false)", [role])
            try:
                connection.execute(b"EXPLAIN " + statement, _Nothing())
            except InsufficientPrivilege as error:
                refused.append(f"{role}: {name}: {error.diag.message_primary}")
            except psycopg.errors.DatatypeMismatch:
                # Of a placeholder that took its type from a value.
                continue
    assert not refused, "grant it in the migration that makes the table, to the role that needs it:\n" + "\n".join(
        refused
    )


@pytest.mark.parametrize(("role", "call"), CALLS)
async def test_each_part_may_call_its_functions(role: Role, call: bytes, database: Database) -> None:
    async with Database(database.url, role=role) as pool:
        await pool.fetch_dicts(call)


@pytest.mark.parametrize("table", TEXTS)
async def test_who_answers_reads_no_text_without_principals(table: str, database_url: str) -> None:
    """Row-level security stands on every table of texts, and no other role than the owner is exempt."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        is_on = connection.execute("SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", [table]).fetchone()
        exempt = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND (rolbypassrls OR rolsuper OR rolcanlogin)",
            [list(ALL)],
        ).fetchall()
    assert (is_on, exempt) == ((True,), [])


async def test_who_answers_is_refused_what_nights_and_admins_read(bot: Database) -> None:
    for query in (
        b"SELECT chosen FROM pairs",
        b"SELECT clue FROM exercises",
        b"SELECT markdown FROM reports",
        b"SELECT question FROM golden_questions",
        b"SELECT entries FROM packed_postings",
        b"SELECT vector FROM embeddings",
        b"SELECT term FROM terms",
        b"UPDATE documents SET allow = '{everyone}'",
        b"INSERT INTO switches (switched_by, reason) VALUES ('a', 'b')",
        b"INSERT INTO audiences (allow, deny, sha256) VALUES ('{}', '{}', '')",
        b"DELETE FROM audit",
        b"CREATE TABLE of_ones_own (id integer)",
    ):
        with pytest.raises(InsufficientPrivilege):
            await bot.fetch_dicts(query)


def test_every_table_has_somebody(database_url: str) -> None:
    """A new table is granted in its migration, or the service finds it closed."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        closed = connection.execute(
            """
            SELECT relname FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm')
              AND NOT EXISTS (SELECT FROM unnest(%s::text[]) AS role
                              WHERE has_any_column_privilege(role, oid, 'SELECT, INSERT'))
            """,
            [list(ALL)],
        ).fetchall()
    assert not closed, f"granted to no role: {closed}"


async def test_a_login_that_owns_nothing_serves(database: Database) -> None:
    await database.execute(
        b"""DO $$ BEGIN CREATE ROLE test_service LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"""
    )
    await database.execute(b"GRANT nightbake_bot, nightbake_index, nightbake_night, nightbake_console TO test_service")
    async with open_pools(make_conninfo(database.url, user="test_service"), size=2, open_seconds=5) as pools:
        for pool in (pools.bot, pools.index, pools.night, pools.console):
            assert len(await pool.fetch_dicts(b"SELECT number FROM migrations")) > 0
        with pytest.raises(InsufficientPrivilege):
            await pools.login.execute(b"ALTER TABLE documents DISABLE ROW LEVEL SECURITY")


async def test_an_owner_who_may_not_make_roles_is_told_what_to_ask_for(postgres: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE ROLE test_owner LOGIN")
        connection.execute("CREATE DATABASE owned OWNER test_owner")
        url = postgres.replace("/postgres?", "/owned?")
        try:
            with psycopg.connect(url, autocommit=True) as own:
                own.execute("CREATE EXTENSION vector")
            async with Database(make_conninfo(url, user="test_owner")) as database:
                with pytest.raises(MigrationError, match="GRANT nightbake_bot TO test_owner"):
                    await migrate(database)
                for role in ALL:
                    connection.execute(sql.SQL("GRANT {} TO test_owner").format(sql.Identifier(role)))
                await migrate(database)
                async with Database(database.url, role=BOT) as bot:
                    assert await bot.fetch_dicts(b"SELECT id FROM documents") == []
        finally:
            connection.execute("DROP DATABASE owned WITH (FORCE)")
