"""Slack's export: threads as documents, members of the channel as readers, direct messages never."""

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from retrieval.documents import Documents
from retrieval.sources.slack_export import SlackExportSource
from retrieval.sources.source import Entry, SourceAwayError
from tests.retrieval.sources.conftest import Sync, list_all, list_dates

USERS = [
    {"id": "U1", "name": "ann", "profile": {"email": "Ann@example.com", "display_name": "Ann"}},
    {"id": "U2", "name": "bo", "profile": {"email": "bo@example.com", "real_name": "Bo Lee"}},
    {"id": "U3", "name": "left", "deleted": True, "profile": {"email": "left@example.com"}},
]
QUESTION = {"type": "message", "user": "U1", "text": "How do I get a badge?", "ts": "1709280000.000100"}
THREAD = {"thread_ts": "1709280000.000100"}
ANSWER = {"type": "message", "user": "U2", "text": "Ask <@U1> &amp; see <https://x.example|the page>", **THREAD}


def write_export(location: Path, **changes: Any) -> None:
    """An export of one public channel, one private channel and a direct message."""
    files: dict[str, Any] = {
        "users.json": USERS,
        "channels.json": [{"id": "C1", "name": "help", "members": ["U1", "U2", "U3"]}],
        "groups.json": [{"id": "G1", "name": "board", "members": ["U2"]}],
        "dms.json": [{"id": "D1", "members": ["U1", "U2"]}],
        "help/2024-03-01.json": [
            {**QUESTION, **THREAD},
            {"type": "message", "subtype": "channel_join", "user": "U2", "text": "joined", "ts": "1709280001.0"},
            {"type": "message", "user": "U2", "text": "The lift is out of order.", "ts": "1709280002.0"},
        ],
        "help/2024-03-02.json": [{**ANSWER, "ts": "1709370000.0"}],
        "board/2024-03-01.json": [{"type": "message", "user": "U2", "text": "We sell the lift.", "ts": "1709280003.0"}],
        "D1/2024-03-01.json": [{"type": "message", "user": "U1", "text": "A secret.", "ts": "1709280004.0"}],
        **changes,
    }
    with zipfile.ZipFile(location, "w") as archive:
        for name, content in files.items():
            if content is not None:
                archive.writestr(name, content if isinstance(content, str) else json.dumps(content))


@pytest.fixture
def location(tmp_path: Path) -> Path:
    location = tmp_path / "export.zip"
    write_export(location)
    return location


async def read(source: SlackExportSource, path: str) -> str:
    entry = next(one for one in await list_all(source) if isinstance(one, Entry) and one.path == path)
    fetched = await source.fetch(entry, stored_version=None, max_bytes=10_000)
    assert fetched
    return fetched.content.decode()


async def test_members_of_a_channel_read_its_threads_and_nobody_its_direct_messages(location: Path) -> None:
    found = [one for one in await list_all(SlackExportSource("slack", location)) if isinstance(one, Entry)]
    assert {one.path: one.rule.allow for one in found} == {
        "help/2024-03-01 1709280000.000100.md": ["user:ann@example.com", "user:bo@example.com"],
        "help/2024-03-01.md": ["user:ann@example.com", "user:bo@example.com"],
        "board/2024-03-01.md": ["user:bo@example.com"],
    }


async def test_a_thread_of_two_days_is_one_document(location: Path) -> None:
    text = await read(SlackExportSource("slack", location), "help/2024-03-01 1709280000.000100.md")
    expected = "Ann: How do I get a badge?\n\nBo Lee: Ask @Ann & see the page (https://x.example)\n"
    assert text == f"# #help, 2024-03-01\n\n{expected}"


async def test_lone_messages_go_together_by_day(location: Path) -> None:
    text = await read(SlackExportSource("slack", location), "help/2024-03-01.md")
    assert text == "# #help, 2024-03-01\n\nBo Lee: The lift is out of order.\n"


async def test_a_newer_export_reads_only_threads_that_went_on(
    location: Path, run_sync: Sync, documents: Documents
) -> None:
    source = SlackExportSource("slack", location)
    first, unchanged = await run_sync(source), await run_sync(source)
    later = {**ANSWER, "text": "It is done.", "ts": "1709460000.0"}
    write_export(location, **{"help/2024-03-03.json": [later], "groups.json": None})
    second = await run_sync(source)
    assert (first.added, unchanged.unchanged, second.updated, second.removed) == (3, 3, 1, 1)


async def test_who_left_the_channel_reads_it_no_more(location: Path, run_sync: Sync, documents: Documents) -> None:
    source = SlackExportSource("slack", location)
    await run_sync(source)
    write_export(location, **{"channels.json": [{"id": "C1", "name": "help", "members": ["U2"]}]})
    await run_sync(source)
    assert await documents.find(["user:ann@example.com"]) == []


async def test_a_broken_day_leaves_its_channel_as_it_was(location: Path, run_sync: Sync, documents: Documents) -> None:
    source = SlackExportSource("slack", location)
    await run_sync(source)
    write_export(location, **{"help/2024-03-01.json": "[{"})
    report = await run_sync(source)
    assert [one.path for one in report.failed] == ["help/"]
    assert (report.removed, len(await documents.find_all())) == (0, 3)


@pytest.mark.parametrize("content", [b"no zip", None])
async def test_what_is_no_export_is_away(tmp_path: Path, content: bytes | None) -> None:
    location = tmp_path / "export.zip"
    if content:
        location.write_bytes(content)
    with pytest.raises(SourceAwayError, match="expected"):
        await list_all(SlackExportSource("slack", location))


async def test_a_thread_has_the_date_of_its_last_message(location: Path) -> None:
    dates = await list_dates(SlackExportSource("slack", location))
    assert (dates["C1/1709280000.000100"], dates["C1/2024-03-01"]) == (
        datetime(2024, 3, 2, 9, tzinfo=UTC),
        datetime(2024, 3, 1, 8, 0, 2, tzinfo=UTC),
    )
