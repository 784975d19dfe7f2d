"""Memory of corrections: which of them stand in the prompt of a question. `learning/remember.py` makes them of votes.

A memory is used only for people who may read every document that its answer was given from, by the rule of the search,
as it is when they ask. One that an adapter has learnt is left out where that adapter answers, and comes back with
another one.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.background import BackgroundWork
from core.database import Database
from core.group_commit import to_json_rows
from core.prompt import detect_language
from core.sql import load_queries
from core.text import clean_text
from core.wording import normalise_text
from retrieval.access import Access
from retrieval.active_model import ActiveModel, Asked
from retrieval.lexical import find_content_terms
from retrieval.search import MAX_QUESTION_CHARACTERS
from retrieval.vectors import render_vector

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

# Of the nearest so many, those that the asker may read; the rest is too far away to matter.
CANDIDATES = 32
INTERVAL_SECONDS = 2.0
MAX_TERMS = 64

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Remembered:
    """A question near the one that is asked, and its right answer.

    Attributes:
        interaction_id: the answer that somebody liked or corrected; it is the memory's id.
        similarity: of the questions, in [0, 1]: the cosine of their vectors or the share of words in common.
        tokens: in the prompt, at most.
        is_learnt: the adapter that answers was trained on it.
    """

    interaction_id: int
    kind: Literal["expert", "correction", "like"]
    question: str
    answer: str
    tokens: int
    similarity: float
    is_learnt: bool


@dataclass(frozen=True, slots=True)
class _Unread:
    interaction_id: int
    question: str
    language: str


class Memory:
    """Finds and reads memories.

    Args:
        database: memories are read from it, for the asker alone.
        index: questions of memories are read and filled in there; default: `database`.
        active: the embedding model that questions are asked with.
        floor: of the similarity; below it a question is another one.
        most: memories of one prompt; 0 turns memory off.
    """

    def __init__(
        self,
        database: Database,
        active: ActiveModel,
        *,
        index: Database | None = None,
        floor: float = 0.6,
        most: int = 3,
    ) -> None:
        self._index = index or database
        self._access = Access(database)
        self._active = active
        self._floor = floor
        self._most = most

    async def find(self, question: str, principals: Sequence[str], *, adapter: str | None) -> list[Remembered]:
        """The nearest first, each question once, by the word that counts most; learnt ones take their place too.

        Args:
            principals: what the asker, and everyone who will see the reply, may read; none see nothing.
            adapter: that will answer; None is the base model, which has learnt nothing.
        """
        text = clean_text(question).strip()[:MAX_QUESTION_CHARACTERS]
        if not text or not principals or not self._most:
            return []
        asked = await self._active.find()
        vector = await asked.embedder.embed_query(text) if asked.embedder and asked.embedder.reads(text) else None
        parameters = {
            "model_id": asked.model_id if vector is not None else None,
            "vector": render_vector(vector) if vector is not None else None,
            "terms": await asyncio.to_thread(_read_terms, text),
            "language": detect_language(text),
            "floor": self._floor,
            "candidates": CANDIDATES,
            "adapter": adapter,
        }
        found = await self._access.fetch_visible(QUERIES["find_near"], principals, parameters, Remembered)
        return choose_one_each(found)[: self._most]

    async def fill(self) -> int:
        """Read the questions of new memories, and of all where the embedding model changed; how many.

        Raises:
            DatabaseError: the database stayed away.
        """
        filled = 0
        while True:
            asked = await self._active.find()
            languages = sorted(asked.embedder.languages) if asked.embedder and asked.model_id is not None else []
            wanted = {"languages": languages, "model_id": asked.model_id, "limit": _BATCH}
            found = await self._index.fetch_all(QUERIES["find_unread"], wanted, _Unread)
            if not found:
                return filled
            rows = await _read(found, asked, languages)
            await self._index.execute(QUERIES["store_read"], {"rows": to_json_rows(rows)})
            filled += len(found)


class MemoryFilling(BackgroundWork):
    """Reads new memories every two seconds; several services share the work, and done twice it is the same."""

    def __init__(self, memory: Memory, *, interval_seconds: float = INTERVAL_SECONDS) -> None:
        super().__init__("reading memories", pause_seconds=interval_seconds)
        self._memory = memory

    async def turn(self) -> bool:
        """All that are unread; there will be more."""
        count = await self._memory.fill()
        log.log(logging.INFO if count else logging.DEBUG, "read memories", extra={"memories": count})
        return False


def choose_one_each(found: Sequence[Remembered]) -> list[Remembered]:
    """Of those that ask the same, one: an expert's word before a correction before a like, then the first given."""
    order = {"expert": 0, "correction": 1, "like": 2}
    best: dict[str, Remembered] = {}
    for one in found:
        question = normalise_text(one.question)
        known = best.get(question)
        if known is None or order[one.kind] < order[known.kind]:
            best[question] = one
    return sorted(best.values(), key=lambda one: -one.similarity)


async def _read(found: Sequence[_Unread], asked: Asked, languages: Sequence[str]) -> list[dict[str, Any]]:
    texts = {one.interaction_id: clean_text(one.question).strip()[:MAX_QUESTION_CHARACTERS] for one in found}
    read = [one.interaction_id for one in found if one.language in languages]
    vectors: dict[int, str] = {}
    if read and asked.embedder:
        rows = await asked.embedder.embed([texts[id_] for id_ in read], purpose="query")
        vectors = {id_: render_vector(row) for id_, row in zip(read, rows, strict=True)}
    terms = await asyncio.to_thread(lambda: {id_: _read_terms(text) for id_, text in texts.items()})
    return [
        {
            "interaction_id": one.interaction_id,
            "question": one.question,
            "terms": terms[one.interaction_id],
            "model_id": asked.model_id if one.interaction_id in vectors else None,
            "vector": vectors.get(one.interaction_id),
        }
        for one in found
    ]


def _read_terms(question: str) -> list[str]:
    """Its terms that carry meaning alone, each once."""
    return sorted(set(find_content_terms(question)))[:MAX_TERMS]
