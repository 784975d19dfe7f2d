"""Whether the assistant is worth its mistakes, and what an hour of training returns; in the company's figures. Pure.

An answer is right and saves time, or it is wrong: then a person answers after all, and now and then somebody stops
trusting the assistant. Refusals are neither: whoever is told nothing asks a person, as without the assistant.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from learning.evaluate import Z_95, wilson_interval

Source = Literal["golden", "votes"]
State = Literal["good", "not_yet", "unknown"]


@dataclass(frozen=True, slots=True)
class Figures:
    """What answers cost and save, all in one currency.

    Attributes:
        saved: by a right answer.
        human_answer: what a person's answer costs after a wrong one.
        lost_trust: what it costs when somebody gives the assistant up; `lost_trust_chance`, of that for a wrong answer.
        hour: what an hour of the machine that trains costs; None where nobody said.
        watts: what that machine draws; None where nobody said.
    """

    currency: str = "USD"
    saved: float = 20
    human_answer: float = 40
    lost_trust: float = 1000
    lost_trust_chance: float = 0.05
    hour: float | None = None
    watts: float | None = None

    @property
    def wrong(self) -> float:
        """What a wrong answer costs on average."""
        return self.human_answer + self.lost_trust * self.lost_trust_chance

    @property
    def step(self) -> float:
        """What it is worth that a wrong answer becomes right."""
        return self.saved + self.wrong


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Right answers among those that were judged, and by what."""

    right: int
    count: int
    source: Source


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Shares are in [0, 1], `value` is that of an answer on average.

    Attributes:
        needed: the accuracy at which right answers pay for the wrong ones.
        share: right of what was judged, with its 95 % interval `low` to `high`; None where nothing was.
        more: answers to judge besides until the interval leaves `needed`, if the share stays; None where it never does.
    """

    state: State
    needed: float
    share: float | None = None
    low: float = 0.0
    high: float = 1.0
    value: float | None = None
    source: Source | None = None
    count: int = 0
    more: int | None = None


@dataclass(frozen=True, slots=True)
class Gain:
    """An improvement that was served: golden questions right before and after, and answers given since.

    Attributes:
        count: questions asked of both; 0 where nobody measured.
    """

    before: int
    after: int
    count: int
    answers: int


@dataclass(frozen=True, slots=True)
class Spending:
    """What nights cost and brought; money is None where the hour's price, or the gain, is not known.

    Attributes:
        hours: of the machine that trains, of every night, also where nothing came of it.
        accepted: nights whose adapter was served.
        cost_each: of an accepted improvement; hours_each, its hours.
        returned: by better answers so far, for each hour; `returned_low` to `returned_high` is the 95 % interval.
    """

    nights: int
    hours: float
    accepted: int
    energy_kwh: float | None
    cost: float | None
    cost_each: float | None
    hours_each: float | None
    returned: float | None
    returned_low: float | None = None
    returned_high: float | None = None


def find_needed(figures: Figures) -> float:
    """The share of right answers at which those pay for the wrong ones; 0 where nothing is at stake."""
    return figures.wrong / figures.step if figures.step else 0.0


def value_answer(share: float, figures: Figures) -> float:
    """What an answer is worth on average, where this share of them is right."""
    return share * figures.saved - (1 - share) * figures.wrong


def judge(accuracy: Accuracy | None, figures: Figures) -> BreakEven:
    """Whether it is good enough: surely, surely not, or not known yet."""
    needed = find_needed(figures)
    if accuracy is None or accuracy.count == 0:
        return BreakEven("unknown", needed)
    share = accuracy.right / accuracy.count
    low, high = wilson_interval(share, accuracy.count)
    state: State = "good" if low >= needed else "not_yet" if high < needed else "unknown"
    more = count_more(share, accuracy.count, needed) if state == "unknown" else None
    value = value_answer(share, figures)
    return BreakEven(state, needed, share, low, high, value, accuracy.source, accuracy.count, more)


def count_more(share: float, count: int, needed: float) -> int | None:
    """How many answers more until the 95 % interval lies on one side of `needed`; None where it lies on it."""
    if math.isclose(share, needed):
        return None
    # Wilson's interval is the score test's: it leaves `needed` where the share is so many deviations away.
    wanted = math.ceil(Z_95**2 * needed * (1 - needed) / (share - needed) ** 2)
    return max(1, wanted - count)


def sum_spending(seconds: Sequence[float], gains: Sequence[Gain], figures: Figures) -> Spending:
    """What nights of these lengths cost, and what those that were served return.

    Args:
        seconds: of the machine that trains, one number a night.
        gains: one of each night whose adapter was served.
    """
    hours = sum(seconds) / 3600
    cost = None if figures.hour is None else hours * figures.hour
    each = len(gains) or None
    measured = [gain for gain in gains if gain.count]
    low, middle, high = _value_gains(measured, figures) if measured and hours else (None, None, None)
    return Spending(
        nights=len(seconds),
        hours=hours,
        accepted=len(gains),
        energy_kwh=None if figures.watts is None else hours * figures.watts / 1000,
        cost=cost,
        cost_each=cost / each if each and cost is not None else None,
        hours_each=hours / each if each else None,
        returned=middle / hours if middle is not None else None,
        returned_low=low / hours if low is not None else None,
        returned_high=high / hours if high is not None else None,
    )


def _value_gains(gains: Sequence[Gain], figures: Figures) -> tuple[float, float, float]:
    """Lower bound, mean and upper bound: both rounds as independent samples, which is the careful side."""
    middle = sum((gain.after - gain.before) / gain.count * gain.answers for gain in gains)
    variance = sum(
        (_spread(gain.before, gain.count) + _spread(gain.after, gain.count)) * gain.answers**2 for gain in gains
    )
    half = Z_95 * math.sqrt(variance)
    return (middle - half) * figures.step, middle * figures.step, (middle + half) * figures.step


def _spread(right: int, count: int) -> float:
    """Variance of a share; with a half added to each side, so that all right is not taken for certainty."""
    share = (right + 0.5) / (count + 1)
    return share * (1 - share) / count
