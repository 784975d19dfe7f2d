"""The console's list of what people corrected or liked and prompts hold, and a button that takes one out."""

from typing import cast, get_args

from aiohttp import web
from jinja2 import Environment

from bot.web.chat import ID
from bot.web.console_wording import CONSOLE
from bot.web.guard import read_json
from bot.web.listing import PAGE_ROWS, choose_one, read_before, to_page
from bot.web.pages import render
from bot.web.people import get_actor
from bot.web.wording import choose_language
from core.database import Database
from retrieval.memories import Memories, State

STATES: tuple[State, ...] = get_args(State)


class ConsoleMemory:
    """The page `/console/memory`, and removals under `/console/api/memories`."""

    def __init__(self, *, templates: Environment, database: Database) -> None:
        self._templates = templates
        self._memories = Memories(database)

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [
            web.get("/console/memory", self.show_memory),
            web.post(f"/console/api/memories/{{id:{ID}}}/remove", self.remove),
        ]

    async def show_memory(self, request: web.Request) -> web.Response:
        """Memories, newest answers first; `state` and `before` choose."""
        state = cast(State | None, choose_one(request, "state", STATES))
        rows = await self._memories.find_all(state=state, before=read_before(request), limit=PAGE_ROWS + 1)
        return render(
            self._templates,
            "console/memory.html",
            request,
            room="memory",
            states=STATES,
            state=state or "",
            **to_page(rows),
        )

    async def remove(self, request: web.Request) -> web.Response:
        """Out of prompts from the next question on, for good.

        Raises:
            NotFoundError: there is nothing to remove.
        """
        await read_json(request)
        await self._memories.remove(int(request.match_info["id"]), by=get_actor(request))
        return web.json_response({"message": CONSOLE[choose_language(request)]["memory_gone"]})
