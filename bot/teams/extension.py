"""The action "Ask Nightbake" on a message: its words become a question, answered in the chat with the one who asks.

The room may not know us, and what the person may read need not be for all of it; so the answer is for the person alone.
"""

from typing import Any

from bot.inbox import Event, Inbox
from bot.questions import LONGEST_QUESTION_CHARACTERS, check_question
from bot.teams.actions import Told, to_task
from bot.teams.activities import INVOKE, TeamsActivities
from bot.teams.cards import make_card, make_input, make_submit
from bot.teams.reading import (
    Activity,
    find_language,
    find_tenant,
    name_person,
    name_post,
    read_html,
    read_time,
    to_reference,
)
from core.errors import InvalidInputError
from core.prompt import Language

# The command of the manifest.
ASK = "askNightbake"

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Ask Nightbake",
        "question": "Your question",
        "ask": "Ask",
        "taken": "The answer comes in our chat.",
    },
    "ko": {
        "title": "Nightbake에게 묻기",
        "question": "질문",
        "ask": "묻기",
        "taken": "답변은 저와의 채팅으로 보내 드립니다.",
    },
}


class Extension:
    """Takes the action of a message's menu."""

    def __init__(self, *, inbox: Inbox) -> None:
        self._inbox = inbox

    def open_doors(self, activities: TeamsActivities) -> None:
        """Take both invokes: the dialog is asked for, the question is sent."""
        activities.on(INVOKE, self.open_dialog, name="composeExtension/fetchTask")
        activities.on(INVOKE, self.receive_question, name="composeExtension/submitAction")

    async def open_dialog(self, activity: Activity) -> dict[str, Any]:
        """The message's words, to be changed before they are asked."""
        phrases = _PHRASES[find_language(activity)]
        limit = LONGEST_QUESTION_CHARACTERS
        field = make_input("question", phrases["question"], limit, value=_read_message(activity), long=True)
        card = make_card([field], [make_submit(ASK, phrases["ask"], {})])
        return to_task(Told(card=card, title=phrases["title"]))

    async def receive_question(self, activity: Activity) -> dict[str, Any]:
        """Store the question; what cannot be one is said in the dialog."""
        value: Activity = activity.get("value") or {}
        data: Activity = value.get("data") or {}
        said = data.get("question")
        try:
            text = check_question(said if isinstance(said, str) else _read_message(activity))
        except InvalidInputError as error:
            return to_task(Told(str(error)))
        await self._inbox.receive(_to_question(activity, text))
        return to_task(Told(_PHRASES[find_language(activity)]["taken"]))


def _to_question(activity: Activity, text: str) -> Event:
    key, said_at = name_post(activity), read_time(activity)
    payload: dict[str, Any] = {
        "text": text,
        "person": name_person(activity),
        "known": bool(activity["from"].get("aadObjectId")),
        "direct": True,
        "aside": True,
        "post": f"aside:{key}",
        "said_at": said_at.isoformat() if said_at else None,
        "quoted": None,
        "reference": to_reference(activity),
        "roster": None,
        "team": None,
    }
    conversation_key = f"teams:{find_tenant(activity)}:aside:{payload['person']}"
    return Event("teams", f"aside:{key}", conversation_key, "question", payload)


def _read_message(activity: Activity) -> str:
    value: Activity = activity.get("value") or {}
    message: Activity = value.get("messagePayload") or {}
    body: Activity = message.get("body") or {}
    content = str(body.get("content") or "")
    return read_html(content) if body.get("contentType", "html") == "html" else content.strip()
