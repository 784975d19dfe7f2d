"""The life of a question: begun, searched, generated, checked, finished, shown. Each step is one named method."""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Protocol

from bot.citations import settle
from bot.conversation import make_standalone
from bot.draft import Draft, keep_stopped
from bot.finished import show_outcome, show_stored
from bot.phrases import say
from bot.prompt import fit, to_messages
from bot.quote import quote
from bot.reply import FinishedAnswer, Reply
from bot.searched import describe_search
from bot.stops import StoppedError, Stops
from core.errors import ModelServerError
from core.gaps import Gaps
from core.interactions import Interactions
from core.model_server import ModelMissingError, ModelServer, Sampling
from core.prompt import Language, detect_language
from core.records import Begun, Outcome, Platform, Question
from core.telemetry import interaction_id
from core.wording import is_refusal
from retrieval.query import Found

log = logging.getLogger(__name__)

TURNS_REMEMBERED = 4


class Searcher(Protocol):
    """The retrieval room's door: what a question means, and passages that these principals may read, best first."""

    async def find(self, question: str, principals: Sequence[str], *, limit: int) -> Found:
        """At most `limit` passages, numbered from 1, and how they were found."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked question with everything the answer depends on."""

    platform: Platform
    conversation_key: str
    asker: str
    principals: list[str]
    text: str
    inbox_id: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Budgets of one answer.

    Attributes:
        languages: what the model writes; a question in another language is answered by quotation.
    """

    passages: int = 3
    context_tokens: int = 4096
    answer_tokens: int = 128
    temperature: float = 0.0
    languages: frozenset[str] = frozenset({"en", "ko"})


class Answerer:
    """Answers questions, one call each; safe to call concurrently, and again for the same inbox row.

    Args:
        stops: where people's wishes to end an answer are found.
        restore: loads the active adapter into a model server that does not have it.
    """

    def __init__(
        self,
        *,
        interactions: Interactions,
        search: Searcher,
        gaps: Gaps,
        stops: Stops,
        model_server: ModelServer,
        limits: Limits,
        base_url: str,
        restore: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._interactions = interactions
        self._search = search
        self._gaps = gaps
        self._stops = stops
        self._model_server = model_server
        self._limits = limits
        self._base_url = base_url
        self._restore = restore

    async def answer(self, asked: Asked, reply: Reply) -> FinishedAnswer:
        """The whole story. What was begun before a crash or a stop goes on under the same id, from its start.

        Side effects: one interaction row, requests to the model server, edits of the reply.
        """
        language = detect_language(asked.text)
        begun = await self._begin(asked, language)
        interaction_id.set(begun.id)
        reply_key = await reply.open(begun.id, language)
        await self._interactions.set_reply_key(begun.id, reply_key)
        if (stored := await self._interactions.get(begun.id)).finished_at:
            finished = show_stored(asdict(stored), base_url=self._base_url)
        else:
            outcome = await self._make_outcome(asked, begun, language, reply)
            await self._interactions.finish(outcome)
            finished = show_outcome(outcome, language, base_url=self._base_url)
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
        )
        return await self._interactions.begin(question)

    async def _make_outcome(self, asked: Asked, begun: Begun, language: Language, reply: Reply) -> Outcome:
        """What the person gets, or what there was of it when they stopped it."""
        began = time.perf_counter()
        draft = Draft(Outcome(begun.id, "", "stopped", standalone_question=asked.text))
        try:
            outcome = await self._stops.run(asked.inbox_id, self._work_out(asked, begun, language, draft, reply))
        except StoppedError:
            outcome = keep_stopped(draft, language)
        return replace(outcome, answer_seconds=time.perf_counter() - began)

    async def _work_out(self, asked: Asked, begun: Begun, language: Language, draft: Draft, reply: Reply) -> Outcome:
        """Understood, searched, and composed or filed as a gap; the draft knows at any time what there is."""
        standalone = await self._understand(asked, begun)
        draft.outcome = replace(draft.outcome, standalone_question=standalone)
        found = await self._search.find(standalone, asked.principals, limit=self._limits.passages)
        notice = describe_search(found, language) or None
        draft.outcome = replace(
            draft.outcome, standalone_question=found.searched, search_notice=notice, passages=found.passages
        )
        if found.passages and found.is_answerable:
            draft.outcome = replace(draft.outcome, adapter=begun.adapter)
            return await self._compose(draft, language, found.searched, reply)
        return await self._file_gap(draft.outcome, language, found)

    async def _understand(self, asked: Asked, begun: Begun) -> str:
        turns = await self._interactions.find_turns(asked.conversation_key, before_id=begun.id, limit=TURNS_REMEMBERED)
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

    async def _compose(self, draft: Draft, language: Language, standalone: str, reply: Reply) -> Outcome:
        if language not in self._limits.languages:
            return _quoted(draft.outcome, standalone, "quoted_language")
        fitting = fit(
            standalone,
            draft.outcome.passages,
            context_tokens=self._limits.context_tokens,
            answer_tokens=self._limits.answer_tokens,
        )
        if not fitting:
            return _quoted(draft.outcome, standalone, "quoted_long")
        draft.outcome = replace(draft.outcome, passages=fitting)
        return await self._generate(draft, standalone, reply)

    async def _generate(self, draft: Draft, standalone: str, reply: Reply) -> Outcome:
        """Stream the model's answer and keep it where its passages carry it."""
        messages = to_messages(standalone, draft.outcome.passages)
        sampling = Sampling(max_tokens=self._limits.answer_tokens, temperature=self._limits.temperature)
        draft.outcome = replace(
            draft.outcome, model=self._model_server.model, messages=messages, sampling=asdict(sampling)
        )
        try:
            await self._stream(draft, sampling, reply)
        except ModelServerError as error:
            log.warning("answered by quotation", extra={"error": str(error)})
            outcome = replace(draft.outcome, generated=draft.generation.text or None)
            return _quoted(outcome, standalone, "quoted_server")
        return _judge(draft.with_generation(), standalone)

    async def _stream(self, draft: Draft, sampling: Sampling, reply: Reply) -> None:
        """Show the answer as it comes.

        A server that has lost the adapter, because it was started anew, is given it again; where it cannot take it,
        the base model answers, and the draft says so.
        """
        stream = partial(self._show_stream, draft, sampling, reply)
        try:
            await stream()
        except ModelMissingError:
            if draft.outcome.adapter is None or self._restore is None:
                raise
        else:
            return
        try:
            await self._restore()
            await stream()
        except ModelServerError as error:
            if draft.generation.text:
                raise
            log.error("the adapter cannot be served, the base model answers", extra={"error": str(error)})
            draft.outcome = replace(draft.outcome, adapter=None)
            await stream()

    async def _show_stream(self, draft: Draft, sampling: Sampling, reply: Reply) -> None:
        stream = self._model_server.stream(
            draft.outcome.messages, generation=draft.generation, adapter=draft.outcome.adapter, sampling=sampling
        )
        # Closed at once where the answer is stopped, so that the server stops generating.
        async with aclosing(stream) as pieces:
            async for _ in pieces:
                draft.pieces += 1
                await reply.show(draft.generation.text)


def _judge(outcome: Outcome, standalone: str) -> Outcome:
    """Generated where a passage carries it, else the closest sentences, with a word on why."""
    generated = (outcome.generated or "").strip()
    if is_refusal(generated):
        return replace(_quoted(outcome, standalone, "refused"), mode="refused")
    answer, citations = settle(generated, outcome.passages)
    if not citations:
        return _quoted(outcome, standalone, "quoted_unsupported")
    return replace(outcome, answer=answer, mode="generated", citations=citations)


def _quoted(outcome: Outcome, standalone: str, reason: str) -> Outcome:
    answer, citations = quote(standalone, outcome.passages)
    return replace(outcome, answer=answer, mode="quoted", mode_reason=reason, citations=citations)
