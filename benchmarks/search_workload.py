"""A made-up company for the search benchmark: documents about topics, near-equal chunks, permissions, and questions."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from sys import intern

import numpy as np
from numpy.typing import NDArray

from core.text import clean_text
from retrieval.chunking import Chunk
from retrieval.embedding import Vectors
from retrieval.index import Put
from retrieval.lexical import find_terms
from retrieval.prepare import PreparedChunk, PreparedDocument
from retrieval.sources.access_rules import AccessRule
from retrieval.vectors import render_vector

DIMENSION = 384
CHUNKS_OF_DOCUMENT = 10
WORDS_OF_CHUNK = 110
QUESTION_WORDS = 8
SOURCE = "benchmark"
# Principals and the share of documents that each may read; the groups beside them only make more audiences.
READERS = {"group:all": 1, "group:tenth": 10, "group:hundredth": 100, "group:thousandth": 1000}
_OTHER_GROUPS = 97


def _accumulate(words: int, flatness: int) -> NDArray[np.float64]:
    """Zipf's law with its peak cut off, as stop words are: cumulative, float64 [words]."""
    shares = 1 / (np.arange(words) + flatness)
    return np.cumsum(shares) / shares.sum()


_COMMON, _OWN = _accumulate(40_000, 30), _accumulate(400, 5)


class ReadyVectors:
    """Stands in for the embedding model, whose speed is not measured here."""

    name = "benchmark"
    languages = frozenset({"en"})

    async def get_dimension(self) -> int:
        """Of the made-up vectors."""
        return DIMENSION


@dataclass(frozen=True, slots=True)
class Question:
    """Words and vector near to one chunk, which is its only right answer."""

    terms: list[str]
    vector: Vectors
    chunk: int


class Company:
    """Chunks with vectors, float32 [chunks, 384] of length 1, in source order: a topic's documents follow each other.

    A vector is its topic's, plus its document's, plus its own; a document's chunks are much nearer to each other than
    to the rest, and a tenth of them nearly the same. All share a direction, as those of real models do.

    Args:
        folder: with `corpus.jsonl`: chunks hold words of its texts, else made-up ones.
    """

    def __init__(self, chunks: int, *, seed: int, folder: Path | None = None) -> None:
        self._chance = np.random.default_rng(seed)
        self.documents = max(1, chunks // CHUNKS_OF_DOCUMENT)
        self.chunks = self.documents * CHUNKS_OF_DOCUMENT
        self.vectors = self._make_vectors()
        texts = read_texts(folder) if folder else None
        self.terms = [self._draw_text(texts) if texts else self._make_text(number) for number in range(self.chunks)]

    def _make_vectors(self) -> Vectors:
        def draw(count: int, scale: float) -> Vectors:
            return self._chance.standard_normal((count, DIMENSION), dtype=np.float32) * np.float32(scale)

        topics = max(2, self.documents // 20)
        of_topic = np.arange(self.documents) * topics // self.documents
        of_document = draw(1, 0.25) + draw(topics, 0.6)[of_topic] + draw(self.documents, 0.5)
        own = draw(self.chunks, 0.5)
        own[self._chance.random(self.chunks) < 0.1] *= np.float32(0.1)
        vectors = np.repeat(of_document, CHUNKS_OF_DOCUMENT, axis=0) + own
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _make_text(self, number: int) -> Counter[str]:
        """Half of the words are anybody's, the most frequent in a fifth of all chunks; half are the topic's own."""
        common = np.searchsorted(_COMMON, self._chance.random(WORDS_OF_CHUNK // 2))
        topic = number // (CHUNKS_OF_DOCUMENT * 20)
        own = np.searchsorted(_OWN, self._chance.random(WORDS_OF_CHUNK // 2)) + (topic * 97) % 30_000
        return Counter(intern(f"w{word}") for word in np.concatenate([common, own]).tolist())

    def _draw_text(self, texts: Sequence[Counter[str]]) -> Counter[str]:
        """Four fifths of the words of a text, so that no two chunks are the same."""
        text = texts[int(self._chance.integers(len(texts)))]
        kept = self._chance.random(len(text)) < 0.8
        return Counter({term: count for (term, count), keep in zip(text.items(), kept, strict=True) if keep})

    def build_puts(self, order: Sequence[int]) -> Iterator[tuple[Put, dict[str, str]]]:
        """Documents in this order, each with the vectors of its chunks."""
        for number in order:
            first = number * CHUNKS_OF_DOCUMENT
            chunks = [self._build_chunk(chunk) for chunk in range(first, first + CHUNKS_OF_DOCUMENT)]
            document = PreparedDocument(f"Document {number}", "text", "en", f"{number}", "1", "x" * 1000, chunks)
            vectors = {
                chunk.sha256: render_vector(vector)
                for chunk, vector in zip(chunks, self.vectors[first : first + CHUNKS_OF_DOCUMENT], strict=True)
            }
            yield Put(document, SOURCE, str(number), self.build_rule(number)), vectors

    def _build_chunk(self, number: int) -> PreparedChunk:
        place = number % CHUNKS_OF_DOCUMENT
        text = " ".join(self.terms[number])
        return PreparedChunk(
            Chunk("", None, place, place + 1, text),
            hashlib.sha256(str(number).encode()).hexdigest(),
            "en",
            "",
            dict(self.terms[number]),
        )

    @staticmethod
    def build_rule(document: int) -> AccessRule:
        """Who may read a document."""
        readers = [reader for reader, share in READERS.items() if document % share == 0]
        return AccessRule([*readers, f"group:{document % _OTHER_GROUPS}"], ["group:guests"])

    def find_visible(self, reader: str) -> NDArray[np.bool_]:
        """By the rule written out: bool [chunks]."""
        return np.repeat(np.arange(self.documents) % READERS[reader] == 0, CHUNKS_OF_DOCUMENT)

    def ask(self, count: int) -> list[Question]:
        """Questions with some of a chunk's words, one wrong one, and a vector half as far from it as its document."""
        questions: list[Question] = []
        for chunk in self._chance.integers(self.chunks, size=count).tolist():
            words = list(self.terms[chunk])
            chosen = self._chance.choice(len(words), size=min(QUESTION_WORDS - 1, len(words)), replace=False)
            wrong = list(self.terms[int(self._chance.integers(self.chunks))])[:1]
            noise = self._chance.standard_normal(DIMENSION, dtype=np.float32) * np.float32(0.4 / DIMENSION**0.5)
            vector = self.vectors[chunk] + noise
            terms = list(dict.fromkeys([*(words[word] for word in chosen.tolist()), *wrong]))
            questions.append(Question(terms, (vector / np.linalg.norm(vector)).astype(np.float32), chunk))
        return questions


def read_texts(folder: Path) -> list[Counter[str]]:
    """Terms of the texts of a data set, about a chunk's length each."""
    texts: list[Counter[str]] = []
    for line in (folder / "corpus.jsonl").read_text("utf-8").splitlines():
        words = clean_text(str(json.loads(line)["text"])).split()
        pieces = (" ".join(words[start : start + 150]) for start in range(0, len(words), 150))
        texts += [Counter(find_terms(piece)) for piece in pieces]
    return [text for text in texts if text]
