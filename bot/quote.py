"""Quote mode: the sentences of the passages that come closest to the question, each with its citation."""

import math
from collections import Counter
from collections.abc import Sequence

from bot.sentences import split_sentences
from core.records import Passage
from core.wording import find_terms

MOST_SENTENCES = 2
# A later passage must match clearly better than an earlier one: the search has already judged.
RANK_DISCOUNT = 0.85


def quote(question: str, passages: Sequence[Passage]) -> tuple[str, list[int]]:
    """One or two sentences with `[n]`, and the numbers cited; empty where there is no passage."""
    sentences = [(passage, sentence) for passage in passages for sentence in split_sentences(passage.text)]
    if not sentences:
        return "", []
    weights = _weights([sentence for _, sentence in sentences])
    asked = find_terms(question, endings=False)
    scored = sorted(sentences, key=lambda pair: -_score(asked, pair[0], pair[1], weights))
    best = scored[0]
    chosen = [best, *_close_seconds(asked, best, scored[1:], weights)][:MOST_SENTENCES]
    text = " ".join(f"{sentence} [{passage.number}]" for passage, sentence in chosen)
    return text, list(dict.fromkeys(passage.number for passage, _ in chosen))


def _score(asked: set[str], passage: Passage, sentence: str, weights: dict[str, float]) -> float:
    """Weight of the asked terms that the sentence holds; its heading counts for half."""
    own = find_terms(sentence)
    heading = find_terms(f"{passage.title} {passage.heading_path}") - own
    matched = sum(weights.get(term, 1.0) for term in asked & own)
    matched += 0.5 * sum(weights.get(term, 1.0) for term in asked & heading)
    return matched * RANK_DISCOUNT ** (passage.number - 1)


def _close_seconds(
    asked: set[str], best: tuple[Passage, str], others: list[tuple[Passage, str]], weights: dict[str, float]
) -> list[tuple[Passage, str]]:
    """Sentences that add asked terms which the best one lacks and score at least two thirds as well."""
    bar = _score(asked, *best, weights) * 2 / 3
    missing = asked - find_terms(best[1])
    return [
        (passage, sentence)
        for passage, sentence in others
        if missing & find_terms(sentence) and _score(asked, passage, sentence, weights) >= bar > 0
    ]


def _weights(sentences: Sequence[str]) -> dict[str, float]:
    """Rare terms weigh more: log(1 + n / sentences that hold the term)."""
    counts = Counter(term for sentence in sentences for term in find_terms(sentence))
    return {term: math.log(1 + len(sentences) / count) for term, count in counts.items()}
