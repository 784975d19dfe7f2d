"""Documents of known words, vectors and readers, stored through the index, and both sides' scores worked out here."""

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.database import Database
from retrieval.chunking import Chunk
from retrieval.embedding import Embedder, Vectors
from retrieval.index import Index, Put
from retrieval.prepare import PreparedChunk, PreparedDocument
from retrieval.sources.access_rules import AccessRule
from retrieval.vectors import render_vector

SOURCE = "made"


@dataclass(frozen=True)
class Made:
    """A document: the words of each chunk, who may read it, and the vectors of some of its chunks."""

    path: str
    chunks: Sequence[str]
    rule: AccessRule
    vectors: Mapping[int, Vectors] = field(default_factory=dict[int, Vectors])

    def build_put(self) -> tuple[Put, dict[str, str]]:
        """What the index takes."""
        chunks = [self._build_chunk(number, words) for number, words in enumerate(self.chunks)]
        document = PreparedDocument(self.path, "text", "en", "0", "1", "x" * 99, chunks)
        vectors = {chunks[number].sha256: render_vector(vector) for number, vector in self.vectors.items()}
        return Put(document, SOURCE, self.path, self.rule), vectors

    def _build_chunk(self, number: int, words: str) -> PreparedChunk:
        sha256 = hashlib.sha256(f"{self.path} {words}".encode()).hexdigest()
        chunk = Chunk("", None, number, number + 1, words)
        return PreparedChunk(chunk, sha256, "en", words, dict(Counter(words.split())))


async def store(database: Database, embedder: Embedder, made: Sequence[Made]) -> None:
    """All in one transaction."""
    built = [one.build_put() for one in made]
    vectors = {sha256: vector for _, own in built for sha256, vector in own.items()}
    await Index(database, embedder).put_many([put for put, _ in built], vectors)


async def find_chunk_names(database: Database) -> dict[int, tuple[str, int]]:
    """Path and ordinal by chunk id."""
    rows = await database.fetch_dicts(
        b"SELECT chunks.id, path, ordinal FROM chunks JOIN documents ON documents.id = document_id"
    )
    return {row["id"]: (row["path"], row["ordinal"]) for row in rows}


def may_read(rule: AccessRule, principals: Sequence[str]) -> bool:
    """The rule written out."""
    return bool(set(rule.allow) & set(principals)) and not set(rule.deny) & set(principals)


def find_rarity(holding: int, chunks: int) -> float:
    """Lucene's logarithm of a term that so many of the chunks hold."""
    return math.log(1 + (chunks - holding + 0.5) / (holding + 0.5))


def score_words(
    made: Sequence[Made], question: Sequence[str], principals: Sequence[str]
) -> dict[tuple[str, int], float]:
    """BM25 by the formula, over what may be read, of chunks that hold a word."""
    chunks = {
        (one.path, number): Counter(words.split())
        for one in made
        if may_read(one.rule, principals)
        for number, words in enumerate(one.chunks)
    }
    lengths = {name: sum(words.values()) for name, words in chunks.items()}
    mean = sum(lengths.values()) / len(lengths) if lengths else 0
    scores: dict[tuple[str, int], float] = {}
    for word in set(question):
        holding = [name for name, words in chunks.items() if word in words]
        rarity = find_rarity(len(holding), len(chunks))
        for name in holding:
            count = chunks[name][word]
            gain = rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * lengths[name] / mean))
            scores[name] = scores.get(name, 0) + gain
    return scores


def compare_vectors(made: Sequence[Made], question: Vectors, principals: Sequence[str]) -> dict[tuple[str, int], float]:
    """Inner products in the precision that is stored, of visible chunks that have a vector."""
    asked = question.astype(np.float16).astype(np.float32)
    return {
        (one.path, number): float(vector.astype(np.float16).astype(np.float32) @ asked)
        for one in made
        if may_read(one.rule, principals)
        for number, vector in one.vectors.items()
    }
