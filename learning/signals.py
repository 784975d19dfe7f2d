"""How sure each signal is, in one table: what people say and let slip, and what pairs are made of.

A confidence is the chance that somebody who gave the signal does think so of the answer. 0.5 would say nothing. The
figures are judgements, not measurements: their order matters, and that what people let slip stays below what they say.
docs/feedback.md has the same table in words; a test holds the two together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

SignalKind = Literal[
    "try_again_choice",
    "expert_answer",
    "correction",
    "right_source",
    "reason",
    "thumbs",
    "reaction",
    "objection",
    "reask",
    "abandonment",
]
Origin = Literal[
    "try_again",
    "correction",
    "same_question",
    "quotation",
    "regenerated",
    "faithful",
    "exercise_sampled",
    "distractor",
    "exercise_distractor",
]


@dataclass(frozen=True, slots=True)
class Confidence:
    """How far a signal carries; `explicit` where the person meant to judge the answer."""

    value: float
    explicit: bool


SIGNALS: Mapping[SignalKind, Confidence] = {
    "try_again_choice": Confidence(0.97, explicit=True),
    "expert_answer": Confidence(0.97, explicit=True),
    "correction": Confidence(0.95, explicit=True),
    "right_source": Confidence(0.92, explicit=True),
    "reason": Confidence(0.92, explicit=True),
    "thumbs": Confidence(0.90, explicit=True),
    "reaction": Confidence(0.85, explicit=True),
    "objection": Confidence(0.70, explicit=False),
    "reask": Confidence(0.65, explicit=False),
    "abandonment": Confidence(0.55, explicit=False),
}

# Several hints of one kind are often one cause: together they stay below the weakest thing that a person says.
IMPLICIT_MOST = 0.70

# The order of trust in pairs, and what it takes off the voters' weight.
ORIGIN_TRUST: Mapping[Origin, float] = {
    "try_again": 0.97,
    "correction": 0.95,
    "same_question": 0.85,
    "quotation": 0.80,
    "regenerated": 0.70,
    "faithful": 0.60,
    "exercise_sampled": 0.58,
    "distractor": 0.55,
    "exercise_distractor": 0.54,
}


def name_signal(*, source: str, has_correction: bool, has_right_source: bool, has_reason: bool) -> SignalKind:
    """The surest signal that a vote carries."""
    if source == "expert":
        return "expert_answer"
    if has_correction:
        return "correction"
    if has_right_source:
        return "right_source"
    if has_reason:
        return "reason"
    return "reaction" if source.endswith("_reaction") else "thumbs"


def pass_on(reliability: float, confidence: float) -> float:
    """The chance that a vote is right: a rater's reliability through the signal's confidence.

    Two symmetric channels in a row: right by both, or wrong by both.
    """
    return reliability * confidence + (1 - reliability) * (1 - confidence)


def weigh_hints(hints: Iterable[tuple[SignalKind, float]]) -> float:
    """The chance that an answer did not help, by what people let slip; 0.5 where there is nothing.

    Args:
        hints: kind, and how sure the hint itself is in (0, 1].
    """
    helped = 0.5
    for kind, sure in hints:
        chance = 0.5 + (SIGNALS[kind].value - 0.5) * sure
        helped = helped * (1 - chance) / (helped * (1 - chance) + (1 - helped) * chance)
    return min(1 - helped, IMPLICIT_MOST)
