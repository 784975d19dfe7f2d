"""From a folder to a served model: its weights are those of the manifest, and the server computes with them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import NightbakeError
from core.model_server import ModelServer
from core.weights import WEIGHTS, hash_file
from learning.trainer import read_manifest

SIDES = ("chosen", "rejected")
TOLERANCE = 0.02
"""Nats a token by which the served margin may differ from the trainer's, beside what both round."""
NEAR = 0.25
"""Share of the adapter's effect by which the served one may differ: half or double the scale is further away."""
VISIBLE = 8.0
"""How many times the noise an effect must be: below that, no adapter and half of one look alike."""


class WrongWeightsError(NightbakeError):
    """The adapter's folder does not hold what its manifest vouches for; train it again."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the adapter does to held-out answers, as the server computes it and as the trainer did.

    All numbers in nats a token of the answers, each against the base model of the same side: that the server rounds
    or quantises otherwise then cancels out.

    Attributes:
        error: mean difference of served and trained margin (chosen against rejected); 0 is exact.
        effect: the trained margin, without its sign.
        moved: how far the adapter moves the answers, each side for itself; apart: how far the served one is from that.
        noise: how far server and trainer are apart on the base model, where no adapter is in play.
        passed: None where the noise hides what the adapter does, so that nothing is proven.
    """

    pairs: int
    tokens: int
    error: float
    effect: float
    moved: float
    apart: float
    noise: float
    tolerance: float
    passed: bool | None


@dataclass(frozen=True, slots=True)
class Shift:
    """One answer's log-probability in nats under the adapter minus that under the base, trained and served.

    Attributes:
        base_gap: served minus trained log-probability under the base model alone.
    """

    tokens: int
    trained: float
    served: float
    base_gap: float


def check_weights(folder: Path) -> None:
    """The folder's weights and scale are those that the training process wrote.

    Raises:
        WrongWeightsError: other, missing or half-written weights, or another rank or alpha.
    """
    manifest = read_manifest(folder) or {}
    try:
        sha256 = hash_file(folder / WEIGHTS)
        config = json.loads((folder / "adapter_config.json").read_text())
    except (OSError, ValueError) as error:
        raise WrongWeightsError(f"the adapter {folder.name!r} cannot be read ({type(error).__name__})") from error
    if sha256 != manifest.get("sha256"):
        raise WrongWeightsError(f"expected the weights of the manifest in {folder.name!r}, got others")
    job = manifest.get("job", {})
    for name, key in (("r", "rank"), ("lora_alpha", "alpha")):
        if config.get(name) != job.get(key):
            raise WrongWeightsError(f"expected {name} {job.get(key)} in {folder.name!r}, got {config.get(name)!r}")


async def prove_served(
    model_server: ModelServer,
    name: str,
    *,
    proofs: Mapping[str, Mapping[str, Any]],
    scored: Sequence[Mapping[str, Any]],
) -> Proof | None:
    """Score the same token ids through the server; None where there is no pair to do it with.

    It finds a wrong, empty, wrongly scaled or stale adapter, which no evaluation beside the server can.

    Args:
        proofs: token ids of both sides of a few held-out pairs, by the pair's hash.
        scored: the trainer's log-probabilities of all held-out pairs.

    Raises:
        ModelServerError: the server is away or does not know the adapter.
    """
    trained = {pair["sha256"]: pair for pair in scored}
    pairs: list[tuple[Shift, Shift]] = []
    for sha256, sides in proofs.items():
        chosen, rejected = [await _measure(model_server, name, sides[side], trained[sha256], side) for side in SIDES]
        pairs.append((chosen, rejected))
    return judge_proof(pairs)


def judge_proof(pairs: Sequence[tuple[Shift, Shift]]) -> Proof | None:
    """Passed where the served margin is near the trained one, and each side's shift is near the trained shift.

    Args:
        pairs: chosen and rejected side of each.
    """
    sides = [side for pair in pairs for side in pair]
    tokens = sum(side.tokens for side in sides)
    if not tokens:
        return None
    trained = [chosen.trained - rejected.trained for chosen, rejected in pairs]
    served = [chosen.served - rejected.served for chosen, rejected in pairs]
    error = sum(abs(one - other) for one, other in zip(served, trained, strict=True)) / tokens
    moved = sum(abs(side.trained) for side in sides) / tokens
    apart = sum(abs(side.served - side.trained) for side in sides) / tokens
    noise = sum(abs(side.base_gap) for side in sides) / tokens
    # A margin holds the rounding of both sides: next to nothing in float32, 0.01 a side in bfloat16.
    tolerance = TOLERANCE + 2 * noise
    passed = error <= tolerance and apart <= NEAR * moved + noise
    return Proof(
        pairs=len(pairs),
        tokens=tokens,
        error=error,
        effect=sum(map(abs, trained)) / tokens,
        moved=moved,
        apart=apart,
        noise=noise,
        tolerance=tolerance,
        passed=passed if moved > VISIBLE * noise else None,
    )


async def _measure(
    model_server: ModelServer, name: str, tokens: Mapping[str, Any], trained: Mapping[str, Any], side: str
) -> Shift:
    adapter = await _sum_answer(model_server, name, tokens)
    base = await _sum_answer(model_server, None, tokens)
    known, known_base = trained["candidate"][side], trained["base"][side]
    return Shift(trained["tokens"][side], known - known_base, adapter - base, base - known_base)


async def _sum_answer(model_server: ModelServer, name: str | None, tokens: Mapping[str, Any]) -> float:
    scores = await model_server.score_tokens(tokens["ids"], adapter=name)
    return sum(score or 0.0 for score in scores[tokens["prompt_length"] :])
