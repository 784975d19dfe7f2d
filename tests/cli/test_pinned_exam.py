"""`nightbake exam pin|list|show`: accepted items become an exam under a name that is its hash."""

from pathlib import Path

import pytest

from tests.cli.exam_items import make_items, write_guides
from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer


@pytest.fixture
def guides(tmp_path: Path, installation: FakeModelServer) -> Path:
    """Two documents, and a model that knows nothing."""
    installation.answer = "I do not know."
    return write_guides(tmp_path / "guides")


def test_accepted_items_are_pinned_and_shown(guides: Path) -> None:
    make_items(guides, 6)
    pinned = run_nightbake("exam", "pin", "--count", "4", "--json").json
    assert (pinned["items"], pinned["documents"], pinned["accepted"], pinned["is_new"]) == (4, 2, 6, True)
    assert run_nightbake("exam", "pin", "--count", "4", "--json").json["is_new"] is False
    items = run_nightbake("exam", "show", pinned["exam"][:9], "--json").json["items"]
    shown = run_nightbake("exam", "show")
    assert [one["question"] in shown.out.replace("\n", " ") for one in items[:1]] == [True]
    assert (len(items), pinned["exam"] in run_nightbake("exam", "list").out) == (4, True)


def test_items_of_a_removed_document_are_left_out_and_that_is_said(guides: Path) -> None:
    make_items(guides, 6)
    assert run_nightbake("exam", "pin").code == 0
    (guides / "words.md").unlink()
    assert run_nightbake("ingest", str(guides)).code == 0
    (one,) = run_nightbake("exam", "list", "--json").json["exams"]
    assert 0 < one["asked"] < one["items"] and one["gone"] == one["items"] - one["asked"]
    assert f"{one['gone']} more left out" in run_nightbake("exam", "show").out


def test_without_items_it_says_what_to_do(guides: Path) -> None:
    ran = run_nightbake("exam", "pin")
    assert (ran.code, "exercises review" in ran.err) == (2, True)
    assert "exam pin" in run_nightbake("exam", "list").out
    assert "no pinned exam" in run_nightbake("exam", "show").err
