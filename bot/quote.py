"""Quote mode: the sentences of the passages that come closest to the question, each with its citation."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from bot.sentences import split_sentences
from core.addresses import find_addresses
from core.instructions import is_command, speaks_to_model
from core.records import Passage
from core.wording import find_terms

MOST_SENTENCES = 3
# A sentence is quoted beside the best one where it scores at least this share of it.
CLOSE = 0.4
# A later passage must match clearly better than an earlier one: the search has already judged.
RANK_DISCOUNT = 0.85

_CELL_END = re.compile(r"(?<=[;|])\s+")


def quote(question: str, passages: Sequence[Passage]) -> tuple[str, list[int]]:
    """Up to three sentences with `[n]` in reading order, and the numbers cited.

    Numbers alone where the passages hold nothing to quote; empty where there is none.
    """
    # A sentence that two documents share is quoted from the higher ranked one only.
    first: dict[str, Passage] = {}
    for passage in passages:
        for sentence in split_sentences(passage.text):
            first.setdefault(sentence, passage)
    sentences = [(passage, plain) for sentence, passage in first.items() if (plain := _leave_out_orders(sentence))]
    if not sentences:
        return " ".join(f"[{passage.number}]" for passage in passages), [passage.number for passage in passages]
    weights = _weights([sentence for _, sentence in sentences])
    asked = find_terms(question, endings=False)
    scores = [_score(asked, passage, sentence, weights) for passage, sentence in sentences]
    best = sorted(range(len(sentences)), key=lambda at: -scores[at])[:MOST_SENTENCES]
    chosen = [sentences[at] for at in sorted(best) if scores[at] >= CLOSE * scores[best[0]]]
    text = " ".join(f"{sentence} [{passage.number}]" for passage, sentence in chosen)
    return text, list(dict.fromkeys(passage.number for passage, _ in chosen))


def _leave_out_orders(sentence: str) -> str:
    """Without what speaks to the assistant, which is no answer; of a table's row the other cells stay."""
    if not _is_order(sentence):
        return sentence
    return " ".join(cell for cell in _CELL_END.split(sentence) if not _is_order(cell)).rstrip(" ;|,")


def _is_order(text: str) -> bool:
    return is_command(text) or (speaks_to_model(text) and any(find_addresses(text)))


def _score(asked: set[str], passage: Passage, sentence: str, weights: dict[str, float]) -> float:
    """Weight of the asked terms that the sentence holds; its heading counts for half."""
    own = find_terms(sentence)
    heading = find_terms(f"{passage.title} {passage.heading_path}") - own
    matched = sum(weights.get(term, 1.0) for term in asked & own)
    matched += 0.5 * sum(weights.get(term, 1.0) for term in asked & heading)
    return matched * RANK_DISCOUNT ** (passage.number - 1)


def _weights(sentences: Sequence[str]) -> dict[str, float]:
    """Rare terms weigh more: log(1 + n / sentences that hold the term)."""
    counts = Counter(term for sentence in sentences for term in find_terms(sentence))
    return {term: math.log(1 + len(sentences) / count) for term, count in counts.items()}
