"""What the worker does with an event: a question is answered, a judgement is recorded."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.answer import Answerer, Asked
from bot.conversation import choose_question, find_thread_question
from bot.inbox import Claimed
from bot.line import Notices, leave_line
from bot.more import More
from bot.phrases import say
from bot.questions import check_question
from bot.reply import Platform
from bot.signals import Signals
from core.errors import InvalidInputError, NotFoundError
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.metrics import ANSWER_SECONDS, ANSWERS
from core.prompt import Language, detect_language
from core.records import Feedback, Outcome

log = logging.getLogger(__name__)

# What a judgement holds beside its value.
_SAID = ("correction", "reason", "right_chunk_id", "right_source")

Confirm = Callable[[Claimed, Feedback], Awaitable[None]]
# What people said in a thread before the question, oldest first.
ReadThread = Callable[[Claimed], Awaitable[Sequence[str]]]
FindPrincipals = Callable[[Claimed], Awaitable[list[str]]]
FindLanguage = Callable[[Claimed], Awaitable[Language | None]]


class QuestionHandler:
    """Answers a claimed question on its own platform.

    Args:
        find_principals: what everyone who will see this reply may read.
        signals: notices what a question says of the answer before it.
        find_language: by platform, that of our own words, where a room has set one.
        more: notices what the asker alone may read.
        notices: by platform, what told people their place in the line.
        read_thread: by platform, where a question may stand in a thread of people's.
    """

    def __init__(
        self,
        *,
        answerer: Answerer,
        interactions: Interactions,
        platforms: Mapping[str, Platform],
        find_principals: FindPrincipals,
        signals: Signals | None = None,
        read_thread: Mapping[str, ReadThread] | None = None,
        more: More | None = None,
        find_language: Mapping[str, FindLanguage] | None = None,
        notices: Mapping[str, Notices] | None = None,
    ) -> None:
        self._notices = notices or {}
        self._find_language = find_language or {}
        self._more = more
        self._signals = signals
        self._answerer = answerer
        self._interactions = interactions
        self._platforms = platforms
        self._find_principals = find_principals
        self._read_thread = read_thread or {}

    async def __call__(self, claimed: Claimed) -> None:
        """Answer, or say why the question cannot be taken."""
        async with leave_line(self._notices, claimed):
            await self._answer(claimed)

    async def _answer(self, claimed: Claimed) -> None:
        reply = await self._platforms[claimed.platform].reply_to(claimed)
        if reply is None:
            return
        read_thread = self._read_thread.get(claimed.platform)
        thread = find_thread_question(await read_thread(claimed)) if read_thread else None
        try:
            text = check_question(choose_question(claimed.payload["text"], thread))
        except InvalidInputError as error:
            await reply.decline(str(error))
            return
        principals = await self._find_principals(claimed)
        find_language = self._find_language.get(claimed.platform)
        asked = Asked(
            claimed.platform,
            claimed.conversation_key,
            claimed.payload["person"],
            principals,
            text,
            inbox_id=claimed.id,
            again_of=claimed.payload.get("again_of"),
            thread=thread,
            language=await find_language(claimed) if find_language else None,
        )
        finished = await self._answerer.answer(asked, reply)
        ANSWERS.labels(claimed.platform, finished.mode).inc()
        ANSWER_SECONDS.labels(claimed.platform).observe((datetime.now(UTC) - claimed.received_at).total_seconds())
        if self._signals:
            await self._signals.note(finished.interaction_id)
        if self._more:
            await self._more.note(claimed, finished.interaction_id, principals)

    async def give_up(self, claimed: Claimed) -> bool:
        """Apologise with the interaction's id, and end it as `failed`, so that person, log and console say the same.

        True where an attempt that was thought dead has answered: that answer is shown, perhaps again.
        """
        if claimed.kind != "question":
            return False
        stored = await self._interactions.find_by_inbox(claimed.id)
        if stored and stored.finished_at is not None and stored.mode != "failed" and await self._show_again(claimed):
            return True
        language = detect_language(claimed.payload["text"])
        apology = say("apology", language, id=stored.id if stored else f"i{claimed.id}")
        if stored and stored.finished_at is None:
            outcome = Outcome(stored.id, apology, "failed", "failed", adapter=stored.adapter)
            await self._interactions.finish(outcome)
        ANSWERS.labels(claimed.platform, "failed").inc()
        reply = await self._platforms[claimed.platform].reply_to(claimed)
        if reply:
            await reply.decline(apology)
        return False

    async def _show_again(self, claimed: Claimed) -> bool:
        """False where the platform does not take the answer; it may take an apology."""
        try:
            await self(claimed)
        except Exception:
            log.exception("an answer could not be shown", extra={"inbox_id": claimed.id})
            return False
        return True


class FeedbackHandler:
    """Records a claimed judgement; one on a message that is no answer of ours is dropped.

    Args:
        confirm: by platform, what tells the person that it counts.
    """

    def __init__(
        self, *, feedback: FeedbackLog, interactions: Interactions, confirm: Mapping[str, Confirm] | None = None
    ) -> None:
        self._feedback = feedback
        self._interactions = interactions
        self._confirm = confirm or {}

    async def __call__(self, claimed: Claimed) -> None:
        """The payload names the answer by `interaction_id`, or by `reply_key` where the platform knows only that."""
        payload = claimed.payload
        found = payload.get("interaction_id")
        if found is None:
            interaction = await self._interactions.find_by_reply(claimed.platform, payload["reply_key"])
            found = interaction.id if interaction else None
        if found is None:
            return
        standing = await self._feedback.find_standing(found, payload["person"])
        if standing and _is_superseded(payload, standing):
            return
        judgement = Feedback(
            interaction_id=found,
            person=payload["person"],
            value=payload["value"],
            source=payload["source"],
            correction=payload.get("correction"),
            reason=payload.get("reason"),
            event_key=f"inbox:{claimed.id}",
            right_chunk_id=payload.get("right_chunk_id"),
            right_source=payload.get("right_source"),
            said_at=payload.get("said_at"),
        )
        try:
            await self._feedback.record(judgement)
        except NotFoundError:
            return
        if confirm := self._confirm.get(claimed.platform):
            await confirm(claimed, judgement)


def _is_superseded(payload: Mapping[str, Any], standing: Feedback) -> bool:
    """Whether a judgement changes nothing about the one that stands.

    - The person said something else since, which came in before: platforms promise no order.
    - It takes back a vote that another has replaced: 👍, then 👎, then the 👍 removed leaves the 👎. A withdrawn vote
      that was never seen is still to come, and is kept out by the row of its withdrawal.
    - It is the same vote without the correction or reason that stands, which it must not undo.
    """
    said_at, value = payload.get("said_at"), payload["value"]
    if said_at is not None and standing.said_at is not None and standing.said_at > said_at:
        return True
    if value == 0:
        return standing.value != payload.get("withdraws", standing.value)
    is_bare = not any(payload.get(name) for name in _SAID)
    return is_bare and standing.value == value and any(getattr(standing, name) for name in _SAID)
