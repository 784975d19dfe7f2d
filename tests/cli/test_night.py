"""`nightbake night` and `nightbake report`: a night by hand, its exit code, and its report in both forms."""

import asyncio
import os
from pathlib import Path

import pytest

from core.database import Database
from tests.cli.conftest import QUESTION
from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer
from tests.learning.log import log_corrected_night


def log_votes(count: int) -> None:
    """So many answers in the installation's log, each with a correction."""

    async def log() -> None:
        async with Database(os.environ["DATABASE_URL"]) as database:
            await log_corrected_night(database, count)

    asyncio.run(log())


@pytest.fixture
def untrainable(installation: FakeModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeModelServer:
    """An installation whose base model is not there."""
    monkeypatch.setenv("MODEL_PATH", str(tmp_path / "no-model"))
    return installation


def test_too_few_pairs_are_a_report_and_no_failure(untrainable: FakeModelServer) -> None:
    log_votes(3)
    ran = run_nightbake("night", "--json")
    night = ran.json
    assert (ran.code, ran.err) == (0, "")
    assert (night["state"], night["reason"], night["votes"], night["pairs"]) == ("skipped", "too_few_pairs", 3, 3)
    assert (night["adapter"], night["switched"], night["verdict"]) == (None, False, None)


def test_a_night_trains_the_order_of_the_search(untrainable: FakeModelServer, documents: Path) -> None:
    for subject in ("Parking", "Lunch"):
        (documents / f"{subject}.md").write_text(f"# {subject}\n\n{subject} costs employees 3 won a day.\n")
    run_nightbake("ingest", str(documents))
    # Both questions find a passage that carries the fake model's answer.
    for question in (QUESTION, "annual leave of employees?"):
        answer = run_nightbake("ask", question, "--json").json
        run_nightbake("feedback", "give", str(answer["interaction_id"]), "up")
    assert run_nightbake("night", "--json").code == 0
    votes = next(one for one in run_nightbake("doctor", "--json").json["findings"] if one["part"] == "votes")
    assert "learned order: off, nDCG@10 1.000" in votes["detail"] and "on 2 held-out questions" in votes["detail"]


def test_people_are_told_what_a_night_did_and_where_it_says_why(untrainable: FakeModelServer) -> None:
    log_votes(3)
    ran = run_nightbake("night")
    assert (ran.code, "skipped (too_few_pairs)" in ran.out, "votes 3, pairs 3" in ran.out) == (0, True, True)
    assert "`nightbake report` shows why" in ran.out
    stages = [line.removeprefix("• ") for line in ran.err.splitlines() if line.startswith("•")]
    assert stages == ["collecting votes and building pairs", "writing the report"]


def test_a_night_that_fails_leaves_with_code_1_and_a_report(untrainable: FakeModelServer, tmp_path: Path) -> None:
    log_votes(4)
    ran = run_nightbake("night", "--force", "--json")
    night = ran.json
    assert (ran.code, night["state"], night["adapter"]) == (1, "failed", None)
    assert "The night failed" in run_nightbake("report", str(night["run_id"]), "--json").json["markdown"]


@pytest.mark.timeout(600)  # training starts a process that imports torch, which takes a busy machine minutes
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*", "ignore::FutureWarning:transformers.*")
def test_force_trains_on_fewer_pairs_and_leaves_the_gate_strict(
    installation: FakeModelServer, base_model: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_votes(5)
    monkeypatch.setenv("MODEL_PATH", str(base_model))
    monkeypatch.setenv("NIGHT_LORA_RANK", "4")
    ran = run_nightbake("night", "--force")
    (adapter,) = run_nightbake("adapters", "--json").json["adapters"]
    assert (ran.code, "gate abstain" in ran.out, "served now: no" in ran.out) == (0, True, True)
    assert f"nightbake adapters promote {adapter['name']}" in ran.out
    assert (adapter["state"], (home / "adapters" / adapter["name"]).is_dir()) == ("candidate", True)


def test_a_report_is_shown_in_both_languages_and_written_as_a_page(untrainable: FakeModelServer, home: Path) -> None:
    run_nightbake("ask", "Parking for visitors?")
    first, second = (run_nightbake("night", "--json").json["run_id"] for _ in range(2))
    shown, korean = run_nightbake("report", str(first)), run_nightbake("report", str(first), "--language", "ko")
    assert (shown.code, "Too little feedback to train on" in shown.out) == (0, True)
    assert ("학습할 피드백이 부족합니다" in korean.out, "Parking for visitors?" in korean.out) == (True, True)
    page = home / "report.html"
    written = run_nightbake("report", "--html", str(page), "--json").json
    assert (written["id"], written["state"], written["html"]) == (second, "skipped", str(page))
    assert page.read_text().startswith("<!doctype html>") and "# Night of" in written["markdown"]
    told = run_nightbake("report", "--html", str(page))
    assert (told.out, told.err) == ("", f"written to {page}\n")


def test_an_unknown_night_is_said(installation: FakeModelServer) -> None:
    ran = run_nightbake("report", "4711")
    assert (ran.code, ran.err) == (1, "error: no night has the id 4711; `nightbake report` shows the latest\n")


def test_a_page_that_cannot_be_written_is_said(untrainable: FakeModelServer, home: Path) -> None:
    run_nightbake("night")
    ran = run_nightbake("report", "--html", str(home / "nowhere" / "report.html"))
    assert (ran.code, "nowhere" in ran.err, "Traceback" in ran.err) == (2, True, False)


def test_nights_are_paused_and_resumed_and_the_doctor_says_so(installation: FakeModelServer) -> None:
    said = [run_nightbake("night", word, "--json").json for word in ("--pause", "--pause")]
    assert [(one["paused"], one["changed"]) for one in said] == [(True, True), (True, False)]
    nights = next(one for one in run_nightbake("doctor", "--json").json["findings"] if one["part"] == "nights")
    assert (nights["status"], nights["detail"].startswith("paused by ")) == ("note", True)
    assert "running by schedule" in run_nightbake("night", "--resume").err
