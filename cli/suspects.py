"""Questions with known right answers, ready to be diagnosed: golden ones, and disliked ones of the last weeks."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.golden import GoldenQuestion, is_right
from cli.house import House
from core.errors import InvalidInputError
from core.prompt import REFUSALS, PromptExample, detect_language
from core.records import Outcome, Passage
from core.wording import find_citations, is_refusal
from learning.advice.diagnosis import Suspect
from learning.advice.disliked import (
    Disliked,
    build_holder,
    build_judge,
    find_disliked,
    find_right_chunks,
    narrow,
    read_library,
)
from learning.library import Library
from retrieval.evidence import find_evidence, find_readable, is_superseded

# Questions with answers that are put into a prompt to see whether being shown how helps.
EXAMPLES = 3
MOST_DISLIKED = 200


@dataclass(frozen=True, slots=True)
class Case:
    """A suspect with the examples that its asker may read, and what is stored with its diagnosis.

    Attributes:
        sha256: of the question with all that its answer is judged by; changed, it is asked again.
        words: the question, where it is not read from the log.
    """

    suspect: Suspect
    examples: tuple[PromptExample, ...]
    sha256: str
    words: str | None = None
    interaction_id: int | None = None
    feedback_id: int | None = None


class Suspects:
    """Finds what the documents hold of each right answer, as its asker may read them."""

    def __init__(self, house: House, golden: Sequence[GoldenQuestion]) -> None:
        self._house = house
        self._golden = golden
        self._limit = house.settings.passages_per_answer
        self._readable: dict[frozenset[str], set[str]] = {}

    async def build_golden(self, golden: GoldenQuestion) -> Case:
        """A golden question, asked with the principals that it names."""
        holds = partial(_holds, golden)
        suspect = Suspect(
            key=f"golden:{golden.id}",
            question=golden.question,
            language=detect_language(golden.question),
            principals=golden.principals,
            is_right=partial(_is_right, golden),
            holds=holds,
            standing="none",
            known=golden.answer or next(iter(golden.accept), ""),
        )
        if golden.sources:
            evidence = await find_evidence(
                self._house.database,
                question=golden.question,
                principals=golden.principals,
                paths=golden.sources,
                holds=holds,
                limit=self._limit,
            )
            suspect = _place(suspect, evidence.standing, evidence.passages, is_split=evidence.is_split)
        return Case(
            suspect, await self._choose_examples(suspect, golden.sources), _hash(asdict(golden)), golden.question
        )

    async def build_disliked(self, one: Disliked, library: Library) -> Case:
        """A disliked question, asked with what its asker might read then and may read now."""
        now = await self._house.access.find_principals(one.asker)
        chunks = find_right_chunks(one, library)
        documents = {library.chunks[chunk] for chunk in chunks if chunk in library.chunks}
        suspect = Suspect(
            key=one.key,
            question=one.question,
            language=one.language,
            principals=narrow(one.principals, now),
            is_right=build_judge(one, documents),
            holds=build_holder(one),
            standing="none",
            known=one.correction or "",
        )
        if not is_refusal(one.correction or ""):
            evidence = await find_evidence(
                self._house.database,
                question=one.question,
                principals=suspect.principals,
                chunk_ids=chunks,
                holds=suspect.holds,
                limit=self._limit,
            )
            suspect = _place(suspect, evidence.standing, evidence.passages, is_split=evidence.is_split)
        examples = await self._choose_examples(suspect, ())
        return Case(
            suspect,
            examples,
            _hash(asdict(one)),
            interaction_id=one.interaction_id,
            feedback_id=one.feedback_id,
        )

    async def _choose_examples(self, suspect: Suspect, sources: Sequence[str]) -> tuple[PromptExample, ...]:
        """Other golden questions of the language with their answers: readable, of other documents, giving nothing away.

        One of them is refused, two where refusing is right.
        """
        readable = await self._find_readable(suspect.principals)
        told: list[PromptExample] = []
        refused: list[PromptExample] = []
        for one in self._golden:
            is_other = one.question != suspect.question and detect_language(one.question) == suspect.language
            if not is_other or not set(one.sources) <= readable or set(one.sources) & set(sources):
                continue
            if not one.sources:
                refused.append(PromptExample(one.question, REFUSALS[suspect.language]))
            elif one.answer and not (suspect.standing != "none" and suspect.holds(one.answer)):
                told.append(PromptExample(one.question, _cite(one.answer)))
        return (*refused[: 2 if suspect.standing == "none" else 1], *told)[:EXAMPLES]

    async def _find_readable(self, principals: Sequence[str]) -> set[str]:
        key = frozenset(principals)
        if key not in self._readable:
            paths = {path for one in self._golden for path in one.sources}
            self._readable[key] = await find_readable(self._house.database, paths, principals)
        return self._readable[key]


async def find_cases(house: House, golden: Sequence[GoldenQuestion], *, weeks: int, limit: int | None) -> list[Case]:
    """Golden questions in order, then the disliked ones, the newest first; at most `limit`.

    Raises:
        InvalidInputError: two golden questions have one id, by which later rounds would take them for each other.
    """
    twice = [id_ for id_, count in Counter(one.id for one in golden).items() if count > 1]
    if twice:
        raise InvalidInputError(f"expected each id once among golden questions, got {twice[0]!r} again")
    suspects = Suspects(house, golden)
    chosen = golden[:limit]
    cases = [await suspects.build_golden(one) for one in chosen]
    room = MOST_DISLIKED if limit is None else min(MOST_DISLIKED, limit - len(cases))
    if weeks and room > 0:
        since = datetime.now(UTC) - timedelta(weeks=weeks)
        disliked = await find_disliked(house.database, since=since, limit=room)
        library = await read_library(house.database, disliked)
        cases += [await suspects.build_disliked(one, library) for one in disliked]
    return cases


def _place(suspect: Suspect, standing: str, passages: Sequence[Passage], *, is_split: bool) -> Suspect:
    return replace(
        suspect,
        standing=standing,
        right=passages,
        is_split=is_split,
        is_superseded=partial(is_superseded, passages),
    )


def _is_right(golden: GoldenQuestion, outcome: Outcome) -> bool:
    return is_right(outcome.answer, golden) if golden.sources else outcome.mode == "refused"


def _holds(golden: GoldenQuestion, text: str) -> bool:
    return is_right(text, golden)


def _cite(answer: str) -> str:
    """As the standing prompt asks for it."""
    return answer if find_citations(answer) else f"{answer} [1]"


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
