"""Every address of the service and who may use it: the one table. What is not in it is refused."""

from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from bot.web.sessions import Role

# `anyone`: also without signing in. `platform`: the handler checks Slack's signature or the Bot Connector's token.
Who = Literal["anyone", "platform", "reader", "reviewer", "admin"]

_RANKS: dict[Who, int] = {"anyone": 0, "platform": 0, "reader": 1, "reviewer": 2, "admin": 3}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Door:
    """A method and a path, as aiohttp writes it without patterns.

    Attributes:
        query: parameters of the address that it reads; `body`: properties of the JSON object that it takes, as JSON
            Schema, for those who call it by program.
    """

    method: str
    path: str
    who: Who
    query: tuple[str, ...] = ()
    body: dict[str, Any] | None = None


_TEXT: dict[str, Any] = {"type": "string"}
_VERDICTS = {"enum": ["approve", "accept", "reject", "edit", "unclear"]}
_REVIEW: dict[str, Any] = {"verdict": _VERDICTS, "seconds": {"type": "number"}}
_ACTS: dict[str, Any] = {"enum": ["approve", "roll_back", "pause", "resume"]}
_LIST = ("which", "before")
_EMPTY: dict[str, Any] = {}

DOORS = (
    Door("GET", "/healthz", "anyone"),
    Door("GET", "/static", "anyone"),
    Door("GET", "/language/{language}", "anyone", query=("back",)),
    Door("GET", "/sign-in", "anyone", query=("next",)),
    Door("GET", "/sign-in/back", "anyone", query=("state", "code", "error", "iss")),
    Door("POST", "/sign-in/token", "anyone", body={"token": _TEXT}),
    Door("GET", "/signed-out", "anyone"),
    Door("POST", "/sign-out", "anyone", body=_EMPTY),
    Door("POST", "/slack/events", "platform"),
    Door("GET", "/slack/install", "anyone"),
    Door("GET", "/slack/oauth_redirect", "admin", query=("state", "code")),
    Door("POST", "/api/messages", "platform"),
    Door("GET", "/", "reader"),
    Door("GET", "/passages/{chunk_id}", "reader"),
    Door("GET", "/api/passages/{chunk_id}", "reader"),
    Door("POST", "/api/questions", "reader", body={"text": _TEXT, "conversation": _TEXT, "key": _TEXT}),
    Door("GET", "/api/questions/{id}/events", "reader"),
    Door("POST", "/api/questions/{id}/stop", "reader", body=_EMPTY),
    Door(
        "POST",
        "/api/answers/{id}/feedback",
        "reader",
        body={"value": {"enum": [-1, 0, 1]}, "correction": _TEXT, "reason": _TEXT},
    ),
    Door("GET", "/api/conversations/{key}", "reader"),
    Door("GET", "/console/pairs", "reviewer", query=(*_LIST, "origin")),
    Door("POST", "/console/api/pairs/{id}/review", "reviewer", body={**_REVIEW, "chosen": _TEXT}),
    Door("POST", "/console/api/documents/{id}/check", "reviewer", body=_EMPTY),
    Door("GET", "/console/disagreements", "reviewer", query=_LIST),
    Door("POST", "/console/api/answers/{id}/label", "reviewer", body=_REVIEW),
    Door("GET", "/console/exercises", "reviewer", query=(*_LIST, "kind")),
    Door(
        "POST", "/console/api/exercises/{id}/review", "reviewer", body={**_REVIEW, "question": _TEXT, "answer": _TEXT}
    ),
    Door("GET", "/console", "admin"),
    Door("GET", "/console/answers", "admin", query=("words", "mode", "vote", "before")),
    Door("GET", "/console/gaps", "admin"),
    Door("GET", "/console/adapters", "admin"),
    Door("POST", "/console/api/adapters/promote", "admin", body={"name": _TEXT, "reason": _TEXT}),
    Door("POST", "/console/api/adapters/roll-back", "admin", body={"reason": _TEXT}),
    Door("GET", "/console/nights", "admin", query=("before",)),
    Door("GET", "/console/nights/compare", "admin", query=("one", "other")),
    Door("GET", "/console/nights/{id}", "admin"),
    Door("GET", "/console/nights/{id}/report/{language}", "admin", query=("download",)),
    Door("POST", "/console/api/nights/run", "admin", body=_EMPTY),
    Door("GET", "/console/api/nights/state", "admin"),
    Door(
        "POST",
        "/console/api/nights/{id}/decide",
        "admin",
        body={"act": {"enum": ["approve", "roll_back", "pause", "resume"]}},
    ),
    Door("GET", "/console/memory", "admin", query=("state", "before")),
    Door("POST", "/console/api/memories/{id}/remove", "admin", body=_EMPTY),
    Door("GET", "/console/advice", "admin"),
    Door("GET", "/console/advice/{language}.svg", "admin"),
    Door("GET", "/console/documents", "admin", query=("words",)),
    Door("GET", "/console/audit", "admin", query=("words", "kind", "before")),
    Door("GET", "/console/audit/{format}", "admin", query=("words", "kind")),
    Door("GET", "/console/slack/install", "admin"),
)

_BY_ROUTE = {(door.method, door.path): door for door in DOORS}


def find_door(request: web.Request) -> Door | None:
    """The row of the route that a request matched; None where the table has none."""
    resource = request.match_info.route.resource
    method = "GET" if request.method == "HEAD" else request.method
    return _BY_ROUTE.get((method, resource.canonical)) if resource else None


def may_use(role: Role | None, door: Door) -> bool:
    """Whether a role suffices; None is somebody who is not signed in."""
    return (_RANKS[role] if role else 0) >= _RANKS[door.who]
