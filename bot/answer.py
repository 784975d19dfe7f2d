"""The life of a question: begun, searched, generated, checked, finished, shown. Each step is one named method."""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Protocol

from bot.citations import settle
from bot.conversation import make_standalone
from bot.finished import show_outcome, show_stored
from bot.phrases import say
from bot.prompt import fit, to_messages
from bot.quote import quote
from bot.reply import FinishedAnswer, Reply
from bot.searched import describe_search
from core.errors import ModelServerError
from core.gaps import Gaps
from core.interactions import Interactions
from core.model_server import Generation, ModelMissingError, ModelServer, Sampling
from core.prompt import Language, Message, detect_language
from core.records import Begun, Outcome, Passage, Platform, Question
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
        restore: loads the active adapter into a model server that does not have it.
    """

    def __init__(
        self,
        *,
        interactions: Interactions,
        search: Searcher,
        gaps: Gaps,
        model_server: ModelServer,
        limits: Limits,
        base_url: str,
        restore: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._interactions = interactions
        self._search = search
        self._gaps = gaps
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
            began = time.perf_counter()
            standalone = await self._understand(asked, begun)
            found = await self._search.find(standalone, asked.principals, limit=self._limits.passages)
            if found.passages and found.is_answerable:
                outcome = await self._compose(begun, language, found.searched, found.passages, reply)
            else:
                outcome = await self._file_gap(begun, language, found)
            notice = describe_search(found, language) or None
            outcome = replace(outcome, search_notice=notice, answer_seconds=time.perf_counter() - began)
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

    async def _understand(self, asked: Asked, begun: Begun) -> str:
        turns = await self._interactions.find_turns(asked.conversation_key, before_id=begun.id, limit=TURNS_REMEMBERED)
        return make_standalone(asked.text, turns)

    async def _file_gap(self, begun: Begun, language: Language, found: Found) -> Outcome:
        """Say that the documents do not hold it, name the nearest, and tell those who write documents."""
        best = {passage.document_id: passage for passage in reversed(found.passages)}
        nearest = [passage for passage in found.passages if passage is best[passage.document_id]]
        titles = list(dict.fromkeys(passage.title for passage in nearest))
        await self._gaps.file(begun.id, found.searched, language, nearest=titles, confidence=found.confidence)
        outcome = Outcome(begun.id, say("nothing_found", language), "refused", "nothing_found")
        if nearest:
            named = "; ".join(f"{passage.title} [{passage.number}]" for passage in nearest)
            outcome = replace(outcome, answer=say("not_found", language, titles=named), mode_reason="not_found")
        cited = [passage.number for passage in nearest]
        return replace(outcome, standalone_question=found.searched, passages=found.passages, citations=cited)

    async def _compose(
        self, begun: Begun, language: Language, standalone: str, found: list[Passage], reply: Reply
    ) -> Outcome:
        passages = fit(
            standalone,
            found,
            context_tokens=self._limits.context_tokens,
            answer_tokens=self._limits.answer_tokens,
        )
        outcome = Outcome(
            begun.id, "", "quoted", standalone_question=standalone, passages=passages, adapter=begun.adapter
        )
        if language not in self._limits.languages:
            return _quoted(outcome, standalone, "quoted_language")
        return await self._generate(outcome, standalone, reply)

    async def _generate(self, outcome: Outcome, standalone: str, reply: Reply) -> Outcome:
        """Stream the model's answer and keep it where its passages carry it."""
        messages = to_messages(standalone, outcome.passages)
        sampling = Sampling(max_tokens=self._limits.answer_tokens, temperature=self._limits.temperature)
        outcome = replace(outcome, model=self._model_server.model, messages=messages, sampling=asdict(sampling))
        generation = Generation()
        try:
            adapter = await self._stream(messages, sampling, outcome.adapter, generation, reply)
            outcome = replace(outcome, adapter=adapter)
        except ModelServerError as error:
            log.warning("answered by quotation", extra={"error": str(error)})
            return _quoted(replace(outcome, generated=generation.text or None), standalone, "quoted_server")
        return _judge(_with_generation(outcome, generation), standalone)

    async def _stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        adapter: str | None,
        generation: Generation,
        reply: Reply,
    ) -> str | None:
        """Show the answer as it comes; the adapter that gave it.

        A server that has lost the adapter, because it was started anew, is given it again; where it cannot take it,
        the base model answers.
        """
        stream = partial(self._show_stream, messages, sampling, generation, reply)
        try:
            await stream(adapter)
        except ModelMissingError:
            if adapter is None or self._restore is None:
                raise
        else:
            return adapter
        try:
            await self._restore()
            await stream(adapter)
        except ModelServerError as error:
            if generation.text:
                raise
            log.error("the adapter cannot be served, the base model answers", extra={"error": str(error)})
            await stream(None)
            return None
        return adapter

    async def _show_stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        generation: Generation,
        reply: Reply,
        adapter: str | None,
    ) -> None:
        async for _ in self._model_server.stream(messages, generation=generation, adapter=adapter, sampling=sampling):
            await reply.show(generation.text)


def _with_generation(outcome: Outcome, generation: Generation) -> Outcome:
    return replace(
        outcome,
        generated=generation.text,
        prompt_tokens=generation.prompt_tokens,
        completion_tokens=generation.completion_tokens,
        first_token_seconds=generation.first_token_seconds,
    )


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
