"""Scores with what votes taught, against the formula worked out in Python, on random questions, votes and readers."""

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from core.database import Database
from retrieval import postings
from retrieval.embedding import Embedder
from retrieval.examples import teach
from retrieval.sources.access_rules import AccessRule
from retrieval.taught import choose_weights
from tests.retrieval.made_documents import Made, may_read, store
from tests.retrieval.voting import answer, score, vote

GROUPS = ["group:a", "group:b"]
# The last ones stand in no text.
WORDS = [f"{first}{second}x" for first in "bdfg" for second in "aeio"]
IN_TEXTS = WORDS[:12]


def score_by_formula(
    made: Sequence[Made], weights: Mapping[str, Counter[str]], question: Sequence[str], principals: Sequence[str]
) -> dict[str, float]:
    """BM25 of texts that questions were added to."""
    texts = {one.path: Counter(one.chunks[0].split()) for one in made if may_read(one.rule, principals)}
    added = {path: sum(count for count in weights[path].values() if count > 0) for path in texts}
    weight, length = choose_weights(sum(count > 0 for count in added.values()) / len(texts))
    lengths = {path: sum(words.values()) + length * added[path] for path, words in texts.items()}
    mean = sum(lengths.values()) / len(lengths)
    scores: dict[str, float] = {}
    for word in question:
        gains = {path: count * weight if (count := weights[path][word]) > 0 else count for path in texts}
        counts = {path: words[word] + gains[path] for path, words in texts.items()}
        holding = {path: count for path, count in counts.items() if count > 0}
        rarity = math.log(1 + (len(texts) - len(holding) + 0.5) / (len(holding) + 0.5))
        for path, count in holding.items():
            gain = rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * lengths[path] / mean))
            scores[path] = scores.get(path, 0) + gain
    return scores


@pytest.mark.parametrize("part_bytes", [1_000_000, 0])
async def test_random_votes_score_as_the_formula_says(
    database: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch, part_bytes: int
) -> None:
    monkeypatch.setattr(postings, "_PART_BYTES", part_bytes)  # 0: each term is a part of its own
    chance = random.Random(4)
    made = [
        Made(
            f"{number}",
            [" ".join(chance.choices(IN_TEXTS, k=chance.randint(1, 9)))],
            AccessRule(chance.choices(GROUPS)),
        )
        for number in range(30)
    ]
    # Chunks of two blocks.
    await database.execute(b"ALTER TABLE chunks ALTER COLUMN id RESTART WITH 4080")
    await store(database, embedder, made)
    weights: dict[str, Counter[str]] = {one.path: Counter() for one in made}
    for number in range(40):
        question, path = chance.sample(WORDS, 3), chance.choice(made).path
        is_liked = chance.random() < 0.7
        asked = await answer(database, " ".join(question), [path])
        await vote(database, asked, f"user:{number}", 1 if is_liked else -1, blaming=not is_liked)
        weights[path].update(dict.fromkeys(question, 1 if is_liked else -1))
    await teach(database)
    for principals in (["group:a"], ["group:b"], GROUPS):
        question = chance.sample(WORDS, 5)
        found = await score(database, " ".join(question), principals)
        assert found == pytest.approx(score_by_formula(made, weights, question, principals))


@pytest.mark.parametrize(
    ("share", "weight", "length"),
    [(0.001, 1, 0.204), (0.05, 1, 0.4), (0.1, 0.5, 0.3), (1, 0.3, 0.45)],
)
def test_questions_weigh_less_the_more_passages_have_some(share: float, weight: float, length: float) -> None:
    assert choose_weights(share) == pytest.approx((weight, length))
