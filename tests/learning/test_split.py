"""Held-out pairs: apart by question, by person and by time, and for good."""

from datetime import timedelta

from core.database import Database
from core.wording import hash_question, normalise_text
from learning.curate import curate
from learning.pairs import Pair
from learning.runs import Runs
from learning.split import (
    choose_held_people,
    is_held_out,
    split_pairs,
    split_stored,
)
from tests.learning.making import NOON, make_pair, make_source

# With the seed 0: hashes below and above a quarter, looked up once.
HELD = next(f"question {n}" for n in range(99) if is_held_out(f"question {n}", seed=0))
FREE = [f"question {n}" for n in range(99) if not is_held_out(f"question {n}", seed=0)]


def test_one_question_is_on_one_side_only() -> None:
    pairs = [make_pair(n, question=f"question {n % 10}?") for n in range(60)]
    split = split_pairs(pairs, seed=0)
    assert not {pair.cluster for pair in split.train} & {pair.cluster for pair in split.held_out}
    assert len(split.train) + len(split.held_out) == 60


def test_the_side_of_a_question_depends_on_nothing_but_it_and_the_seed() -> None:
    few = split_pairs([make_pair(n) for n in range(5)], seed=3).held_out
    many = split_pairs([make_pair(n) for n in range(50)], seed=3).held_out
    assert {pair.sha256 for pair in few} <= {pair.sha256 for pair in many}


def test_about_a_quarter_is_held_out() -> None:
    held = sum(is_held_out(f"question {n}", seed=0) for n in range(2000))
    assert 440 < held < 560  # 500, three standard deviations of 19.4


def test_nothing_overlaps_by_words_by_language_or_by_person() -> None:
    """600 pairs: every question in two wordings and two languages, by 60 people."""
    asked = (("How many days at level {}?", "en"), ("Level {}: how many days?", "en"), ("{}급은 며칠인가요?", "ko"))
    pairs: list[Pair] = []
    for n in range(600):
        question, language = asked[n % 3]
        level = n // 6
        changes = {"question": question.format(level), "language": language, "voters": (f"user:{n % 60}",)}
        pairs.append(make_pair(n, **changes, chosen=f"{1000 + level} days. [1] {n % 6 * 'yes '}", rejected=f"no {n}"))
    sources = {n: [make_source(n, chunk_id=n // 6, document_id=n // 6)] for n in range(600)}
    curated = curate(pairs, max_pairs=600, sources=sources)
    split = split_pairs(curated.kept, seed=0, clusters=curated.clusters)
    levels = [{chosen_level(pair) for pair in side} for side in (split.train, split.held_out)]
    assert all(len(side) > 10 for side in levels)
    assert levels[0] & levels[1] == set()
    held_people = choose_held_people({f"user:{n}" for n in range(60)}, seed=0)
    assert held_people
    assert not any(held_people & set(pair.voters) for pair in split.train)


def chosen_level(pair: Pair) -> str:
    return normalise_text(pair.chosen).split()[0]


def test_people_are_held_out_only_where_many_vote() -> None:
    assert choose_held_people({f"user:{n}" for n in range(39)}, seed=0) == set()
    held = choose_held_people({f"user:{n}" for n in range(2000)}, seed=0)
    assert 70 < len(held) < 130  # 100, three standard deviations of 9.7


def test_a_side_of_earlier_nights_stays_whatever_chance_says() -> None:
    pairs = [make_pair(1, question=HELD), make_pair(2, question=FREE[0])]
    pinned = {hash_question(HELD): "trained", hash_question(FREE[0]): "held_out"}
    split = split_pairs(pairs, seed=0, pinned=pinned)
    assert ([pair.question for pair in split.train], [pair.question for pair in split.held_out]) == ([HELD], [FREE[0]])


def test_where_clusters_grow_together_what_was_trained_on_is_on_neither_side() -> None:
    old, held, new = make_pair(1, question=FREE[0]), make_pair(2, question=HELD), make_pair(3, question=FREE[1])
    pinned = {hash_question(FREE[0]): "trained", hash_question(HELD): "held_out"}
    clusters = {pair.cluster: FREE[0] for pair in (old, held, new)}
    split = split_pairs([old, held, new], seed=0, pinned=pinned, clusters=clusters)
    assert (split.train, split.dropped) == ([], [(old, "trained_before")])
    assert {pair.question for pair in split.held_out} == {HELD, FREE[1]}
    assert split.sides == {hash_question(FREE[0]): "trained"} | {
        hash_question(question): "held_out" for question in (HELD, FREE[1])
    }


def test_the_newest_questions_wait_a_night_and_are_newer_than_every_trained_one() -> None:
    pairs = [make_pair(n, given_at=NOON + timedelta(hours=n), voters=("user:a",)) for n in range(400)]
    split = split_pairs(pairs, seed=0)
    by_time = split.held_out_by["time"]
    assert by_time == int(0.05 * (len(split.train) + by_time))
    newest = max(pair.given_at for pair in split.train)
    assert sum(pair.given_at > newest for pair in split.held_out) >= by_time
    assert len(split.sides) == 400 - by_time
    assert split_pairs(pairs[:100], seed=0).held_out_by.get("time") is None


async def test_sides_are_kept_by_lineage(database: Database) -> None:
    window = {"window_from": NOON, "window_to": NOON + timedelta(days=1)}
    run = await Runs(database).begin(night=NOON.date(), requested_by="test", **window)
    assert run
    pairs = [make_pair(1, question=FREE[0]), make_pair(2, question=HELD)]
    one = await split_stored(database, run.id, pairs, seed=0, clusters={}, audience="everyone")
    await database.execute(b"UPDATE question_sides SET side = 'held_out'")
    other = await split_stored(database, run.id, pairs, seed=0, clusters={}, audience="everyone")
    apart = await split_stored(database, run.id, pairs, seed=0, clusters={}, audience="group:hr")
    assert [len(split.train) for split in (one, other, apart)] == [1, 0, 1]
