"""The score of a four-choice exam: by the likelihood of the options or by the letter that a model writes. Pure.

Each item is asked in four orders, so that every option stands in every place once: a model that likes a letter then
gains nothing by it, and how much it likes it is measured. A share of right answers is told beside what guessing gives.

Sources: Zheng et al. 2024, arXiv:2309.03882, on models that like places; Gao et al., lm-evaluation-harness, whose `acc`
and `acc_norm` are the sum of log-probabilities and that divided by the option's length.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from learning.exams.bootstrap import Estimate, NothingMeasuredError, estimate_mean
from learning.exercises.draft import choose_place
from learning.exercises.four_choice import LETTERS, OPTIONS

Length = Literal["ignored", "tokens", "characters"]
"""What a log-probability is divided by. A sum prefers the shorter option whatever it says."""

_FIRST = re.compile(r"^\W*([A-Da-d])(?:[).:*\]]|\s*$|\s*(?:번|입니다|이다))", re.MULTILINE)
_SAID = re.compile(
    r"(?:[Aa]nswer|[Oo]ption|[Cc]hoice|정답|답)(?:\s+is|은|는|이|가)?[\s:*(\[]*([A-D])(?![A-Za-z])",
)
# `A red badge` chooses nothing, `A is right` does.
_ALONE = re.compile(r"(?<![A-Za-z])([A-D])(?![A-Za-z'’])(?!(?<=A)\s+(?!(?:is|or|and)\b)[a-z])")


@dataclass(frozen=True, slots=True)
class Likelihood:
    """What a model thinks of one option as the answer.

    Attributes:
        logprob: of the option's tokens after the question, summed, in nats.
        tokens, characters: its length.
    """

    logprob: float
    tokens: int
    characters: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to one item in one order.

    Attributes:
        order: which option stands in each place.
        right: place of the right option.
        chosen: place that was chosen; None where no letter could be read or two options are equally likely.
    """

    item: str
    order: tuple[int, ...]
    right: int
    chosen: int | None

    @property
    def is_right(self) -> bool:
        """Whether the right place was chosen."""
        return self.chosen == self.right


@dataclass(frozen=True, slots=True)
class Places:
    """How far a score depends on where options stand.

    Attributes:
        chosen: share of all answers that chose each place; a quarter each where it plays no part.
        right: share of right answers where the right option stood in each place; None where it never did.
        spread: largest less smallest of these.
        steady: share of items of which the same option was chosen in every order.
        unread: share of answers without a choice.
    """

    chosen: tuple[float, ...]
    right: tuple[float | None, ...]
    spread: float
    steady: float
    unread: float


@dataclass(frozen=True, slots=True)
class ExamScore:
    """A whole exam.

    Attributes:
        right: mean over items of the share of orders that were answered rightly.
        above_chance: the same with guessing at 0 and a perfect exam at 1; below 0 is worse than guessing.
        every_order: share of items that were right in all orders.
    """

    right: Estimate
    above_chance: Estimate
    every_order: Estimate
    places: Places


def build_orders(item: str, count: int = OPTIONS) -> list[tuple[int, ...]]:
    """Orders in which every option stands in every place once; which comes first depends on the item alone."""
    first = choose_place(item, count)
    return [tuple((first + turn + place) % count for place in range(count)) for turn in range(count)]


def choose_likeliest(options: Sequence[Likelihood], *, length: Length = "ignored") -> int | None:
    """Place of the likeliest option; None where two are equally likely, for a tie shows no knowledge."""
    scores = [_weigh(option, length) for option in options]
    best = max(scores)
    return scores.index(best) if scores.count(best) == 1 else None


def read_letter(text: str) -> int | None:
    """Place of the letter that an answer chooses; None where it names none, or several without saying which.

    What it calls its answer counts first, then a letter at the beginning of a line, then one that stands alone. Who
    repeats all options has chosen none.
    """
    for form in (_SAID, _FIRST, _ALONE):
        if letters := {letter.upper() for letter in form.findall(text)}:
            return LETTERS.index(letters.pop()) if len(letters) == 1 else None
    return None


def score_items(choices: Sequence[Choice]) -> dict[str, float]:
    """Of each item the share of its orders that were answered rightly: one score an item, for comparisons.

    Raises:
        NothingMeasuredError: an item was not asked in as many orders as another.
    """
    by_item = _group(choices)
    return {item: sum(choice.is_right for choice in found) / len(found) for item, found in by_item.items()}


def score_exam(choices: Sequence[Choice], *, groups: Mapping[str, str] | None = None, seed: int = 0) -> ExamScore:
    """All answers to an exam.

    Args:
        groups: item -> the document it was made of; items of one document count together.

    Raises:
        NothingMeasuredError: there are no answers, or an item was not asked in as many orders as another.
    """
    shares = score_items(choices)
    units = None if groups is None else [groups[item] for item in shares]
    right = estimate_mean(list(shares.values()), groups=units, seed=seed)
    every_order = estimate_mean([float(share == 1) for share in shares.values()], groups=units, seed=seed)
    return ExamScore(right, correct_for_chance(right, len(choices[0].order)), every_order, measure_places(choices))


def correct_for_chance(right: Estimate, options: int = OPTIONS) -> Estimate:
    """A share of right answers with guessing at 0; the interval goes with it."""
    chance = 1 / options
    value, low, high = ((share - chance) / (1 - chance) for share in (right.value, right.low, right.high))
    return Estimate(value, low, high, right.count)


def measure_places(choices: Sequence[Choice]) -> Places:
    """What places were chosen, and how well each was answered.

    Raises:
        NothingMeasuredError: as `score_items`.
    """
    by_item, count = _group(choices), len(choices[0].order)
    chosen = [sum(choice.chosen == place for choice in choices) / len(choices) for place in range(count)]
    right = [_share([choice.is_right for choice in choices if choice.right == place]) for place in range(count)]
    known = [share for share in right if share is not None]
    options = [{_find_option(choice) for choice in found} for found in by_item.values()]
    steady = sum(len(found) == 1 and None not in found for found in options) / len(options)
    unread = sum(choice.chosen is None for choice in choices) / len(choices)
    return Places(tuple(chosen), tuple(right), max(known) - min(known), steady, unread)


def _group(choices: Sequence[Choice]) -> dict[str, list[Choice]]:
    by_item: dict[str, list[Choice]] = defaultdict(list)
    for choice in choices:
        by_item[choice.item].append(choice)
    counts = {len({choice.order for choice in found}) for found in by_item.values()}
    if len(counts) != 1 or len(choices) != len(by_item) * max(counts):
        raise NothingMeasuredError(f"expected every item once in each of equally many orders, got {sorted(counts)}")
    return by_item


def _find_option(choice: Choice) -> int | None:
    return None if choice.chosen is None else choice.order[choice.chosen]


def _weigh(option: Likelihood, length: Length) -> float:
    if length == "ignored":
        return option.logprob
    return option.logprob / max(1, option.tokens if length == "tokens" else option.characters)


def _share(found: Sequence[bool]) -> float | None:
    return sum(found) / len(found) if found else None
