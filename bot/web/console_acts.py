"""What an admin changes from the console: which adapter is served, and when a night runs."""

from typing import Any

from aiohttp import web

from bot.web.console import QUERIES, STAGES
from bot.web.console_wording import CONSOLE
from bot.web.guard import get_text, read_json
from bot.web.night import NightButton
from bot.web.people import get_actor
from bot.web.wording import choose_language
from core.audit import record_act
from core.database import Database
from core.serving import Serving

LONGEST_REASON = 500


class ConsoleActs:
    """Requests under `/console/api`; every act leaves a row in the audit log."""

    def __init__(self, *, database: Database, serving: Serving, night: NightButton) -> None:
        self._database = database
        self._serving = serving
        self._night = night

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [
            web.post("/console/api/adapters/promote", self.promote),
            web.post("/console/api/adapters/roll-back", self.roll_back),
            web.post("/console/api/nights/run", self.run_night),
            web.get("/console/api/nights/state", self.read_night),
        ]

    async def promote(self, request: web.Request) -> web.Response:
        """Serve an adapter, or the base model where `name` is empty.

        Raises:
            NotFoundError: no adapter has this name.
            ModelServerError: it could not be loaded; nothing was switched.
        """
        body = await self._read(request)
        name = get_text(body, "name", longest=LONGEST_REASON) or None
        reason = get_text(body, "reason", longest=LONGEST_REASON) or "promoted in the console"
        await self._serving.promote(name, by=get_actor(request), reason=reason)
        return _tell_next(request, name)

    async def roll_back(self, request: web.Request) -> web.Response:
        """Serve again what was served before."""
        body = await self._read(request)
        reason = get_text(body, "reason", longest=LONGEST_REASON) or "rolled back in the console"
        name = await self._serving.roll_back(by=get_actor(request), reason=reason)
        return _tell_next(request, name)

    async def run_night(self, request: web.Request) -> web.Response:
        """Start a night in the background: 202, or 409 where this process runs one.

        A run that the table calls running may be one that crashed, which a new night resumes; the night's own
        lock tells them apart.
        """
        await self._read(request)
        if not self._night.exists:
            return web.json_response({"error": _say(request, "night_elsewhere")}, status=409)
        if not self._night.press():
            return web.json_response({"error": _say(request, "night_already")}, status=409)
        await record_act(self._database, actor=get_actor(request), act="run night", subject="now")
        return web.json_response({"message": _say(request, "night_begun")}, status=202)

    async def read_night(self, _: web.Request) -> web.Response:
        """How far the night is: `is_running`, its stage by name and number, and the error of the last one here."""
        run = await self._find_running()
        stage = run["stage"] if run else None
        return web.json_response(
            {
                "is_running": self._night.is_running or run is not None,
                "stage": stage,
                "stage_number": STAGES.index(stage) if stage in STAGES else -1,
                "error": self._night.error,
            }
        )

    async def _read(self, request: web.Request) -> dict[str, Any]:
        return await read_json(request)

    async def _find_running(self) -> dict[str, Any] | None:
        rows = await self._database.fetch_dicts(QUERIES["find_running"])
        return rows[0] if rows else None


def _say(request: web.Request, words: str) -> str:
    return CONSOLE[choose_language(request)][words]


def _tell_next(request: web.Request, name: str | None) -> web.Response:
    """Which adapter answers from now on, None for the base model."""
    told = _say(request, "answers_next").format(name=name) if name else _say(request, "base_answers_next")
    return web.json_response({"message": told})
