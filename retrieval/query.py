"""From a person's question to passages: what was meant is searched, behind the same filter, and said.

Wraps the search and leaves it as it is: `Finder.find` mends words, splits, searches, keeps to filters, and judges.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from itertools import zip_longest

from core.database import Database
from core.prompt import detect_language
from core.records import Passage
from core.sql import load_queries
from core.text import clean_text
from retrieval.confidence import CALIBRATIONS, Kind, estimate, find_held, measure_features
from retrieval.diversity import drop_repeats
from retrieval.embedding import DEFAULT_MODEL
from retrieval.lexical import find_terms
from retrieval.query_filters import Filters, read_filters
from retrieval.query_parts import split_question
from retrieval.query_words import Change, Words
from retrieval.search import MAX_QUESTION_CHARACTERS, MAX_TERMS, Search
from retrieval.synonyms import NO_SYNONYMS, Synonyms, reword
from retrieval.vocabulary import Vocabulary
from retrieval.windows import widen

QUERIES = load_queries(__file__)

# How deep a filtered search looks: a document that ranks below is not seen through the filter.
FILTERED_DEPTH = 60


@dataclass(frozen=True, slots=True)
class Found:
    """Passages, and how they were come by.

    Attributes:
        searched: the question as it was searched; what was asked where nothing was changed.
        changes: words that were replaced.
        filters: what restricted the documents; None where nothing did, or where nothing was left by it.
        dropped: filters that left nothing, so that all documents were searched.
        confidence: in [0, 1], that the passages hold the answer; None where it was not calibrated.
        is_answerable: False where the confidence is too small to try.
    """

    passages: list[Passage]
    searched: str
    changes: list[Change]
    filters: Filters | None = None
    dropped: Filters | None = None
    confidence: float | None = None
    is_answerable: bool = True


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


class Finder:
    """The retrieval room's door for questions of people.

    Args:
        index: words of documents are counted in it.
        synonyms: those of the search: a passage that holds one answers as well as one that holds the typed word.
        neighbours: chunks of the same section that a passage is shown with, on each side.
        today: for `last month`; None takes the day in UTC.
    """

    def __init__(
        self,
        index: Database,
        search: Search,
        *,
        synonyms: Synonyms = NO_SYNONYMS,
        neighbours: int = 0,
        today: date | None = None,
    ) -> None:
        self._access = search.access
        self._vocabulary = Vocabulary(index, search.access)
        self._words = Words(self._vocabulary, search.active, synonyms)
        self._synonyms = synonyms
        self._neighbours = neighbours
        self._search = search
        self._today = today

    async def find(self, question: str, principals: Sequence[str], *, limit: int) -> Found:
        """At most `limit` passages, numbered from 1, shared by turns between the parts of the question."""
        text = clean_text(question).strip()[:MAX_QUESTION_CHARACTERS]
        if not text or not principals or limit < 1:
            return Found([], text, [])
        today = self._today or datetime.now(UTC).date()
        # The words of a filter are no document's, and a filter that was mended is none any more.
        mentioned = read_filters(text, today).words
        searched, changes = await self._words.mend(text, principals, keep=mentioned)
        filters = read_filters(searched, today)
        passages = await self._find_filtered(filters, principals, limit)
        used, dropped = (filters, None) if passages else (None, filters or None)
        passages = passages or await self._find_parts(searched, principals, limit)
        confidence, is_answerable = await self._judge(searched, passages, principals)
        passages = await widen(self._access, passages, principals, neighbours=self._neighbours)
        return Found(passages, searched, changes, used, dropped, confidence, is_answerable)

    async def _find_filtered(self, filters: Filters, principals: Sequence[str], limit: int) -> list[Passage]:
        if not filters or not filters.rest:
            return []
        parameters = {key: value for key, value in asdict(filters).items() if key not in ("rest", "words")}
        rows = await self._access.fetch_visible(QUERIES["find_filtered"], principals, parameters, _Id)
        if not rows:
            return []
        wanted = {row.id for row in rows}
        found = await self._search.search(filters.rest, principals, limit=FILTERED_DEPTH)
        return _number([passage for passage in found if passage.document_id in wanted][:limit])

    async def _find_parts(self, question: str, principals: Sequence[str], limit: int) -> list[Passage]:
        parts = split_question(question)
        found = await asyncio.gather(*(self._search.search(part, principals, limit=limit) for part in parts))
        return found[0] if len(found) == 1 else _number(drop_repeats(_take_turns(found), limit))

    async def _judge(
        self, question: str, passages: Sequence[Passage], principals: Sequence[str]
    ) -> tuple[float | None, bool]:
        kind = _choose_calibration(question, passages, (await self._search.active.find()).name)
        if not kind:
            return None, bool(passages)
        question = await asyncio.to_thread(self._reword, question, passages)
        terms = list(dict.fromkeys(await asyncio.to_thread(find_terms, question)))[:MAX_TERMS]
        counts = await self._vocabulary.count(terms, principals)
        features = await asyncio.to_thread(measure_features, question, passages, counts)
        confidence = estimate(features, CALIBRATIONS[kind])
        return confidence, confidence >= CALIBRATIONS[kind].threshold

    def _reword(self, question: str, passages: Sequence[Passage]) -> str:
        """The question in the words of the passages, as far as the dictionary knows them for the same."""
        expansions = self._synonyms.find(question)
        return reword(question, expansions, [find_held(passage) for passage in passages]) if expansions else question


def _take_turns(found: Sequence[Sequence[Passage]]) -> list[Passage]:
    """The best of each part, then the next of each; a passage that answers two parts once."""
    mixed = [passage for row in zip_longest(*found) for passage in row if passage]
    return list({passage.chunk_id: passage for passage in mixed}.values())


def _number(passages: Sequence[Passage]) -> list[Passage]:
    return [replace(passage, number=number) for number, passage in enumerate(passages, start=1)]


def _choose_calibration(question: str, passages: Sequence[Passage], model: str) -> Kind | None:
    """Which numbers fit; None where another model's likeness or another language's would be judged by ours."""
    language = detect_language(question)
    if not passages:
        return None
    if any(passage.dense_score for passage in passages):
        return "en_dense" if language == "en" and model == DEFAULT_MODEL else None
    # A question in one language over passages in the other shares few words with what may well answer it.
    return language if any(passage.language == language for passage in passages) else None
