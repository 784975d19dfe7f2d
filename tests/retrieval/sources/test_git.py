"""Git: files of a commit with their access files, only changed ones read again, outages and odd names."""

import asyncio
import os
import subprocess
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import InvalidInputError
from retrieval.documents import Documents
from retrieval.sources.access_rules import AccessRule
from retrieval.sources.git import GitSource
from retrieval.sources.source import Cursor, Entry, Failure, SourceAwayError
from tests.retrieval.sources.conftest import Sync, list_all, list_dates

LEAVE = "# Leave\n\nEmployees get 23 days of leave.\n"
PERSON = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]


class Repository:
    """A repository that people commit to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}
        folder.mkdir()
        self.git("init", "--quiet")

    def git(self, *arguments: str) -> str:
        command = ["git", *PERSON, *arguments]
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, **self.environment}
        return subprocess.run(
            command, cwd=self.folder, env=environment, check=True, capture_output=True, text=True
        ).stdout

    def set_date(self, date: str) -> None:
        """Of the commits to come."""
        self.environment = {"GIT_COMMITTER_DATE": date}

    def commit(self, **files: str | None) -> None:
        """Files by name, `__` for a slash and `_` for a dot; None deletes."""
        for name, content in files.items():
            path = self.folder / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True) if content is None else path.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "handbook")
    repository.commit(leave_md=LEAVE, hr__travel_md="# Travel\n\nBook the train early.\n")
    return repository


def build(repository: Repository, tmp_path: Path, *, remote: bool = False, ref: str = "main") -> GitSource:
    location = f"file://{repository.folder}" if remote else str(repository.folder)
    return GitSource("handbook", location, ref=ref, cache=tmp_path / "cache.git", default=AccessRule(["everyone"]))


@pytest.mark.parametrize("remote", [False, True])
async def test_only_what_a_commit_changed_is_read_again(
    repository: Repository, tmp_path: Path, run_sync: Sync, documents: Documents, remote: bool
) -> None:
    source = build(repository, tmp_path, remote=remote)
    first, unchanged = await run_sync(source), await run_sync(source)
    repository.commit(leave_md=LEAVE.replace("23", "25"), hr__travel_md=None, badge_md="# Badge\n\nWear it.\n")
    second = await run_sync(source)
    assert (first.added, unchanged.unchanged, unchanged.added) == (2, 2, 0)
    assert (second.updated, second.added, second.removed, second.embedded) == (1, 1, 1, 2)
    assert [one.path for one in await documents.find(["everyone"])] == ["badge.md", "leave.md"]


async def test_nothing_but_the_cursor_is_said_of_the_same_commit(repository: Repository, tmp_path: Path) -> None:
    source = build(repository, tmp_path)
    commit = repository.git("rev-parse", "HEAD").strip()
    assert await list_all(source, commit) == [Cursor(commit)]


async def test_a_branch_and_a_tag_are_read_where_they_stand(repository: Repository, tmp_path: Path) -> None:
    repository.git("tag", "v1")
    repository.git("checkout", "--quiet", "-b", "draft")
    repository.commit(draft_md="# Draft\n\nNot yet.\n")
    for ref, names in [("v1", ["hr/travel.md", "leave.md"]), ("draft", ["draft.md", "hr/travel.md", "leave.md"])]:
        found = await list_all(build(repository, tmp_path, remote=True, ref=ref))
        assert [one.path for one in found if isinstance(one, Entry)] == names


async def test_access_files_in_the_commit_say_who_may_read(repository: Repository, tmp_path: Path) -> None:
    repository.commit(hr___access_json='{"allow": ["group:people"], "deny": ["group:guests"]}', hr__a__b_md=LEAVE)
    found = await list_all(build(repository, tmp_path))
    rules = {one.path: (one.rule.allow, one.rule.deny) for one in found if isinstance(one, Entry)}
    people = (["group:people"], ["group:guests"])
    assert rules == {"hr/a/b.md": people, "hr/travel.md": people, "leave.md": (["everyone"], [])}


async def test_a_malformed_access_file_hides_its_folder_at_once(
    repository: Repository, tmp_path: Path, run_sync: Sync, documents: Documents
) -> None:
    source = build(repository, tmp_path)
    await run_sync(source)
    repository.commit(hr___access_json='{"allow": "everyone"}')
    report = await run_sync(source)
    assert (report.removed, [one.path for one in report.failed]) == (1, ["hr/"])


async def test_links_and_files_in_lfs_are_named(repository: Repository, tmp_path: Path) -> None:
    (repository.folder / "link.md").symlink_to("/etc/passwd")
    repository.commit(large_md="version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
    source = build(repository, tmp_path)
    found = await list_all(source)
    assert [one.path for one in found if isinstance(one, Failure)] == ["link.md"]
    large = next(one for one in found if isinstance(one, Entry) and one.path == "large.md")
    with pytest.raises(InvalidInputError, match="lies in Git LFS"):
        await source.fetch(large, stored_version=None, max_bytes=1000)


async def test_a_name_in_korean_and_with_a_newline_is_read(
    repository: Repository, tmp_path: Path, run_sync: Sync
) -> None:
    (repository.folder / "휴가\n규정.md").write_text(LEAVE)
    repository.commit()
    report = await run_sync(build(repository, tmp_path))
    assert (report.added, report.failed) == (3, [])


@pytest.mark.parametrize("ref", ["no-such-branch", "--upload-pack=touch /tmp/x"])
async def test_a_ref_that_is_not_there_is_away_and_removes_nothing(
    repository: Repository, tmp_path: Path, run_sync: Sync, documents: Documents, ref: str
) -> None:
    await run_sync(build(repository, tmp_path))
    for remote in (False, True):
        report = await run_sync(build(repository, tmp_path, remote=remote, ref=ref))
        assert (report.removed, len(report.away)) == (0, 1)
    assert len(await documents.find_all()) == 2


async def test_a_remote_that_is_away_removes_nothing(
    repository: Repository, tmp_path: Path, run_sync: Sync, documents: Documents
) -> None:
    source = build(repository, tmp_path, remote=True)
    await run_sync(source)
    repository.folder.rename(tmp_path / "away")
    report = await run_sync(source)
    assert (report.removed, len(report.away), len(await documents.find_all())) == (0, 1, 2)


async def test_a_transport_that_runs_commands_is_refused(tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    source = GitSource(
        "x", f"ext::sh -c touch% {witness}", ref="main", cache=tmp_path / "c.git", default=AccessRule(["everyone"])
    )
    with pytest.raises(SourceAwayError, match="not allowed"):
        await list_all(source)
    assert not witness.exists()


@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.parametrize("can_filter", ["true", "false"])
async def test_a_file_has_the_date_of_the_commit_that_changed_it(tmp_path: Path, remote: bool, can_filter: str) -> None:
    repository = Repository(tmp_path / "dated")
    repository.git("config", "uploadpack.allowFilter", can_filter)
    repository.set_date("2026-01-01T00:00:00Z")
    repository.commit(leave_md=LEAVE, hr__travel_md="# Travel")
    repository.set_date("2026-02-01T00:00:00Z")
    repository.commit(leave_md=LEAVE.replace("23", "25"))
    source = build(repository, tmp_path, remote=remote)
    january, february, march = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))
    assert await list_dates(source) == {"leave.md": february, "hr/travel.md": january}
    repository.git("checkout", "--quiet", "-b", "draft")
    repository.commit(hr__travel_md="# Travel by train")
    repository.git("checkout", "--quiet", "main")
    repository.set_date("2026-03-01T00:00:00Z")
    repository.git("merge", "--quiet", "--no-ff", "-m", "merge", "draft")
    assert await list_dates(source) == {"leave.md": february, "hr/travel.md": march}


async def test_a_list_that_is_read_in_part_leaves_nothing_open(repository: Repository, tmp_path: Path) -> None:
    source = build(repository, tmp_path, remote=False)

    def count_open() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    open_files = count_open()
    async with aclosing(source.list_entries(None)) as listed:
        assert isinstance(await anext(listed), Entry)
    async with asyncio.timeout(30):
        while count_open() > open_files:  # noqa: ASYNC110  the loop closes a pipe when it comes to it
            await asyncio.sleep(0.01)


async def test_a_history_that_is_cut_dates_only_what_it_holds(repository: Repository, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.folder}", str(clone))
    source = GitSource("handbook", str(clone), ref="HEAD", cache=tmp_path / "none", default=AccessRule(["everyone"]))
    assert await list_dates(source) == {"leave.md": None, "hr/travel.md": None}
