"""From a folder to a served model: load under its own name, prove what is served, switch, unload the old later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.adapters import Adapters
from core.model_server import ModelServer

# The server usually computes in bfloat16 while a CPU trains in float32: log-probabilities of single tokens then
# differ by hundredths. Same formats agreed to 0.002 nats over a whole margin.
TOLERANCE_NATS_PER_TOKEN = 0.03


@dataclass(frozen=True, slots=True)
class Proof:
    """The held-out margin as the server computes it against the trainer's.

    Attributes:
        error: mean difference of served and trained margin, in nats a token of the answers; 0 is exact.
        effect: the same between trained adapter and base model: what the adapter does at all.
        passed: within the tolerance, and nearer to the trained adapter than to the base model.
    """

    pairs: int
    tokens: int
    error: float
    effect: float
    tolerance: float
    passed: bool


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
    errors, effects, tokens = 0.0, 0.0, 0
    for sha256, sides in proofs.items():
        served = {side: await _sum_answer(model_server, name, sides[side]) for side in ("chosen", "rejected")}
        pair = trained[sha256]
        candidate, base = _margin(pair["candidate"]), _margin(pair["base"])
        errors += abs(_margin(served) - candidate)
        effects += abs(candidate - base)
        tokens += sum(pair["tokens"].values())
    if not tokens:
        return None
    return judge_proof(len(proofs), tokens, errors / tokens, effects / tokens)


def judge_proof(pairs: int, tokens: int, error: float, effect: float) -> Proof:
    """Pass where the error is small and, if the adapter has a visible effect, smaller than half of it.

    Where the effect itself is below the tolerance nothing tells adapter and base apart, and the first bar decides.
    """
    visible = effect > TOLERANCE_NATS_PER_TOKEN / 2
    passed = error <= TOLERANCE_NATS_PER_TOKEN and (error <= effect / 2 or not visible)
    return Proof(pairs, tokens, error, effect, TOLERANCE_NATS_PER_TOKEN, passed)


async def unload_old(model_server: ModelServer, adapters: Adapters, *, candidate: str | None = None) -> list[str]:
    """Unload every adapter of ours that nobody needs; what answers anybody, what did before, and a candidate stay.

    Folders stay where they are: the server may still read one that it has evicted.
    """
    every = await adapters.find_all()
    before = [await adapters.get_previous_name(audience) for audience in sorted({one.audience for one in every})]
    keep = {candidate, *before, *(adapter.name for adapter in await adapters.find_served())}
    ours = {adapter.name for adapter in every}
    unloaded = [name for name in await model_server.find_models() if name in ours - keep]
    for name in unloaded:
        await model_server.unload_adapter(name)
    return unloaded


async def _sum_answer(model_server: ModelServer, name: str, tokens: Mapping[str, Any]) -> float:
    scores = await model_server.score_tokens(tokens["ids"], adapter=name)
    return sum(score or 0.0 for score in scores[tokens["prompt_length"] :])


def _margin(sides: Mapping[str, float]) -> float:
    return sides["chosen"] - sides["rejected"]
