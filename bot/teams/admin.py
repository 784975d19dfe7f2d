"""The admins' chat: reports and alerts are posted there, and what admins click is checked, done and shown.

Posting is a loop of its own, beside the inbox: an inbox that grows is one of the things that must be told.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from bot.admin_messages import AdminMessages, Topic
from bot.admin_wording import say_admin
from bot.alerts import Alerts
from bot.desk import ACTS, Act, Desk
from bot.inbox import Claimed, Event, Inbox
from bot.teams.actions import CardActions, Click, Told
from bot.teams.connector import Message, TeamsConnector, TeamsError
from bot.teams.reading import Activity, find_room, find_roster, make_reply_key, name_person, to_reference
from bot.teams.render_admin import (
    ACT,
    render_alert,
    render_clear,
    render_details,
    render_report,
    render_trial,
    say_outcome,
)
from core.background import BackgroundWork
from core.directory import Person
from core.errors import NightbakeError, NotFoundError
from core.prompt import Language

log = logging.getLogger(__name__)

KIND = "teams_admin_act"
# All acts stand in one line, whoever clicks where: each is held against what the one before has left.
CONVERSATION_KEY = "teams:admin"
LOOK_SECONDS = 10.0

_THREAD = ";messageid="

# Who an event is from, by its payload.
FindPerson = Callable[[Mapping[str, Any]], Awaitable[Person | None]]


class AdminChat(BackgroundWork):
    """Posts what is due and takes what admins click.

    Args:
        chat: id of a channel or group chat that the app was added to.
        admins: object ids or e-mail addresses of the people who may.
        find_person: who clicked, by the directory.
        service_url: where the chat is reached before anybody wrote in it.
        base_url: address of our own console.
    """

    def __init__(
        self,
        *,
        connector: TeamsConnector,
        inbox: Inbox,
        find_person: FindPerson,
        messages: AdminMessages,
        alerts: Alerts,
        desk: Desk,
        chat: str,
        admins: Collection[str],
        language: Language,
        app_id: str,
        service_url: str,
        base_url: str,
    ) -> None:
        super().__init__("admin chat", pause_seconds=LOOK_SECONDS)
        self._connector = connector
        self._inbox = inbox
        self._find_person = find_person
        self._messages = messages
        self._alerts = alerts
        self._desk = desk
        self._chat = chat
        self._admins = frozenset(name.lower() for name in admins)
        self._language: Language = language
        self._bot = {"id": f"28:{app_id}"}
        self._service_url = service_url
        self._base_url = base_url

    def open_doors(self, actions: CardActions) -> None:
        """Take what is clicked."""
        actions.on(ACT, self.receive)

    async def turn(self) -> bool:
        """Post what is due, and come again."""
        await self._messages.post_due(self._post, TeamsError)
        return False

    async def receive(self, click: Click) -> Told | None:
        """Store an act; whoever may not is told at once, and the audit log later."""
        activity, run_id = click.activity, click.find_number("run_id")
        act = next((one for one in ACTS if one == click.data.get("act")), None)
        if act is None or run_id is None or find_room(activity["conversation"]["id"]) != self._chat:
            return None
        person = name_person(activity)
        payload = {
            "act": act,
            "run_id": run_id,
            "person": person,
            "message": _find_message(activity),
            "reference": to_reference(activity),
            "roster": find_roster(activity),
        }
        await self._inbox.receive(Event("teams", f"act:{click.key}", CONVERSATION_KEY, KIND, payload))
        may = await self._may(payload)
        return Told(say_admin("taken" if may else "refused", self._language))

    async def take(self, claimed: Claimed) -> None:
        """Do what an admin clicked, and show it in the report.

        Raises:
            TeamsError: Teams is away.
        """
        payload = claimed.payload
        act: Act = payload["act"]
        run_id, person = payload["run_id"], payload["person"]
        if not await self._may(payload):
            if claimed.attempts == 1:
                await self._desk.record_refusal(act, run_id=run_id, by=person)
            return
        try:
            decision = await self._desk.decide(act, run_id=run_id, by=person, event_key=f"inbox {claimed.id}")
        except NotFoundError:
            log.warning("a click was about a night that is not there", extra={"run_id": run_id})
            return
        note = "" if decision.outcome == "done" else say_outcome(decision.outcome, self._language, decision.error)
        await self._show(payload["message"], run_id, *([note] if note else []))

    async def _post(self, topic: Topic) -> str:
        match topic.kind:
            case "report":
                return await self._say(await self._render_report(topic.id))
            case "details":
                return await self._post_details(topic.id)
            case "trial":
                return await self._post_trial(topic.id)
            case "alert":
                return await self._say(render_alert(await self._alerts.get(topic.id), self._language))
            case "clear":
                under = await self._messages.find_key(Topic("alert", topic.id))
                return await self._say(render_clear(await self._alerts.get(topic.id), self._language), under=under)

    async def _post_trial(self, run_id: int) -> str:
        """Its end, under the report, which then offers what may be decided now."""
        key = await self._messages.find_key(Topic("report", run_id))
        if key:
            await self._show(key.rpartition("|")[2], run_id)
        return await self._say(render_trial(await self._messages.get_trial(run_id), self._language), under=key)

    async def _post_details(self, run_id: int) -> str:
        """Under the report; the key is that of the last message, or the report's where there is no more."""
        key = await self._messages.find_key(Topic("report", run_id)) or ""
        last = key
        for message in render_details(await self._messages.get_report(run_id, self._language)):
            last = await self._say(message, under=key)
        return last

    async def _render_report(self, run_id: int, *notes: str) -> Message:
        markdown = await self._messages.get_report(run_id, self._language)
        night = await self._desk.get_night(run_id)
        return render_report(night, markdown, self._language, base_url=self._base_url, notes=notes)

    async def _say(self, message: Message, *, under: str | None = None) -> str:
        place = self._find_place(under)
        return make_reply_key(self._chat, await self._connector.send(place, message))

    def _find_place(self, under: str | None = None) -> dict[str, Any]:
        """The chat, or the thread of a message of ours; a group chat has no threads."""
        is_channel = "@thread.v2" not in self._chat
        root = under.rpartition("|")[2] if under and is_channel else ""
        conversation: dict[str, Any] = {
            "id": f"{self._chat}{_THREAD}{root}" if root else self._chat,
            "isGroup": True,
            "conversationType": "channel" if is_channel else "groupChat",
        }
        return {
            "channelId": "msteams",
            "serviceUrl": self._service_url,
            "bot": self._bot,
            "conversation": conversation,
        }

    async def _show(self, message: str, run_id: int, *notes: str) -> None:
        """The report as it stands now, in its message; one that was erased since stays as it was posted.

        Raises:
            TeamsError: Teams is away.
        """
        try:
            rendered = await self._render_report(run_id, *notes)
            await self._connector.update(self._find_place(), message, rendered)
        except (TeamsError, NotFoundError) as error:
            if isinstance(error, TeamsError) and not error.is_refusal:
                raise
            log.warning("a report could not be shown anew", extra={"run_id": run_id, "error": str(error)})

    async def _may(self, payload: Mapping[str, Any]) -> bool:
        """Named by the setting; denied while nobody says that the person has the address that is named."""
        person: str = payload["person"]
        if person.rpartition(":")[2].lower() in self._admins:
            return True
        try:
            found = await self._find_person(payload)
        except NightbakeError as error:
            log.warning("it cannot be known who clicks", extra={"error": str(error)})
            return False
        return bool(found and found.kind == "member" and (found.email or "").lower() in self._admins)


def _find_message(activity: Activity) -> str:
    """The message that carries the button."""
    return str(activity.get("replyToId") or "")
