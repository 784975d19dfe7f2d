"""Replies under way in this process: the worker publishes the latest state, any number of pages follow it."""

import asyncio
import contextlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from bot.inbox import Claimed
from bot.phrases import say
from bot.reply import FinishedAnswer, Reply
from bot.web.views import view_answer
from core.prompt import Language

KEEP_SECONDS = 60
# An answer that another process took over never ends here.
ABANDONED_SECONDS = 900

EventName = Literal["status", "text", "answer", "declined"]


@dataclass(frozen=True, slots=True)
class State:
    """What a page shows now; later states replace earlier ones, so none has to be delivered."""

    event: EventName
    body: dict[str, Any]

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return self.event in ("answer", "declined")


class Topic:
    """One reply: its latest state, and a bell for those who wait for the next.

    Attributes:
        is_ours: whether this process answers.
        is_watched: whether somebody looks in the database for all that answer elsewhere, see `bot/line.py`.
        is_over: whether the answer was seen there.
    """

    def __init__(self) -> None:
        self.state: State | None = None
        self.version = 0
        self.is_ours = False
        self.is_watched = False
        self.is_over = False
        self.is_closing = False
        self.followers = 0
        self._changed = asyncio.Event()

    def publish(self, state: State) -> None:
        """Replace the state and wake every follower; never waits for one."""
        self.state = state
        self.version += 1
        self._ring()

    def end_elsewhere(self) -> None:
        """Wake every follower to read the answer from the database."""
        self.is_over = True
        self._ring()

    def close(self) -> None:
        """Send the followers home: this process is going away."""
        self.is_closing = True
        self._ring()

    async def wait_for_change(self, seen: int, seconds: float) -> bool:
        """Whether there is a state newer than version `seen` within some seconds."""
        if self.version == seen and not self.is_closing:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)
        return self.version > seen

    def _ring(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class Live:
    """The web platform: replies by inbox id, kept a while after their end for pages that come late."""

    def __init__(self, *, keep_seconds: float = KEEP_SECONDS) -> None:
        self._keep_seconds = keep_seconds
        self._topics: dict[int, Topic] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._is_closing = False

    async def reply_to(self, claimed: Claimed) -> Reply:
        """The reply to a question that this process answers."""
        self._drop_after(ABANDONED_SECONDS, claimed.id)
        self._get_topic(claimed.id).is_ours = True
        return LiveReply(self, claimed.id)

    @contextmanager
    def follow(self, inbox_id: int) -> Generator[Topic]:
        """The topic of a reply, also before it began; a topic that nothing was said in goes with its last follower."""
        topic = self._get_topic(inbox_id)
        topic.followers += 1
        try:
            yield topic
        finally:
            topic.followers -= 1
            is_empty = topic.state is None or topic.is_watched
            if is_empty and topic.followers == 0 and inbox_id not in self._timers:
                self._topics.pop(inbox_id, None)

    def publish(self, inbox_id: int, state: State) -> None:
        """Show a state to everyone who follows; after a final one the topic stays for a while."""
        self._get_topic(inbox_id).publish(state)
        if state.is_final:
            self._drop_after(self._keep_seconds, inbox_id)

    def find_followed(self) -> list[int]:
        """Questions that somebody follows here and that this process does not answer."""
        return [
            number
            for number, topic in self._topics.items()
            if topic.followers and not topic.is_ours and not topic.is_over
        ]

    def tell(self, inbox_id: int, state: State) -> bool:
        """Show those who follow how a question stands that this process does not answer; whether that is news."""
        topic = self._topics.get(inbox_id)
        if topic is None or topic.is_ours:
            return False
        topic.is_watched = True
        if topic.state == state:
            return False
        topic.publish(state)
        return True

    def end_elsewhere(self, inbox_id: int) -> None:
        """Let those who follow read what another process answered."""
        if topic := self._topics.get(inbox_id):
            topic.end_elsewhere()

    def close(self) -> None:
        """End every page's stream, so that a shutdown waits for none; the pages come back to another process."""
        self._is_closing = True
        for timer in self._timers.values():
            timer.cancel()
        for topic in self._topics.values():
            topic.close()

    def count_topics(self) -> int:
        """Replies held in memory."""
        return len(self._topics)

    def _get_topic(self, inbox_id: int) -> Topic:
        topic = self._topics.setdefault(inbox_id, Topic())
        topic.is_closing = self._is_closing
        return topic

    def _drop_after(self, seconds: float, inbox_id: int) -> None:
        if inbox_id in self._timers:
            self._timers[inbox_id].cancel()
        self._timers[inbox_id] = asyncio.get_running_loop().call_later(seconds, self._drop, inbox_id)

    def _drop(self, inbox_id: int) -> None:
        self._timers.pop(inbox_id, None)
        self._topics.pop(inbox_id, None)


class LiveReply:
    """One web reply; its methods return at once, whoever is listening."""

    def __init__(self, live: Live, inbox_id: int) -> None:
        self._live = live
        self._inbox_id = inbox_id

    async def open(self, interaction_id: int, language: Language) -> str:
        """Say that the documents are being read."""
        body = {"interaction_id": interaction_id, "text": say("reading", language)}
        self._live.publish(self._inbox_id, State("status", body))
        return f"web:{self._inbox_id}"

    async def show(self, text: str) -> None:
        """Show the whole text so far."""
        self._live.publish(self._inbox_id, State("text", {"text": text}))

    async def close(self, answer: FinishedAnswer) -> None:
        """Show the final answer."""
        self._live.publish(self._inbox_id, State("answer", view_answer(answer)))

    async def decline(self, message: str) -> None:
        """Say why there is no answer."""
        self._live.publish(self._inbox_id, State("declined", {"message": message}))
