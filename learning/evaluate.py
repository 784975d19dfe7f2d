"""How good a candidate is on held-out pairs: preference numbers from the training process's log-probabilities."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import NightbakeError

# Below this a difference of margins is rounding, not a decision.
DECISIVE_NATS = 0.01
Z_95 = 1.959964


class EmptyHeldOutError(NightbakeError):
    """There are no held-out pairs; the gate must not see a made-up number."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pair by pair: candidate against the model in service.

    Attributes:
        wins: pairs in which the candidate's margin is larger by more than `DECISIVE_NATS`; losses, where smaller.
        mean_gain: mean growth of the margin, in nats.
    """

    wins: int
    losses: int
    ties: int
    mean_gain: float


def preference_accuracy(margins: Sequence[float]) -> float:
    """Share of pairs whose chosen answer is the likelier one.

    Axes: n = pairs; each margin is log p(chosen) - log p(rejected) in nats, each side divided by its tokens:
    sums would prefer the shorter answer whatever it says. A tie counts as wrong. Unlike DPO's implicit reward
    no reference is taken off, so that the base model has an accuracy too; the gate does not use this number
    but the growth of the summed margin, in which length and reference cancel out.

    Raises:
        EmptyHeldOutError: n is 0.
    """
    if not margins:
        raise EmptyHeldOutError("no held-out pairs to measure; lower NIGHT_MIN_PAIRS or wait for more feedback")
    return sum(margin > 0 for margin in margins) / len(margins)


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """95 % interval of a share that was observed over `count` pairs (Wilson 1927)."""
    if count == 0:
        return 0.0, 1.0
    centre = (share + Z_95**2 / (2 * count)) / (1 + Z_95**2 / count)
    half = Z_95 * math.sqrt(share * (1 - share) / count + Z_95**2 / (4 * count**2)) / (1 + Z_95**2 / count)
    return max(0.0, centre - half), min(1.0, centre + half)


def compare_margins(candidate: Sequence[float], reference: Sequence[float]) -> Comparison:
    """Count the pairs that the candidate separates better, and worse, than the reference; in nats."""
    gains = [one - other for one, other in zip(candidate, reference, strict=True)]
    decided = [decide_pair(gain) for gain in gains]
    wins, losses = decided.count(True), decided.count(False)
    return Comparison(wins, losses, len(gains) - wins - losses, sum(gains) / len(gains) if gains else 0.0)


def measure(scored: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All preference numbers of a night, together and by language, ready for the gate and the report.

    Args:
        scored: one entry a held-out pair with `sha256`, `language` and the `tokens` and log-probabilities
            `{chosen, rejected}` of `base`, `candidate` and perhaps `live`.
    """
    against = "live" if scored and "live" in scored[0] else "base"
    languages = sorted({pair["language"] for pair in scored})
    by_language = {
        name: _measure_some([pair for pair in scored if pair["language"] == name], against) for name in languages
    }
    margins = {name: find_margins(scored, name) for name in _model_names(scored)}
    gains = [c - r for c, r in zip(margins.get("candidate", []), margins.get(against, []), strict=True)]
    outcomes = [
        {"sha256": pair["sha256"], "language": pair["language"], "won": decide_pair(gain)}
        for pair, gain in zip(scored, gains, strict=True)
    ]
    numbers = _measure_some(scored, against)
    return {**numbers, "languages": by_language, "against": against, "gains": gains, "outcomes": outcomes}


def decide_pair(gain: float) -> bool | None:
    """Whether the candidate separates a pair better, for a gain in nats; None where that is rounding."""
    return gain > 0 if abs(gain) > DECISIVE_NATS else None


def find_margins(scored: Sequence[Mapping[str, Any]], model: str) -> list[float]:
    """log p(chosen) - log p(rejected) of each pair, in nats."""
    return [pair[model]["chosen"] - pair[model]["rejected"] for pair in scored]


def find_token_margins(scored: Sequence[Mapping[str, Any]], model: str) -> list[float]:
    """The same with each side's mean over its tokens, in nats a token."""
    return [
        pair[model]["chosen"] / pair["tokens"]["chosen"] - pair[model]["rejected"] / pair["tokens"]["rejected"]
        for pair in scored
    ]


def _model_names(scored: Sequence[Mapping[str, Any]]) -> list[str]:
    return [name for name in ("base", "live", "candidate") if scored and name in scored[0]]


def _measure_some(scored: Sequence[Mapping[str, Any]], against: str) -> dict[str, Any]:
    models: dict[str, Any] = {}
    for name in _model_names(scored):
        margins = find_margins(scored, name)
        accuracy = preference_accuracy(find_token_margins(scored, name))
        low, high = wilson_interval(accuracy, len(margins))
        models[name] = {"accuracy": accuracy, "low": low, "high": high, "margin": sum(margins) / len(margins)}
    comparison = compare_margins(
        find_margins(scored, "candidate") if scored else [], find_margins(scored, against) if scored else []
    )
    return {"count": len(scored), "models": models, **asdict(comparison)}
