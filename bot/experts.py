"""Ask a human: a question goes to experts, and a reply comes back as the corrected answer, if its author agrees.

Every step is an event of the inbox and bears repetition: a message that was posted twice is the worst of a crash.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.inbox import Claimed, Kind
from bot.worker import Handler
from core.database import Database
from core.feedback import FeedbackLog
from core.interactions import Interaction, Interactions
from core.records import Feedback
from core.sql import load_queries
from core.text import clean_text
from retrieval.access import EVERYONE, PUBLIC

QUERIES = load_queries(__file__)

REQUEST, REPLY, CONSENT = "expert_request", "expert_reply", "expert_consent"
SOURCE = "expert"


@dataclass(frozen=True, slots=True)
class ExpertRequest:
    """A question that a person took to a human; `thread_key` is where experts reply, once it is posted."""

    id: int
    interaction_id: int
    platform: str
    person: str
    thread_key: str | None


@dataclass(frozen=True, slots=True)
class ExpertReply:
    """What an expert said in that thread; `told_at` is when the person was told."""

    id: int
    request_id: int
    reply_key: str
    expert: str
    reply: str
    told_at: datetime | None


class ExpertPlatform(Protocol):
    """A platform's side: it posts and tells, and knows nothing of what follows."""

    async def post_request(self, request: ExpertRequest, interaction: Interaction, *, with_answer: bool) -> str:
        """Show question and answer to the experts; the platform's id of the thread they reply in."""
        ...

    async def say_posted(self, person: str, interaction: Interaction) -> None:
        """Tell the person alone that the experts have it."""
        ...

    async def offer(self, reply: ExpertReply, request: ExpertRequest, interaction: Interaction) -> None:
        """Ask the expert alone whether the reply may be used."""
        ...

    async def tell(self, reply: ExpertReply, request: ExpertRequest, interaction: Interaction) -> None:
        """Tell the person what the expert said, where the question was asked."""
        ...


class Experts:
    """The three handlers: a question is passed on, a reply is offered to be used, a reply is used."""

    def __init__(
        self,
        database: Database,
        *,
        interactions: Interactions,
        feedback: FeedbackLog,
        platforms: Mapping[str, ExpertPlatform],
    ) -> None:
        self._database = database
        self._interactions = interactions
        self._feedback = feedback
        self._platforms = platforms

    def handlers(self) -> dict[Kind, Handler]:
        """What the worker does with each kind of event."""
        return {REQUEST: self.pass_on, REPLY: self.offer, CONSENT: self.use}

    async def pass_on(self, claimed: Claimed) -> None:
        """Post the question once, however many people ask for a human; each of them is told."""
        parameters = {"interaction_id": claimed.payload["interaction_id"], "person": claimed.payload["person"]}
        request = await self._database.fetch_one(QUERIES["begin"], parameters, ExpertRequest)
        platform = self._platforms.get(claimed.platform)
        if request is None or platform is None:
            return
        interaction = await self._interactions.get(request.interaction_id)
        if request.thread_key is None:
            key = await platform.post_request(request, interaction, with_answer=is_open(interaction))
            await self._database.execute(QUERIES["set_thread"], {"id": request.id, "thread_key": key})
        await platform.say_posted(claimed.payload["person"], interaction)

    async def offer(self, claimed: Claimed) -> None:
        """Keep a reply and ask its author; one that belongs to no question, or is the person's own, is dropped."""
        payload = claimed.payload
        parameters = {
            "platform": claimed.platform,
            "thread_key": payload["thread_key"],
            "reply_key": payload["reply_key"],
            "expert": payload["person"],
            "reply": clean_text(payload["text"]),
        }
        reply = await self._database.fetch_one(QUERIES["add_reply"], parameters, ExpertReply)
        if reply:
            request, interaction = await self._get(reply)
            await self._platforms[claimed.platform].offer(reply, request, interaction)

    async def use(self, claimed: Claimed) -> None:
        """Record a reply as its author's correction and tell the person; only the author can agree to that."""
        parameters = {"id": claimed.payload["reply_id"], "expert": claimed.payload["person"]}
        reply = await self._database.fetch_one(QUERIES["consent"], parameters, ExpertReply)
        if reply is None:
            return
        request, interaction = await self._get(reply)
        correction = Feedback(
            interaction_id=request.interaction_id,
            person=reply.expert,
            value=-1,
            source=SOURCE,
            correction=reply.reply,
            event_key=f"expert:{reply.id}",
        )
        await self._feedback.record(correction)
        if reply.told_at is None:
            await self._platforms[claimed.platform].tell(reply, request, interaction)
            await self._database.execute(QUERIES["set_told"], {"id": reply.id})

    async def _get(self, reply: ExpertReply) -> tuple[ExpertRequest, Interaction]:
        request = await self._database.fetch_one(QUERIES["get"], {"id": reply.request_id}, ExpertRequest)
        assert request, "a reply refers to its request"
        return request, await self._interactions.get(request.interaction_id)


def is_open(interaction: Interaction) -> bool:
    """Whether experts may see the answer: only where everyone may read all that it was written from."""
    everybody = {EVERYONE, PUBLIC}
    return all(everybody.intersection(passage.get("allow", ())) for passage in interaction.passages or ())
