"""What people and conversations of Slack are called in the log."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A thread; a post outside of threads begins one of its own."""

    team: str
    channel: str
    thread_ts: str


def name_person(team: str, user: str) -> str:
    """A person of Slack as the log knows them."""
    return f"slack:{team}:{user}"


def name_room(team: str, channel: str) -> str:
    """A channel as the log knows it; the keys of its conversations begin with this and a colon."""
    return f"slack:{team}:{channel}"


def name_post(channel: str, ts: str) -> str:
    """A post, in the keys of the inbox and of replies."""
    return f"{channel}:{ts}"


def find_user(person: str) -> str:
    """Slack's id of a person."""
    return person.rpartition(":")[2]


def name_conversation(team: str, channel: str, thread_ts: str | None) -> str:
    """The key under which questions of one thread keep their order."""
    return f"{name_room(team, channel)}:{thread_ts}"


def read_seconds(ts: object) -> float | None:
    """Unix time of Slack's own kind of time; None where it is none."""
    try:
        read = float(str(ts))
    except ValueError:
        return None
    return read if math.isfinite(read) else None


def find_place(conversation_key: str) -> Place:
    """The thread of a question; what follows it in the key keeps apart what one person alone sees."""
    return Place(*conversation_key.split(":")[1:4])
