"""Single votes: their layout, their balance, and KTO's loss with numbers worked out by hand."""

import math
from typing import Any

import pytest
import torch

from learning.kto import KtoLoss, balance, lay_out
from learning.pair_export import hash_single


def single(number: int, label: bool) -> dict[str, Any]:
    row = {
        "prompt": [{"role": "user", "content": f"{number}?"}],
        "completion": [{"role": "assistant", "content": str(number)}],
        "label": label,
    }
    return row | {"sha256": hash_single(row)}


def test_each_single_is_measured_beside_the_next_one_s_answer() -> None:
    rows = lay_out([single(1, True), single(2, False), single(3, True)])
    assert [(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in rows] == [
        ("1", "2"),
        ("2", "3"),
        ("3", "1"),
    ]
    assert [row["vote"] for row in rows] == [1.0, -1.5, 1.0]


@pytest.mark.parametrize(
    ("liked", "disliked", "weights"),
    [(4, 3, (1, 1)), (3, 3, (1, 1)), (8, 3, (1, 2)), (1, 4, (4, 1)), (5, 0, (1, 1)), (0, 5, (1, 1))],
)
def test_neither_kind_drowns_the_other(liked: int, disliked: int, weights: tuple[float, float]) -> None:
    assert balance(liked, disliked) == pytest.approx(weights)


def test_the_label_is_part_of_what_a_single_is() -> None:
    assert single(1, True)["sha256"] != single(1, False)["sha256"]


def measure(loss: KtoLoss, own: float, other: float, vote: float) -> tuple[float, float]:
    found, reward = loss.measure(torch.tensor([own]), torch.tensor([other]), torch.tensor([vote]))
    return float(found), reward


@pytest.mark.parametrize(
    ("own", "other", "vote", "reward"),
    [
        (0.0, 0.0, 1.0, 0.0),
        (4.0, 1.0, 1.0, 1.5),  # 0.5 * (4 - 1)
        (4.0, 1.0, -2.0, -1.5),
        (4.0, -9.0, 1.0, 2.0),  # a drift below 0 counts as none
    ],
)
def test_the_loss_falls_with_what_people_want_beyond_the_drift(
    own: float, other: float, vote: float, reward: float
) -> None:
    loss = abs(vote) * (1 - 1 / (1 + math.exp(-reward)))
    assert measure(KtoLoss(0.5), own, other, vote) == pytest.approx((loss, reward))


def test_the_drift_is_a_mean_over_the_last_rows() -> None:
    loss = KtoLoss(1.0)
    measure(loss, 0.0, 6.0, 1.0)
    assert measure(loss, 4.0, 0.0, 1.0)[1] == pytest.approx(1.0)  # 4 - (6 + 0) / 2


def test_only_the_judged_answer_is_learnt_from() -> None:
    own, other = torch.tensor([1.0], requires_grad=True), torch.tensor([1.0], requires_grad=True)
    KtoLoss(1.0).measure(own, other, torch.tensor([1.0]))[0].backward()
    # d/dx of 1 - sigmoid(x - 1) at x = 1 is -1/4.
    assert (own.grad, other.grad) == (torch.tensor([-0.25]), None)
