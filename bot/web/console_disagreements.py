"""The console's list of answers whose voters disagree, and an administrator's word on each, from tables alone."""

from typing import Any

from aiohttp import web
from jinja2 import Environment

from bot.web.chat import ID
from bot.web.console_wording import CONSOLE
from bot.web.guard import get_verdict, read_json
from bot.web.listing import PAGE_ROWS, choose_one, read_before, to_page
from bot.web.pages import render
from bot.web.people import get_actor
from bot.web.wording import choose_language
from core.audit import record_act
from core.database import Database
from core.errors import NotFoundError
from core.sql import load_queries

QUERIES = load_queries(__file__)

WHICH = ("undecided", "outvoted", "settled")
VALUES = {"approve": 1, "reject": -1, "unclear": 0}


class ConsoleDisagreements:
    """The page `/console/disagreements`, and labels under `/console/api/answers`."""

    def __init__(self, *, templates: Environment, database: Database) -> None:
        self._templates = templates
        self._database = database

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [
            web.get("/console/disagreements", self.show_disagreements),
            web.post(f"/console/api/answers/{{id:{ID}}}/label", self.label),
        ]

    async def show_disagreements(self, request: web.Request) -> web.Response:
        """Answers that the last collection could not decide, newest first; `which` and `before` choose."""
        which = choose_one(request, "which", WHICH) or WHICH[0]
        values = {"which": which, "before": read_before(request), "limit": PAGE_ROWS + 1}
        rows = await self._database.fetch_dicts(QUERIES["find_disagreements"], values)
        return render(
            self._templates,
            "console/disagreements.html",
            request,
            room="disagreements",
            whiches=WHICH,
            which=which,
            **to_page(rows),
        )

    async def label(self, request: web.Request) -> web.Response:
        """Store what an administrator says of an answer; the last word counts from the next collection on.

        Raises:
            InvalidInputError: an unknown verdict.
            NotFoundError: no such answer.
        """
        verdict = get_verdict(await read_json(request), VALUES)
        words = CONSOLE[choose_language(request)]
        actor, answer_id = get_actor(request), int(request.match_info["id"])
        stored: dict[str, Any] = {"id": answer_id, "value": VALUES[verdict], "labeller": actor}
        if not await self._database.fetch_dicts(QUERIES["add_label"], stored):
            raise NotFoundError(words["answer_unknown"])
        await record_act(self._database, actor=actor, act=f"label answer {verdict}", subject=str(answer_id))
        return web.json_response({"message": words["pair_said"], "verdict": words[f"label_{verdict}"]})
