"""A person's own card: their questions, what came of their votes, consent on and off, forget me; and how things stand.

Whatever it says is theirs alone, so it is shown in their own chat with us, wherever it was asked for.
"""

import logging
from collections.abc import Mapping
from typing import Any

from bot.audience import FindReaders
from bot.forget import FORGET
from bot.home import Homes
from bot.inbox import Claimed, Event, Inbox, Kind
from bot.own_wording import say_own
from bot.standing import Standings
from bot.teams.actions import CardActions, Click, Told
from bot.teams.connector import Message, TeamsConnector, TeamsError
from bot.teams.reading import (
    Activity,
    find_language,
    is_direct,
    make_reply_key,
    name_conversation,
    name_person,
    read_time,
    to_reference,
)
from bot.teams.render_own import ASK_NOW, CONSENT, FORGET_ME, render_forgetting, render_own
from bot.teams.reply import find_place
from bot.worker import Handler
from core.consent import Consents
from core.database import Database
from core.errors import NotFoundError
from core.forgetting import Receipt
from core.interactions import Interactions
from core.prompt import Language
from retrieval.access import Access

log = logging.getLogger(__name__)

OWN, STATUS = "teams_own", "teams_status"


class Own:
    """Shows the card and takes what is clicked on it."""

    def __init__(
        self,
        *,
        connector: TeamsConnector,
        inbox: Inbox,
        database: Database,
        interactions: Interactions,
        find_readers: FindReaders,
    ) -> None:
        self._connector = connector
        self._inbox = inbox
        self._interactions = interactions
        self._find_readers = find_readers
        self._homes = Homes(database)
        self._consents = Consents(database)
        self._access = Access(database)
        self._standings = Standings(database)

    def open_doors(self, actions: CardActions) -> None:
        """Take what is clicked."""
        actions.on(CONSENT, self.receive_consent)
        actions.on(FORGET_ME, self.receive_forget)
        actions.on(ASK_NOW, self.receive_ask)

    def handlers(self) -> dict[Kind, Handler]:
        """What the worker does with each kind of event."""
        return {OWN: self.show, STATUS: self.say_status}

    async def take(self, activity: Activity, kind: Kind, language: Language) -> None:
        """Store a wish for the card, or for how things stand."""
        key = f"{kind}:{make_reply_key(activity['conversation']['id'], activity['id'])}"
        await self._store(activity, kind, key, language=language)

    async def show(self, claimed: Claimed) -> None:
        """Show the card.

        Raises:
            TeamsError: Teams is away. Who cannot be written to alone is not told.
        """
        payload = claimed.payload
        home = await self._homes.find(payload["person"])
        await self._say(payload, render_own(home, payload["language"]))

    async def say_status(self, claimed: Claimed) -> None:
        """Say what answers, how much the person may read, and what they allow.

        Raises:
            TeamsError: Teams is away.
        """
        payload = claimed.payload
        # By their own rights, and so that a directory that is asked for the first time knows them.
        readers = await self._find_readers(claimed)
        principals = await self._access.find_common_principals(readers.people)
        lines = await self._standings.describe(payload["person"], principals, payload["language"])
        await self._say(payload, {"text": "\n\n".join(lines)})

    async def receive_consent(self, click: Click) -> Told:
        """Keep what the person allows; the card shows it."""
        person = name_person(click.activity)
        await self._consents.set(person, allows_training=click.data.get("allows") is True)
        shown = render_own(await self._homes.find(person), find_language(click.activity))
        return Told(card=shown["attachments"][0]["content"])

    async def receive_forget(self, click: Click) -> Told:
        """Store the wish to be forgotten; who it is from stands in the activity, not in the card."""
        language = find_language(click.activity)
        await self._store(click.activity, FORGET, f"{FORGET}:{click.key}", language=language)
        return Told(card=render_forgetting(language))

    async def receive_ask(self, click: Click) -> Told | None:
        """Ask an earlier question of the person anew, where they click it in their own chat."""
        number, person = click.find_number("interaction_id"), name_person(click.activity)
        language = find_language(click.activity)
        try:
            earlier = await self._interactions.get(number) if number else None
        except NotFoundError:
            earlier = None
        if earlier is None or earlier.asker != person or not is_direct(click.activity):
            return Told(say_own("not_known", language))
        question = earlier.standalone_question or earlier.question
        said_at = read_time(click.activity)
        payload: dict[str, Any] = {
            "text": question,
            "known": bool(click.activity["from"].get("aadObjectId")),
            "post": f"asked:{click.key}",
            "said_at": said_at.isoformat() if said_at else None,
            "quoted": None,
            "roster": None,
            "team": None,
        }
        await self._store(click.activity, "question", f"asked:{click.key}", **payload)
        return Told(say_own("asked", language, question=question))

    async def tell_forgotten(self, claimed: Claimed, receipt: Receipt) -> None:
        """Say what is gone.

        Raises:
            TeamsError: Teams is away.
        """
        language: Language = "ko" if claimed.payload.get("language") == "ko" else "en"
        text = say_own("erased", language, questions=receipt.log["questions"], votes=receipt.log["votes"])
        if receipt.adapters:
            text += " " + say_own("erased_adapters", language, adapters=", ".join(receipt.adapters))
        await self._say(claimed.payload, {"text": text})

    async def _say(self, payload: Mapping[str, Any], message: Message) -> None:
        try:
            place = await find_place(self._connector, {**payload, "aside": not payload["direct"]})
            await self._connector.send(place, message)
        except TeamsError as error:
            if not error.is_refusal:
                raise
            log.warning("a person could not be told what is theirs", extra={"error": str(error)})

    async def _store(self, activity: Activity, kind: Kind, key: str, **further: Any) -> None:
        payload: dict[str, Any] = {
            "person": name_person(activity),
            "known": bool(activity["from"].get("aadObjectId")),
            "direct": is_direct(activity),
            "private": True,
            "reference": {**to_reference(activity), "activityId": None},
            **further,
        }
        line = name_conversation(activity) if kind == "question" else f"{name_conversation(activity)}:{kind}"
        await self._inbox.receive(Event("teams", key, line, kind, payload))
