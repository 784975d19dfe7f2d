"""The life of a question: begun, searched, generated, checked, finished, shown. Each step is one named method."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Protocol

from opentelemetry.trace import Span

from bot.compose import Composer
from bot.conversation import make_standalone
from bot.draft import Draft, keep_stopped
from bot.finished import show_outcome, show_stored
from bot.phrases import say
from bot.reply import FinishedAnswer, Reply
from bot.searched import describe_search
from bot.stops import StoppedError, Stops
from core.errors import NightbakeError, NotFoundError
from core.gaps import Gaps
from core.interactions import Interactions, Turn
from core.prompt import Language, detect_language
from core.records import Begun, Outcome, Platform, Question
from core.telemetry import interaction_id
from core.tracing import span
from retrieval.memory import Remembered
from retrieval.query import Found

TURNS_REMEMBERED = 4

# Steps of a trace, by OpenTelemetry's conventions for generative AI.
_SOURCE = "documents"
_AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "nightbake"}
_RETRIEVAL = {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": _SOURCE}


class TakenOverError(NightbakeError):
    """Another worker answers this question; nothing is left to do."""


class Searcher(Protocol):
    """The retrieval room's door: what a question means, and passages that these principals may read, best first."""

    async def find(self, question: str, principals: Sequence[str], *, limit: int) -> Found:
        """At most `limit` passages, numbered from 1, and how they were found."""
        ...


class Rememberer(Protocol):
    """What people said of near questions, as far as these principals may know it."""

    async def find(self, question: str, principals: Sequence[str], *, adapter: str | None) -> list[Remembered]:
        """The nearest first; those that the adapter has learnt are marked."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked question with everything the answer depends on.

    Attributes:
        again_of: an answer to the same question, to which this one shall be another.
        language: of our own words, where the room has set one; the question's where not.
        thread: what people had asked each other in the thread before; it stands in for an earlier turn.
    """

    platform: Platform
    conversation_key: str
    asker: str
    principals: list[str]
    text: str
    inbox_id: int | None = None
    again_of: int | None = None
    thread: str | None = None
    language: Language | None = None


