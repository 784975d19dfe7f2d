"""Days and nights of `benchmarks/learns.py` through the real bot and the real night, which here finds too few pairs."""

import pytest
from rich.console import Console

from benchmarks.learns import Plan, live_through
from benchmarks.learns_figures import Cell
from benchmarks.learns_workload import Employee, Exercise
from bot.golden import GoldenQuestion
from cli.house import open_house
from core.settings_loading import load_settings
from tests.cli.conftest import QUESTION
from tests.fakes.model_server import FakeModelServer

DAYS = b"SELECT value, floor(extract(epoch FROM now() - given_at) / 86400)::integer AS days FROM feedback ORDER BY id"


def make_exercise(question: str, accept: str) -> Exercise:
    golden = GoldenQuestion(question, "en", question, accept, [accept], ["leave.md"], ["everyone"], False)
    return Exercise(golden, f"{accept}.", f"Employees have {accept}.")


async def test_days_pass_people_vote_and_the_held_out_questions_leave_no_trace(
    filled: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHT_MIN_PAIRS", "1000")
    asked = [make_exercise(QUESTION, "23 days"), make_exercise("How much annual leave do employees have?", "24 days")]
    held_out = [make_exercise("Annual leave in days?", "23 days"), make_exercise("Annual leave?", "99 days")]
    plan = Plan(2, 6, asked, held_out, [Employee("user:a", "brief"), Employee("user:b", "brief")], 1)
    async with open_house(load_settings()) as house:
        lived = await live_through(house, plan, Cell(1.0, 0.0), Console(quiet=True))
        votes = await house.database.fetch_dicts(DAYS)
        (count,) = await house.database.fetch_dicts(b"SELECT count(*)::integer AS all FROM interactions")
    assert [(night.votes, night.verdict, night.switched) for night in lived] == [
        (0, "", False), (6, "too_few_pairs", False), (6, "too_few_pairs", False),
    ]  # fmt: skip
    assert (lived[0].quality.right, lived[0].quality.cited, lived[0].quality.rights) == (0.5, 1.0, (True, False))
    # A day between the days, and only what people asked is in the log.
    assert [vote["days"] for vote in votes] == [2] * 6 + [1] * 6
    assert {vote["value"] for vote in votes} == {1, -1}
    assert count["all"] == 12
