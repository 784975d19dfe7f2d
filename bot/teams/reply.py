"""A reply in a Teams conversation: a status message at once, edits while the answer is written, then the answer."""

import logging
import time
from collections.abc import Callable

from bot.inbox import Claimed
from bot.phrases import say
from bot.reply import FinishedAnswer
from bot.teams.activities import make_reply_key
from bot.teams.connector import NOT_FOUND, Message, TeamsConnector, TeamsError
from bot.teams.render import render_answer, render_text
from core.interactions import Interactions
from core.prompt import Language

log = logging.getLogger(__name__)

# Teams takes about one edit a second in a conversation.
EDIT_PAUSE_SECONDS = 1.2

Clock = Callable[[], float]


class TeamsPlatform:
    """Makes replies.

    Args:
        base_url: address of our own pages, the only one that answers may link to.
    """

    def __init__(
        self,
        *,
        connector: TeamsConnector,
        interactions: Interactions,
        base_url: str,
        clock: Clock = time.monotonic,
    ) -> None:
        self._connector = connector
        self._interactions = interactions
        self._base_url = base_url
        self._clock = clock

    async def reply_to(self, claimed: Claimed) -> "TeamsReply":
        """The reply for this event, on the message that an earlier attempt opened, if any."""
        stored = await self._interactions.find_by_inbox(claimed.id)
        return TeamsReply(
            connector=self._connector,
            interactions=self._interactions,
            base_url=self._base_url,
            clock=self._clock,
            claimed=claimed,
            reply_key=stored.reply_key if stored else None,
        )


class TeamsReply:
    """One reply; its key names the conversation and our first message in it."""

    def __init__(
        self,
        *,
        connector: TeamsConnector,
        interactions: Interactions,
        base_url: str,
        clock: Clock,
        claimed: Claimed,
        reply_key: str | None,
    ) -> None:
        self._connector = connector
        self._interactions = interactions
        self._base_url = base_url
        self._clock = clock
        self._reference: Message = claimed.payload["reference"]
        self._reply_key = reply_key
        self._next_edit_at = 0.0

    async def open(self, interaction_id: int, language: Language) -> str:
        """Send the status message, unless an earlier attempt has.

        Raises:
            TeamsError: the conversation cannot be written to.
        """
        if self._reply_key is None:
            self._reply_key = await self._send(render_text(say("reading", language)))
        return self._reply_key

    async def show(self, text: str) -> None:
        """Edit in the text so far, when it is time; a failed edit is logged only, for the next one says it all."""
        if not text.strip() or self._clock() < self._next_edit_at:
            return
        self._next_edit_at = self._clock() + EDIT_PAUSE_SECONDS
        try:
            await self._update(render_text(text))
        except TeamsError as error:
            log.warning("an edit failed", extra={"error": str(error)})

    async def close(self, answer: FinishedAnswer) -> None:
        """Edit in the whole answer; what one message does not hold follows.

        Raises:
            TeamsError: the answer could not be shown; it is stored and may be tried again.
        """
        first, *others = render_answer(answer, self._base_url)
        try:
            await self._update(first)
        except TeamsError as error:
            if error.status != NOT_FOUND:
                raise
            self._reply_key = await self._send(first)
            await self._interactions.set_reply_key(answer.interaction_id, self._reply_key)
        for message in others:
            await self._send(message)

    async def decline(self, message: str) -> None:
        """Say it in place of the status message, or in one of its own where none was opened."""
        if self._reply_key is None:
            self._reply_key = await self._send(render_text(message))
        else:
            await self._update(render_text(message))

    async def _send(self, message: Message) -> str:
        activity_id = await self._connector.send(self._reference, message)
        return make_reply_key(self._reference["conversation"]["id"], activity_id)

    async def _update(self, message: Message) -> None:
        assert self._reply_key, "open() comes first"
        activity_id = self._reply_key.rpartition("|")[2]
        await self._connector.update(self._reference, activity_id, message)
