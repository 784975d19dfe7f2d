"""What each next step costs and how many failed questions it would mend, and the one to take. Pure.

A step mends what a run with its change answered rightly; training is the one that no run can try. Money is what the
figures of `nightbake worth` make of hours, and of wrong answers that become right.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from learning.advice.diagnosis import Diagnosis, RunName
from learning.break_even import Figures
from learning.evaluate import wilson_interval

StepName = Literal[
    "more_passages", "fewer_passages", "neighbours", "improve_search", "update_documents", "write_documents",
    "grant", "examples", "wording", "other_adapter", "train",
]  # fmt: skip

# Of a company that has not been asked much yet.
LEAST_ANSWERS = 100
PERSON_HOUR = 50.0
"""What a person's hour costs where REVIEWER_HOUR_COST does not say."""
MACHINE_HOURS = 1.0
"""Of a night where none was made yet."""


TRAINED = 0.25
"""Share of what must be learnt that a training mends: an assumption of ours, until an experiment tells."""


@dataclass(frozen=True, slots=True)
class Work:
    """Minutes of a person: once, and for each question that it mends. Estimates of ours, to be told as such."""

    once: float
    each: float = 0.0


WORK: dict[StepName, Work] = {
    "more_passages": Work(5),
    "fewer_passages": Work(5),
    "neighbours": Work(5),
    "improve_search": Work(30, 10),
    "update_documents": Work(10, 20),
    "write_documents": Work(10, 45),
    "grant": Work(5, 10),
    "examples": Work(15, 5),
    "wording": Work(60),
    "other_adapter": Work(5),
    "train": Work(30, 10),
}


@dataclass(frozen=True, slots=True)
class Prices:
    """What hours cost, how much is answered, and what a night takes.

    Attributes:
        answers: of thirty days; wrong_share: of them that are wrong, in [0, 1].
        night_hours: of the machine, a night on average; None where none was made yet.
        person_hour: None where nobody said.
    """

    figures: Figures
    answers: int
    wrong_share: float
    night_hours: float | None = None
    person_hour: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do next.

    Attributes:
        mends: failed questions of `of`; `low` to `high` is the 95 % interval (Wilson) of that share.
        is_tried: False where no run could try it, so that `mends` is what it is for, and `low` is 0; `worth` takes
            `TRAINED` of what it would else be.
        minutes: of a person; machine_hours: of the machine that trains.
        tokens_each: more in each answer from then on, fewer where negative; None where nobody knows.
        price: of the hours; worth: of thirty days, by the lower end of the interval, less the price.
    """

    name: StepName
    mends: int
    of: int
    low: float
    high: float
    is_tried: bool
    minutes: float
    machine_hours: float
    tokens_each: float | None
    price: float
    worth: float


def find_steps(diagnoses: Sequence[Diagnosis], prices: Prices) -> list[Step]:
    """Every step that is for at least one failed question; the one to take first."""
    failed = [one for one in diagnoses if not one.is_right]
    steps = [step for name in WORK if (step := _find_step(name, failed, prices))]
    order = list(WORK)
    # A permission is the owner's to give: it stands last, whatever it would mend.
    return sorted(steps, key=lambda one: (one.name == "grant", -one.worth, order.index(one.name)))


def _find_step(name: StepName, failed: Sequence[Diagnosis], prices: Prices) -> Step | None:
    mended = [one for one in failed if MENDED[name](one)]
    if not mended:
        return None
    low, high = wilson_interval(len(mended) / len(failed), len(failed))
    is_tried = name not in ("train", "grant")
    careful = low if is_tried else low * TRAINED
    minutes = WORK[name].once + WORK[name].each * len(mended)
    hours = (MACHINE_HOURS if prices.night_hours is None else prices.night_hours) if name == "train" else 0.0
    price = minutes / 60 * (PERSON_HOUR if prices.person_hour is None else prices.person_hour)
    price += hours * (prices.figures.hour or 0.0)
    wrong = max(prices.answers, LEAST_ANSWERS) * prices.wrong_share
    return Step(
        name=name,
        mends=len(mended),
        of=len(failed),
        low=low if is_tried else 0.0,
        high=high,
        is_tried=is_tried,
        minutes=minutes,
        machine_hours=hours,
        tokens_each=_compare_tokens(name, mended),
        price=round(price, 2),
        worth=round(careful * wrong * prices.figures.step - price, 2),
    )


def _compare_tokens(name: StepName, mended: Sequence[Diagnosis]) -> float | None:
    """What the mending run's prompt and answer had more than the answer as it is, on average."""
    if name not in _RUN:
        return None if name == "neighbours" else 0.0
    pairs = [(one.find_run("now"), one.find_run(_RUN[name])) for one in mended]
    # An answer that was refused unread had no prompt to compare with.
    known = [(now, run) for now, run in pairs if now and run and now.prompt_tokens]
    if not known:
        return None
    tokens = [
        run.prompt_tokens + run.completion_tokens - now.prompt_tokens - now.completion_tokens for now, run in known
    ]
    return round(fmean(tokens), 1)


def _lacks(*contexts: str) -> Callable[[Diagnosis], bool]:
    """Whether nothing but that context is lacking: with the right passage the answer was right."""
    return lambda one: one.context in contexts and one.behaviour is None


def _tried(name: RunName) -> Callable[[Diagnosis], bool]:
    """Whether that change alone mended it, beside the passages that the search finds."""
    contexts = (None, "crowded")
    return lambda one: one.mends(name) and (name == "more_passages" or one.context in contexts)


MENDED: dict[StepName, Callable[[Diagnosis], bool]] = {
    "more_passages": _tried("more_passages"),
    "fewer_passages": _lacks("crowded"),
    "neighbours": _lacks("chunking"),
    "improve_search": _lacks("retrieval", "doubted"),
    "update_documents": _lacks("stale"),
    "write_documents": _lacks("missing"),
    "grant": _lacks("hidden"),
    "examples": _tried("examples"),
    "wording": _tried("wording"),
    "other_adapter": _tried("adapter"),
    "train": lambda one: one.behaviour == "memory",
}
_RUN: dict[StepName, RunName] = {
    "more_passages": "more_passages",
    "fewer_passages": "right_passage",
    "examples": "examples",
    "wording": "wording",
}
