"""Messages of people as questions: what is written to us alone, or names us; the rest belongs to others."""

from collections.abc import Sequence
from typing import Any

from bot.inbox import Claimed, Event
from bot.teams.reading import (
    Activity,
    find_roster,
    is_direct,
    is_mentioned,
    is_own,
    name_conversation,
    name_person,
    name_post,
    read_quoted,
    read_team,
    read_text,
    read_time,
    to_reference,
)


def to_question(activity: Activity) -> Event | None:
    """A message as a question; None where it is not for us or no person said it."""
    if is_own(activity) or not (is_direct(activity) or is_mentioned(activity)):
        return None
    return read_post(activity)


def read_post(activity: Activity) -> Event:
    """A message as a question, to whomever it was said."""
    said_at = read_time(activity)
    post = name_post(activity)
    payload: dict[str, Any] = {
        "text": read_text(activity),
        "person": name_person(activity),
        "known": bool(activity["from"].get("aadObjectId")),
        "direct": is_direct(activity),
        "post": post,
        "said_at": said_at.isoformat() if said_at else None,
        "quoted": read_quoted(activity),
        "reference": to_reference(activity),
        "roster": find_roster(activity),
        "team": read_team(activity),
    }
    return Event("teams", f"post:{post}", name_conversation(activity), "question", payload)


async def read_thread(claimed: Claimed) -> Sequence[str]:
    """What people said before the question, as far as Teams shows it: the message that it quotes."""
    quoted = claimed.payload.get("quoted")
    return [quoted] if quoted else []
