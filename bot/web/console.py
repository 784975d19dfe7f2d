"""The console's pages: what was asked and answered, what is served, what the nights did. Everything is read here."""

from typing import Any

from aiohttp import web
from jinja2 import Environment

from bot.web.listing import PAGE_ROWS, choose_one, read_before, read_words, to_page, to_pattern
from bot.web.night import NightButton
from bot.web.pages import render
from bot.web.readiness import Readiness
from core.adapters import Adapters
from core.database import Database
from core.gaps import Gaps
from core.sql import load_queries

QUERIES = load_queries(__file__)
MOST_DOCUMENTS = 300
MOST_TOPICS = 200
GAP_DAYS = 30
MODES = ("generated", "quoted", "refused", "stopped", "failed")
VOTES = ("up", "down", "corrected")
STAGES = ("collect", "train", "serve", "evaluate", "gate", "switch", "report")


class Console:
    """Pages under `/console`; `bot/web/gate.py` stands before them, `console_acts.py` changes things."""

    def __init__(
        self,
        *,
        templates: Environment,
        database: Database,
        adapters: Adapters,
        readiness: Readiness,
        night: NightButton,
    ) -> None:
        self._templates = templates
        self._database = database
        self._gaps = Gaps(database)
        self._adapters = adapters
        self._readiness = readiness
        self._night = night

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [
            web.get("/console", self.show_overview),
            web.get("/console/answers", self.show_answers),
            web.get("/console/gaps", self.show_gaps),
            web.get("/console/adapters", self.show_adapters),
            web.get("/console/nights", self.show_nights),
            web.get("/console/documents", self.show_documents),
        ]

    async def show_overview(self, request: web.Request) -> web.Response:
        """The last 24 hours, two weeks of votes, and how the parts are."""
        days = await self._fetch("find_days")
        tallest = max([1, *(max(day["questions"], day["up"] + day["down"]) for day in days)])
        return self._render(
            request,
            "overview",
            gaps=await self._fetch_one("count_gaps", days=GAP_DAYS),
            day=await self._fetch_one("count_day"),
            votes=await self._fetch_one("count_votes"),
            inbox=await self._fetch_one("count_inbox"),
            documents=await self._fetch_one("count_documents"),
            active=await self._adapters.find_active(),
            parts=await self._readiness(),
            nights=await self._fetch("find_nights", before=None, limit=1),
            days=days,
            tallest=tallest,
        )

    async def show_answers(self, request: web.Request) -> web.Response:
        """Questions with answers and votes, newest first; `words`, `mode`, `vote` and `before` choose."""
        words = read_words(request)
        mode, vote = choose_one(request, "mode", MODES), choose_one(request, "vote", VOTES)
        rows = await self._fetch(
            "find_answers",
            before=read_before(request),
            pattern=to_pattern(words),
            mode=mode,
            vote=vote,
            limit=PAGE_ROWS + 1,
        )
        chosen = {"words": words, "mode": mode or "", "vote": vote or ""}
        return self._render(request, "answers", modes=MODES, votes=VOTES, chosen=chosen, **to_page(rows))

    async def show_gaps(self, request: web.Request) -> web.Response:
        """What was asked and the documents do not hold, by topic."""
        topics = await self._gaps.find_topics(days=GAP_DAYS, limit=MOST_TOPICS)
        return self._render(request, "gaps", topics=topics)

    async def show_adapters(self, request: web.Request) -> web.Response:
        """Every adapter with its state, and the history of switches."""
        adapters, switches = await self._adapters.find_all(), await self._adapters.find_switches()
        return self._render(request, "adapters", adapters=adapters, switches=switches)

    async def show_nights(self, request: web.Request) -> web.Response:
        """The nights, newest first, and the button that runs one now."""
        rows = await self._fetch("find_nights", before=read_before(request), limit=PAGE_ROWS + 1)
        running = await self._fetch_one("find_running")
        return self._render(request, "nights", stages=STAGES, running=running, night=self._night, **to_page(rows))

    async def show_documents(self, request: web.Request) -> web.Response:
        """What is known, and what could not be read."""
        words = read_words(request)
        return self._render(
            request,
            "documents",
            words=words,
            documents=await self._fetch("find_documents", pattern=to_pattern(words), limit=MOST_DOCUMENTS),
            errors=await self._fetch("find_ingest_errors"),
            counts=await self._fetch_one("count_documents"),
        )

    def _render(self, request: web.Request, room: str, **values: Any) -> web.Response:
        return render(self._templates, f"console/{room}.html", request, room=room, **values)

    async def _fetch(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        return await self._database.fetch_dicts(QUERIES[query], parameters or None)

    async def _fetch_one(self, query: str, **parameters: Any) -> dict[str, Any]:
        """The first row; empty where there is none."""
        rows = await self._fetch(query, **parameters)
        return rows[0] if rows else {}
