"""From passages to an answer: fitted into the prompt, generated, checked against them, else quoted from them.

Whatever the model writes, what `core/outgoing.py` holds back is neither shown while it grows nor stored as the answer.
"""

import copy
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from functools import partial

from bot.citations import settle
from bot.draft import Draft
from bot.examples import choose_examples
from bot.prompt import fit, list_hidden, list_sources, to_messages
from bot.quote import quote
from core.errors import ModelServerError
from core.model_server import ModelMissingError, ModelServer, Sampling
from core.outgoing import Growing, find_unsafe, redact_secrets
from core.prompt import PROMPT_VERSION, Language, PromptExample, restore_prompt
from core.records import Outcome
from core.tracing import span
from core.wording import is_refusal
from retrieval.memory import Remembered

log = logging.getLogger(__name__)

# At 0 the same question has the same answer.
AGAIN_TEMPERATURE = 0.8

# Takes the whole answer so far, often.
Show = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Budgets of one answer.

    Attributes:
        examples: earlier questions with their answers that a prompt holds beside its passages, at most.
        languages: what the model writes; a question in another language is answered by quotation.
    """

    passages: int = 3
    examples: int = 3
    context_tokens: int = 4096
    answer_tokens: int = 128
    temperature: float = 0.0
    languages: frozenset[str] = frozenset({"en", "ko"})


class Composer:
    """Composes answers, one call each; safe to call concurrently. Writes nothing to the log.

    Args:
        is_resting: whether the model must not be asked now, because a night trains in its place.
        restore: loads an adapter, by its name, into a model server that does not have it.
        examples: the company's own, for every prompt that has room.
        find_baked: the version of the standing prompt that an adapter has in its weights.
    """

    # In place of the standing prompt, where it is tried out.
    _system: str | None = None

    def __init__(
        self,
        model_server: ModelServer,
        limits: Limits,
        *,
        restore: Callable[[str], Awaitable[None]] | None = None,
        is_resting: Callable[[], Awaitable[bool]] | None = None,
        examples: Sequence[PromptExample] = (),
        find_baked: Callable[[str], Awaitable[str | None]] | None = None,
    ) -> None:
        self._model_server = model_server
        self.limits = limits
        self._restore = restore
        self._is_resting = is_resting
        self._examples = examples
        self._find_baked = find_baked
        self._baked: dict[str, str | None] = {}

    async def compose(
        self,
        draft: Draft,
        language: Language,
        standalone: str,
        show: Show,
        *,
        remembered: Sequence[Remembered] = (),
    ) -> Outcome:
        """An answer from the draft's passages, which the draft shows as it grows.

        Args:
            remembered: what people said of near questions, for the prompt.

        Side effects: requests to the model server, calls of `show`.
        """
        if language not in self.limits.languages:
            return _quoted(draft.outcome, standalone, "quoted_language")
        fitting = fit(
            standalone,
            draft.outcome.passages,
            context_tokens=self.limits.context_tokens,
            answer_tokens=self.limits.answer_tokens,
        )
        if not fitting:
            return _quoted(draft.outcome, standalone, "quoted_long")
        draft.outcome = replace(draft.outcome, passages=fitting)
        if self._is_resting and await self._is_resting():
            return _quoted(draft.outcome, standalone, "quoted_resting")
        with span("prompt"):
            is_baked = await self._has_prompt(draft.outcome.adapter)
            draft.outcome = self._fill_prompt(draft.outcome, standalone, remembered, is_baked=is_baked)
        return await self._generate(draft, standalone, show)

    async def _has_prompt(self, adapter: str | None) -> bool:
        """Whether an adapter has today's standing prompt in its weights; asked once, for a name keeps its weights."""
        if adapter is None or self._find_baked is None:
            return False
        if adapter not in self._baked:
            self._baked[adapter] = await self._find_baked(adapter)
        return self._baked[adapter] == PROMPT_VERSION

    def _fill_prompt(
        self, outcome: Outcome, standalone: str, remembered: Sequence[Remembered], *, is_baked: bool
    ) -> Outcome:
        """With the messages, and what stands in them beside passages and question."""
        shown = choose_examples(
            standalone,
            outcome.passages,
            remembered,
            self._examples,
            most=self.limits.examples,
            context_tokens=self.limits.context_tokens,
            answer_tokens=self.limits.answer_tokens,
        )
        return replace(
            outcome,
            messages=to_messages(standalone, outcome.passages, shown.turns, is_baked=is_baked),
            example_ids=[one.interaction_id for one in shown.remembered],
            example_tokens=shown.tokens,
            spared_tokens=shown.spared_tokens,
        )

    async def _generate(self, draft: Draft, standalone: str, show: Show) -> Outcome:
        """Stream the model's answer and keep it where its passages carry it."""
        sampling = self._choose_sampling(draft)
        draft.outcome = replace(draft.outcome, model=self._model_server.model, sampling=asdict(sampling))
        if self._system:
            _, *turns = draft.outcome.messages
            draft.outcome = replace(draft.outcome, messages=[{"role": "system", "content": self._system}, *turns])
        try:
            await self._stream(draft, sampling, show)
        except ModelServerError as error:
            log.warning("answered by quotation", extra={"error": str(error)})
            outcome = replace(draft.outcome, generated=draft.generation.text or None)
            return _quoted(outcome, standalone, "quoted_server")
        with span("check"):
            return _judge(draft.with_generation(), standalone)

    def _choose_sampling(self, draft: Draft) -> Sampling:
        """As the limits say; asked again warmer and by a seed, so that the answer is another and can be drawn again."""
        temperature = self.limits.temperature
        if draft.seed is not None:
            temperature = max(temperature, AGAIN_TEMPERATURE)
        return Sampling(max_tokens=self.limits.answer_tokens, temperature=temperature, seed=draft.seed)

    async def _stream(self, draft: Draft, sampling: Sampling, show: Show) -> None:
        """Show the answer as it comes.

        A server that has lost the adapter, because it was started anew, is given it again; where it cannot take it,
        the base model answers, and the draft says so.
        """
        stream = partial(self._show_stream, draft, sampling, show)
        try:
            await stream()
        except ModelMissingError:
            if draft.outcome.adapter is None or self._restore is None:
                raise
        else:
            return
        try:
            await self._restore(draft.outcome.adapter)
            await stream()
        except ModelServerError as error:
            if draft.generation.text:
                raise
            log.error("the adapter cannot be served, the base model answers", extra={"error": str(error)})
            draft.outcome = replace(draft.outcome, adapter=None, messages=restore_prompt(draft.outcome.messages))
            await stream()

    async def _show_stream(self, draft: Draft, sampling: Sampling, show: Show) -> None:
        growing = Growing(
            sources=list_sources(draft.outcome.passages, draft.outcome.standalone_question),
            hidden=list_hidden(draft.outcome.messages),
        )
        stream = self._model_server.stream(
            draft.outcome.messages, generation=draft.generation, adapter=draft.outcome.adapter, sampling=sampling
        )
        # Closed at once where the answer is stopped, so that the server stops generating.
        async with aclosing(stream) as pieces:
            async for _ in pieces:
                draft.pieces += 1
                draft.shown = growing.pass_on(draft.generation.text)
                if draft.shown:
                    await show(draft.shown)

    def vary(self, *, examples: Sequence[PromptExample] = (), system: str | None = None) -> "Composer":
        """One that composes otherwise; what is not given stays.

        Args:
            examples: beside those that stand in prompts anyhow, and before the company's own.
            system: in place of the standing prompt; a word about as long, for it is not counted anew.
        """
        varied = copy.copy(self)
        varied.limits = replace(self.limits, examples=self.limits.examples + len(examples))
        varied._examples = [*examples, *self._examples]
        varied._system = system or self._system
        return varied


def _judge(outcome: Outcome, standalone: str) -> Outcome:
    """Generated where a passage carries it, else the closest sentences, with a word on why."""
    generated = (outcome.generated or "").strip()
    if is_refusal(generated):
        return replace(_quoted(outcome, standalone, "refused"), mode="refused")
    answer, citations = settle(generated, outcome.passages)
    if not citations:
        return _quoted(outcome, standalone, "quoted_unsupported")
    cited = [passage for passage in outcome.passages if passage.number in citations]
    unsafe = find_unsafe(answer, sources=list_sources(cited, standalone), hidden=list_hidden(outcome.messages))
    if unsafe:
        log.warning("an answer was held back", extra={"reason": unsafe})
        return _quoted(outcome, standalone, "quoted_unsafe")
    return replace(outcome, answer=answer, mode="generated", citations=citations)


def _quoted(outcome: Outcome, standalone: str, reason: str) -> Outcome:
    answer, citations = quote(standalone, outcome.passages)
    return replace(outcome, answer=redact_secrets(answer), mode="quoted", mode_reason=reason, citations=citations)
