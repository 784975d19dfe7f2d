"""`nightbake sources` and `nightbake ingest --watch`."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import LEAVE
from tests.cli.running import run_nightbake, start_nightbake
from tests.fakes.model_server import FakeModelServer


@pytest.fixture
def sources_file(home: Path, documents: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that names the folder `documents` as the source `handbook`."""
    file = home / "sources.toml"
    file.write_text(f'[handbook]\nkind = "folder"\npath = "{documents}"\n')
    monkeypatch.setenv("SOURCES_FILE", str(file))
    return file


def find_states() -> dict[str, str]:
    return {row["name"]: row["state"] for row in run_nightbake("sources", "list", "--json").json["sources"]}


def test_a_source_is_listed_read_and_forgotten(installation: FakeModelServer, sources_file: Path) -> None:
    assert find_states() == {"handbook": "not read yet"}
    ran = run_nightbake("sources", "sync", "--json")
    assert (ran.code, ran.json["sources"]["handbook"]["added"]) == (0, 1)
    assert "handbook" in run_nightbake("sources", "list").out
    assert run_nightbake("sources", "forget", "handbook").code == 2
    sources_file.write_text("")
    assert find_states() == {"handbook": "not configured any more"}
    assert run_nightbake("sources", "forget", "handbook", "--json").json == {"name": "handbook", "hidden": 1}
    assert (find_states(), run_nightbake("documents", "list", "--json").json["documents"]) == ({}, [])


def test_a_source_that_is_away_is_told_by_the_exit_code(
    installation: FakeModelServer, sources_file: Path, tmp_path: Path
) -> None:
    run_nightbake("sources", "sync")
    sources_file.write_text(f'[chat]\nkind = "slack_export"\npath = "{tmp_path}/none.zip"\n')
    ran = run_nightbake("sources", "sync")
    assert (ran.code, "away chat: expected the export 'none.zip'" in ran.err) == (3, True)
    assert find_states()["chat"].startswith("expected the export")


def test_mistakes_in_the_file_are_usage(installation: FakeModelServer, sources_file: Path) -> None:
    sources_file.write_text('[a]\nkind = "ftp"\n[b]\nkind = "folder"\n')
    for command in (["sources", "list"], ["sources", "sync"], ["up"]):
        ran = run_nightbake(*command)
        assert (ran.code, "2 setting(s) to mend" in ran.err) == (2, True)


def test_an_unknown_name_and_no_file_are_said(
    installation: FakeModelServer, sources_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run_nightbake("sources", "sync", "wiki")
    assert (ran.code, "expected names of configured sources (handbook), got wiki" in ran.err) == (2, True)
    monkeypatch.delenv("SOURCES_FILE")
    ran = run_nightbake("sources", "sync")
    assert (ran.code, "no sources are configured" in ran.err) == (2, True)


def test_watching_reads_what_changes_until_it_is_stopped(installation: FakeModelServer, documents: Path) -> None:
    with start_nightbake("ingest", str(documents), "--watch", "--json", stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["added"] == 1
        (documents / "leave.md").write_text(LEAVE.replace("23", "25"))
        assert json.loads(process.stdout.readline())["updated"] == 1
        (documents / "leave.md").unlink()
        began = time.monotonic()
        assert json.loads(process.stdout.readline())["removed"] == 1
        process.send_signal(signal.SIGINT)
        assert (process.wait(30), time.monotonic() - began < 30) == (130, True)
