"""The console's page of pairs: what the night learns from and why, and people's word on each, from tables alone."""

from typing import Any

from aiohttp import web
from jinja2 import Environment

from bot.web.chat import ID
from bot.web.console_wording import CONSOLE
from bot.web.guard import get_text, get_verdict, read_json
from bot.web.listing import PAGE_ROWS, choose_one, read_before
from bot.web.pages import render
from bot.web.people import get_actor
from bot.web.wording import choose_language
from core.audit import record_act
from core.database import Database
from core.errors import InvalidInputError, NotFoundError
from core.sql import load_queries
from core.text import clean_text
from core.wording import normalise_text

QUERIES = load_queries(__file__)

SAMPLE_ROWS = 20
LONGEST_ANSWER = 8_000
WHICH = ("open", "sample", "waiting", "reviewed", "all")
ORIGINS = (
    "try_again",
    "correction",
    "same_question",
    "quotation",
    "regenerated",
    "faithful",
    "exercise_sampled",
    "distractor",
    "exercise_distractor",
)
VERDICTS = ("approve", "reject", "edit")


class ConsolePairs:
    """The page `/console/pairs`, and reviews under `/console/api/pairs`."""

    def __init__(self, *, templates: Environment, database: Database) -> None:
        self._templates = templates
        self._database = database

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [
            web.get("/console/pairs", self.show_pairs),
            web.post(f"/console/api/pairs/{{id:{ID}}}/review", self.review),
            web.post(f"/console/api/documents/{{id:{ID}}}/check", self.check_document),
        ]

    async def show_pairs(self, request: web.Request) -> web.Response:
        """Pairs of the last collection, newest first; `which`, `origin` and `before` choose."""
        which, origin = choose_one(request, "which", WHICH) or WHICH[0], choose_one(request, "origin", ORIGINS)
        limit = SAMPLE_ROWS if which == "sample" else PAGE_ROWS
        run = await self._fetch("find_run")
        rows: list[dict[str, Any]] = []
        if run:
            chosen = {"which": which, "origin": origin, "before": read_before(request), "limit": limit + 1}
            rows = await self._fetch("find_pairs", run_id=run[0]["id"], **chosen)
        has_more = len(rows) > limit and which != "sample"
        words = CONSOLE[choose_language(request)]
        return render(
            self._templates,
            "console/pairs.html",
            request,
            room="pairs",
            has_run=bool(run),
            rows=[row | {"why": [_name_why(why, words) for why in row["why"]]} for row in rows[:limit]],
            whiches=WHICH,
            origins=ORIGINS,
            chosen={"which": which, "origin": origin or ""},
            next_before=rows[limit - 1]["id"] if has_more else None,
        )

    async def review(self, request: web.Request) -> web.Response:
        """Store what was said of a pair; the last word counts from the next collection on.

        Raises:
            InvalidInputError: an unknown verdict, or an edited answer that is empty or the rejected one.
            NotFoundError: no such pair.
        """
        body = await read_json(request)
        words = CONSOLE[choose_language(request)]
        pair_id, verdict = int(request.match_info["id"]), get_verdict(body, VERDICTS)
        found = await self._fetch("find_rejected", id=pair_id)
        if not found:
            raise NotFoundError(words["pair_unknown"])
        chosen = _read_edited(body, found[0]["rejected"], words) if verdict == "edit" else None
        stored = {"id": pair_id, "verdict": verdict, "chosen": chosen, "reviewer": get_actor(request)}
        await self._database.execute(QUERIES["add_review"], stored)
        await record_act(self._database, actor=get_actor(request), act=f"{verdict} pair", subject=str(pair_id))
        return web.json_response({"message": words["pair_said"], "verdict": words[f"verdict_{verdict}"]})

    async def check_document(self, request: web.Request) -> web.Response:
        """Say that what was said of a document's earlier versions holds in today's; its pairs count again.

        Raises:
            NotFoundError: no such document.
        """
        words = CONSOLE[choose_language(request)]
        document_id = int(request.match_info["id"])
        if not await self._fetch("check_document", id=document_id, by=get_actor(request)):
            raise NotFoundError(words["document_unknown"])
        await record_act(self._database, actor=get_actor(request), act="check document", subject=str(document_id))
        return web.json_response({"message": words["pair_said"], "verdict": words["document_checked"]})

    async def _fetch(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        return await self._database.fetch_dicts(QUERIES[query], parameters or None)


def _read_edited(body: dict[str, Any], rejected: str, words: Any) -> str:
    chosen = clean_text(get_text(body, "chosen", longest=LONGEST_ANSWER)).strip()
    if not chosen:
        raise InvalidInputError(words["pair_empty"])
    if normalise_text(chosen) == normalise_text(rejected):
        raise InvalidInputError(words["pair_same"])
    return chosen


def _name_why(why: str, words: Any) -> str:
    """One reason such as `fault:tone` in words; one that we have none for as it is."""
    kind, _, value = why.partition(":")
    if kind in ("sampled", "shortened"):
        return words[kind].format(n=value)
    return words.get(f"{kind}_{value}", value.replace("_", " "))
