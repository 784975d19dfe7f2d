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
from tests.retrieval.made_documents import Made, may_read, store
from tests.retrieval.voting import answer, score, vote

GROUPS = ["group:a", "group:b"]
# The last ones stand in no text.
WORDS = [f"{first}{second}x" for first in "bdfg" for second in "aeio"]
IN_TEXTS = WORDS[:12]


def score_by_formula(
    made: Sequence[Made], weights: Mapping[str, Counter[str]], question: Sequence[str], principals: Sequence[str]
) -> dict[str, float]:
    """BM25 where half of a question's occurrences count, and three quarters of them make the text longer."""
    texts = {one.path: Counter(one.chunks[0].split()) for one in made if may_read(one.rule, principals)}
    lengths = {
        path: sum(words.values()) + 0.75 * sum(weight for weight in weights[path].values() if weight > 0)
        for path, words in texts.items()
    }
    mean = sum(lengths.values()) / len(lengths)
    scores: dict[str, float] = {}
    for word in question:
        counts = {path: words[word] + 0.5 * weights[path][word] for path, words in texts.items()}
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
        weights[path].update(dict.fromkeys(question, 1 if is_liked else -2))
    await teach(database)
    for principals in (["group:a"], ["group:b"], GROUPS):
        question = chance.sample(WORDS, 5)
        found = await score(database, " ".join(question), principals)
        assert found == pytest.approx(score_by_formula(made, weights, question, principals))
