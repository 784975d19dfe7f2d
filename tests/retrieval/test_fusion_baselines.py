from pytest import approx

from benchmarks.fusion import Found, fuse_ranks, fuse_scores, summarise

DENSE = {1: 0.9, 2: 0.5, 3: 0.1}
LEXICAL = {3: 20.0, 1: 10.0, 4: 0.0}


def test_reciprocal_ranks_count_a_place_on_each_side() -> None:
    assert fuse_ranks(DENSE, LEXICAL) == [1, 3, 2, 4]  # 1/61 + 1/62, 1/63 + 1/61, 1/62, 1/63
    assert fuse_ranks({}, LEXICAL) == [3, 1, 4]


def test_a_fixed_weight_adds_what_was_stretched() -> None:
    assert fuse_scores(DENSE, LEXICAL, 0.5) == [1, 3, 2, 4]  # 0.75, 0.5, 0.25, 0
    assert fuse_scores(DENSE, LEXICAL, 0.1) == [3, 1, 2, 4]  # 0.1 + 0.45 against 0.9
    assert fuse_scores({7: 0.3}, {}, 0.5) == [7]


def test_a_document_stands_at_its_best_chunk_and_the_best_weight_is_told() -> None:
    found = Found({"a": 1.0}, {2: 0.9, 1: 0.8, 3: 0.1}, {3: 9.0, 1: 8.0, 2: 0.0}, [2, 3, 1], {1: "a", 2: "b", 3: "b"})
    row = summarise([found])
    assert (row.dense, row.lexical, row.hybrid) == approx((0.6309, 0.6309, 0.6309), abs=1e-4)
    assert (row.fixed, row.fixed_weight, row.questions) == (1.0, 0.2, 1)
