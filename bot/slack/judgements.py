"""What is clicked under an answer: Slack's own thumbs, the form behind the one that points down, "Try again"."""

import asyncio
import logging
from typing import Any

from bot.again import Again
from bot.inbox import Claimed, Event, Inbox
from bot.slack.api import SlackApi, SlackError
from bot.slack.events import SlackEvents, find_person, find_team
from bot.slack.names import find_place, find_user, read_seconds
from bot.slack.render_feedback import AGAIN, EXPLAIN, VOTE, render_thanks
from bot.slack.render_form import FORM, read_form, render_form
from core.errors import NotFoundError
from core.feedback import FeedbackLog
from core.interactions import Interaction, Interactions
from core.prompt import Language
from core.records import Feedback

log = logging.getLogger(__name__)

# A form must be opened within 3 s of the click, and the click be acknowledged in that time too.
OPEN_SECONDS = 2.0

_SIDES = {"up": 1, "down": -1}


class Judgements:
    """Takes clicks and forms; opens the form.

    Args:
        base_url: address of our own pages, whose passages a person may name by link.
    """

    def __init__(
        self,
        *,
        api: SlackApi,
        inbox: Inbox,
        interactions: Interactions,
        feedback: FeedbackLog,
        again: Again,
        base_url: str,
    ) -> None:
        self._api = api
        self._inbox = inbox
        self._interactions = interactions
        self._feedback = feedback
        self._again = again
        self._base_url = base_url

    def open_doors(self, events: SlackEvents) -> None:
        """Take what people click and send."""
        events.on("action", VOTE, self._receive_vote)
        events.on("action", EXPLAIN, self._receive_explain)
        events.on("action", AGAIN, self._receive_again)
        events.on("view", FORM, self._receive_form)

    async def confirm(self, claimed: Claimed, judgement: Feedback) -> None:
        """Tell the person alone that the vote counts; a thumb down as a reaction is offered the form, one up is enough.

        Side effects: one ephemeral message; one that fails is logged only, for the vote is stored.
        """
        if judgement.value == 0 or (judgement.source == "slack_reaction" and judgement.value > 0):
            return
        interaction = await self._interactions.get(judgement.interaction_id)
        if interaction.platform != "slack":
            return
        place = find_place(interaction.conversation_key)
        text, blocks = render_thanks(
            judgement.source, judgement.value, judgement.interaction_id, find_language(interaction)
        )
        whom = {"channel": place.channel, "thread_ts": place.thread_ts, "user": find_user(judgement.person)}
        try:
            await self._api.call(place.team, "chat.postEphemeral", **whom, text=text, blocks=blocks)
        except SlackError as error:
            log.warning("a vote could not be confirmed", extra={"inbox_id": claimed.id, "error": str(error)})

    async def _receive_vote(self, body: dict[str, Any]) -> None:
        action = body["actions"][0]
        side, _, number = action["value"].partition(":")
        if side not in _SIDES or not number.isdecimal():
            return
        await self._inbox.receive(to_vote(body, int(number), _SIDES[side]))
        if side == "down":
            await self._open_form(body, int(number))

    async def _receive_explain(self, body: dict[str, Any]) -> None:
        await self._open_form(body, int(body["actions"][0]["value"]))

    async def _receive_again(self, body: dict[str, Any]) -> None:
        await self._again.ask(int(body["actions"][0]["value"]))

    async def _receive_form(self, body: dict[str, Any]) -> None:
        view, team = body["view"], find_team(body)
        said = read_form(view, self._base_url)
        payload = {"person": find_person(body), "source": "slack_form", "value": -1, **said}
        conversation_key = f"slack:{team}:answer:{said['interaction_id']}"
        await self._inbox.receive(Event("slack", f"form:{view['id']}", conversation_key, "feedback", payload))

    async def _open_form(self, body: dict[str, Any], interaction_id: int) -> None:
        """Open the form; the vote is stored by now, and the quiet word after it offers the form once more."""
        team = find_team(body)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                interaction = await self._interactions.get(interaction_id)
                standing = await self._feedback.find_standing(interaction_id, find_person(body))
                view = render_form(interaction_id, find_language(interaction), interaction.passages or [], standing)
                await self._api.call(team, "views.open", trigger_id=body["trigger_id"], view=view)
        except (SlackError, NotFoundError, TimeoutError) as error:
            log.warning("a form could not be opened", extra={"interaction_id": interaction_id, "error": str(error)})


def to_vote(body: dict[str, Any], interaction_id: int, value: int) -> Event:
    """A click on a thumb; in line with reactions on the same message, so that the later one wins."""
    team, user = find_team(body), body["user"]["id"]
    payload: dict[str, Any] = {
        "interaction_id": interaction_id,
        "person": find_person(body),
        "source": "slack_button",
        "value": value,
    }
    if said_at := read_seconds(body["actions"][0].get("action_ts")):
        payload["said_at"] = said_at
    message = f"{body['channel']['id']}:{body['container']['message_ts']}"
    event_key = f"click:{user}:{message}:{body['actions'][0]['action_ts']}"
    return Event("slack", event_key, f"slack:{team}:{message}", "feedback", payload)


def find_language(interaction: Interaction) -> Language:
    """The language of the question."""
    return "ko" if interaction.language == "ko" else "en"
