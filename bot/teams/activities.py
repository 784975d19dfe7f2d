"""The receiving side of Teams: an activity is checked, handed to the door of its kind, and then answered.

Teams holds the request until it is answered and sends it again after about 15 seconds. So a door stores and returns;
the reply goes out by itself later, and an activity that could not be stored is answered with 500.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import psycopg
from aiohttp import web

from bot.teams.auth import Authentication, KeysAwayError, UnauthorizedError
from bot.teams.reading import is_own

log = logging.getLogger(__name__)

PATH = "/api/messages"
INVOKE = "invoke"

# Given the activity; returns what an invoke shall be told, None for nothing. Other activities are told nothing.
Door = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any] | None]]


class TeamsActivities:
    """Checks, hands to the doors of that kind, answers.

    Args:
        authentication: decides what is genuine; it is asked before anything is read out of the activity.
    """

    def __init__(self, *, authentication: Authentication) -> None:
        self._authentication = authentication
        self._doors: dict[tuple[str, str], list[Door]] = {}

    def on(self, kind: str, door: Door, *, name: str = "") -> None:
        """Open a door; an activity may have several, each of which takes what is its own.

        Args:
            kind: an activity's type.
            name: of an invoke.
        """
        self._doors.setdefault((kind, name), []).append(door)

    def routes(self) -> list[web.RouteDef]:
        """The messaging endpoint of the bot registration."""
        return [web.post(PATH, self._handle)]

    async def close(self) -> None:
        """Release connections."""
        await self._authentication.close()

    async def _handle(self, request: web.Request) -> web.Response:
        activity = await _read(request)
        try:
            await self._authentication.check(request, activity)
        except UnauthorizedError as error:
            log.warning("an activity was refused", extra={"reason": str(error)})
            return web.Response(status=HTTPStatus.UNAUTHORIZED)
        except KeysAwayError:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        try:
            return await self._receive(activity)
        except (KeyError, TypeError, AttributeError, ValueError, psycopg.DataError) as error:
            log.warning("an activity could not be read", extra={"reason": repr(error)})
            return web.Response(status=HTTPStatus.BAD_REQUEST)

    async def _receive(self, activity: Mapping[str, Any]) -> web.Response:
        kind = activity["type"]
        is_invoke = kind == INVOKE
        doors = self._doors.get((kind, activity.get("name") or "" if is_invoke else ""))
        if is_invoke and doors is None:
            return web.Response(status=HTTPStatus.NOT_IMPLEMENTED)
        told = [await door(activity) for door in doors or [] if not is_own(activity)]
        if not is_invoke:
            return web.Response(status=HTTPStatus.OK)
        # Teams shows "Unable to reach app" for an invoke that is answered without an object.
        return web.json_response(next(filter(None, told), None) or {})


async def _read(request: web.Request) -> Mapping[str, Any]:
    """The activity, or an empty one where the body is none: a missing token is then what is refused."""
    try:
        body: Any = await request.json()
    except (ValueError, LookupError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}  # type: ignore[reportUnknownVariableType]
