"""The confidence and its fit, on numbers worked out by hand."""

import math
from dataclasses import replace

import pytest

from core.records import Passage
from retrieval.calibrate import LEXICAL, Example, calibrate
from retrieval.confidence import Calibration, Features, estimate, measure_features
from retrieval.vocabulary import Counts

VISA = Passage(1, 1, 1, 1, "Visa", "", "a.md", None, 0, 4, "visa", "en", 1.0, 0.6, 2.0, ["everyone"])
TRAIN = replace(VISA, number=2, chunk_id=2, title="Train", text="train", dense_score=0.4, lexical_score=1.0)
NOTHING = Features(0, 0, 0, 0, 0, 0, 0)


def test_features_weigh_terms_by_their_rarity() -> None:
    found = measure_features("visa train", [VISA, TRAIN], Counts({"visa": 1, "train": 3}, 4))
    visa, train = math.log(1 + 3.5 / 1.5), math.log(1 + 1.5 / 3.5)
    assert found.coverage == pytest.approx(visa / (visa + train))
    assert found.strength == pytest.approx(2.0 / (2.2 * (visa + train)))
    assert (found.coverage_together, found.rarest, found.gap) == (pytest.approx(1), 1, 0.5)
    assert (found.dense, found.agreement) == (0.6, 1)


def test_the_estimate_is_a_logistic() -> None:
    calibration = Calibration(-1.0, (2.0, 0, 0, 0, 0, 0, 0), 0.5)
    assert estimate(replace(NOTHING, coverage=0.5), calibration) == 0.5
    assert estimate(replace(NOTHING, coverage=1.0), calibration) == pytest.approx(1 / (1 + math.exp(-1)))


def test_a_fit_tells_what_can_be_told_and_leaves_unused_features_alone() -> None:
    examples = [
        Example("a", "en", answerable, False, replace(NOTHING, coverage=0.9 if answerable else 0.1, dense=0.5))
        for _ in range(20)
        for answerable in (True, False)
    ]
    found = calibrate(examples, LEXICAL)
    assert found["weights"]["dense"] == 0 < found["weights"]["coverage"]
    assert found["judged"]["a"] == {
        "auroc": 1.0,
        "false_not_found": 0.0,
        "true_not_found": 1.0,
        "strangers_not_found": None,
        "questions": 10,
    }
