"""Which single votes train: where they outnumber pairs, and only those that a pair would be kept for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.adapters import Adapters
from core.database import Database
from learning.canaries import build_canaries
from learning.collect import CollectSettings, collect
from learning.gather import Single
from learning.pair_export import stream_singles
from learning.raters import Raters
from learning.runs import Run, Runs
from learning.singles import Surroundings, cap_singles, choose_singles, is_sound
from learning.split import Split, is_held_out, split_pairs
from tests.learning.log import PEOPLE, SUBJECTS, log_answer, log_corrected_night, make_passage, vote
from tests.learning.making import NOON, make_answer, make_pair, make_source

LIKED, DISLIKED = "The company grants 9 days. [1]", "I believe that this may depend on many things."


def ask(subject: str) -> str:
    return f"How many days for {subject} in the annex?"


def find_subjects(count: int) -> list[str]:
    """Subjects whose questions chance puts on the side that trains."""
    named = [f"{subject} {level}" for level in ("north", "south") for subject in SUBJECTS]
    return [one for one in named if not is_held_out(question_of(one), seed=0)][:count]


def question_of(subject: str) -> str:
    return ask(subject).casefold().rstrip("?")


async def log_singles(database: Database, count: int, *, person: str | None = None) -> list[int]:
    """Answers with one vote each, every second one liked; the ids of the answers."""
    ids = []
    for at, subject in enumerate(find_subjects(count)):
        text = LIKED if at % 2 == 0 else DISLIKED
        answer = await log_answer(database, ask(subject), [make_passage(subject, 9)], text)
        await vote(database, answer, person or PEOPLE[at % len(PEOPLE)], 1 if at % 2 == 0 else -1)
        ids.append(answer)
    return ids


async def run_collect(database: Database) -> tuple[Run, dict[str, Any]]:
    runs = Runs(database)
    rows = await database.fetch_dicts(b"SELECT now() + interval '1 second' AS until")
    window: dict[str, Any] = {"window_from": rows[0]["until"] - timedelta(days=1), "window_to": rows[0]["until"]}
    run = await runs.begin(night=NOON.date(), requested_by="test", **window)
    assert run
    counts = (await collect(database, runs, run, CollectSettings(max_pairs=999, seed=0))).counts
    return run, counts


async def find_uses(database: Database) -> list[str]:
    rows = await database.fetch_dicts(b"SELECT use FROM run_singles ORDER BY interaction_id")
    return [row["use"] for row in rows]


async def test_single_votes_train_where_they_outnumber_pairs_and_are_accounted_for(database: Database) -> None:
    await log_corrected_night(database, 4)
    await log_singles(database, 16)
    run, counts = await run_collect(database)
    singles = counts["singles"]
    assert (singles["count"], singles["use"], counts["reconciled"]) == (16, "kto", True)
    assert 0 < singles["trained"] <= 3 * counts["trained"]
    assert counts["fates"]["trained:single"] == singles["trained"]
    assert sum(counts["fates"].values()) == counts["votes"] == 20
    rows = [row async for row in stream_singles(database, run.id)]
    assert (len(rows), {row["label"] for row in rows}) == (singles["trained"], {True, False})


async def test_where_pairs_are_enough_single_votes_stay_for_evaluation(database: Database) -> None:
    await log_corrected_night(database, 8)
    await log_singles(database, 16)
    _, counts = await run_collect(database)
    assert (counts["singles"], set(await find_uses(database))) == (
        {"count": 16, "use": "evaluation", "trained": 0},
        {"evaluation"},
    )


async def test_who_is_forgotten_takes_the_adapters_along_that_their_single_votes_trained(database: Database) -> None:
    from core.forgetting import QUERIES  # noqa: PLC0415  the query alone: no model server is needed

    await log_corrected_night(database, 2)
    ids = await log_singles(database, 12, person="user:zoe")
    run, _ = await run_collect(database)
    await Runs(database).update(run.id, adapter="night-1")
    adapters = Adapters(database)
    await adapters.register(name="night-1", folder="x", base_model="b", sha256="s", manifest={})
    (used,) = await database.fetch_dicts(QUERIES["find_used"], {"person": "user:zoe"})
    assert (used["adapters"], set(used["touched"]) >= set(ids)) == (["night-1"], True)
    await database.execute(b"UPDATE feedback SET person = 'user:other' WHERE person IN ('user:zoe', 'user:ann')")
    (used,) = await database.fetch_dicts(QUERIES["find_used"], {"person": "user:zoe"})
    assert used["adapters"] == []


def surround(split: Split | None = None, **changes: Any) -> Surroundings:
    values: dict[str, Any] = {
        "questions": {n: ask(subject) for n, subject in enumerate(find_subjects(12), start=1)},
        "persons": {n: f"user:{n}" for n in range(1, 13)},
        "raters": Raters(),
        "canaries": (),
        "split": split or Split([make_pair(n) for n in range(40, 44)], []),
        "seed": 0,
        "audience": "everyone",
        "context_tokens": 4096,
    }
    return Surroundings(**(values | changes))


def make_singles(count: int = 12, **changes: Any) -> list[Single]:
    return [replace(Single(n, 1, 0.7, (n,), is_open=True), **changes) for n in range(1, count + 1)]


async def choose(database: Database, known: Surroundings, singles: Sequence[Single] | None = None) -> set[int]:
    """Those that would train, the answers being sound."""
    for subject in find_subjects(12):
        await log_answer(database, ask(subject), [make_passage(subject, 9)], LIKED)
    _, chosen = await choose_singles(database, singles or make_singles(), known)
    return chosen


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        ({}, set()),
        ({"raters": Raters(new=frozenset({"user:3"}))}, {3}),
        ({"raters": Raters(burst=frozenset({4}))}, {4}),
        ({"persons": {n: "user:1" if n < 3 else f"user:{n}" for n in range(1, 13)}}, set()),
    ],
)
async def test_what_keeps_a_pair_out_keeps_a_single_out(
    database: Database, changes: dict[str, Any], left_out: set[int]
) -> None:
    assert await choose(database, surround(**changes)) == set(range(1, 13)) - left_out


async def test_what_not_everyone_may_read_does_not_train(database: Database) -> None:
    singles = [replace(one, is_open=one.interaction_id != 5) for one in make_singles()]
    known = surround(Split([make_pair(40), make_pair(41)], [make_pair(42)]))
    assert 5 not in await choose(database, known, singles)


async def test_a_question_that_is_held_out_in_other_words_does_not_train(database: Database) -> None:
    near = make_pair(50, question=f"Please, {ask(find_subjects(12)[-1])}")
    known = surround(Split([make_pair(40), make_pair(41), make_pair(43)], [near]))
    chosen = await choose(database, known)
    assert (12 in chosen, len(chosen)) == (False, 9)


async def test_a_question_whose_side_is_pinned_stays_there(database: Database) -> None:
    from core.wording import hash_question, normalise_text  # noqa: PLC0415

    run, _ = await run_collect(database)
    held = hash_question(normalise_text(ask(find_subjects(1)[0])))
    pin = b"INSERT INTO question_sides (lineage, question, side, run_id) VALUES ('everyone:0', %s, 'held_out', %s)"
    await database.execute(pin, [held, run.id])
    assert await choose(database, surround()) == set(range(2, 13))


def test_one_person_supplies_few_of_many() -> None:
    singles = make_singles(100)
    persons = {n: "user:loud" if n <= 60 else f"user:{n}" for n in range(1, 101)}
    kept = cap_singles(singles, surround(persons=persons), most=100)
    # Forty-one people: three hundredths of a hundred, and five at least.
    assert (sum(one.interaction_id <= 60 for one in kept), len(kept)) == (5, 45)


@pytest.mark.parametrize(
    ("text", "value", "changes", "sound"),
    [
        ("Annual leave is 23 days. [1]", 1, {}, True),
        ("Annual leave is 25 days. [1]", 1, {}, False),
        ("Annual leave is 25 days. [1]", -1, {}, True),
        ("Annual leave is 23 days. [1]", -1, {"state": "changed"}, False),
        ("Annual leave is 23 days. [1]", 1, {"state": "gone", "number": 2}, True),
        (f"Ask {build_canaries(0)[0]} of annual leave, 23 days a year.", -1, {}, False),
    ],
)
def test_what_an_answer_says_decides_too(text: str, value: int, changes: dict[str, Any], sound: bool) -> None:
    sources = [make_source(1), make_source(1, **changes)] if "number" in changes else [make_source(1, **changes)]
    assert is_sound(make_answer(1, text), value, sources, build_canaries(0)) == sound


def test_questions_that_singles_train_are_never_held_out_later() -> None:
    pair = make_pair(1)
    pinned = dict.fromkeys([_hash(pair.question)], "trained")
    assert split_pairs([pair], seed=3, share=1.0, pinned=pinned).train == [pair]  # type: ignore[arg-type]


def _hash(question: str) -> str:
    from core.wording import hash_question, normalise_text  # noqa: PLC0415

    return hash_question(normalise_text(question))
