"""What tomorrow needs so that the next night brings more: by people, by documents, or by the machine. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from learning.break_even import BreakEven

# Decisive judgements that the gate needs on average to find a true win rate of 0.60; docs/life-of-a-night.md.
ENOUGH_DECISIVE = 110
# About a quarter of the pairs is held out.
PAIRS_A_HELD_OUT = 4
# Beyond this, break-even and accuracy are so near each other that more questions are no advice.
MOST_GOLDEN = 200


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to do, the most urgent first; `numbers` fill its words."""

    name: str
    numbers: Mapping[str, Any] = field(default_factory=dict[str, Any])


def find_needs(
    *,
    reason: str | None,
    counts: Mapping[str, Any],
    why: Mapping[str, Any],
    min_pairs: int,
    tickets: int,
    gaps: int,
    has_golden: bool,
    break_even: BreakEven,
) -> list[Need]:
    """What is to be done, the night's own trouble first.

    Args:
        counts: of the collection; why: the facts of the gate.
        tickets, gaps: how many documents are to be mended, and topics to be written about.
    """
    needs = [*_read_outcome(reason, counts, why, min_pairs)]
    for name, count in (
        ("reviews", counts.get("awaiting_review", 0)),
        ("tickets", tickets),
        ("gaps", gaps),
        ("flags", sum((counts.get("flags") or {}).get(name, 0) for name in ("canary_pairs", "pushed_names"))),
    ):
        if count:
            needs.append(Need(name, {"count": count}))
    if not has_golden:
        needs.append(Need("golden"))
    elif break_even.more and break_even.more <= MOST_GOLDEN:
        needs.append(Need("more_golden", {"count": break_even.more}))
    return needs


def _read_outcome(
    reason: str | None, counts: Mapping[str, Any], why: Mapping[str, Any], min_pairs: int
) -> Sequence[Need]:
    if reason == "too_few_pairs":
        missing = min_pairs - counts.get("pairs", 0)
        return [Need("pairs", {"count": missing})] if missing > 0 else [Need("other_questions")]
    if reason == "not_enough_evidence":
        more = max(1, ENOUGH_DECISIVE - why.get("wins", 0) - why.get("losses", 0))
        return [Need("evidence", {"count": more, "pairs": more * PAIRS_A_HELD_OUT}), Need("decide")]
    return [Need(_NEEDED[reason])] if reason in _NEEDED else []


_NEEDED: Mapping[str | None, str] = {
    "too_few_exercises": "exercises",
    "slice_unproven": "decide",
    "groundedness_unproven": "decide",
    "awaits_approval": "approve",
    "not_served": "model_server",
    "not_the_trained_model": "model_server",
    "paused": "resume",
    "failed": "doctor",
}
