"""Who sees what, against the rule written out, on random groups."""

import json
import random
from pathlib import Path

import pytest

from core.database import Database
from core.errors import InvalidInputError
from retrieval.access import Access
from retrieval.documents import Document, Documents
from retrieval.embedding import Embedder
from retrieval.ingest import ingest
from retrieval.search import Search
from retrieval.sources.access_rules import AccessRule, parse_rule
from tests.retrieval.conftest import Write

LEAVE = "# Leave\n\nEmployees get 23 days of leave a year.\n"
GROUPS = ["everyone", "group:people", "group:finance", "group:seoul", "user:ann"]


def may_read(rule: AccessRule, principals: list[str]) -> bool:
    return bool(set(rule.allow) & set(principals)) and not set(rule.deny) & set(principals)


async def test_a_search_finds_exactly_what_may_be_read(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    chance = random.Random(7)
    rules: dict[str, AccessRule] = {}
    for number in range(24):
        rule = AccessRule(chance.sample(GROUPS, chance.randint(0, 3)), chance.sample(GROUPS, chance.choice([0, 0, 1])))
        rules[f"{number}/leave.md"] = rule
        write(f"{number}/leave.md", f"# Leave {number}\n\nSite {number * 7919} has {number + 3} days of leave.\n")
        write(f"{number}/.access.json", json.dumps({"allow": rule.allow, "deny": rule.deny}))
    await ingest(database, embedder, [folder])
    search, documents = Search(database, embedder), Documents(database)
    for size in range(5):
        principals = chance.sample(GROUPS, size)
        expected = {path for path, rule in rules.items() if may_read(rule, principals)}
        for side in ("hybrid", "dense", "lexical"):
            found = await search.search("days of leave at the site", principals, limit=40, side=side)
            assert {passage.path for passage in found} == expected
        assert {document.path for document in await documents.find(principals)} == expected


async def test_no_principals_and_unknown_ones_see_nothing(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.md", LEAVE)
    await ingest(database, embedder, [folder])
    search = Search(database, embedder)
    assert await search.search("leave", []) == await search.search("leave", ["group:unknown"]) == []


async def test_the_nearest_access_file_wins(database: Database, embedder: Embedder, folder: Path, write: Write) -> None:
    write("hr/.access.json", '{"allow": ["group:people"], "owner": "user:kim"}')
    write("hr/leave.md", LEAVE)
    write("hr/public/.access.json", '{"allow": ["everyone"], "deny": ["group:guests"]}')
    write("hr/public/leave.md", LEAVE)
    await ingest(database, embedder, [folder])
    stored = {one.path: (one.allow, one.deny, one.owner) for one in await Documents(database).find_all()}
    assert stored == {
        "hr/leave.md": (["group:people"], [], "user:kim"),
        "hr/public/leave.md": (["everyone"], ["group:guests"], None),
    }


async def test_without_an_access_file_nobody_reads_unless_the_caller_says_so(
    database: Database, embedder: Embedder, tmp_path: Path
) -> None:
    (tmp_path / "leave.md").write_text(LEAVE)
    report = await ingest(database, embedder, [tmp_path / "leave.md"])
    search = Search(database, embedder)
    assert (report.hidden, await search.search("leave", ["everyone"])) == (1, [])
    report = await ingest(database, embedder, [tmp_path / "leave.md"], default_allow=["everyone"])
    assert (report.hidden, len(await search.search("leave", ["everyone"]))) == (0, 1)


async def test_a_changed_permission_counts_at_once(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.md", LEAVE)
    await ingest(database, embedder, [folder])
    write(".access.json", '{"allow": ["everyone"], "deny": ["group:guests"]}')
    report = await ingest(database, embedder, [folder])
    search = Search(database, embedder)
    assert (report.unchanged, report.embedded) == (1, 0)
    assert await search.search("leave", ["everyone", "group:guests"]) == []
    assert len(await search.search("leave", ["everyone"])) == 1


async def test_a_malformed_access_file_hides_its_folder(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.md", LEAVE)
    write("hr/leave.md", LEAVE)
    await ingest(database, embedder, [folder])
    write("hr/.access.json", '{"allow": "everyone"}')
    report = await ingest(database, embedder, [folder])
    assert (report.removed, [failure.path for failure in report.failed]) == (1, ["hr/"])
    assert [one.path for one in await Documents(database).find_all()] == ["leave.md"]


async def test_statistics_do_not_tell_of_hidden_documents(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.md", LEAVE)
    write("other.md", "# Travel\n\nBook the train early.\n")
    await ingest(database, embedder, [folder])
    search = Search(database, embedder)
    before = await search.search("days of leave", ["everyone"], side="lexical")
    write("board/.access.json", '{"allow": ["group:board"]}')
    write("board/leave.md", "# Leave\n\nThe board gets 99 days of leave, and nobody knows of these days.\n")
    await ingest(database, embedder, [folder])
    after = await search.search("days of leave", ["everyone"], side="lexical")
    assert [passage.lexical_score for passage in before] == [passage.lexical_score for passage in after]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"allow": "everyone"}', '{"allow": [1]}', '{"allow": [""]}', '{"allow": [], "denied": []}'],
)
def test_half_a_rule_is_no_rule(content: str) -> None:
    with pytest.raises(InvalidInputError, match=r"\.access\.json"):
        parse_rule(content.encode())


async def test_principals_are_everyone_the_person_and_the_groups(database: Database) -> None:
    access = Access(database)
    await access.set_memberships("user:ann", ["group:people", "group:seoul"])
    await access.set_memberships("user:ann", ["group:seoul", "group:finance"])
    assert await access.find_principals("user:ann") == ["everyone", "user:ann", "group:finance", "group:seoul"]
    assert await access.find_principals("user:bo") == ["everyone", "user:bo"]


async def test_nobody_becomes_a_group_by_name(database: Database) -> None:
    for person in ("", "everyone", "group:people"):
        with pytest.raises(InvalidInputError, match="expected a person"):
            await Access(database).find_principals(person)


async def test_a_statement_without_the_filter_is_not_run(database: Database) -> None:
    with pytest.raises(ValueError, match="without the filter"):
        await Access(database).fetch_visible(b"SELECT * FROM documents", ["everyone"], {}, Document)
