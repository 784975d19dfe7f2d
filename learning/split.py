"""Training and held-out pairs, apart by question: a question is on the same side every night."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from learning.pairs import Pair

HELD_OUT_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Split:
    """Both sides, each in the order of the pairs' hashes, so that equal nights train equal adapters."""

    train: list[Pair]
    held_out: list[Pair]


def split_pairs(pairs: Sequence[Pair], *, seed: int, share: float = HELD_OUT_SHARE) -> Split:
    """Hold out about `share` of the questions, with all their pairs.

    The side depends on nothing but the question and the seed. So tonight's held-out questions were held out
    on earlier nights too, and the adapter in service has not seen them either.
    """
    ordered = sorted(pairs, key=lambda pair: pair.sha256)
    held_out = [pair for pair in ordered if is_held_out(pair.cluster, seed=seed, share=share)]
    return Split([pair for pair in ordered if not is_held_out(pair.cluster, seed=seed, share=share)], held_out)


def is_held_out(cluster: str, *, seed: int, share: float = HELD_OUT_SHARE) -> bool:
    """Whether a question belongs to the held-out side."""
    digest = hashlib.sha256(f"{seed}:{cluster}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64
