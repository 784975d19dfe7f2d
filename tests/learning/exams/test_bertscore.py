"""BERTScore: the matching by hand, and a real small encoder that tells alike from unlike."""

from pathlib import Path

import pytest
import torch

from core.errors import InvalidInputError
from learning.exams.bertscore import match_tokens, measure_bertscore
from retrieval.embedding import find_default_model

REFERENCE = "Employees have 23 days of annual leave."


def test_each_token_is_matched_with_the_likest_one() -> None:
    answer = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    reference = torch.tensor([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]])
    # Precision (1 + 0.8) / 2 = 0.9; recall (1 + 0.8 + 0) / 3 = 0.6.
    assert match_tokens(answer, reference) == pytest.approx(2 * 0.9 * 0.6 / 1.5)
    assert match_tokens(answer, answer[:0]) == 0.0


def test_what_says_the_same_in_other_words_is_likelier_than_what_says_another_thing() -> None:
    answers = [f"{REFERENCE} [1]", "Staff get 23 days of vacation a year.", "The canteen sells soup on Fridays.", ""]
    found = measure_bertscore(str(find_default_model()), answers, [REFERENCE] * 4)
    assert found[0] == pytest.approx(1.0, abs=1e-4)
    assert 1 > found[1] > found[2] > found[3] == 0.0


def test_an_encoder_that_is_not_here_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="BERTSCORE_MODEL"):
        measure_bertscore(str(tmp_path / "none"), ["a"], ["b"])
