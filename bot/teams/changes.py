"""Teams' activities about questions that change while they are answered: edits, deletions, and "stop" as a word."""

from bot.changes import EDIT_SECONDS, Changes
from bot.teams.activities import TeamsActivities
from bot.teams.posts import read_post, to_question
from bot.teams.reading import (
    Activity,
    is_direct,
    is_own,
    name_conversation,
    name_person,
    name_post,
    read_time,
)


class TeamsChanges:
    """Takes changes of questions."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    def open_doors(self, activities: TeamsActivities) -> None:
        """Take edits and deletions."""
        activities.on("messageUpdate", self.receive_edit)
        activities.on("messageDelete", self.receive_deletion)

    async def stop_all(self, activity: Activity) -> None:
        """End what this person had asked here when they said so."""
        if said_at := read_time(activity):
            await self._changes.stop_all(name_conversation(activity), name_person(activity), said_at)

    async def receive_edit(self, activity: Activity) -> None:
        """Another wording of a question."""
        seconds = _count_seconds(activity)
        if _find_event(activity) != "editMessage" or seconds is None or is_own(activity):
            return
        edit = to_question(activity)
        if edit is None and await self._changes.is_question(name_post(activity)):
            edit = read_post(activity)
        if edit:
            await self._changes.edit(edit, seconds)

    async def receive_deletion(self, activity: Activity) -> None:
        """A question that is gone.

        What was deleted is not sent along, so in a group or channel it counts where it was asked of us before.
        """
        post = name_post(activity)
        if _find_event(activity) != "softDeleteMessage" or is_own(activity):
            return
        if is_direct(activity) or await self._changes.is_question(post):
            await self._changes.delete(post, name_conversation(activity))


def _find_event(activity: Activity) -> str | None:
    channel: Activity = activity.get("channelData") or {}
    return channel.get("eventType")


def _count_seconds(activity: Activity) -> int | None:
    """Full seconds from a message to its edit; None where that is too long, or the id is no time as Teams' ids are."""
    edited_at, number = read_time(activity), str(activity["id"])
    if edited_at is None or not number.isdecimal():
        return None
    seconds = int(edited_at.timestamp() - int(number) / 1000)
    return seconds if 0 <= seconds <= EDIT_SECONDS else None
