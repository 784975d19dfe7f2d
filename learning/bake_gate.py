"""Whether a baked adapter may stand for the standing prompt: as near as wanted, and worse in nothing. Pure.

Unlike a night's candidate it need not be better than what is served: it must be the same, for fewer tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from learning.gate import Check, Decision, Limits, Tally, Verdict, check_tallies


@dataclass(frozen=True, slots=True)
class BakeLimits:
    """The bars.

    Attributes:
        kl_reduction: least share by which the divergence from the prompted model must have fallen.
        style: least share of answers that keep the prompt's rules; where the prompted model itself is below this, no
            answer fewer than its own.
        groundedness: the most that the mean share of carried claims may have fallen.
    """

    kl_reduction: float = 0.90
    style: float = 0.90
    groundedness: float = 0.01


def decide_bake(
    baked: Mapping[str, Any], *, proven: bool | None, tallies: Sequence[Tally], limits: BakeLimits | None = None
) -> Decision:
    """The first rule that applies.

    Args:
        baked: of the manifest; see `learning/bake.py`.
        proven: whether the server computes what was trained; None where it could not be told.
        tallies: probes that were asked of the served model and of this one.
    """
    limits = limits or BakeLimits()
    style, grounded = baked["style"], baked["grounded"]
    least_style = min(limits.style, style["teacher"])
    change = grounded["after"] - grounded["teacher"]
    kl = Check("kl_reduction", baked["kl_reduction"], limits.kl_reduction, baked["kl_reduction"] >= limits.kl_reduction)
    kept = Check("style", style["after"], least_style, style["after"] >= least_style)
    carried = Check("groundedness", change, -limits.groundedness, change >= -limits.groundedness)
    proof = Check("served_proof", None if proven is None else float(proven), 1.0, proven)
    probes = check_tallies(tallies, Limits())
    failed = [check for check in probes if check.passed is False]
    rules: list[tuple[bool, Verdict, str, Sequence[Check]]] = [
        (proven is False, "refuse", "not_the_trained_model", ()),
        (bool(failed), "refuse", "failed_canary", failed),
        (not kl.passed, "refuse", "not_baked", (kl,)),
        (not kept.passed, "refuse", "style_lost", (kept,)),
        (not carried.passed, "refuse", "less_grounded", (carried,)),
        (proven is None or not probes, "abstain", "not_served", ()),
        (True, "promote", "baked", ()),
    ]
    _, verdict, reason, named = next(rule for rule in rules if rule[0])
    facts = {"named": [check.name for check in named], "tokens_saved": baked["tokens_saved"]}
    return Decision(verdict, reason, [proof, kl, kept, carried, *probes], facts)
