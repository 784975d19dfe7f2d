"""The light reranker learns what votes show, and is used only where it beats the fusion."""

import random
from dataclasses import replace

import numpy as np
import pytest

from core.database import Database
from retrieval.embedding import Embedder
from retrieval.learned_order import LearnedOrder, find_trained, train_order
from retrieval.learned_rank import DEPTH, FEATURES, Facts, Judged, Learned, build_rows, fit, learn, order
from retrieval.sources.access_rules import AccessRule
from tests.retrieval.made_documents import Made, store
from tests.retrieval.test_search import PASSAGE
from tests.retrieval.voting import EVERYONE, find_chunk, like

STORED = b"INSERT INTO learned_ranks (model, weights, questions, fused_ndcg, rank_ndcg, gain_error, is_used) \
VALUES (%s, %s, 100, 0.5, 0.6, 0.01, %s)"
VOTES_ONLY = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]


def make_judged(count: int, telling: str) -> list[Judged]:
    """Questions whose right passage the fusion often has second, and one feature shows."""
    chance, judged = np.random.default_rng(2), list[Judged]()
    for _ in range(count):
        rows = chance.random((6, len(FEATURES)))
        rows[:, 0] = np.sort(rows[:, 0])[::-1]
        right = int(chance.integers(0, 2))
        rows[:, FEATURES.index(telling)] *= 0.5
        rows[right, FEATURES.index(telling)] += 0.5
        judged.append(Judged(rows, [right]))
    return judged


def test_features_are_what_they_are_called() -> None:
    first = replace(
        PASSAGE, chunk_id=1, title="Leave policy", heading_path="", score=1, dense_score=0.5, lexical_score=4
    )
    second = replace(first, chunk_id=2, title="Travel", score=0.5, dense_score=0, lexical_score=1)
    rows = build_rows("leave in Seoul", [first, second], [Facts(1, 365, 0), Facts(2, 0, -1)])
    assert rows == pytest.approx(np.array([[1, 0.5, 1, 0.5, 0.5, 0], [0.5, 0, 0.25, 0, 1, -np.log(2) / 3]]))


def test_what_tells_the_right_passage_gets_the_weight() -> None:
    weights = dict(zip(FEATURES, fit(make_judged(200, "votes")), strict=True))
    assert max(weights, key=lambda name: weights[name]) == "votes"
    assert order(np.array([[1.0, 0, 0, 0, 0, 0], [0.9, 0, 0, 0, 0, 1.0]]), list(weights.values())) == [1, 0]


def test_votes_never_count_against_a_passage() -> None:
    against = make_judged(200, "votes")
    for one in against:
        one.rows[:, FEATURES.index("votes")] *= -1
    assert fit(against)[FEATURES.index("votes")] == 0


def test_only_a_gain_beyond_chance_on_enough_questions_counts() -> None:
    assert learn(make_judged(200, "votes")).is_better
    assert not learn(make_judged(40, "votes")).is_better
    alike = [replace(one, right=[0]) for one in make_judged(200, "heading")]
    assert not learn(alike).is_better
    assert not Learned([], 400, 0.80, 0.81, 0.006).is_better


@pytest.fixture
async def documents(database: Database, embedder: Embedder) -> Database:
    """Two passages that say the same and one that people like."""
    rule = AccessRule(EVERYONE)
    await store(database, embedder, [Made(f"{name}.txt", [f"leave day {name}"], rule) for name in ("a", "b", "c")])
    await like(database, "something else", "c.txt")
    return database


@pytest.mark.parametrize(("is_used", "expected"), [(False, [0, 1, 2]), (True, [2, 0, 1])])
async def test_what_is_stored_orders_only_where_it_is_used(
    documents: Database, is_used: bool, expected: list[int]
) -> None:
    passages = [replace(PASSAGE, chunk_id=await find_chunk(documents, f"{name}.txt")) for name in "abc"]
    await documents.execute(STORED, ["other model", VOTES_ONLY, True])
    await documents.execute(STORED, ["the model", VOTES_ONLY, is_used])
    found = await LearnedOrder(documents).rerank("leave", passages, model="the model")
    assert found == [passages[place] for place in expected]


async def test_the_question_itself_is_no_vote_for_its_passage(documents: Database) -> None:
    passages = [replace(PASSAGE, chunk_id=await find_chunk(documents, f"{name}.txt")) for name in "abc"]
    await documents.execute(STORED, ["the model", VOTES_ONLY, True])
    assert await LearnedOrder(documents).rerank("Something else?", passages, model="the model") == passages


async def test_what_lies_deep_stays_where_it_is(documents: Database) -> None:
    liked = await find_chunk(documents, "c.txt")
    passages = [replace(PASSAGE, chunk_id=-number) for number in range(DEPTH)] + [replace(PASSAGE, chunk_id=liked)]
    await documents.execute(STORED, ["the model", VOTES_ONLY, True])
    assert (await LearnedOrder(documents).rerank("leave", passages, model="the model"))[-1].chunk_id == liked


async def test_training_is_stored_with_its_figures_and_few_votes_leave_it_off(database: Database) -> None:
    embedder = Embedder(languages=["ko"])
    assert await train_order(database, embedder) is None
    chance, rule = random.Random(1), AccessRule(EVERYONE)
    words = [f"{first}{second}x" for first in "bdfg" for second in "aeio"]
    made = [Made(f"{number}.txt", [" ".join(chance.sample(words, 6))], rule) for number in range(12)]
    await store(database, embedder, made)
    for one in made:
        await like(database, " ".join(one.chunks[0].split()[:3]), one.path)
    learned = await train_order(database, embedder)
    trained = await find_trained(database, embedder.name)
    embedder.close()
    assert learned and trained
    assert (trained.questions, trained.is_used, len(trained.weights)) == (12, False, len(FEATURES))
    assert (trained.fused_ndcg, trained.rank_ndcg) == pytest.approx((learned.fused_ndcg, learned.rank_ndcg))
