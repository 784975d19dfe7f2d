"""Words that are commands, the card that explains them, and the welcome where the app was installed."""

import logging
from collections.abc import Mapping, Sequence

from bot.again import Again
from bot.inbox import Claimed, Event, Inbox
from bot.teams.activities import TeamsActivities
from bot.teams.changes import TeamsChanges
from bot.teams.connector import TeamsConnector, TeamsError
from bot.teams.judgements import Answers
from bot.teams.own import OWN, STATUS, Own
from bot.teams.reading import (
    Activity,
    find_language,
    find_room,
    is_direct,
    name_conversation,
    name_post,
    read_text,
    read_time,
    to_reference,
)
from bot.teams.render_help import render_help
from bot.worker import Handler
from core.prompt import Language, detect_language

log = logging.getLogger(__name__)

HELP, WELCOME = "teams_help", "teams_welcome"

# What a message must be, and nothing else, to be a command: the words that the menu offers, and others.
COMMAND_WORDS: dict[str, dict[Language, str]] = {
    "help": {"en": "help", "ko": "도움말"},
    "again": {"en": "again", "ko": "다시"},
    "stop": {"en": "stop", "ko": "중지"},
    "status": {"en": "status", "ko": "상태"},
    "me": {"en": "me", "ko": "내 정보"},
}
_OTHER_WORDS = {"도움": "help", "try again": "again", "그만": "stop", "forget me": "me", "내 기록 지우기": "me"}
_OWN = {"me": OWN, "status": STATUS}
_BY_WORD = {word: name for name, words in COMMAND_WORDS.items() for word in words.values()} | _OTHER_WORDS


class Commands:
    """Takes commands and installations; shows help.

    Args:
        suggestions: questions to begin with, by language.
    """

    def __init__(
        self,
        *,
        connector: TeamsConnector,
        inbox: Inbox,
        again: Again,
        answers: Answers,
        changes: TeamsChanges,
        own: Own,
        suggestions: Mapping[Language, Sequence[str]],
    ) -> None:
        self._connector = connector
        self._inbox = inbox
        self._again = again
        self._answers = answers
        self._changes = changes
        self._suggestions = suggestions
        self._own = own

    def open_doors(self, activities: TeamsActivities) -> None:
        """Take installations."""
        activities.on("installationUpdate", self.receive_installation)
        activities.on("conversationUpdate", self.receive_members)

    def handlers(self) -> dict[str, Handler]:
        """What the worker does with each kind of event."""
        return {HELP: self.show_help, WELCOME: self.welcome}

    async def take(self, activity: Activity) -> bool:
        """Obey a command; False where the message is none."""
        text = read_text(activity)
        command = _BY_WORD.get(text.lstrip("/").rstrip(".!").strip().lower())
        if command == "stop":
            await self._changes.stop_all(activity)
        elif command == "again" and (newest := await self._answers.find_newest(activity)):
            await self._again.ask(newest)
        elif command in _OWN:
            await self._own.take(activity, _OWN[command], detect_language(text))
        elif command:
            key = f"help:{name_post(activity)}"
            await self._receive(activity, HELP, key, detect_language(text))
        return command is not None

    async def receive_installation(self, activity: Activity) -> None:
        """The app was added to a chat or team."""
        if str(activity.get("action", "add")).startswith("add"):
            await self._receive_welcome(activity)

    async def receive_members(self, activity: Activity) -> None:
        """We came into a chat or team; people who come are left in peace."""
        added: Sequence[Activity] = activity.get("membersAdded") or []
        if any(member.get("id") == activity["recipient"]["id"] for member in added):
            await self._receive_welcome(activity)

    async def welcome(self, claimed: Claimed) -> None:
        """Say what we are; one that cannot be said is logged only, for nobody waits for it.

        Side effects: one message.
        """
        try:
            await self._show(claimed, is_welcome=True)
        except TeamsError as error:
            if not error.is_refusal:
                raise
            log.warning("no welcome could be said", extra={"inbox_id": claimed.id, "error": str(error)})

    async def show_help(self, claimed: Claimed) -> None:
        """Show what can be said.

        Raises:
            TeamsError: the conversation cannot be written to.
        """
        await self._show(claimed, is_welcome=False)

    async def _show(self, claimed: Claimed, *, is_welcome: bool) -> None:
        payload = claimed.payload
        language: Language = "ko" if payload["language"] == "ko" else "en"
        prompts = self._suggestions.get(language, ()) if payload["direct"] else ()
        message = render_help(language, prompts, is_welcome=is_welcome)
        await self._connector.send(payload["reference"], message)

    async def _receive_welcome(self, activity: Activity) -> None:
        """Two activities tell of one installation; a later one, after the app was removed, is welcomed anew."""
        said_at = read_time(activity)
        day = said_at.date().isoformat() if said_at else ""
        key = f"welcome:{find_room(activity['conversation']['id'])}:{day}"
        await self._receive(activity, WELCOME, key, find_language(activity))

    async def _receive(self, activity: Activity, kind: str, key: str, language: Language) -> None:
        reference = to_reference(activity)
        if kind == WELCOME:
            # There is no message to answer.
            del reference["activityId"]
        payload = {"reference": reference, "direct": is_direct(activity), "language": language}
        await self._inbox.receive(Event("teams", key, f"{name_conversation(activity)}:{kind}", kind, payload))
