"""The people's side as one service: inbox, worker, web pages, Slack and Teams, built here and nowhere else."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

from aiohttp import web

from bot.again import Again
from bot.alerts import Alerts, Watch
from bot.answer import Answerer
from bot.audience import Audiences, FindReaders
from bot.changes import DELETION, take_deletions
from bot.experts import ExpertPlatform, Experts
from bot.forget import FORGET, ForgetHandler, TellForgotten
from bot.gauges import Gauges
from bot.handlers import Confirm, FeedbackHandler, FindLanguage, QuestionHandler, ReadThread
from bot.inbox import Claimed, Inbox
from bot.limits import KIND as REFUSAL
from bot.limits import QuestionLimits, RefusalHandler
from bot.line import Line, Notices
from bot.looks import look_at_connection, look_at_inbox, look_at_model_server
from bot.metrics_page import MetricsPage
from bot.more import More, WhisperPlatform
from bot.reply import Platform
from bot.room_settings import RoomSettingsLog
from bot.signals import Signals
from bot.slack.commands import CommandWork
from bot.slack.side import SlackSide
from bot.slack.side import build_side as build_slack_side
from bot.slack.socket import OnReturn, SlackSocket
from bot.teams.side import TeamsSide
from bot.teams.side import build_side as build_teams_side
from bot.web.app import build_app
from bot.web.live import Live
from bot.web.night import RunNight
from bot.web.places import FindPrincipals, Places
from bot.web.principals import Learn, Principals
from bot.web.readiness import Readiness, check_readiness
from bot.web.settings import read_web_settings
from bot.web.wording import SUGGESTIONS
from bot.worker import Handler, Worker
from core.adapters import Adapters
from core.background import Loop
from core.database import Database
from core.errors import ProcessError
from core.feedback import FeedbackLog
from core.forgetting import Forgetting
from core.interactions import Interactions
from core.model_server import ModelServer
from core.prompt import Language
from core.serving import Serving
from core.settings import Settings
from retrieval.access import Access

log = logging.getLogger(__name__)


class Bot:
    """Enter to serve, leave to stop: pages first, then platforms, then the workers that answer.

    Args:
        database: with the rights of who answers people; console: with those of administrators, for what they are
            shown; default: the same.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        console: Database | None = None,
        interactions: Interactions,
        feedback: FeedbackLog,
        adapters: Adapters,
        serving: Serving,
        answerer: Answerer,
        places: Places,
        find_principals: FindPrincipals,
        run_night: RunNight | None,
        model_server: ModelServer,
        forgetting: Forgetting,
        suggestions: Mapping[Language, Sequence[str]] = SUGGESTIONS,
    ) -> None:
        console = console or database
        self._settings = settings
        self._learn: dict[str, Learn] = {}
        if settings.oidc_issuer:
            find_principals = Principals(database, find_principals, self._learn).find
        self._find_principals = find_principals
        self._stack = AsyncExitStack()
        self._live = Live()
        limits = _read_limits(settings)
        self._inbox = Inbox(database, limits=limits.to_parameters())
        self._platforms: dict[str, Platform] = {"web": self._live}
        self._handlers: dict[str, Handler] = {}
        self._read_thread: dict[str, ReadThread] = {}
        self._sockets: list[SlackSocket] = []
        self._loops: list[Loop] = []
        self._has_admins = False
        self._recoveries: list[OnReturn] = []
        readiness = check_readiness(database, model_server)
        self._confirm: dict[str, Confirm] = {}
        self._experts: dict[str, ExpertPlatform] = {}
        self._find_readers: dict[str, FindReaders] = {}
        self._whispers: dict[str, WhisperPlatform] = {}
        self._find_language: dict[str, FindLanguage] = {}
        self._notices: dict[str, Notices] = {}
        self._tell_forgotten: dict[str, TellForgotten] = {}
        self._audiences = Audiences(Access(database), RoomSettingsLog(database), self._find_readers)
        self._app = build_app(
            inbox=self._inbox,
            limits=limits,
            feedback=feedback,
            live=self._live,
            database=database,
            console=console,
            serving=serving,
            adapters=adapters,
            places=places,
            find_principals=find_principals,
            **read_web_settings(settings),
            base_url=settings.base_url,
            run_night=run_night,
            readiness=readiness,
            suggestions=suggestions,
            exercise_share=settings.exercise_review_share,
            exercise_reviewers=settings.exercise_reviewers,
        )
        parts: dict[str, Any] = {
            "inbox": self._inbox,
            "database": database,
            "interactions": interactions,
            "feedback": feedback,
            "again": Again(database, self._inbox),
        }
        if settings.has_slack:
            slack, self._sockets = build_slack_side(
                settings, console=console, serving=serving, suggestions=suggestions, **parts
            )
            self._add_side("slack", slack)
            work = CommandWork(database, search=answerer.search, audiences=self._audiences, base_url=settings.base_url)
            self._handlers |= work.handlers()
            self._add_slack(slack)
        if settings.has_teams:
            teams = build_teams_side(settings, console=console, serving=serving, suggestions=suggestions, **parts)
            self._add_side("teams", teams)
            self._stack.push_async_callback(teams.close)
        if settings.metrics_port:
            gauges = Gauges(database, readiness, console)
            self._loops.append(MetricsPage(gauges, host=settings.metrics_host, port=settings.metrics_port))
        if self._has_admins:
            self._loops.append(self._build_watch(console, readiness))
        more = More(
            inbox=self._inbox,
            access=Access(database),
            audiences=self._audiences,
            interactions=interactions,
            answerer=answerer,
            search=answerer.search,
            platforms=self._whispers,
            base_url=settings.base_url,
        )
        questions = QuestionHandler(
            answerer=answerer,
            interactions=interactions,
            platforms=self._platforms,
            find_principals=self._find_audience,
            signals=Signals(database),
            read_thread=self._read_thread,
            more=more,
            find_language=self._find_language,
            notices=self._notices,
        )
        self._loops.append(Line(database, live=self._live, notices=self._notices))
        experts = Experts(database, interactions=interactions, feedback=feedback, platforms=self._experts)
        self._worker = Worker(
            inbox=self._inbox,
            handlers={
                "question": questions,
                REFUSAL: RefusalHandler(limits, self._platforms),
                "feedback": FeedbackHandler(feedback=feedback, interactions=interactions, confirm=self._confirm),
                **experts.handlers(),
                **more.handlers(),
                DELETION: take_deletions(database),
                FORGET: ForgetHandler(database, forgetting, tell=self._tell_forgotten),
                **self._handlers,
            },
            give_up=questions.give_up,
            concurrency=settings.worker_concurrency,
        )

    async def __aenter__(self) -> Self:
        """Open the port, connect to the platforms, and begin to answer.

        Raises:
            ProcessError: the port is taken.
        """
        runner = web.AppRunner(self._app, access_log=None)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, self._settings.host, self._settings.port).start()
        except OSError as error:
            await self._stack.aclose()
            address = f"{self._settings.host}:{self._settings.port}"
            raise ProcessError(f"cannot listen on {address} ({error.strerror}); set PORT to a free one") from error
        for loop in (*self._loops, *self._sockets):
            await loop.start()
            self._stack.push_async_callback(loop.stop)
        await self._worker.start()
        self._stack.push_async_callback(self._worker.stop)
        for recover in self._recoveries:
            await recover(None)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def platforms(self) -> list[str]:
        """Names of the platforms that are served."""
        return sorted(self._platforms)

    async def _find_audience(self, claimed: Claimed) -> list[str]:
        """What everyone who will see the reply may read; where that is one person, their groups count too."""
        if claimed.platform == "web":
            return await self._find_principals(claimed.payload["person"])
        return await self._audiences.find(claimed)

    def _build_watch(self, database: Database, readiness: Readiness) -> Watch:
        """For admins that are told: a watch whose alerts nobody reads is none."""
        connections = [look_at_connection(socket.is_heard) for socket in self._sockets]
        return Watch(Alerts(database), [look_at_model_server(readiness), look_at_inbox(database), *connections])

    def _add_slack(self, side: SlackSide) -> None:
        """What Teams has not: rooms with settings, and missed events."""
        self._find_language["slack"] = side.find_language
        if not self._sockets:
            # A socket asks by itself, once it is connected.
            self._recoveries.append(side.recovery.ask)

    def _add_side(self, name: str, side: SlackSide | TeamsSide) -> None:
        self._platforms[name] = side.platform
        self._handlers |= side.handlers
        self._read_thread[name] = side.read_thread
        self._confirm[name] = side.confirm
        self._loops += side.loops
        self._has_admins = self._has_admins or side.admin is not None
        self._notices[name] = side.notices
        self._find_readers[name] = side.find_readers
        self._learn[name] = side.learn
        self._whispers[name] = side.whispers
        self._tell_forgotten[name] = side.tell_forgotten
        if side.experts:
            self._experts[name] = side.experts
        self._app.add_routes(side.routes())


def _read_limits(settings: Settings) -> QuestionLimits:
    return QuestionLimits(
        person_per_minute=settings.person_questions_per_minute,
        person_waiting=settings.person_questions_waiting,
        workspace_per_minute=settings.workspace_questions_per_minute,
        workspace_waiting=settings.workspace_questions_waiting,
    )
