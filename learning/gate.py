"""Whether a candidate may be served: promote, refuse or abstain, with every number and its limit. Pure."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["promote", "refuse", "abstain"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a candidate.

    Attributes:
        wins: held-out pairs that the candidate separates better than the model in service; losses, worse.
        grounded: share in [0, 1] of its answers' facts that stand in the prompt; None where nothing was generated.
        proven: whether the server was shown to serve these weights; None where it could not be asked.
    """

    wins: int
    losses: int
    grounded: float | None
    reference_grounded: float | None
    proven: bool | None


@dataclass(frozen=True, slots=True)
class Limits:
    """The bars; a false promotion of an equal candidate happens in at most `significance` of the nights.

    Attributes:
        min_decisive: fewer pairs that differ at all are no evidence.
        groundedness_drop: largest loss of groundedness that is accepted, as a share.
    """

    min_decisive: int = 20
    significance: float = 0.05
    groundedness_drop: float = 0.05


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the decision; `passed` is None where it could not be made."""

    name: str
    value: float | None
    limit: float
    passed: bool | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, its reason as a code, and every check that was made, also those that did not matter."""

    verdict: Verdict
    reason: str
    checks: list[Check] = field(default_factory=list)
    false_promotion_rate: float = 0.0


def decide(evidence: Evidence, limits: Limits) -> Decision:
    """Promote only what is significantly better and not less grounded; abstain without enough evidence."""
    decisive = evidence.wins + evidence.losses
    needed = find_needed_wins(decisive, limits.significance)
    checks = [
        Check("served_proof", None if evidence.proven is None else float(evidence.proven), 1.0, evidence.proven),
        Check("decisive_pairs", decisive, limits.min_decisive, decisive >= limits.min_decisive),
        Check("wins", evidence.wins, needed, evidence.wins >= needed),
        _check_p_value(evidence, limits),
        _check_groundedness(evidence, limits),
    ]
    verdict, reason = _judge(evidence, limits, {check.name: check for check in checks})
    return Decision(verdict, reason, checks, tail_probability(needed, decisive))


def tail_probability(wins: int, count: int) -> float:
    """Chance of at least `wins` heads in `count` throws of a fair coin, exactly: the one-sided sign test."""
    return sum(math.comb(count, k) for k in range(max(wins, 0), count + 1)) / 2**count


def find_needed_wins(count: int, significance: float) -> int:
    """Fewest wins of `count` decisive pairs that are significant; `count + 1` where none is."""
    needed, tail = count + 1, 0
    while needed > 0 and (tail + math.comb(count, needed - 1)) <= significance * 2**count:
        needed -= 1
        tail += math.comb(count, needed)
    return needed


def to_record(decision: Decision, limits: Limits) -> dict[str, Any]:
    """The decision as it is stored and reported."""
    checks = [
        {"name": check.name, "value": check.value, "limit": check.limit, "passed": check.passed}
        for check in decision.checks
    ]
    return {
        "verdict": decision.verdict,
        "reason": decision.reason,
        "checks": checks,
        "false_promotion_rate": decision.false_promotion_rate,
        "significance": limits.significance,
    }


def _judge(evidence: Evidence, limits: Limits, checks: dict[str, Check]) -> tuple[Verdict, str]:
    """The first rule that applies; their order is the gate."""
    p_worse = tail_probability(evidence.losses, evidence.wins + evidence.losses)
    unknown = evidence.proven is None or checks["groundedness_drop"].passed is None
    rules: list[tuple[bool, Verdict, str]] = [
        (evidence.proven is False, "refuse", "not_the_trained_model"),
        (p_worse <= limits.significance, "refuse", "worse"),
        (not checks["decisive_pairs"].passed, "abstain", "not_enough_evidence"),
        (not checks["p_value"].passed, "refuse", "not_proven_better"),
        (checks["groundedness_drop"].passed is False, "refuse", "less_grounded"),
        (unknown, "abstain", "not_served"),
    ]
    rules.append((True, "promote", "better"))
    return next((verdict, reason) for applies, verdict, reason in rules if applies)


def _check_p_value(evidence: Evidence, limits: Limits) -> Check:
    value = tail_probability(evidence.wins, evidence.wins + evidence.losses)
    return Check("p_value", value, limits.significance, value <= limits.significance)


def _check_groundedness(evidence: Evidence, limits: Limits) -> Check:
    if evidence.grounded is None or evidence.reference_grounded is None:
        return Check("groundedness_drop", None, limits.groundedness_drop, None)
    drop = evidence.reference_grounded - evidence.grounded
    # Shares of few answers are sums of tenths: without the margin 0.9 - 0.85 is more than 0.05.
    passed = drop <= limits.groundedness_drop + 1e-9
    return Check("groundedness_drop", drop, limits.groundedness_drop, passed)
