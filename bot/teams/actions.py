"""What is clicked on our cards, by whichever of Teams' four ways it comes: to the door of its verb, and back.

A universal action and a dialog are invokes that wait some seconds for an answer; a plain submit is a message without
words. All of them carry the verb in their data.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.teams.activities import INVOKE, TeamsActivities
from bot.teams.cards import CARD_TYPE, Card, make_attachment
from bot.teams.reading import Activity, name_post

_MESSAGE_TYPE = "application/vnd.microsoft.activity.message"
_ERROR_TYPE = "application/vnd.microsoft.error"


@dataclass(frozen=True, slots=True)
class Click:
    """An action as it was taken; `data` holds what was filled in too."""

    activity: Activity
    data: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The same at every delivery."""
        return name_post(self.activity)

    def find_number(self, name: str) -> int | None:
        """A row's id out of the data; None where it is none, for people may send what they like."""
        value = self.data.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else None


@dataclass(frozen=True, slots=True)
class Told:
    """What the person alone is told: a few words, or a card in place of the one that was clicked."""

    text: str = ""
    card: Card | None = None
    title: str = ""


ClickDoor = Callable[[Click], Awaitable[Told | None]]


class CardActions:
    """Takes clicks."""

    def __init__(self) -> None:
        self._doors: dict[str, ClickDoor] = {}

    def on(self, verb: str, door: ClickDoor) -> None:
        """Open the door of a verb."""
        self._doors[verb] = door

    def open_doors(self, activities: TeamsActivities) -> None:
        """Take all four ways."""
        activities.on(INVOKE, self._receive_execute, name="adaptiveCard/action")
        activities.on(INVOKE, self._receive_dialog, name="task/fetch")
        activities.on(INVOKE, self._receive_dialog, name="task/submit")
        activities.on("message", self._receive_submit)

    async def _receive_execute(self, activity: Activity) -> dict[str, Any]:
        value: Activity = activity.get("value") or {}
        action: Activity = value.get("action") or {}
        told = await self._enter(activity, {"verb": action.get("verb"), **(action.get("data") or {})})
        if told is None:
            fault = {"code": "BadRequest", "message": "expected an action of one of our cards"}
            return {"statusCode": 400, "type": _ERROR_TYPE, "value": fault}
        if told.card:
            return {"statusCode": 200, "type": CARD_TYPE, "value": told.card}
        return {"statusCode": 200, "type": _MESSAGE_TYPE, "value": told.text}

    async def _receive_dialog(self, activity: Activity) -> dict[str, Any] | None:
        value: Activity = activity.get("value") or {}
        told = await self._enter(activity, value.get("data") or {})
        return to_task(told) if told else None

    async def _receive_submit(self, activity: Activity) -> None:
        if is_submit(activity):
            await self._enter(activity, activity["value"])

    async def _enter(self, activity: Activity, data: Mapping[str, Any]) -> Told | None:
        door = self._doors.get(str(data.get("verb")))
        return await door(Click(activity, data)) if door else None


def is_submit(activity: Activity) -> bool:
    """Whether a message is a click and no words."""
    return isinstance(activity.get("value"), dict) and not (activity.get("text") or "").strip()


def to_task(told: Told) -> dict[str, Any]:
    """What a dialog shows: a card, or some words that end it."""
    if told.card is None:
        return {"task": {"type": "message", "value": told.text}}
    shown = {"title": told.title, "height": "medium", "width": "medium", "card": make_attachment(told.card)}
    return {"task": {"type": "continue", "value": shown}}
