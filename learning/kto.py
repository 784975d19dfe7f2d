"""Single votes beside pairs: KTO's loss for answers that people judged and that found no other side.

A single is laid out like a pair, so that everything that prepares, caches and shares prompts does so for it too: its
own answer stands as `chosen`, and as `rejected` the answer of another single. That one is not learnt from; it measures
how far the adapter has drifted, which KTO subtracts.

Source: Ethayarajh et al. 2024, arXiv:2402.01306, eq. 7-8. There the drift is the mean over a batch; here, with one row
a batch, the mean over the last `DRIFTS_KEPT` rows.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

DRIFTS_KEPT = 16
# The paper's bounds of how the two kinds weigh against each other: from equal to liked ones a third above.
MOST_BALANCE = 4 / 3

Row = dict[str, Any]


def lay_out(singles: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Rows of the shape of pairs, with `vote`: its sign is the judgement, its size the kind's weight.

    Args:
        singles: `prompt`, `completion`, `label` and `sha256`; the order decides which answer measures whose drift.
    """
    liked = sum(bool(single["label"]) for single in singles)
    weights = balance(liked, len(singles) - liked)
    return [
        {
            "prompt": single["prompt"],
            "chosen": single["completion"],
            "rejected": singles[(at + 1) % len(singles)]["completion"],
            "sha256": single["sha256"],
            "vote": weights[0] if single["label"] else -weights[1],
        }
        for at, single in enumerate(singles)
    ]


def balance(liked: int, disliked: int) -> tuple[float, float]:
    """Weights of liked and disliked answers: the rarer kind weighs more, so that neither drowns the other.

    All liked ones together then weigh as much as all disliked ones, or up to a third more; no kind weighs less than 1.
    """
    if not liked or not disliked:
        return 1.0, 1.0
    ratio = liked / disliked
    if ratio < 1:
        return 1 / ratio, 1.0
    return 1.0, max(1.0, ratio / MOST_BALANCE)


class KtoLoss:
    """The loss of one single, and the drift that it is measured from; the drift carries no gradient.

    Args:
        beta: as in DPO; the larger, the sooner an answer is liked or disliked enough.
    """

    def __init__(self, beta: float) -> None:
        self._beta = beta
        self._drifts: deque[float] = deque(maxlen=DRIFTS_KEPT)

    def measure(self, log_ratio: Tensor, other_log_ratio: Tensor, vote: Tensor) -> tuple[Tensor, float]:
        """The loss in [0, weight], and how far beyond the drift the answer is on the side that people want, times beta.

        Axes: r = rows, all of them singles. Log-ratios of policy and reference in nats, float32 [r]: of the judged
        answer, and of the answer to another prompt; `vote` float32 [r], not 0.
        """
        self._drifts.extend(other_log_ratio.detach().tolist())
        drift = max(0.0, sum(self._drifts) / len(self._drifts))
        reward = self._beta * (log_ratio - drift) * vote.sign()
        return (vote.abs() * (1 - torch.sigmoid(reward))).mean(), float(reward.detach().mean())
