"""What a model is trained on, in which order: the company's documents, then its task, each beside general chats. Pure.

General chats keep it from forgetting what it knew; half and half is the default. What documents say comes first, how to
answer from passages last, for what is learnt last shows most. Exercises are learnt in two ways, supervised and as
preferences, and a setting says how far the two may use the same ones.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from learning.exercises.draft import Kind, choose_place
from learning.exercises.learnable import Lesson

Phase = Literal["domain", "task"]

PHASES: dict[Phase, tuple[Kind, ...]] = {
    "domain": ("definition", "summary", "four_choice", "choice_writing"),
    "task": ("rag", "unanswerable"),
}
# A chat that is read more often is learnt by heart.
MOST_REPEATS = 4
_PLACES = 1 << 20

Chat = TypeVar("Chat")


@dataclass(frozen=True, slots=True)
class Part:
    """What one phase trains on, in order; general chats stand between exercises at the places that `order` gives.

    Attributes:
        order: for each row, whether it is the next exercise (True) or the next general chat.
    """

    phase: Phase
    lessons: list[Lesson]
    general: list[int]
    order: list[bool]


def divide(lessons: Sequence[Lesson], *, overlap: float) -> tuple[list[Lesson], list[Lesson]]:
    """Exercises for supervised training, and those for preference pairs.

    Args:
        overlap: share that both use, in [0, 1]: at 0 each has its own half, at 1 both have all.
    """
    places = [choose_place(f"way {lesson.sha256}", _PLACES) / _PLACES for lesson in lessons]
    supervised = [one for one, place in zip(lessons, places, strict=True) if place < (1 + overlap) / 2]
    preferred = [one for one, place in zip(lessons, places, strict=True) if place >= (1 - overlap) / 2]
    return supervised, preferred


def plan_mix(
    lessons: Sequence[Lesson], *, general: int, general_share: float = 0.5, epochs: int = 1, seed: int = 0
) -> list[Part]:
    """The phases in their order, each with all of its passes.

    Args:
        general: how many general chats there are; each is read at most `MOST_REPEATS` times, so where there are few
            their share falls short.
        general_share: of all rows, in [0, 1).
    """
    rng = random.Random(seed)
    deck = _Deck(general, rng)
    ordered = sorted(lessons, key=lambda lesson: lesson.sha256)
    parts: list[Part] = []
    for phase, kinds in PHASES.items():
        own = [lesson for lesson in ordered if lesson.kind in kinds]
        if not own:
            continue
        passes = [lesson for _ in range(epochs) for lesson in rng.sample(own, len(own))]
        drawn = deck.draw(round(len(passes) * general_share / (1 - general_share)))
        order = [True] * len(passes) + [False] * len(drawn)
        rng.shuffle(order)
        parts.append(Part(phase, passes, drawn, order))
    return parts


def lay_out(parts: Sequence[Part], general: Sequence[Chat]) -> list[Lesson | Chat]:
    """The rows as they are trained on, one after the other."""
    rows: list[Lesson | Chat] = []
    for part in parts:
        own, chats = iter(part.lessons), iter(part.general)
        rows += [next(own) if is_own else general[next(chats)] for is_own in part.order]
    return rows


class _Deck:
    """General chats by their place, shuffled anew once all were drawn."""

    def __init__(self, size: int, rng: random.Random) -> None:
        self._size = size
        self._rng = rng
        self._left = size * MOST_REPEATS
        self._shuffled: list[int] = []

    def draw(self, wanted: int) -> list[int]:
        drawn: list[int] = []
        for _ in range(min(wanted, self._left)):
            if not self._shuffled:
                self._shuffled = self._rng.sample(range(self._size), self._size)
            drawn.append(self._shuffled.pop())
        self._left -= len(drawn)
        return drawn
