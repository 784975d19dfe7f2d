"""Folders: files that change while they are read, huge ones, deep and closed folders, names that are no text."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import InvalidInputError
from retrieval.documents import Documents
from retrieval.sources import folder as folder_module
from retrieval.sources.access_rules import AccessRule
from retrieval.sources.folder import FolderSource
from retrieval.sources.source import Entry, Failure, GoneError, Unread
from tests.retrieval.conftest import Write
from tests.retrieval.sources.conftest import Sync, list_all

LEAVE = "# Leave\n\nEmployees get 23 days of leave.\n"


@pytest.fixture
def source(folder: Path) -> FolderSource:
    return FolderSource(folder, name="handbook")


def age(location: Path) -> None:
    """As if it had been written a minute ago."""
    os.utime(location, (time.time() - 60, time.time() - 60))


async def test_a_settled_file_is_not_opened_again(source: FolderSource, write: Write, run_sync: Sync) -> None:
    location = write("leave.md", LEAVE)
    age(location)
    await run_sync(source)
    location.write_text(LEAVE.replace("23", "25"))
    age(location)
    assert (await run_sync(source)).updated == 1
    report = await run_sync(source)
    assert (report.unchanged, report.updated) == (1, 0)


async def test_a_file_written_a_moment_ago_has_no_version_yet(source: FolderSource, write: Write) -> None:
    write("leave.md", LEAVE)
    age(write("old.md", LEAVE))
    found = {one.path: one.version for one in await list_all(source) if isinstance(one, Entry)}
    assert (found["leave.md"], found["old.md"] is None) == (None, False)


async def test_a_file_that_changes_while_it_is_read_is_named_and_read_the_next_time(
    source: FolderSource, write: Write, run_sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("leave.md", LEAVE)
    seen = iter(range(1000))
    with monkeypatch.context() as patch:
        # The file system's answer, since no test can write at just the right moment.
        patch.setattr(folder_module, "_version_of", lambda stat: str(next(seen)))
        report = await run_sync(source)
    assert [one.reason for one in report.failed] == [
        "the file changes while it is read; it is read again at the next ingest"
    ]
    assert (await run_sync(source)).added == 1


async def test_a_file_of_two_gigabytes_is_named_and_not_read(
    source: FolderSource, write: Write, run_sync: Sync
) -> None:
    with write("video.txt", "").open("wb") as file:
        file.truncate(2**31)
    report = await run_sync(source)
    assert [one.reason for one in report.failed] == [
        "expected at most 50,000,000 bytes, got 2,147,483,648; split the file"
    ]


async def test_links_in_a_circle_are_named(source: FolderSource, folder: Path) -> None:
    (folder / "a").symlink_to(folder / "b")
    (folder / "b").symlink_to(folder / "a")
    (folder / "self.md").symlink_to(folder / "self.md")
    found = await list_all(source)
    assert sorted(one.path for one in found if isinstance(one, Failure)) == ["a", "b", "self.md"]


@pytest.mark.parametrize("last", [3900, 4090])
async def test_a_folder_deeper_than_a_path_can_be_long_is_named_and_its_files_stay(
    source: FolderSource, folder: Path, last: int
) -> None:
    """Whether the longest path that can be opened leaves room for the name of an access file in it, or not."""
    steps, left = divmod(last - len(os.fsencode(folder)), 201)
    descriptors = [os.open(folder, os.O_RDONLY)]
    for name in ["d" * 200] * steps + ["e" * (left - 1)] * (left > 1) + ["d" * 200] * 2:
        os.mkdir(name, dir_fd=descriptors[-1])
        descriptors.append(os.open(name, os.O_RDONLY, dir_fd=descriptors[-1]))
    found = await list_all(source)
    for descriptor in descriptors:
        os.close(descriptor)
    assert [type(one) for one in found] == [Failure, Unread]


@pytest.mark.skipif(os.geteuid() == 0, reason="root opens every folder")
async def test_a_folder_that_may_not_be_opened_keeps_its_documents(
    source: FolderSource, folder: Path, write: Write, run_sync: Sync, documents: Documents
) -> None:
    write("closed/leave.md", LEAVE)
    await run_sync(source)
    (folder / "closed").chmod(0)
    report = await run_sync(source)
    (folder / "closed").chmod(0o755)
    assert (report.removed, len(await documents.find_all())) == (0, 1)


async def test_a_name_that_is_no_text_is_read(source: FolderSource, folder: Path, run_sync: Sync) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.md")).write_text(LEAVE)
    report = await run_sync(source)
    assert (report.added, report.failed) == (1, [])


async def test_a_file_that_went_between_listing_and_reading_is_gone(source: FolderSource, write: Write) -> None:
    location = write("leave.md", LEAVE)
    entry = next(one for one in await list_all(source) if isinstance(one, Entry))
    location.unlink()
    with pytest.raises(GoneError):
        await source.fetch(entry, stored_version=None, max_bytes=1000)


async def test_the_default_counts_where_no_access_file_does(tmp_path: Path) -> None:
    (tmp_path / "leave.md").write_text(LEAVE)
    found = await list_all(FolderSource(tmp_path, default=AccessRule(["group:people"])))
    assert [one.rule.allow for one in found if isinstance(one, Entry)] == [["group:people"]]


async def test_no_folder_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="is the share mounted"):
        await list_all(FolderSource(tmp_path / "none"))


async def test_a_touched_file_has_another_date_and_is_not_embedded_again(
    source: FolderSource, write: Write, run_sync: Sync, documents: Documents
) -> None:
    location = write("leave.md", LEAVE)
    may, june = datetime(2026, 5, 3, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    os.utime(location, (may.timestamp(), may.timestamp()))
    first = await run_sync(source)
    before = await documents.find_all()
    os.utime(location, (june.timestamp(), june.timestamp()))
    second = await run_sync(source)
    after = await documents.find_all()
    assert ([one.changed_at for one in before], [one.changed_at for one in after]) == ([may], [june])
    assert (first.embedded, second.embedded, second.updated, after[0].version) == (1, 0, 0, 1)