class Answerer:
    """Answers questions, one call each; safe to call concurrently, and again for the same inbox row.

    Args:
        stops: where people's wishes to end an answer are found.
        memory: what people said of earlier answers; None asks the model without.
    """

    def __init__(
        self,
        *,
        interactions: Interactions,
        search: Searcher,
        gaps: Gaps,
        stops: Stops,
        composer: Composer,
        base_url: str,
        memory: Rememberer | None = None,
    ) -> None:
        self._interactions = interactions
        self.search = search
        self._gaps = gaps
        self._stops = stops
        self._composer = composer
        self._base_url = base_url
        self._memory = memory

    async def answer(self, asked: Asked, reply: Reply) -> FinishedAnswer:
        """The whole story. What was begun before a crash or a stop goes on under the same id, from its start.

        Side effects: one interaction row, requests to the model server, edits of the reply.

        Raises:
            TakenOverError: another worker had opened a reply meanwhile.
        """
        with span("invoke_agent nightbake", _AGENT) as step:
            finished = await self._answer(asked, reply, step)
            step.set_attribute("nightbake.mode", finished.mode)
        return finished

    async def _answer(self, asked: Asked, reply: Reply, step: Span) -> FinishedAnswer:
        language = detect_language(asked.text)
        words = asked.language or language
        begun = await self._begin(asked, language)
        interaction_id.set(begun.id)
        step.set_attribute("nightbake.interaction_id", begun.id)
        reply_key = await reply.open(begun.id, words)
        # Before any text goes into it: of two workers that both hold the question, one answers.
        if await self._interactions.keep_reply_key(begun.id, reply_key) != reply_key:
            raise TakenOverError(f"another worker answers question {begun.id}")
        if begun.is_finished:
            stored = await self._interactions.get(begun.id)
            finished = show_stored({**asdict(stored), "language": words}, base_url=self._base_url)
        else:
            outcome = await self._make_outcome(asked, begun, words, reply)
            with span("finish"):
                await self._interactions.finish(outcome)
            finished = show_outcome(outcome, words, base_url=self._base_url)
        with span("show"):
            await reply.close(finished)
        return finished

    async def _begin(self, asked: Asked, language: Language) -> Begun:
        question = Question(
            asked.platform,
            asked.conversation_key,
            asked.asker,
            asked.principals,
            asked.text,
            language,
            asked.inbox_id,
            asked.again_of,
        )
        return await self._interactions.begin(question)

    async def _make_outcome(self, asked: Asked, begun: Begun, language: Language, reply: Reply) -> Outcome:
        """What the person gets, or what there was of it when they stopped it."""
        began = time.perf_counter()
        draft = Draft(Outcome(begun.id, "", "stopped", standalone_question=asked.text))
        if asked.again_of is not None:
            draft.seed = begun.id
        try:
            outcome = await self._stops.run(asked.inbox_id, self._work_out(asked, begun, language, draft, reply))
        except StoppedError:
            outcome = keep_stopped(draft, language)
        return replace(outcome, answer_seconds=time.perf_counter() - began)

    async def _work_out(self, asked: Asked, begun: Begun, language: Language, draft: Draft, reply: Reply) -> Outcome:
        """Understood, searched, and composed or filed as a gap; the draft knows at any time what there is."""
        standalone = await self._understand(asked, begun)
        draft.outcome = replace(draft.outcome, standalone_question=standalone)
        found = await self._search(standalone, asked.principals)
        notice = describe_search(found, language) or None
        draft.outcome = replace(
            draft.outcome, standalone_question=found.searched, search_notice=notice, passages=found.passages
        )
        if found.passages and found.is_answerable:
            draft.outcome = replace(draft.outcome, adapter=begun.adapter)
            remembered = await self._remember(asked, begun, found)
            return await self._composer.compose(
                draft, detect_language(asked.text), found.searched, reply.show, remembered=remembered
            )
        return await self._file_gap(draft.outcome, language, found)

    async def _search(self, standalone: str, principals: Sequence[str]) -> Found:
        limit = self._composer.limits.passages
        with span(f"retrieval {_SOURCE}", {**_RETRIEVAL, "gen_ai.request.top_k": limit}) as step:
            found = await self.search.find(standalone, principals, limit=limit)
            step.set_attribute("nightbake.passages", len(found.passages))
        return found

    async def _remember(self, asked: Asked, begun: Begun, found: Found) -> list[Remembered]:
        if self._memory is None:
            return []
        return await self._memory.find(found.searched, asked.principals, adapter=begun.adapter)

    async def _understand(self, asked: Asked, begun: Begun) -> str:
        """The question that stands alone; asked again it is the one of the first time, whatever was said since."""
        if asked.again_of is not None:
            with contextlib.suppress(NotFoundError):
                return (await self._interactions.get(asked.again_of)).standalone_question or asked.text
        turns = await self._interactions.find_turns(asked.conversation_key, before_id=begun.id, limit=TURNS_REMEMBERED)
        if not turns and asked.thread:
            turns = [Turn(asked.thread, asked.thread, None)]
        return make_standalone(asked.text, turns)

    async def _file_gap(self, outcome: Outcome, language: Language, found: Found) -> Outcome:
        """Say that the documents do not hold it, name the nearest, and tell those who write documents."""
        best = {passage.document_id: passage for passage in reversed(found.passages)}
        nearest = [passage for passage in found.passages if passage is best[passage.document_id]]
        titles = list(dict.fromkeys(passage.title for passage in nearest))
        await self._gaps.file(
            outcome.interaction_id, found.searched, language, nearest=titles, confidence=found.confidence
        )
        cited = [passage.number for passage in nearest]
        outcome = replace(outcome, mode="refused", citations=cited)
        if not nearest:
            return replace(outcome, answer=say("nothing_found", language), mode_reason="nothing_found")
        named = "; ".join(f"{passage.title} [{passage.number}]" for passage in nearest)
        return replace(outcome, answer=say("not_found", language, titles=named), mode_reason="not_found")
