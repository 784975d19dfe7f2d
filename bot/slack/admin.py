"""The admins' channel: reports and alerts are posted there, and what admins click is checked, done and shown.

Posting is a loop of its own, beside the inbox: an inbox that grows is one of the things that must be told.
"""

import logging
from collections.abc import Collection, Mapping
from typing import Any

from bot.admin_messages import AdminMessages, Topic
from bot.alerts import Alerts
from bot.desk import ACTS, Act, Desk
from bot.inbox import Claimed, Event, Inbox
from bot.slack.api import QUIET, SlackApi, SlackError
from bot.slack.events import Door, SlackEvents, find_team
from bot.slack.names import name_person
from bot.slack.render_admin import (
    ACTIONS,
    Block,
    read_value,
    render_alert,
    render_clear,
    render_details,
    render_markdown,
    render_report,
    render_text,
    render_trial,
    say_outcome,
    say_refused,
)
from core.background import BackgroundWork
from core.errors import NotFoundError
from core.prompt import Language

log = logging.getLogger(__name__)

KIND = "admin_act"
# All acts stand in one line, whoever clicks where: each is held against what the one before has left.
CONVERSATION_KEY = "slack:admin"
LOOK_SECONDS = 10.0


class AdminChannel(BackgroundWork):
    """Posts what is due and takes what admins click.

    Args:
        team: the channel's workspace; empty where the app is installed in one.
        admins: ids of the users who may; empty lets the workspace's admins and owners.
        base_url: address of our own console.
    """

    def __init__(
        self,
        *,
        api: SlackApi,
        inbox: Inbox,
        messages: AdminMessages,
        alerts: Alerts,
        desk: Desk,
        team: str,
        channel: str,
        admins: Collection[str],
        language: Language,
        base_url: str,
    ) -> None:
        super().__init__("admin channel", pause_seconds=LOOK_SECONDS)
        self._api = api
        self._inbox = inbox
        self._messages = messages
        self._alerts = alerts
        self._desk = desk
        self._team = team
        self._channel = channel
        self._admins = frozenset(admins)
        self._language: Language = language
        self._base_url = base_url

    def open_doors(self, events: SlackEvents) -> None:
        """Take what is clicked."""
        for act in ACTS:
            events.on("action", ACTIONS[act], self._build_door(act))

    async def turn(self) -> bool:
        """Post what is due, and come again; what Slack refuses is tried again when its lease is over."""
        await self._messages.post_due(self._post, SlackError)
        return False

    async def take(self, claimed: Claimed) -> None:
        """Do what an admin clicked, show it in the report, and tell whoever clicked in vain."""
        payload = claimed.payload
        act, run_id, person, user = payload["act"], payload["run_id"], payload["person"], payload["user"]
        if not await self._may(payload["team"], user):
            if claimed.attempts == 1:
                await self._desk.record_refusal(act, run_id=run_id, by=person)
            await self._whisper(payload, say_refused(self._language))
            return
        try:
            decision = await self._desk.decide(act, run_id=run_id, by=person, event_key=f"inbox {claimed.id}")
            await self._show(payload["team"], f"{payload['channel']}:{payload['message_ts']}", run_id)
        except NotFoundError:
            log.warning("a click was about a night that is not there", extra={"run_id": run_id})
            return
        if decision.outcome != "done":
            await self._whisper(payload, say_outcome(decision.outcome, self._language, decision.error))

    def _build_door(self, act: Act) -> Door:
        async def receive(body: dict[str, Any]) -> None:
            if event := to_act(body, act):
                await self._inbox.receive(event)

        return receive

    async def _post(self, topic: Topic) -> str:
        match topic.kind:
            case "report":
                blocks = await self._render_report(topic.id)
                return await self._say(f"Nightbake, night {topic.id}", blocks)
            case "details":
                return await self._post_details(topic.id)
            case "trial":
                return await self._post_trial(topic.id)
            case "alert":
                text = render_alert(await self._alerts.get(topic.id), self._language)
                return await self._say(text, render_text(text))
            case "clear":
                text = render_clear(await self._alerts.get(topic.id), self._language)
                key = await self._messages.find_key(Topic("alert", topic.id))
                return await self._say(text, render_text(text), under=key, reply_broadcast=True)

    async def _post_trial(self, run_id: int) -> str:
        """Its end, in the report's thread and in the channel; the report then offers what may be decided now."""
        text = render_trial(await self._messages.get_trial(run_id), self._language)
        key = await self._messages.find_key(Topic("report", run_id))
        if key:
            await self._show(self._team, key, run_id)
        return await self._say(text, render_text(text), under=key, reply_broadcast=True)

    async def _post_details(self, run_id: int) -> str:
        """In the report's thread; the key is that of the last message, or the report's where there is no more."""
        key = await self._messages.find_key(Topic("report", run_id)) or ""
        last = key
        for piece in render_details(await self._messages.get_report(run_id, self._language)):
            last = await self._say(f"Nightbake, night {run_id}", render_markdown(piece), under=key)
        return last

    async def _render_report(self, run_id: int) -> list[Block]:
        markdown = await self._messages.get_report(run_id, self._language)
        return render_report(await self._desk.get_night(run_id), markdown, self._language, base_url=self._base_url)

    async def _say(self, text: str, blocks: list[Block], *, under: str | None = None, **options: Any) -> str:
        place = {"thread_ts": under.partition(":")[2], **options} if under else {}
        arguments = {"channel": self._channel, "text": text, "blocks": blocks, **place}
        posted = await self._api.call(self._team, "chat.postMessage", **arguments, **QUIET)
        return f"{posted['channel']}:{posted['ts']}"

    async def _show(self, team: str, key: str, run_id: int) -> None:
        """The report as it stands now, in its message; one that was erased since stays as it was posted."""
        channel, _, ts = key.partition(":")
        try:
            blocks = await self._render_report(run_id)
            await self._api.call(
                team, "chat.update", channel=channel, ts=ts, text=f"Nightbake, night {run_id}", blocks=blocks
            )
        except (SlackError, NotFoundError) as error:
            log.warning("a report could not be shown anew", extra={"run_id": run_id, "error": str(error)})

    async def _whisper(self, payload: Mapping[str, Any], text: str) -> None:
        place = {"channel": payload["channel"], "user": payload["user"]}
        try:
            await self._api.call(payload["team"], "chat.postEphemeral", **place, text=text)
        except SlackError as error:
            log.warning("an admin could not be told", extra={"error": str(error)})

    async def _may(self, team: str, user: str) -> bool:
        """Named in the setting, or an admin of the very workspace; denied while Slack does not say.

        Raises:
            SlackError: Slack is away, so that it is asked again.
        """
        if self._admins:
            return user in self._admins
        found = (await self._api.call(team, "users.info", user=user))["user"]
        is_guest = bool(found.get("is_restricted") or found.get("is_stranger") or found.get("deleted"))
        return found.get("team_id") == team and not is_guest and bool(found.get("is_admin") or found.get("is_owner"))


def to_act(body: Mapping[str, Any], act: Act) -> Event | None:
    """A click; None where the button is not one of ours."""
    action: Mapping[str, Any] = body["actions"][0]
    run_id = read_value(action.get("value") or "")
    if run_id is None:
        return None
    team, user = find_team(body), body["user"]["id"]
    channel, message_ts = body["channel"]["id"], body["container"]["message_ts"]
    payload = {
        "act": act,
        "run_id": run_id,
        "team": team,
        "user": user,
        "person": name_person(team, user),
        "channel": channel,
        "message_ts": message_ts,
    }
    return Event("slack", f"act:{channel}:{message_ts}:{user}:{action['action_ts']}", CONVERSATION_KEY, KIND, payload)
