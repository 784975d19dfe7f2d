"""Signs in memory against the same worked out by comparing numbers."""

import struct

import numpy as np
import pytest
from numpy.typing import NDArray

from retrieval.embedding import Vectors
from retrieval.signs import Signs
from retrieval.visible import VisibleChunks, read_visible

CHANCE = np.random.default_rng(5)


def draw(count: int, dimension: int) -> Vectors:
    return CHANCE.standard_normal((count, dimension), dtype=np.float32)


def to_bits(vectors: Vectors) -> NDArray[np.uint8]:
    return np.packbits(vectors > 0, axis=1)


def see(chunk_ids: NDArray[np.int64]) -> VisibleChunks:
    blocks = np.unique(chunk_ids // 4096).tolist()
    own = {block: (chunk_ids[chunk_ids // 4096 == block] % 4096).tolist() for block in blocks}
    return read_visible([(block, struct.pack(f">{len(own[block])}H", *own[block]), 1) for block in blocks], version=1)


@pytest.mark.parametrize("dimension", [384, 100, 64, 3])
@pytest.mark.parametrize("shown", [1.0, 0.05])
def test_the_nearest_by_signs_are_those_of_numbers(dimension: int, shown: float) -> None:
    chunk_ids = CHANCE.choice(40_000, size=9_000, replace=False)
    vectors, question = draw(9_000, dimension), draw(1, dimension)[0]
    signs = Signs(dimension)
    for part in np.array_split(np.arange(9_000), 7):
        signs.put(chunk_ids[part], to_bits(vectors[part]))
    seen = CHANCE.random(9_000) < shown
    differing = ((vectors > 0) != (question > 0)).sum(axis=1)
    projected = (vectors > 0).astype(np.float32) @ question
    within = np.sort(differing[seen])[: 20 * 10][-1]
    near = np.flatnonzero(seen & (differing <= within))
    expected = np.sort(projected[near])[::-1]
    found = signs.find_nearest(question, see(chunk_ids[seen]), 20)
    reached = np.sort(projected[np.isin(chunk_ids, found)])[::-1]
    assert len(found) >= 20 and found == sorted(found)
    np.testing.assert_allclose(reached, expected[: len(found)], atol=1e-4)


def test_more_are_taken_where_signs_cannot_tell_the_nearest() -> None:
    vectors, question = draw(9_000, 384), draw(1, 384)[0]
    signs, visible = Signs(384), see(np.arange(9_000))
    signs.put(np.arange(9_000), to_bits(vectors))
    nearest = set(np.argsort(-(vectors @ question))[:10].tolist())
    unsure = signs.find_nearest(question, visible, 200)
    vectors[:200] += question
    signs.put(np.arange(200), to_bits(vectors[:200]))
    sure = signs.find_nearest(question, visible, 200)
    assert len(nearest & set(unsure)) >= 8
    assert (200 < len(unsure) <= 1000, sure) == (True, list(range(200)))


def test_what_is_not_visible_or_has_no_vector_is_never_found() -> None:
    signs, vectors = Signs(384), draw(50, 384)
    signs.put(np.arange(50) * 3000, to_bits(vectors))
    visible = see(np.array([0, 1, 3000, 3001, 900_000]))
    assert signs.find_nearest(vectors[2], visible, 10) == [0, 3000]
    assert set(signs.find_nearest(vectors[2], visible, 1)) <= {0, 3000}


def test_a_chunk_that_is_put_again_counts_once() -> None:
    signs, vectors = Signs(384), draw(2, 384)
    for _ in range(2):
        signs.put(np.array([5]), to_bits(vectors[:1]))
    signs.put(np.array([4096 * 7]), to_bits(vectors[1:]))
    assert signs.find_nearest(vectors[0], see(np.array([5, 4096 * 7])), 2) == [5, 4096 * 7]


def test_an_empty_memory_finds_nothing() -> None:
    assert Signs(384).find_nearest(draw(1, 384)[0], see(np.array([1])), 5) == []
