"""The web room's front door: one application with the chat, the sources and the console."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bot.inbox import Inbox
from bot.limits import QuestionLimits
from bot.stops import Stops
from bot.web.account import Account
from bot.web.chat import Chat
from bot.web.console import Console
from bot.web.console_acts import ConsoleActs
from bot.web.console_advice import ConsoleAdvice
from bot.web.console_audit import ConsoleAudit
from bot.web.console_disagreements import ConsoleDisagreements
from bot.web.console_exercises import ConsoleExercises
from bot.web.console_memory import ConsoleMemory
from bot.web.console_nights import ConsoleNights
from bot.web.console_pairs import ConsolePairs
from bot.web.conversations import Conversations
from bot.web.gate import Gate
from bot.web.guard import add_headers, catch_errors
from bot.web.live import Live
from bot.web.night import NightButton, RunNight
from bot.web.pages import Pages, load_templates
from bot.web.people import Visitors
from bot.web.places import FindPrincipals, Places
from bot.web.rates import Rates
from bot.web.readiness import Readiness, check_readiness
from bot.web.sessions import Sessions
from bot.web.sign_in import SignIn, SignInSettings
from bot.web.wording import SUGGESTIONS
from core.adapters import Adapters
from core.database import Database
from core.feedback import FeedbackLog
from core.prompt import Language
from core.serving import Serving


def build_app(
    *,
    inbox: Inbox,
    limits: QuestionLimits | None = None,
    feedback: FeedbackLog,
    live: Live,
    database: Database,
    console: Database | None = None,
    serving: Serving,
    adapters: Adapters,
    places: Places,
    find_principals: FindPrincipals,
    admin_token: str | None,
    base_url: str,
    run_night: RunNight | None = None,
    readiness: Readiness | None = None,
    suggestions: Mapping[Language, Sequence[str]] = SUGGESTIONS,
    exercise_share: float = 0.2,
    exercise_reviewers: int = 1,
    session_idle_seconds: float = 12 * 3600,
    session_seconds: float = 7 * 86400,
    rates: Rates | None = None,
    sign_in: SignInSettings | None = None,
) -> web.Application:
    """Put the parts together; other rooms may add routes to the application before it starts.

    Args:
        console: with the rights of administrators, for the pages under `/console`; default: `database`.
        limits: of the inbox, for what a person is told.
        live: also the platform `web` of the question handler; the worker must run in this process to stream.
        find_principals: what a person of the web may read.
        run_night: starts a night and returns at its end; without it the console has no such button.
        admin_token: opens the console, and stays valid; None: only links that open once do.
        readiness: which parts work, by name; default: only the database.
        exercise_share: of exercises that need no person, those that wait for one; exercise_reviewers: how many people.
        sign_in: the company's service; None: nobody has to sign in. rates: default: no limits but of failed sign-ins.
    """
    templates, is_https = load_templates(), urlsplit(base_url).scheme == "https"
    admin = console or database
    readiness = readiness or check_readiness(database)
    chat = Chat(
        inbox=inbox,
        limits=limits or QuestionLimits(),
        stops=Stops(database),
        feedback=feedback,
        conversations=Conversations(database, find_principals),
        live=live,
    )
    pages = Pages(
        templates=templates,
        places=places,
        find_principals=find_principals,
        suggestions=suggestions,
        readiness=readiness,
        is_https=is_https,
    )
    sessions = Sessions(admin, idle_seconds=session_idle_seconds, longest_seconds=session_seconds)
    signing = SignIn(database=database, sessions=sessions, settings=sign_in, is_https=is_https) if sign_in else None
    vouch = signing.vouch if signing else None
    visitors = Visitors(sessions, is_https=is_https, admin_token=admin_token, vouch=vouch)
    gate = Gate(
        database=database,
        sessions=sessions,
        visitors=visitors,
        admin_token=admin_token,
        base_url=base_url,
        locked_page=pages.show_locked,
        denied_page=pages.show_denied,
    )
    rates = rates or Rates(is_https=is_https)
    app = web.Application(middlewares=[catch_errors(pages.show_error), rates.middleware, gate.middleware])
    account = Account(templates=templates, database=database, gate=gate, visitors=visitors, sessions=sessions)
    night = NightButton(run_night)
    console_pages = Console(templates=templates, database=admin, adapters=adapters, readiness=readiness, night=night)
    acts = ConsoleActs(database=admin, serving=serving, night=night)
    desk: dict[str, Any] = {"templates": templates, "database": admin}
    pairs, disagreements = ConsolePairs(**desk), ConsoleDisagreements(**desk)
    nights, memory = ConsoleNights(serving=serving, **desk), ConsoleMemory(**desk)
    exercises = ConsoleExercises(share=exercise_share, reviewers=exercise_reviewers, **desk)
    advice, audit = ConsoleAdvice(**desk), ConsoleAudit(**desk)
    parts = (chat, pages, console_pages, acts, nights, pairs, disagreements, memory, exercises, advice, audit, account)
    app.add_routes([route for part in parts for route in part.routes()])
    if signing:
        app.add_routes(signing.routes(visitors))
        app.on_cleanup.append(_close_sign_in(signing))
    app.on_response_prepare.append(_prepare(is_https=is_https))
    app.on_shutdown.append(_close(live, night))
    return app


def _prepare(*, is_https: bool) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def prepare(request: web.Request, response: web.StreamResponse) -> None:
        add_headers(request, response, is_https=is_https)

    return prepare


def _close_sign_in(signing: SignIn) -> Callable[[web.Application], Awaitable[None]]:
    async def close(_: web.Application) -> None:
        await signing.close()

    return close


def _close(live: Live, night: NightButton) -> Callable[[web.Application], Awaitable[None]]:
    async def close(_: web.Application) -> None:
        live.close()
        await night.close()

    return close
