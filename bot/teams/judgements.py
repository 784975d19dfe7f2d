"""What people say of an answer: Teams' own thumbs, reactions, the form behind them, "Try again"."""

import json
import logging
from dataclasses import dataclass
from typing import Any

from bot.again import Again
from bot.inbox import Claimed, Event, Inbox
from bot.stops import Stops
from bot.teams.actions import CardActions, Click, Told
from bot.teams.activities import INVOKE, TeamsActivities
from bot.teams.cards import make_attachment
from bot.teams.connector import TeamsConnector, TeamsError
from bot.teams.reactions import find_vote
from bot.teams.reading import (
    Activity,
    find_language,
    find_room,
    find_tenant,
    is_direct,
    make_reply_key,
    name_conversation,
    name_person,
    name_post,
    read_time,
    to_reference,
)
from bot.teams.render import STOP
from bot.teams.render_feedback import AGAIN, EXPLAIN, JUDGE, read_form, render_form, render_thanks, say_feedback
from core.database import Database
from core.errors import NotFoundError
from core.feedback import FeedbackLog
from core.interactions import Interaction, Interactions
from core.prompt import Language
from core.records import Feedback
from core.sql import load_queries

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class _Newest:
    id: int


class Answers:
    """Which answer of ours an activity is about."""

    def __init__(self, *, database: Database, interactions: Interactions) -> None:
        self._database = database
        self._interactions = interactions

    async def find_clicked(self, click: Click) -> Interaction | None:
        """The answer that a button names, where it stands in the room of the click; people may send what they like."""
        number = click.find_number("interaction_id")
        if number is None:
            return None
        try:
            found = await self._interactions.get(number)
        except NotFoundError:
            return None
        room = find_room(click.activity["conversation"]["id"])
        is_here = found.platform == "teams" and (found.reply_key or "").rpartition("|")[0] == room
        return found if is_here else None

    async def find_newest(self, activity: Activity) -> int | None:
        """The newest answer to this person in this conversation."""
        parameters = {"person": name_person(activity), "conversation_key": name_conversation(activity)}
        found = await self._database.fetch_one(QUERIES["find_newest"], parameters, _Newest)
        return found.id if found else None


