"""What a person sees in the browser: the chat page, a passage in its document, and errors in words."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from bot.web.chat import ID
from bot.web.console_names import count_in_words, name_switch_reason, name_value
from bot.web.console_wording import CONSOLE
from bot.web.people import PERSON, VISITOR
from bot.web.places import FindPrincipals, Place, Places
from bot.web.readiness import Readiness
from bot.web.wording import LANGUAGE_COOKIE, WORDING, choose_language
from core.durations import say_duration
from core.prompt import Language

HERE = Path(__file__).parent
LANGUAGE_SECONDS = 400 * 24 * 3600
# No other address: a link must not lead from here to another site.
CONSOLE_PATH = r"/console(/[a-z0-9]+)*"


def load_templates() -> Environment:
    """Every template, escaping by default; a name that is missing is an error, not a blank."""
    templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)
    filters: dict[str, Callable[..., str]] = {
        "when": _render_moment,
        "day": _render_day,
        "seconds": _render_seconds,
        "named": _render_name,
        "counted": _render_count,
        "switch_reason": _render_switch_reason,
    }
    templates.filters.update(filters)  # pyright: ignore[reportUnknownMemberType]
    return templates


def render(
    templates: Environment, name: str, request: web.Request, *, status: int = 200, **values: Any
) -> web.Response:
    """A page that no cache keeps; `w` are the words of the chat, `c` those of the console, `visitor` who asks."""
    language = choose_language(request)
    words = {"language": language, "w": WORDING[language], "c": CONSOLE[language]}
    asked = {"visitor": request.get(VISITOR), "path": request.path}
    text = templates.get_template(name).render(**words, **asked, **values)
    return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})


@pass_context
def _render_moment(context: Context, moment: datetime | None) -> str:
    """`21 Nov 00:15`, `11월 21일 00:15`; UTC as everything that is stored."""
    return CONSOLE[context["language"]]["moment"].format(day=moment) if moment else "–"


@pass_context
def _render_day(context: Context, day: date) -> str:
    return CONSOLE[context["language"]]["day"].format(day=day)


@pass_context
def _render_seconds(context: Context, seconds: float | None) -> str:
    return "–" if seconds is None else say_duration(seconds, context["language"])


@pass_context
def _render_name(context: Context, value: str, kind: str) -> str:
    return name_value(kind, value, context["language"])


@pass_context
def _render_count(context: Context, number: int, what: str) -> str:
    return count_in_words(what, number, context["language"])


@pass_context
def _render_switch_reason(context: Context, reason: str) -> str:
    return name_switch_reason(reason, context["language"])


class Pages:
    """Pages and the two small interfaces that belong to them.

    Args:
        suggestions: questions on the empty page, by language.
        readiness: which parts work; only a missing `database` makes us unhealthy, for without a model we quote.
    """

    def __init__(
        self,
        *,
        templates: Environment,
        places: Places,
        find_principals: FindPrincipals,
        suggestions: Mapping[Language, Sequence[str]],
        readiness: Readiness,
        is_https: bool,
    ) -> None:
        self._templates = templates
        self._is_https = is_https
        self._places = places
        self._find_principals = find_principals
        self._suggestions = suggestions
        self._readiness = readiness

    def routes(self) -> list[web.AbstractRouteDef]:
        """What to add to the application."""
        return [
            web.get("/", self.show_chat),
            web.get("/language/{language:en|ko}", self.set_language),
            web.get(f"/passages/{{chunk_id:{ID}}}", self.show_passage),
            web.get(f"/api/passages/{{chunk_id:{ID}}}", self.read_passage),
            web.get("/healthz", self.show_health),
            web.static("/static", HERE / "static"),
        ]

    async def show_chat(self, request: web.Request) -> web.Response:
        """The chat page; its conversation is fetched by the page itself."""
        suggestions = self._suggestions[choose_language(request)]
        return render(self._templates, "chat.html", request, suggestions=suggestions)

    async def set_language(self, request: web.Request) -> web.Response:
        """Remember a language and go back to the chat, or to the page of the console that `back` names."""
        back = request.query.get("back", "")
        location = back if re.fullmatch(CONSOLE_PATH, back) else "/"
        response = web.Response(status=303, headers={"Location": location})
        response.set_cookie(
            LANGUAGE_COOKIE,
            request.match_info["language"],
            max_age=LANGUAGE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=self._is_https,
        )
        return response

    async def show_passage(self, request: web.Request) -> web.Response:
        """A source opened at the cited place.

        Raises:
            NotFoundError: no such place for this person.
        """
        place = await self._get_place(request)
        return render(self._templates, "passage.html", request, place=place)

    async def read_passage(self, request: web.Request) -> web.Response:
        """The same for the side panel of the chat."""
        place = await self._get_place(request)
        names = ("title", "path", "page", "heading_path", "text_before", "passage", "text_after")
        return web.json_response({name: getattr(place, name) for name in names}, headers={"Cache-Control": "no-store"})

    async def show_health(self, _: web.Request) -> web.Response:
        """200 while questions can be stored and answered, if only by quotation; else 503."""
        parts = await self._readiness()
        status = 200 if parts.get("database", True) else 503
        words = "ok" if all(parts.values()) else "degraded" if status == 200 else "down"
        return web.json_response({"status": words, "parts": dict(parts)}, status=status)

    def show_locked(self, request: web.Request) -> web.Response:
        """What to do to open the console."""
        return render(self._templates, "console/locked.html", request, status=401)

    def show_denied(self, request: web.Request) -> web.Response:
        """That somebody's role does not suffice."""
        return self.show_error(request, 403, WORDING[choose_language(request)]["denied"])

    def show_error(self, request: web.Request, status: int, message: str) -> web.Response:
        """An error as a page."""
        return render(self._templates, "error.html", request, status=status, code=status, message=message)

    async def _get_place(self, request: web.Request) -> Place:
        principals = await self._find_principals(request[PERSON])
        return await self._places.get_place(int(request.match_info["chunk_id"]), principals)
