"""Clustered vectors by the block, made anew whenever they are asked for, so that a million of them need no memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.search_workload import CHUNKS_OF_DOCUMENT, DIMENSION, READERS
from retrieval.embedding import Vectors

BLOCK_DOCUMENTS = 5_000
_DOCUMENTS_OF_TOPIC = 20
_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Nearest:
    """Numbers of the exact ten nearest chunks that a reader may see, int64 [questions, 10], by reader."""

    by_reader: dict[str, NDArray[np.int64]]


class Crowd:
    """Vectors as those of `Company`: a topic's, plus a document's, plus the chunk's own, along a common direction.

    Chunk `n` belongs to document `n // 10`; a tenth of the chunks are nearly the same as their document.
    """

    def __init__(self, chunks: int, *, seed: int) -> None:
        self._seed = seed
        self.documents = max(1, chunks // CHUNKS_OF_DOCUMENT)
        self.chunks = self.documents * CHUNKS_OF_DOCUMENT
        chance = np.random.default_rng(seed)
        topics = -(-self.documents // _DOCUMENTS_OF_TOPIC)
        self._topics = _draw(chance, 1, 0.25) + _draw(chance, topics, 0.6)

    @property
    def blocks(self) -> int:
        """How many there are."""
        return -(-self.documents // BLOCK_DOCUMENTS)

    def make_block(self, number: int) -> Vectors:
        """Vectors of a block in the order of chunks, as they are stored: float32 [n, 384] in steps of halfvec."""
        chance = np.random.default_rng([self._seed, number])
        documents = np.arange(number * BLOCK_DOCUMENTS, min(self.documents, (number + 1) * BLOCK_DOCUMENTS))
        of_document = self._topics[documents // _DOCUMENTS_OF_TOPIC] + _draw(chance, len(documents), 0.5)
        vectors = _draw(chance, len(documents) * CHUNKS_OF_DOCUMENT, 0.5)
        vectors[chance.random(len(vectors)) < 0.1] *= np.float32(0.1)
        vectors += np.repeat(of_document, CHUNKS_OF_DOCUMENT, axis=0)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors.astype(np.float16).astype(np.float32)

    def ask(self, count: int) -> Vectors:
        """Questions half as far from a chunk as its document is, float32 [count, 384]."""
        chance = np.random.default_rng([self._seed, self.blocks])
        chunks = np.sort(chance.integers(self.chunks, size=count))
        of_block, places = np.divmod(chunks, BLOCK_DOCUMENTS * CHUNKS_OF_DOCUMENT)
        near = [self.make_block(int(block))[places[of_block == block]] for block in np.unique(of_block)]
        asked = np.concatenate(near) + _draw(chance, count, 0.4 / DIMENSION**0.5)
        asked /= np.linalg.norm(asked, axis=1, keepdims=True)
        return asked[chance.permutation(count)].astype(np.float16).astype(np.float32)

    def find_nearest(self, questions: Vectors) -> Nearest:
        """Every vector compared with every question."""
        best = {reader: _Best(len(questions)) for reader in READERS}
        for block in range(self.blocks):
            first = block * BLOCK_DOCUMENTS * CHUNKS_OF_DOCUMENT
            scores = questions @ self.make_block(block).T
            chunks = np.arange(first, first + scores.shape[1])
            for reader, share in READERS.items():
                seen = chunks // CHUNKS_OF_DOCUMENT % share == 0
                best[reader].add(scores[:, seen], chunks[seen])
        return Nearest({reader: found.chunks for reader, found in best.items()})


class _Best:
    """The ten best so far of each question."""

    def __init__(self, questions: int) -> None:
        self._scores = np.full((questions, _DEPTH), -np.inf, dtype=np.float32)
        self.chunks = np.full((questions, _DEPTH), -1, dtype=np.int64)

    def add(self, scores: Vectors, chunks: NDArray[np.int64]) -> None:
        """Scores of more chunks, float32 [questions, n]."""
        joined = np.concatenate([self._scores, scores], axis=1)
        numbers = np.concatenate([self.chunks, np.broadcast_to(chunks, scores.shape)], axis=1)
        order = np.argpartition(-joined, _DEPTH - 1, axis=1)[:, :_DEPTH]
        self._scores = np.take_along_axis(joined, order, axis=1)
        self.chunks = np.take_along_axis(numbers, order, axis=1)


def pack_rows(vectors: Vectors, first_chunk: int, model_id: int) -> bytes:
    """Rows of chunk, document, model and vector as COPY takes them in binary; ids are numbers plus 1."""
    rows = np.zeros(len(vectors), dtype=_ROW)
    chunks = np.arange(first_chunk, first_chunk + len(vectors))
    rows["columns"], rows["bytes_of_chunk"], rows["bytes_of_document"], rows["bytes_of_model"] = 4, 8, 8, 2
    rows["chunk"], rows["document"], rows["model"] = chunks + 1, chunks // CHUNKS_OF_DOCUMENT + 1, model_id
    rows["bytes_of_vector"], rows["dimension"] = 4 + 2 * DIMENSION, DIMENSION
    rows["vector"] = vectors.astype(">f2").view(">u2")
    return rows.tobytes()


# The signature, no flags, no extension; and what stands at the end.
COPY_BEGIN, COPY_END = b"PGCOPY\n\xff\r\n\x00" + bytes(8), b"\xff\xff"

_ROW = np.dtype(
    [
        ("columns", ">i2"),
        ("bytes_of_chunk", ">i4"),
        ("chunk", ">i8"),
        ("bytes_of_document", ">i4"),
        ("document", ">i8"),
        ("bytes_of_model", ">i4"),
        ("model", ">i2"),
        ("bytes_of_vector", ">i4"),
        ("dimension", ">i2"),
        ("unused", ">i2"),
        ("vector", ">u2", DIMENSION),
    ]
)


def _draw(chance: np.random.Generator, count: int, scale: float) -> Vectors:
    return chance.standard_normal((count, DIMENSION), dtype=np.float32) * np.float32(scale)


def measure_recall(found: Sequence[Sequence[int]], nearest: NDArray[np.int64]) -> float:
    """Share of the exact nearest among what was found for each question."""
    hits = sum(len(set(own) & set(wanted)) for own, wanted in zip(found, nearest.tolist(), strict=True))
    return hits / nearest.size
