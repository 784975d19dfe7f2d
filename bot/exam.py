"""Golden questions asked as people ask them, and whose fault a wrong answer is: retrieval's, or the model's."""

import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.answer import Searcher
from bot.compose import Composer
from bot.draft import Draft
from bot.golden import GoldenQuestion, is_right
from bot.side_by_side import take_answers
from core.prompt import detect_language
from core.records import Outcome, Passage

# Where documents hold the answer: was one of them retrieved, and is the answer right. Where none does: did we say so.
Cell = Literal["found_right", "found_wrong", "missed_right", "missed_wrong", "refused", "invented"]


@dataclass(frozen=True, slots=True)
class Graded:
    """A golden question with the answer that it would get now.

    Attributes:
        cites_source: whether the answer cites a document that answers the question.
        seconds: from the search to the whole answer.
        prompt_tokens, completion_tokens: as the server counted them; None where it was not asked.
        passages: what the model was shown, or would have been.
    """

    golden: GoldenQuestion
    cell: Cell
    mode: str
    answer: str
    cites_source: bool
    seconds: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    passages: list[Passage] = field(default_factory=list[Passage])


class Examiner:
    """Asks without a trace: nothing is logged, no gap is filed, nothing is learnt from it."""

    def __init__(self, search: Searcher, composer: Composer) -> None:
        self._search = search
        self._composer = composer

    async def examine(self, questions: Sequence[GoldenQuestion], *, adapter: str | None) -> AsyncGenerator[Graded]:
        """The questions in order, a few at a time, each asked with the principals that it names.

        Side effects: requests to the model server; where it is away, answers are quoted, as people's are.
        """
        async for graded in take_answers(self.ask(golden, adapter=adapter) for golden in questions):
            yield graded

    async def ask(self, golden: GoldenQuestion, *, adapter: str | None) -> Graded:
        """One question, as `examine` asks it."""
        began = time.perf_counter()
        language = detect_language(golden.question)
        found = await self._search.find(golden.question, golden.principals, limit=self._composer.limits.passages)
        outcome = Outcome(0, "", "refused", passages=found.passages, adapter=adapter)
        if found.passages and found.is_answerable:
            outcome = await self._composer.compose(Draft(outcome), language, found.searched, _show_nobody)
        cited = {passage.path for passage in outcome.passages if passage.number in outcome.citations}
        cites_source = not cited.isdisjoint(golden.sources)
        return Graded(
            golden,
            _choose_cell(golden, outcome),
            outcome.mode,
            outcome.answer,
            cites_source,
            seconds=time.perf_counter() - began,
            prompt_tokens=outcome.prompt_tokens,
            completion_tokens=outcome.completion_tokens,
            passages=outcome.passages,
        )


def _choose_cell(golden: GoldenQuestion, outcome: Outcome) -> Cell:
    if not golden.sources:
        return "refused" if outcome.mode == "refused" else "invented"
    is_found = any(passage.path in golden.sources for passage in outcome.passages)
    if is_right(outcome.answer, golden):
        return "found_right" if is_found else "missed_right"
    return "found_wrong" if is_found else "missed_wrong"


async def _show_nobody(_: str) -> None:
    return
