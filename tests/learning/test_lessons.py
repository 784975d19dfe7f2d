"""What a night may tell of what it learnt: the greatest changes, their votes, nothing that is not everyone's."""

from datetime import timedelta
from typing import Any

import pytest

from core.database import Database
from learning.collect import CollectSettings, collect
from learning.lessons import Lessons, choose_examples, count_changes, find_lessons
from learning.runs import Run, Runs
from tests.learning.log import log_corrected_night
from tests.learning.making import NOON
from tests.learning.reporting import make_answers, make_gathered

TOLD = make_gathered().lessons.told


def grade(text: str = "", **changes: Any) -> dict[str, Any]:
    return {"text": text, "f1": 0.5, "contains": 0.0, "cited": 1.0, "grounded": 1.0, "refused": False,
            "in_language": True, "brief": True} | changes  # fmt: skip


def test_four_gains_and_the_greatest_loss_are_shown() -> None:
    shown = choose_examples(make_answers(), TOLD)
    assert len(shown) == 5
    assert [bool(one["gained"]) for one in shown] == [True] * 4 + [False]
    assert (shown[-1]["question"], shown[-1]["lost"]) == ("What is the notice period?", ["contains", "grounded"])


def test_what_may_not_be_told_is_no_example() -> None:
    assert [one["sha256"] for one in choose_examples(make_answers(), {"06": TOLD["06"]})] == ["06"]
    assert choose_examples(make_answers(), {}) == []


def test_private_data_in_an_example_is_a_placeholder() -> None:
    answers = make_answers()
    answers["examples"][0]["preferred"] = "Ask kim@rival.co.kr"
    (shown,) = choose_examples(answers, {"00": TOLD["00"]})
    assert "kim@rival" not in shown["preferred"]


def test_an_answer_that_stays_is_marked_so() -> None:
    (shown,) = choose_examples(make_answers(), {"05": TOLD["05"]})
    assert (shown["is_same"], shown["gained"], shown["lost"]) == (True, [], [])


@pytest.mark.parametrize(
    ("live", "candidate", "found"),
    [
        (grade(), grade(contains=1.0), [{"name": "contains", "gained": 1, "lost": 0}]),
        (grade(), grade(cited=0.0), [{"name": "cited", "gained": 0, "lost": 1}]),
        (grade(refused=True), grade(), [{"name": "answers", "gained": 1, "lost": 0}]),
        (grade(grounded=0.9), grade(grounded=0.92), []),
        (grade(contains=None), grade(contains=None), []),
    ],
)
def test_changes_are_counted_by_what_changed(live: dict, candidate: dict, found: list) -> None:
    assert count_changes([{"live": live, "candidate": candidate}]) == found


async def collect_night(database: Database) -> Run:
    await log_corrected_night(database, 28)
    runs = Runs(database)
    rows = await database.fetch_dicts(b"SELECT now() + interval '1 second' AS until")
    window: dict[str, Any] = {"window_from": rows[0]["until"] - timedelta(days=1), "window_to": rows[0]["until"]}
    run = await runs.begin(night=NOON.date(), requested_by="test", **window)
    assert run
    await collect(database, runs, run, CollectSettings(max_pairs=999, seed=0))
    return run


async def test_held_out_pairs_are_told_with_their_votes(database: Database) -> None:
    run = await collect_night(database)
    held_out = {pair.sha256 for pair in await Runs(database).find_pairs(run.id) if pair.state == "held_out"}
    lessons = await find_lessons(database, run.id)
    assert set(lessons.told) == held_out != set()
    assert {(one.voters, one.liked, one.disliked, one.corrected) for one in lessons.told.values()} == {(1, 0, 1, 1)}


@pytest.mark.parametrize(
    "change",
    [
        b"UPDATE documents SET allow = '{group:hr}'",
        b"UPDATE documents SET deny = '{user:bo}'",
        b"UPDATE documents SET removed_at = now()",
        b"INSERT INTO training_consents (person, allows_training) SELECT DISTINCT asker, false FROM interactions",
    ],
)
async def test_what_was_closed_or_withdrawn_since_is_not_told(database: Database, change: bytes) -> None:
    run = await collect_night(database)
    assert (await find_lessons(database, run.id)).told
    await database.execute(change)
    assert await find_lessons(database, run.id) == Lessons({}, [])
