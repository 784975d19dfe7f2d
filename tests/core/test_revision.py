"""Which code is running, told from checkouts that are made here."""

import subprocess
from pathlib import Path

import pytest

from core.revision import find_commit


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    (tmp_path / "code.py").write_text("one")
    name = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (("init", "-q"), ("add", "code.py"), (*name, "commit", "-q", "-m", "First")):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    return tmp_path


def test_a_checkout_is_told_by_its_commit_and_says_where_it_was_changed(checkout: Path) -> None:
    commit = find_commit(checkout)
    assert commit and len(commit) == 40
    (checkout / "code.py").write_text("two")
    assert find_commit(checkout) == f"changed-{commit}"


def test_a_folder_inside_somebody_elses_checkout_has_no_commit(checkout: Path) -> None:
    assert find_commit(checkout / "inner") is None


def test_a_machine_without_git_has_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    assert find_commit(checkout) is None
