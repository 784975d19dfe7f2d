"""Held-out pairs under candidate, base and live adapter, and which of them prove what is served."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from peft import PeftModel

from learning.child_process import Emit
from learning.losses import SIDES, Scores, Tokens, score_pair
from learning.reference_cache import Reference

PROOF_PAIRS, PROOF_CHOICE = 3, 12
"""How many pairs the served proof asks, and among how many of the shortest they are chosen."""


def score_held_out(
    model: PeftModel,
    rows: Sequence[Mapping[str, Any]],
    pairs: Mapping[str, Mapping[str, Tokens]],
    emit: Emit,
    *,
    reference: Reference,
    live_adapter: str | None = None,
) -> dict[str, Any]:
    """Summed answer log-probabilities in nats of each held-out pair under candidate, base and live adapter.

    A few short ones that the adapter moves most carry their token ids, for the proof that the server serves it.
    """
    model.eval()
    if live_adapter:
        model.load_adapter(live_adapter, "live")
    scored = []
    for number, row in enumerate(rows, start=1):
        pair = pairs[row["sha256"]]
        scored.append(
            {
                "sha256": row["sha256"],
                "language": row["language"],
                "tokens": {side: pair[side].answer_length for side in SIDES},
                **_score_everywhere(model, pair, reference, with_live=bool(live_adapter)),
            }
        )
        emit({"event": "scored", "pair": number, "pairs": len(rows)})
    proofs = {sha256: {side: asdict(pairs[sha256][side]) for side in SIDES} for sha256 in choose_proofs(scored, pairs)}
    return {"pairs": scored, "proofs": proofs}


def choose_proofs(scored: Sequence[Mapping[str, Any]], pairs: Mapping[str, Mapping[str, Tokens]]) -> list[str]:
    """Hashes of the pairs whose answers the adapter moves most, a token, among the shortest.

    A short pair is scored quickly, and where much is moved a wrong adapter shows above the server's rounding.
    """
    shortest = sorted(scored, key=lambda one: sum(len(pairs[one["sha256"]][side].ids) for side in SIDES))
    ranked = sorted(shortest[:PROOF_CHOICE], key=_moved, reverse=True)
    return [one["sha256"] for one in ranked[:PROOF_PAIRS]]


def _moved(scored: Mapping[str, Any]) -> float:
    shifts = [abs(scored["candidate"][side] - scored["base"][side]) for side in SIDES]
    return sum(shifts) / sum(scored["tokens"].values())


def _score_everywhere(
    model: PeftModel, pair: Mapping[str, Tokens], reference: Reference, *, with_live: bool
) -> dict[str, Scores]:
    model.set_adapter("default")
    scores = {"candidate": score_pair(model, pair)}
    with model.disable_adapter():
        scores["base"] = reference.score(pair)
    if with_live:
        model.set_adapter("live")
        scores["live"] = score_pair(model, pair)
    return scores
