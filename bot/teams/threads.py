"""Messages as they come: questions, commands, and in a thread that we answered what is said without a mention.

Teams delivers messages without a mention only where the app may read a channel's messages; see the manifest.
"""

from dataclasses import dataclass

from bot.inbox import Event, Inbox
from bot.teams.actions import is_submit
from bot.teams.activities import TeamsActivities
from bot.teams.commands import Commands
from bot.teams.experts import TeamsExperts
from bot.teams.posts import read_post, to_question
from bot.teams.reading import Activity, find_mentions, is_own, name_conversation, read_text
from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class _Known:
    one: int


class Threads:
    """Takes messages; those that are not for us are not stored."""

    def __init__(
        self, *, inbox: Inbox, database: Database, commands: Commands, experts: TeamsExperts | None = None
    ) -> None:
        self._inbox = inbox
        self._database = database
        self._commands = commands
        self._experts = experts

    def open_doors(self, activities: TeamsActivities) -> None:
        """Take messages."""
        activities.on("message", self.receive)

    async def receive(self, activity: Activity) -> None:
        """What an expert says, a command, a question, or a word in a thread of ours."""
        if is_submit(activity) or (self._experts and await self._experts.take(activity)):
            return
        event = to_question(activity) or await self._find_follow_up(activity)
        if event is None or await self._commands.take(activity):
            return
        await self._inbox.receive(event)

    async def _find_follow_up(self, activity: Activity) -> Event | None:
        """A person's word to us in a thread of ours; one that begins with somebody's name is for them.

        A group chat is one long conversation of its people, so only threads of channels count.
        """
        if ";messageid=" not in activity["conversation"]["id"] or is_own(activity) or not read_text(activity):
            return None
        begins = (activity.get("text") or "").lstrip()
        if any(begins.startswith(entity.get("text") or "\0") for entity in find_mentions(activity)):
            return None
        parameters = {"conversation_key": name_conversation(activity)}
        known = await self._database.fetch_one(QUERIES["find_answered"], parameters, _Known)
        return read_post(activity) if known else None
