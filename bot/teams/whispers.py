"""What one person alone may read of an answer in a room: told in their own chat with us, from where they may share it.

Teams has messages that one person of a room sees, in preview and for a day; a chat keeps them.
"""

import logging
from dataclasses import replace
from typing import Any

from bot.inbox import Claimed, Event, Inbox
from bot.more import SHARE
from bot.phrases import say
from bot.reply import FinishedAnswer
from bot.teams.actions import CardActions, Click, Told
from bot.teams.cards import make_execute
from bot.teams.connector import Message, TeamsConnector, TeamsError
from bot.teams.judgements import Answers, to_language
from bot.teams.markdown import to_markdown
from bot.teams.reading import find_language, make_reply_key, name_person
from bot.teams.render import render_answer
from bot.teams.render_experts import render_mention
from bot.teams.render_feedback import say_feedback
from bot.teams.reply import find_place
from core.database import Database
from core.interactions import Interaction, Interactions
from core.prompt import Language
from core.sql import load_queries

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "more": "On your question “{question}” I found more that only you may see:",
        "share": "Post there what everyone may read",
        "share_taken": "I post there what everyone may read.",
    },
    "ko": {
        "more": "질문하신 ‘{question}’에 대해 본인만 볼 수 있는 내용을 더 찾았습니다.",
        "share": "질문한 곳에 모두가 볼 수 있는 내용 올리기",
        "share_taken": "모두가 볼 수 있는 내용을 그곳에 올립니다.",
    },
}
QUESTION_CHARACTERS = 200


class WhisperReply:
    """A reply that appears as a whole, in the chat with the one who asked in a room."""

    def __init__(
        self, *, connector: TeamsConnector, interactions: Interactions, claimed: Claimed, base_url: str
    ) -> None:
        self._connector = connector
        self._interactions = interactions
        self._claimed = claimed
        self._base_url = base_url

    async def open(self, interaction_id: int, language: Language) -> str:
        """Show nothing yet."""
        # After an attempt that sent it, and failed to end, it is that message.
        stored = await self._interactions.get(interaction_id)
        return stored.reply_key or f"whisper:{self._claimed.id}"

    async def show(self, text: str) -> None:
        """Wait for the end."""

    async def close(self, answer: FinishedAnswer) -> None:
        """Show the whole answer; votes on it count.

        Raises:
            TeamsError: Teams is away. Who cannot be written to is not told.
        """
        try:
            place = await find_place(self._connector, {**self._claimed.payload, "aside": True})
        except TeamsError as error:
            if not error.is_refusal:
                raise
            log.info("a person could not be told of more", extra={"inbox_id": self._claimed.id, "error": str(error)})
            return
        keys = [
            make_reply_key(place["conversation"]["id"], await self._connector.send(place, message))
            for message in render_whisper(answer, self._claimed.payload["text"], self._base_url)
        ]
        await self._interactions.set_reply_key(answer.interaction_id, keys[0])
        for key in keys[1:]:
            await self._interactions.add_reply_part(answer.interaction_id, key)

    async def decline(self, message: str) -> None:
        """Say nothing: the room has its answer."""


class TeamsWhispers:
    """Makes such replies, and posts what is shared of them."""

    def __init__(
        self,
        *,
        connector: TeamsConnector,
        inbox: Inbox,
        database: Database,
        interactions: Interactions,
        answers: Answers,
        base_url: str,
    ) -> None:
        self._connector = connector
        self._inbox = inbox
        self._database = database
        self._interactions = interactions
        self._answers = answers
        self._base_url = base_url

    def open_doors(self, actions: CardActions) -> None:
        """Take the wish to share."""
        actions.on(SHARE, self.receive_share)

    def whisper_to(self, claimed: Claimed) -> WhisperReply:
        """In the asker's own chat, with a button to share."""
        return WhisperReply(
            connector=self._connector, interactions=self._interactions, claimed=claimed, base_url=self._base_url
        )

    async def receive_share(self, click: Click) -> Told:
        """What everyone may read of an answer shall be posted where it was asked."""
        language, person = find_language(click.activity), name_person(click.activity)
        interaction = await self._answers.find_clicked(click)
        question = await self._find_question(interaction) if interaction else None
        if interaction is None or question is None or interaction.asker != person:
            return Told(say_feedback("unknown", language))
        payload = {**question, "interaction_id": interaction.id}
        room = interaction.conversation_key.rpartition(":")[0]
        await self._inbox.receive(Event("teams", f"share:{interaction.id}:{person}", room, SHARE, payload))
        return Told(_PHRASES[to_language(interaction)]["share_taken"])

    async def post_shared(self, interaction: Interaction, answer: FinishedAnswer, *, is_all: bool) -> None:
        """In the thread of the question.

        Raises:
            TeamsError: the room cannot be written to.
        """
        question = await self._find_question(interaction)
        if question is None:
            return
        account: dict[str, Any] = question["reference"].get("user") or {}
        for message in render_shared(answer, account, self._base_url, is_all=is_all):
            await self._connector.send(question["reference"], message)

    async def _find_question(self, interaction: Interaction) -> dict[str, Any] | None:
        """The event of the room's question, as it was stored."""
        rows = await self._database.fetch_dicts(QUERIES["find_payload"], {"id": interaction.inbox_id})
        return rows[0]["payload"] if rows else None


def render_whisper(answer: FinishedAnswer, question: str, base_url: str) -> list[Message]:
    """The answer with what it is about, and the button to share it."""
    messages = render_answer(replace(answer, can_try_again=False), base_url)
    asked = to_markdown(" ".join(question.split())[:QUESTION_CHARACTERS])
    messages[0]["text"] = f"{_PHRASES[answer.language]['more'].format(question=asked)}\n\n{messages[0]['text']}"
    share = make_execute(SHARE, _PHRASES[answer.language]["share"], {"interaction_id": answer.interaction_id})
    (attached,) = messages[-1]["attachments"]
    (buttons,) = attached["content"]["body"]
    buttons["actions"].append(share)
    return messages


def render_shared(answer: FinishedAnswer, account: dict[str, Any], base_url: str, *, is_all: bool) -> list[Message]:
    """What the room is shown, in the name of the one who shares it.

    Args:
        account: id and name of theirs.
    """
    lead = say("shared" if answer.text else "shared_nothing", answer.language, person="{person}")
    told = render_mention(lead, "person", account)
    if not answer.text:
        return [told]
    messages = render_answer(answer, base_url)
    messages[0]["text"] = f"{told['text']}\n\n{messages[0]['text']}"
    messages[0]["entities"] += told.get("entities", [])
    # What is shared has no row of its own that a vote could be on.
    del messages[0]["channelData"], messages[-1]["attachments"]
    if not is_all:
        messages[-1]["text"] += f"\n\n*{say('shared_part', answer.language)}*"
    return messages
