"""The app's Home: published when a person opens it, and after everything that they do there."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from bot.forget import FORGET
from bot.home import Homes
from bot.inbox import Claimed, Event, Inbox, Kind
from bot.slack.api import SlackApi, SlackError
from bot.slack.directory import SlackDirectory
from bot.slack.events import SlackEvents, find_team
from bot.slack.names import name_person
from bot.slack.posts import read_time
from bot.slack.render import escape
from bot.slack.render_home import ASK_NOW, CONSENT, FORGET_ME, render_home, say_home
from bot.slack.whispers import send_response
from bot.worker import Handler
from core.consent import Consents
from core.errors import NotFoundError
from core.forgetting import Receipt
from core.interactions import Interactions
from core.prompt import Language

log = logging.getLogger(__name__)

# Slack asks no scope for it.
EVENT_SCOPES: dict[str, str | None] = {"app_home_opened": None}

HOME, SET_CONSENT, ASK_AGAIN = "home", "consent", "ask_now"
MOST_PROMPTS = 4


class SlackHome:
    """Takes openings and clicks, and shows the view.

    Args:
        suggestions: questions to begin with, by language.
    """

    def __init__(
        self,
        *,
        api: SlackApi,
        inbox: Inbox,
        homes: Homes,
        consents: Consents,
        interactions: Interactions,
        people: SlackDirectory,
        suggestions: Mapping[Language, Sequence[str]],
    ) -> None:
        self._api = api
        self._inbox = inbox
        self._homes = homes
        self._consents = consents
        self._interactions = interactions
        self._people = people
        self._suggestions = suggestions

    def open_doors(self, events: SlackEvents) -> None:
        """Take the event and the clicks."""
        events.on("event", "app_home_opened", self._receive_opening)
        events.on("action", CONSENT, self._receive_consent)
        events.on("action", FORGET_ME, self._receive_forget)
        events.on("action", ASK_NOW, self._receive_ask)

    def handlers(self) -> dict[Kind, Handler]:
        """What the worker does with each kind of event."""
        return {HOME: self.show, SET_CONSENT: self.set_consent, ASK_AGAIN: self.ask_again}

    async def show(self, claimed: Claimed) -> None:
        """Publish the Home, or suggest questions where the person opened the conversation.

        Side effects: one call; one that fails is logged only, for the next opening shows it.
        """
        team, user = claimed.payload["team"], claimed.payload["user"]
        person = name_person(team, user)
        try:
            language = await self.find_language(team, person)
            if claimed.payload.get("channel"):
                await self._suggest(team, claimed.payload["channel"], language)
                return
            view = render_home(await self._homes.find(person), language)
            await self._api.call(team, "views.publish", user_id=user, view=view)
        except SlackError as error:
            log.warning("the home could not be shown", extra={"inbox_id": claimed.id, "error": str(error)})

    async def set_consent(self, claimed: Claimed) -> None:
        """Keep what the person allows, and show it."""
        person = name_person(claimed.payload["team"], claimed.payload["user"])
        await self._consents.set(person, allows_training=claimed.payload["allows_training"])
        await self.show(claimed)

    async def ask_again(self, claimed: Claimed) -> None:
        """Ask an earlier question of the person anew, in their direct messages.

        Raises:
            SlackError: they cannot be written to.
        """
        team, user = claimed.payload["team"], claimed.payload["user"]
        try:
            earlier = await self._interactions.get(claimed.payload["interaction_id"])
        except NotFoundError:
            return
        person = name_person(team, user)
        if earlier.asker != person:
            return
        question = earlier.standalone_question or earlier.question
        text = say_home("asked", await self.find_language(team, person), question=escape(question))
        posted = await self._api.call(team, "chat.postMessage", channel=user, text=text, parse="none", mrkdwn=False)
        channel, ts = posted["channel"], posted["ts"]
        payload = {
            "text": question,
            "team": team,
            "person": person,
            "user_team": team,
            "room": "im",
            "channel": channel,
            "thread_ts": ts,
            "ts": ts,
            "said_at": read_time(ts).isoformat(),
            "direct": True,
            "external": False,
        }
        conversation_key = f"slack:{team}:{channel}:{ts}"
        await self._inbox.receive(Event("slack", f"asked:{claimed.id}", conversation_key, "question", payload))

    async def tell_forgotten(self, claimed: Claimed, receipt: Receipt) -> None:
        """Where the wish was uttered by a command there, else in the Home.

        Raises:
            SlackError: Slack is away.
        """
        payload = claimed.payload
        if payload.get("response_url"):
            language: Language = "ko" if payload.get("language") == "ko" else "en"
            text = say_home("erased", language, questions=receipt.log["questions"], votes=receipt.log["votes"])
            if receipt.adapters:
                text += " " + say_home("erased_adapters", language, adapters=", ".join(receipt.adapters))
            await send_response(payload["response_url"], text)
        else:
            await self.show(claimed)

    async def find_language(self, team: str, person: str) -> Language:
        """As the person has set Slack."""
        found = await self._people.find_person(team, person)
        return "ko" if found and (found.locale or "").startswith("ko") else "en"

    async def _suggest(self, team: str, channel: str, language: Language) -> None:
        """Without a thread: with one Slack takes the call and shows nothing."""
        prompts = [{"title": question, "message": question} for question in self._suggestions[language][:MOST_PROMPTS]]
        await self._api.call(team, "assistant.threads.setSuggestedPrompts", channel_id=channel, prompts=prompts)

    async def _receive_opening(self, body: dict[str, Any]) -> None:
        event: Mapping[str, Any] = body["event"]
        is_home = event.get("tab") == "home"
        channel = {} if is_home else {"channel": event.get("channel")}
        await self._store(HOME, f"home:{body['event_id']}", find_team(body), event["user"], channel)

    async def _receive_consent(self, body: dict[str, Any]) -> None:
        allows = {"allows_training": body["actions"][0]["value"] == "yes"}
        await self._store(SET_CONSENT, _name_click(CONSENT, body), find_team(body), body["user"]["id"], allows)

    async def _receive_ask(self, body: dict[str, Any]) -> None:
        number = {"interaction_id": int(body["actions"][0]["value"])}
        await self._store(ASK_AGAIN, _name_click(ASK_NOW, body), find_team(body), body["user"]["id"], number)

    async def _receive_forget(self, body: dict[str, Any]) -> None:
        team, user = find_team(body), body["user"]["id"]
        is_command = body.get("container", {}).get("type") == "message"
        url = {"response_url": body["response_url"], "language": body["actions"][0]["value"]} if is_command else {}
        await self._store(FORGET, _name_click(FORGET, body), team, user, url)

    async def _store(self, kind: Kind, key: str, team: str, user: str, further: Mapping[str, Any]) -> None:
        payload = {"team": team, "user": user, "person": name_person(team, user), **further}
        await self._inbox.receive(Event("slack", key, f"slack:{team}:home:{user}", kind, payload))


def _name_click(name: str, body: Mapping[str, Any]) -> str:
    return f"{name}:{body['user']['id']}:{body['actions'][0]['action_ts']}"
