"""Teams' side of "Ask a human": a channel of experts, their replies in its threads, and their consent."""

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.experts import CONSENT, REPLY, REQUEST, ExpertReply, ExpertRequest
from bot.inbox import Event, Inbox
from bot.teams.actions import CardActions, Click, Told
from bot.teams.connector import Message, TeamsConnector, TeamsError
from bot.teams.judgements import Answers, to_language
from bot.teams.reading import (
    Activity,
    find_language,
    find_room,
    is_own,
    make_reply_key,
    name_conversation,
    name_person,
    read_text,
)
from bot.teams.render_experts import USE_REPLY, render_offer, render_posted, render_request, render_told, say_expert
from bot.teams.render_feedback import ASK_HUMAN, say_feedback
from bot.teams.reply import find_place
from core.database import Database
from core.errors import NotFoundError
from core.interactions import Interaction
from core.sql import load_queries

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

_THREAD = ";messageid="


@dataclass(frozen=True, slots=True)
class _Known:
    one: int


@dataclass(frozen=True, slots=True)
class _Payload:
    payload: dict[str, Any]


class TeamsExperts:
    """Takes wishes, replies and consents; posts into the channel of experts, and tells people where they asked.

    Args:
        channel: id of the experts' channel.
    """

    def __init__(
        self,
        *,
        connector: TeamsConnector,
        inbox: Inbox,
        database: Database,
        answers: Answers,
        channel: str,
        client_url: str,
    ) -> None:
        self._client_url = client_url
        self._connector = connector
        self._inbox = inbox
        self._database = database
        self._answers = answers
        self._channel = channel

    def open_doors(self, actions: CardActions) -> None:
        """Take wishes for a human, and experts' consent."""
        actions.on(ASK_HUMAN, self.receive_wish)
        actions.on(USE_REPLY, self.receive_consent)

    async def receive_wish(self, click: Click) -> Told:
        """A person wants a human."""
        interaction = await self._answers.find_clicked(click)
        if interaction is None:
            return Told(say_feedback("unknown", find_language(click.activity)))
        person = name_person(click.activity)
        payload = {"interaction_id": interaction.id, "person": person, "account": _read_account(click.activity)}
        await self._inbox.receive(
            Event("teams", _name_wish(interaction.id, person), f"teams:expert:{interaction.id}", REQUEST, payload)
        )
        return Told(say_feedback("human_taken", to_language(interaction)))

    async def receive_consent(self, click: Click) -> Told | None:
        """An expert agrees; whether it is theirs to agree to is looked at later."""
        number, person = click.find_number("reply_id"), name_person(click.activity)
        if number is None:
            return None
        payload = {"reply_id": number, "person": person}
        await self._inbox.receive(
            Event("teams", f"expert_consent:{number}:{person}", f"teams:expert_reply:{number}", CONSENT, payload)
        )
        return Told(say_expert("thanks", find_language(click.activity)))

    async def take(self, activity: Activity) -> bool:
        """Store what is said in the thread of a request, with a mention or without; False where it is none."""
        conversation = activity["conversation"]["id"]
        room, _, root = conversation.partition(_THREAD)
        text = read_text(activity)
        if room != self._channel or not root or is_own(activity) or not text:
            return False
        thread_key = make_reply_key(room, root)
        if await self._database.fetch_one(QUERIES["find_request"], {"thread_key": thread_key}, _Known) is None:
            return False
        reply_key = make_reply_key(conversation, activity["id"])
        payload = {
            "thread_key": thread_key,
            "reply_key": reply_key,
            "person": name_person(activity),
            "account": _read_account(activity),
            "text": text,
        }
        await self._inbox.receive(Event("teams", _name_reply(reply_key), name_conversation(activity), REPLY, payload))
        return True

    async def post_request(self, request: ExpertRequest, interaction: Interaction, *, with_answer: bool) -> str:
        """Question and answer as a post of its own in the channel.

        Raises:
            TeamsError: the channel cannot be written to.
        """
        message = render_request(
            language=to_language(interaction),
            asker=await self._find_name(_name_wish(interaction.id, request.person)),
            question=interaction.question,
            answer=interaction.answer if with_answer else None,
            link=_find_link(self._client_url, interaction),
        )
        channel = await self._find_channel(interaction, self._channel)
        return make_reply_key(self._channel, await self._connector.send(channel, message))

    async def say_posted(self, person: str, interaction: Interaction) -> None:
        """A message in a personal chat; elsewhere nobody can be told alone, and the button's answer said it.

        Side effects: one message; one that fails is logged only.
        """
        payload = await self._find_question(interaction)
        if not payload["direct"]:
            return
        try:
            place = await find_place(self._connector, payload)
            await self._connector.send(place, render_posted(to_language(interaction)))
        except TeamsError as error:
            log.warning("a person could not be told", extra={"interaction_id": interaction.id, "error": str(error)})

    async def offer(self, reply: ExpertReply, request: ExpertRequest, interaction: Interaction) -> None:
        """A message to the expert in the experts' thread, whose button only they can use.

        Raises:
            TeamsError: it could not be shown.
        """
        assert request.thread_key, "a reply came into a thread"
        room, _, root = request.thread_key.rpartition("|")
        asker = await self._find_name(_name_wish(interaction.id, request.person))
        expert = await self._find_account(_name_reply(reply.reply_key))
        thread = await self._find_channel(interaction, f"{room}{_THREAD}{root}")
        await self._connector.send(thread, render_offer(reply.id, to_language(interaction), asker, expert))

    async def tell(self, reply: ExpertReply, request: ExpertRequest, interaction: Interaction) -> None:
        """A message where the question was asked, which wakes the person.

        Raises:
            TeamsError: it could not be shown.
        """
        payload = await self._find_question(interaction)
        told = render_told(
            to_language(interaction),
            asker=None if payload["direct"] else await self._find_account(_name_wish(interaction.id, request.person)),
            expert=await self._find_name(_name_reply(reply.reply_key)),
            reply=reply.reply,
        )
        place = await find_place(self._connector, payload)
        for message in told:
            await self._connector.send(place, message)

    async def _find_question(self, interaction: Interaction) -> dict[str, Any]:
        """What is stored of the question, with the way back to it."""
        parameters = {"id": interaction.inbox_id}
        found = await self._database.fetch_one(QUERIES["find_payload"], parameters, _Payload)
        if found is None:
            raise NotFoundError(f"no way back to the conversation of answer {interaction.id}")
        return found.payload

    async def _find_channel(self, interaction: Interaction, conversation_id: str) -> Message:
        """A conversation of experts, at the service that the question came from."""
        reference: Message = (await self._find_question(interaction))["reference"]
        kept = {name: reference[name] for name in ("channelId", "serviceUrl", "bot") if name in reference}
        return {**kept, "conversation": {"id": conversation_id, "isGroup": True, "conversationType": "channel"}}

    async def _find_account(self, event_key: str) -> dict[str, Any]:
        """Id and name of the person of an event, as Teams wants them in a mention."""
        found = await self._database.fetch_one(QUERIES["find_account"], {"event_key": event_key}, _Payload)
        return found.payload if found else {}

    async def _find_name(self, event_key: str) -> str:
        return str((await self._find_account(event_key)).get("name") or "?")


def _read_account(activity: Activity) -> dict[str, Any]:
    sender: Activity = activity["from"]
    return {name: sender[name] for name in ("id", "name") if name in sender}


def _name_wish(interaction_id: int, person: str) -> str:
    return f"expert:{interaction_id}:{person}"


def _name_reply(reply_key: str) -> str:
    return f"expert_reply:{reply_key}"


def _find_link(client_url: str, interaction: Interaction) -> str | None:
    """Teams' own link to the answer; None in a chat, which experts cannot open."""
    room, _, message = (interaction.reply_key or "").rpartition("|")
    if "@thread.tacv2" not in room:
        return None
    return f"{client_url}/l/message/{quote(find_room(room), safe='')}/{quote(message, safe='')}"
