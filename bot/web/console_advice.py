"""The console's page of what to do next: the picture of the last round, what each question lacks, and experiments."""

from aiohttp import web
from jinja2 import Environment

from bot.web.pages import render
from core.database import Database
from core.errors import NotFoundError
from core.sql import load_queries

QUERIES = load_queries(__file__)
MOST_QUESTIONS, MOST_EXPERIMENTS = 200, 50

# A picture may style itself, and nothing else.
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


class ConsoleAdvice:
    """The page `/console/advice` and its picture; both only read."""

    def __init__(self, *, templates: Environment, database: Database) -> None:
        self._templates = templates
        self._database = database

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [
            web.get("/console/advice", self.show_advice),
            web.get("/console/advice/{language:en|ko}.svg", self.show_picture),
        ]

    async def show_advice(self, request: web.Request) -> web.Response:
        """The last round that ended, its failed questions, and experiments, newest first."""
        rounds = await self._database.fetch_dicts(QUERIES["find_round"])
        limit = {"limit": MOST_QUESTIONS, "round_id": rounds[0]["id"] if rounds else 0}
        return render(
            self._templates,
            "console/advice.html",
            request,
            room="advice",
            round=rounds[0] if rounds else None,
            questions=await self._database.fetch_dicts(QUERIES["find_failed"], limit),
            experiments=await self._database.fetch_dicts(QUERIES["find_experiments"], {"limit": MOST_EXPERIMENTS}),
        )

    async def show_picture(self, request: web.Request) -> web.Response:
        """The matrix as it was drawn, an image that can run nothing.

        Raises:
            NotFoundError: there is no round yet.
        """
        found = await self._database.fetch_dicts(QUERIES["find_picture"], {"language": request.match_info["language"]})
        if not found:
            raise NotFoundError("no advice yet; run `nightbake advice`")
        headers = {"Content-Security-Policy": PICTURE_POLICY, "Cache-Control": "no-store"}
        return web.Response(text=found[0]["picture"], content_type="image/svg+xml", headers=headers)
