"""Two scores into one ranking, worked out by hand."""

import math

import pytest

from retrieval.candidates import Candidate
from retrieval.fusion import Calibration, fuse

# One spread of cosine is 0.1; a BM25 of 15 as the question's best is worth three spreads.
MEASURED = Calibration(dense_mean=0.1, dense_spread=0.1, dense_share=1.0)


def test_totals_are_as_worked_out_by_hand() -> None:
    # 1: 2 spreads + 3 = 5; 2: 4 spreads + 3 x 3 / 15 = 4.6; 3: 0 + 1.5 = 1.5.
    found = fuse([Candidate(1, 0.3, 15.0), Candidate(2, 0.5, 3.0), Candidate(3, 0.1, 7.5)], MEASURED)
    assert [one.chunk_id for one in found] == [1, 2, 3]
    assert [one.score for one in found] == pytest.approx([1, 4.6 / 5, 1.5 / 5])


def test_words_weigh_more_where_their_best_is_better() -> None:
    # A BM25 of 60 is worth 3 x 60 / sqrt(15 x 60) = 6 spreads, one of 15 three, one of 3.75 one and a half.
    near = Candidate(2, 0.5, 0.0)
    assert [one.chunk_id for one in fuse([Candidate(1, 0.1, 60.0), near], MEASURED)] == [1, 2]
    assert [one.chunk_id for one in fuse([Candidate(1, 0.1, 15.0), near], MEASURED)] == [2, 1]
    assert fuse([Candidate(1, 0.1, 3.75), near], MEASURED)[1].score == pytest.approx(1.5 / 4)


def test_a_smaller_share_leaves_the_words_their_order() -> None:
    candidates = [Candidate(1, 0.1, 15.0), Candidate(2, 0.6, 3.0)]
    quarter = Calibration(dense_mean=0.1, dense_spread=0.1, dense_share=0.25)
    assert [one.chunk_id for one in fuse(candidates, MEASURED)] == [2, 1]
    assert [one.chunk_id for one in fuse(candidates, quarter)] == [1, 2]


def test_each_side_alone_keeps_its_own_order() -> None:
    words = fuse([Candidate(1, None, 2.0), Candidate(2, None, 8.0)], MEASURED)
    meaning = fuse([Candidate(1, 0.2, 0.0), Candidate(2, 0.4, 0.0)], Calibration(0.1, 0.1, 0.0))
    assert [(one.chunk_id, one.score) for one in words] == [(2, 1), (1, 0.25)]
    assert [(one.chunk_id, one.score) for one in meaning] == [(2, 1), (1, pytest.approx(1 / 3))]


def test_a_chunk_without_a_vector_counts_as_unrelated() -> None:
    found = fuse([Candidate(1, None, 5.0), Candidate(2, 0.1, 5.0), Candidate(3, 0.05, 5.0)], MEASURED)
    assert [one.chunk_id for one in found] == [1, 2, 3]
    assert found[0].score == found[1].score > found[2].score


def test_scores_are_between_0_and_1_and_equal_ones_go_by_chunk() -> None:
    found = fuse([Candidate(3, -0.9, 0.0), Candidate(2, 0.4, 1.0), Candidate(1, 0.4, 1.0)], MEASURED)
    assert [one.chunk_id for one in found] == [1, 2, 3]
    assert found[2].score == 0 and all(0 <= one.score <= 1 and math.isfinite(one.score) for one in found)
    assert fuse([]) == []
