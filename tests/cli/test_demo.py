"""`nightbake demo`: what it counts, and the whole of it with a model that always says the same."""

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bot.golden import GoldenQuestion
from cli.demo import Answered, compare, sum_up
from core.interactions import Interaction
from learning.night import NightResult
from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer

KEYS = {
    "questions", "answered", "answered_with_correct_source", "votes", "pairs", "gate", "approved_by_admin", "adapter",
    "served_output_changed", "changed_answers", "right_before", "right_after", "correct_source_after", "report",
    "seconds",
}  # fmt: skip


def make_answered(number: int, answer: str, *, path: str = "leave.md", generated: str = "said") -> Answered:
    golden = GoldenQuestion(
        f"g{number}", "en", f"How [/many] {number}?", "23 days", ["23 days"], ["leave.md"], [], True
    )
    values: dict[str, Any] = dict.fromkeys(field.name for field in dataclasses.fields(Interaction))
    values |= {"answer": answer, "generated": generated, "mode": "generated", "citations": [1]}
    return Answered(golden, Interaction(**(values | {"passages": [{"number": 1, "path": path}]})))


def make_night(**changes: Any) -> NightResult:
    night = NightResult(
        1, date(2026, 11, 20), "done", "not_enough_evidence", 2, 2, 2, 0, "abstain", "night-1", False, 9.0
    )
    return dataclasses.replace(night, **changes)


def test_right_answers_and_right_sources_are_counted_apart() -> None:
    before = [make_answered(1, "25 days [1]"), make_answered(2, "23 days [1]", path="pay.md"), make_answered(3, "")]
    after = [make_answered(1, "23 days [1]"), make_answered(2, "23 days [1]"), make_answered(3, "23 days [1]")]
    counted = sum_up(before, after, 3, make_night(), approved=True)
    assert (counted["questions"], counted["answered"], counted["votes"], counted["pairs"]) == (3, 2, 3, 2)
    assert (counted["answered_with_correct_source"], counted["correct_source_after"]) == (2, 3)
    assert (counted["right_before"], counted["right_after"]) == (1, 3)


@pytest.mark.parametrize(
    ("night", "approved", "adapter", "changed"),
    [
        ({"verdict": "promote", "switched": True}, False, "night-1", True),
        ({}, True, "night-1", True),
        ({}, False, None, False),
        ({"verdict": "refuse"}, False, None, False),
    ],
)
def test_only_what_is_served_counts_as_changed(
    night: dict[str, Any], approved: bool, adapter: str | None, changed: bool
) -> None:
    before, after = [make_answered(1, "23 days")], [make_answered(1, "23 days", generated="something else")]
    counted = sum_up(before, after, 1, make_night(**night), approved=approved)
    assert (counted["adapter"], counted["served_output_changed"], counted["changed_answers"]) == (adapter, changed, 1)


def test_an_adapter_that_says_the_same_changed_nothing() -> None:
    same = [make_answered(1, "23 days")]
    assert sum_up(same, same, 1, make_night(), approved=True)["served_output_changed"] is False


def test_a_night_without_a_verdict_is_named_by_its_reason() -> None:
    night = make_night(verdict=None, state="skipped", reason="too_few_pairs", adapter=None)
    assert sum_up([], [], 0, night, approved=False)["gate"] == "too_few_pairs"


def test_the_table_shows_each_question_before_and_after() -> None:
    before, after = make_answered(1, "[bold]25 days", path="pay.md"), make_answered(1, "23 days")
    console = Console(width=160)
    with console.capture() as capture:
        console.print(compare([before], [after]))
    for text in ("How [/many] 1?", "[bold]25 days", "wrong", "other source", "23 days", "right"):
        assert text in capture.get(), text


@pytest.mark.model
@pytest.mark.timeout(600)  # it starts a PostgreSQL, reads the sample and trains a tiny model: under a minute when idle
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*", "ignore::FutureWarning:transformers.*")
def test_the_whole_demo_runs_unattended_and_leaves_only_its_report(
    model_server: FakeModelServer, base_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_PATH", str(base_model))
    monkeypatch.setenv("NIGHT_LORA_RANK", "4")
    ran = run_nightbake("demo", "--json")
    told = ran.json
    assert (ran.code, ran.err, set(told)) == (0, "", KEYS)
    assert (told["questions"], told["answered"], told["votes"]) == (12, 12, 12)
    assert (told["gate"], told["approved_by_admin"], told["served_output_changed"]) == ("abstain", True, False)
    assert model_server.adapters.keys() == {told["adapter"]}
    assert model_server.requests[-1]["model"] == told["adapter"]
    report = Path(told["report"])
    assert [path.name for path in report.parent.iterdir()] == ["report.html"]
    report.unlink()
    report.parent.rmdir()
