"""Whether an exercise repeats another, or a question of the exam. Pure.

Two items are the same where nearly all words of their questions are, or most words of their questions and answers:
questions made by one template over one table share most words and are different items all the same.
"""

from collections import Counter, defaultdict

from core.wording import is_refusal, normalise_text
from learning.near_duplicates import QUESTION_OVERLAP, build_question_shingles, build_text_shingles
from learning.wording import measure_overlap

SAME_QUESTION = 0.9
SAME_ANSWER = 0.5


class Seen:
    """Questions with their answers, found again by what they are about; grows with every item that is kept.

    Shingles lead to the items that hold them, so a look-up costs what the likely ones cost.
    """

    def __init__(self) -> None:
        self._items: list[tuple[frozenset[str], str]] = []
        self._holding: dict[str, list[int]] = defaultdict(list)

    def add(self, subject: str, answer: str) -> None:
        """Keep an item."""
        shingles = build_question_shingles(subject)
        for shingle in shingles:
            self._holding[shingle].append(len(self._items))
        self._items.append((shingles, answer))

    def holds(self, subject: str, answer: str) -> bool:
        """Whether nearly the same item was added."""
        shingles = build_question_shingles(subject)
        shared = Counter(at for shingle in shingles for at in self._holding.get(shingle, ()))
        for at, count in shared.items():
            other, other_answer = self._items[at]
            overlap = count / (len(shingles) + len(other) - count)
            if overlap >= SAME_QUESTION or (overlap >= QUESTION_OVERLAP and _is_same_answer(answer, other_answer)):
                return True
        return False


def _is_same_answer(one: str, other: str) -> bool:
    """Refusals are all the same and say nothing of what was asked."""
    if is_refusal(one) or is_refusal(other):
        return False
    if normalise_text(one) == normalise_text(other):
        return True
    return measure_overlap(build_text_shingles(one), build_text_shingles(other)) >= SAME_ANSWER