class Judgements:
    """Takes votes and forms; offers the form.

    Args:
        base_url: address of our own pages, whose passages a person may name by link.
    """

    def __init__(
        self,
        *,
        connector: TeamsConnector,
        inbox: Inbox,
        interactions: Interactions,
        feedback: FeedbackLog,
        again: Again,
        answers: Answers,
        stops: Stops,
        base_url: str,
    ) -> None:
        self._connector = connector
        self._inbox = inbox
        self._interactions = interactions
        self._feedback = feedback
        self._again = again
        self._answers = answers
        self._stops = stops
        self._base_url = base_url

    def open_doors(self, activities: TeamsActivities, actions: CardActions) -> None:
        """Take what people click and send."""
        activities.on("messageReaction", self.receive_reaction)
        activities.on(INVOKE, self.receive_thumb, name="message/submitAction")
        actions.on(EXPLAIN, self.open_form)
        actions.on(JUDGE, self.receive_form)
        actions.on(AGAIN, self.receive_again)
        actions.on(STOP, self.receive_stop)

    async def receive_reaction(self, activity: Activity) -> None:
        """A thumb of the message bar, given or taken back."""
        if not activity.get("replyToId"):
            return
        added = find_vote(activity.get("reactionsAdded"))
        removed = find_vote(activity.get("reactionsRemoved"))
        if added:
            await self._receive(activity, {"value": added, "source": "teams_reaction"})
        elif removed:
            await self._receive(activity, {"value": 0, "withdraws": removed, "source": "teams_reaction"})

    async def receive_thumb(self, activity: Activity) -> None:
        """A thumb under the answer, with a comment where the person wrote one; Teams knows no taking back."""
        value: Activity = activity.get("value") or {}
        action: Activity = value.get("actionValue") or {}
        vote = {"like": 1, "dislike": -1}.get(str(action.get("reaction")))
        if value.get("actionName") == "feedback" and vote:
            payload = {"value": vote, "source": "teams_feedback", "reason": _read_comment(action.get("feedback"))}
            await self._receive(activity, payload)

    async def open_form(self, click: Click) -> Told:
        """The form in a dialog."""
        interaction = await self._answers.find_clicked(click)
        if interaction is None:
            return Told(say_feedback("unknown", find_language(click.activity)))
        language = to_language(interaction)
        standing = await self._feedback.find_standing(interaction.id, name_person(click.activity))
        form = render_form(interaction.id, language, interaction.passages or [], standing, in_dialog=True)
        return Told(card=form, title=say_feedback("title", language))

    async def receive_form(self, click: Click) -> Told:
        """A form that was sent."""
        interaction = await self._answers.find_clicked(click)
        if interaction is None:
            return Told(say_feedback("unknown", find_language(click.activity)))
        said = read_form(click.data, self._base_url)
        payload = {
            **said,
            "interaction_id": interaction.id,
            "person": name_person(click.activity),
            "source": "teams_form",
            "value": -1,
        }
        await self._inbox.receive(Event("teams", f"form:{click.key}", _line_up(interaction.id), "feedback", payload))
        language = to_language(interaction)
        # A dialog ends with words; a form in a message gives way to them.
        is_dialog = click.activity.get("name") == "task/submit"
        return Told(say_feedback("thanks", language)) if is_dialog else Told(card=render_thanks(language))

    async def receive_again(self, click: Click) -> Told:
        """The same question once more."""
        interaction = await self._answers.find_clicked(click)
        if interaction is None or not await self._again.ask(interaction.id):
            return Told(say_feedback("unknown", find_language(click.activity)))
        return Told(say_feedback("again_taken", to_language(interaction)))

    async def receive_stop(self, click: Click) -> Told:
        """The button that ends an answer; only who asked can."""
        number, language = click.find_number("inbox_id"), find_language(click.activity)
        stopped = number is not None and await self._stops.request(number, name_person(click.activity))
        return Told(say_feedback("stopped" if stopped else "unknown", language))

    async def confirm(self, claimed: Claimed, judgement: Feedback) -> None:
        """Offer the form in a personal chat after a bare thumb down; Teams itself has thanked for the vote.

        Elsewhere nobody can be told anything alone, and the form stands behind a button of the answer.

        Side effects: one message; one that fails is logged only, for the vote is stored.
        """
        payload = claimed.payload
        if judgement.value >= 0 or judgement.source == "teams_form" or judgement.reason or not payload.get("direct"):
            return
        interaction = await self._interactions.get(judgement.interaction_id)
        standing = await self._feedback.find_standing(judgement.interaction_id, judgement.person)
        language, passages = to_language(interaction), interaction.passages or []
        form = render_form(interaction.id, language, passages, standing, in_dialog=False)
        try:
            await self._connector.send(payload["reference"], {"attachments": [make_attachment(form)]})
        except TeamsError as error:
            log.warning("a form could not be offered", extra={"inbox_id": claimed.id, "error": str(error)})

    async def _receive(self, activity: Activity, payload: dict[str, Any]) -> None:
        """Store a vote on the message that the activity names; one client names none, and means its newest answer."""
        named = activity.get("replyToId")
        if named:
            reply_key = make_reply_key(activity["conversation"]["id"], named)
            about, in_line = {"reply_key": reply_key}, f"teams:{find_tenant(activity)}:{reply_key}"
        else:
            newest = await self._answers.find_newest(activity)
            if newest is None:
                return
            about, in_line = {"interaction_id": newest}, _line_up(newest)
        stored = {
            **payload,
            **about,
            "person": name_person(activity),
            "direct": is_direct(activity),
            "reference": to_reference(activity, activity_id=named),
        }
        if said_at := read_time(activity):
            stored["said_at"] = said_at.timestamp()
        event_key = f"vote:{name_post(activity)}"
        await self._inbox.receive(Event("teams", event_key, in_line, "feedback", stored))


def to_language(interaction: Interaction) -> Language:
    """The language of the question."""
    return "ko" if interaction.language == "ko" else "en"


def _line_up(interaction_id: int) -> str:
    """Judgements of one answer are taken one after the other."""
    return f"teams:answer:{interaction_id}"


def _read_comment(feedback: object) -> str | None:
    """`{"feedbackText": "…"}` as a string of JSON; a client of another mind may send the text itself."""
    if not isinstance(feedback, str):
        return None
    try:
        read: Any = json.loads(feedback)
    except ValueError:
        return feedback or None
    return str(read.get("feedbackText") or "") or None if isinstance(read, dict) else None  # type: ignore
