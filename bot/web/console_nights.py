"""The console's pages of one night, and of two side by side; what may be decided about a night is decided here."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast
from uuid import uuid4

from aiohttp import web
from jinja2 import Environment

from bot.desk import ACTS, Act, Desk
from bot.web.chat import ID
from bot.web.console import QUERIES as CONSOLE_QUERIES
from bot.web.console import STAGES
from bot.web.console_wording import CONSOLE
from bot.web.guard import get_text, read_json
from bot.web.listing import read_id
from bot.web.pages import render
from bot.web.people import get_actor
from bot.web.wording import choose_language
from core.database import Database
from core.errors import InvalidInputError, NotFoundError
from core.serving import Serving
from core.sql import load_queries

QUERIES = load_queries(__file__)
MOST_NIGHTS = 60
LONGEST_ACT = 20

# A report is a page of its own: it may style itself and show its plots, and nothing else.
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"

_Read = Callable[[Mapping[str, Any]], Any]


class ConsoleNights:
    """Pages under `/console/nights` and what they post; `bot/web/gate.py` stands before them."""

    def __init__(self, *, templates: Environment, database: Database, serving: Serving) -> None:
        self._templates = templates
        self._database = database
        self._desk = Desk(database, serving)

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [
            web.get("/console/nights/compare", self.compare),
            web.get(f"/console/nights/{{id:{ID}}}", self.show_night),
            web.get(f"/console/nights/{{id:{ID}}}/report/{{language:en|ko}}", self.show_report),
            web.post(f"/console/api/nights/{{id:{ID}}}/decide", self.decide),
        ]

    async def show_night(self, request: web.Request) -> web.Response:
        """One night with its report, and what may be decided about it now."""
        run_id = int(request.match_info["id"])
        run = await self._get("find_night", id=run_id)
        acts = (await self._desk.get_night(run_id)).find_acts() if run["finished_at"] else []
        others = [one for one in await self._list_nights() if one["id"] != run_id]
        return self._render(request, "night", run=run, stages=STAGES, acts=acts, others=others)

    async def show_report(self, request: web.Request) -> web.Response:
        """A report as it was written, in a page that can run nothing; with `download`, as a file."""
        language = request.match_info["language"]
        report = await self._get("find_report", id=int(request.match_info["id"]), language=language)
        headers = {"Content-Security-Policy": REPORT_POLICY, "Cache-Control": "no-store"}
        if "download" in request.query:
            name = f"nightbake-{report['night']}-{request.match_info['id']}-{language}.html"
            headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return web.Response(text=report["html"], content_type="text/html", headers=headers)

    async def compare(self, request: web.Request) -> web.Response:
        """Two nights side by side, `one` and `other`; the last two where none are named."""
        nights = await self._list_nights()
        newest = [night["id"] for night in nights[:2]]
        ids = [read_id(request, name) or at for name, at in zip(("other", "one"), [*newest, 0, 0], strict=False)]
        pair = [await self._get("get_compared", id=run_id) for run_id in reversed(ids)] if all(ids) else []
        return self._render(request, "compare", pair=pair, nights=nights, rows=compare_nights(*pair) if pair else [])

    async def decide(self, request: web.Request) -> web.Response:
        """Approve, roll back, pause or resume: 200, or 409 with the reason why nothing was changed.

        Raises:
            InvalidInputError: no such act.
        """
        body = await read_json(request)
        asked = get_text(body, "act", longest=LONGEST_ACT)
        acts: dict[str, Act] = {one: one for one in ACTS}
        if asked not in acts:
            raise InvalidInputError(f"expected one of {', '.join(ACTS)}, got another act")
        act = acts[asked]
        run_id, key = int(request.match_info["id"]), f"console {uuid4().hex[:12]}"
        decision = await self._desk.decide(act, run_id=run_id, by=get_actor(request), event_key=key)
        words = CONSOLE[choose_language(request)]
        if decision.outcome == "done":
            return web.json_response({"message": words[f"done_{act}"]})
        told = words[f"outcome_{decision.outcome}"].format(error=decision.error)
        return web.json_response({"error": told}, status=409)

    async def _list_nights(self) -> list[dict[str, Any]]:
        return await self._database.fetch_dicts(CONSOLE_QUERIES["find_nights"], {"before": None, "limit": MOST_NIGHTS})

    async def _get(self, query: str, **parameters: Any) -> dict[str, Any]:
        rows = await self._database.fetch_dicts(QUERIES[query], parameters)
        if not rows:
            raise NotFoundError(
                "There is no such night, or no report in this language. / 해당 야간 학습이나 보고서가 없습니다."
            )
        return rows[0]

    def _render(self, request: web.Request, page: str, **values: Any) -> web.Response:
        return render(self._templates, f"console/{page}.html", request, room="night", **values)


def compare_nights(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What both nights measured, a row each: its `kind` says how it is written; the change where both have a number."""
    rows: list[dict[str, Any]] = []
    for name, kind, read in _ROWS:
        left, right = read(one), read(other)
        if left is None and right is None:
            continue
        is_number = all(isinstance(value, (int, float)) for value in (left, right))
        rows.append(
            {"name": name, "kind": kind, "one": left, "other": right, "change": right - left if is_number else None}
        )
    return rows


def _dig(*path: str) -> _Read:
    def read(night: Mapping[str, Any]) -> Any:
        value: Any = night
        for name in path:
            value = cast("Mapping[str, Any]", value).get(name) if isinstance(value, Mapping) else None
        return value

    return read


def _model(role: str, *path: str) -> _Read:
    return _dig("evaluation", "preference", *path, "models", role, "accuracy")


_ROWS: Sequence[tuple[str, str, _Read]] = (
    ("state", "run", _dig("state")),
    ("why", "reason", _dig("reason")),
    ("adapter", "text", _dig("adapter")),
    *(
        (f"compare_{name}", "count", _dig("counts", name))
        for name in ("votes", "voters", "pairs", "trained", "held_out")
    ),
    ("compare_wins", "count", _dig("evaluation", "preference", "wins")),
    ("compare_losses", "count", _dig("evaluation", "preference", "losses")),
    ("compare_live", "share", _model("live")),
    ("compare_candidate", "share", _model("candidate")),
    ("compare_english", "share", _model("candidate", "languages", "en")),
    ("compare_korean", "share", _model("candidate", "languages", "ko")),
    ("compare_contains", "share", _dig("evaluation", "answers", "means", "candidate", "contains")),
    ("compare_cited", "share", _dig("evaluation", "answers", "means", "candidate", "cited")),
    ("compare_grounded", "share", _dig("evaluation", "answers", "means", "candidate", "grounded")),
    ("compare_golden", "share", lambda night: _share(_dig("evaluation", "golden")(night))),
    ("compare_tickets", "count", _dig("tickets")),
    ("compare_train", "seconds", _dig("seconds", "train")),
    ("took", "seconds", lambda night: _sum_seconds(night["seconds"])),
)


def _sum_seconds(seconds: Mapping[str, float]) -> float:
    return float(sum(seconds.values()))


def _share(golden: Mapping[str, Any] | None) -> float | None:
    return golden["candidate"] / golden["count"] if golden and golden["count"] else None
