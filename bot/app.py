"""The people's side as one service: inbox, worker, web pages, Slack and Teams, built here and nowhere else."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Self

from aiohttp import web

from bot.again import Again
from bot.alerts import Alerts, Watch
from bot.answer import Answerer, Searcher
from bot.audience import Audiences, FindReaders
from bot.experts import ExpertPlatform, Experts
from bot.forget import FORGET, ForgetHandler, TellForgotten
from bot.handlers import Confirm, FeedbackHandler, FindLanguage, QuestionHandler, ReadThread
from bot.inbox import Claimed, Inbox
from bot.looks import look_at_connection, look_at_inbox, look_at_model_server
from bot.more import More, WhisperPlatform
from bot.reply import Platform
from bot.room_settings import RoomSettingsLog
from bot.signals import Signals
from bot.slack.commands import CommandWork
from bot.slack.side import Loop, build_side
from bot.slack.socket import OnReturn, SlackSocket
from bot.teams import activities as teams_activities
from bot.teams.auth import TokenCheck
from bot.teams.connector import TeamsConnector, build_credentials
from bot.teams.reply import TeamsPlatform
from bot.web.app import build_app
from bot.web.live import Live
from bot.web.night import RunNight
from bot.web.places import FindPrincipals, Places
from bot.web.readiness import Readiness, check_readiness
from bot.web.wording import SUGGESTIONS
from bot.worker import Handler, Worker
from core.adapters import Adapters
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

AUDIENCES = {"teams": teams_activities.find_audience}


class Bot:
    """Enter to serve, leave to stop: pages first, then platforms, then the workers that answer."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        interactions: Interactions,
        feedback: FeedbackLog,
        adapters: Adapters,
        serving: Serving,
        answerer: Answerer,
        places: Places,
        find_principals: FindPrincipals,
        admin_token: str,
        run_night: RunNight | None,
        model_server: ModelServer,
        forgetting: Forgetting,
        suggestions: Mapping[Language, Sequence[str]] = SUGGESTIONS,
    ) -> None:
        self._settings = settings
        self._find_principals = find_principals
        self._stack = AsyncExitStack()
        self._live = Live()
        self._inbox = Inbox(database)
        self._platforms: dict[str, Platform] = {"web": self._live}
        self._handlers: dict[str, Handler] = {}
        self._read_thread: dict[str, ReadThread] = {}
        self._sockets: list[SlackSocket] = []
        self._loops: list[Loop] = []
        self._recoveries: list[OnReturn] = []
        readiness = check_readiness(database, model_server)
        self._confirm: dict[str, Confirm] = {}
        self._experts: dict[str, ExpertPlatform] = {}
        self._find_readers: dict[str, FindReaders] = {}
        self._whispers: dict[str, WhisperPlatform] = {}
        self._find_language: dict[str, FindLanguage] = {}
        self._tell_forgotten: dict[str, TellForgotten] = {}
        self._audiences = Audiences(Access(database), RoomSettingsLog(database), self._find_readers)
        self._app = build_app(
            inbox=self._inbox,
            feedback=feedback,
            live=self._live,
            database=database,
            serving=serving,
            adapters=adapters,
            places=places,
            find_principals=find_principals,
            admin_token=admin_token,
            base_url=settings.base_url,
            run_night=run_night,
            readiness=readiness,
            suggestions=suggestions,
        )
        if settings.has_slack:
            again = Again(database, self._inbox)
            self._add_slack(database, interactions, feedback, again, serving, readiness, answerer.search, suggestions)
        if settings.has_teams:
            self._add_teams(interactions)
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
        )
        experts = Experts(database, interactions=interactions, feedback=feedback, platforms=self._experts)
        self._worker = Worker(
            inbox=self._inbox,
            handlers={
                "question": questions,
                "feedback": FeedbackHandler(feedback=feedback, interactions=interactions, confirm=self._confirm),
                **experts.handlers(),
                **more.handlers(),
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
        person = claimed.payload["person"]
        if claimed.platform == "web":
            return await self._find_principals(person)
        if claimed.platform in self._find_readers:
            return await self._audiences.find(claimed)
        audience = await AUDIENCES[claimed.platform](claimed)
        return await self._find_principals(person) if person in audience else audience

    def _build_watch(self, database: Database, readiness: Readiness) -> Watch:
        """For admins that are told: a watch whose alerts nobody reads is none."""
        connections = [look_at_connection(socket.is_heard) for socket in self._sockets]
        return Watch(Alerts(database), [look_at_model_server(readiness), look_at_inbox(database), *connections])

    def _add_slack(
        self,
        database: Database,
        interactions: Interactions,
        feedback: FeedbackLog,
        again: Again,
        serving: Serving,
        readiness: Readiness,
        search: Searcher,
        prompts: Mapping[Language, Sequence[str]],
    ) -> None:
        side, sockets = build_side(
            self._settings,
            inbox=self._inbox,
            database=database,
            interactions=interactions,
            feedback=feedback,
            again=again,
            serving=serving,
            prompts=prompts,
        )
        base_url = self._settings.base_url
        work = CommandWork(database, search=search, audiences=self._audiences, base_url=base_url)
        self._handlers |= side.handlers | work.handlers()
        self._find_language["slack"] = side.find_language
        self._tell_forgotten["slack"] = side.tell_forgotten
        self._find_readers["slack"] = side.find_readers
        self._whispers["slack"] = side.whispers
        self._read_thread["slack"] = side.read_thread
        self._confirm["slack"] = side.confirm
        self._platforms["slack"] = side.platform
        if side.experts:
            self._experts["slack"] = side.experts
        self._app.add_routes(side.routes())
        self._sockets += sockets
        self._loops += side.loops
        if side.admin:
            self._loops.append(self._build_watch(database, readiness))
        if not sockets:
            # A socket asks by itself, once it is connected.
            self._recoveries.append(side.recovery.ask)

    def _add_teams(self, interactions: Interactions) -> None:
        settings = self._settings
        assert settings.teams_app_id and settings.teams_app_password and settings.teams_tenant_id
        password, tenant = settings.teams_app_password.get_secret_value(), settings.teams_tenant_id
        connector = TeamsConnector(
            app_id=settings.teams_app_id, credentials=build_credentials(settings.teams_app_id, password, tenant)
        )
        check = TokenCheck(app_id=settings.teams_app_id, tenants=frozenset({tenant}))
        activities = teams_activities.TeamsActivities(inbox=self._inbox, authentication=check)
        self._platforms["teams"] = TeamsPlatform(
            connector=connector, interactions=interactions, base_url=settings.base_url
        )
        self._app.add_routes(activities.routes())
        self._stack.push_async_callback(connector.close)
        self._stack.push_async_callback(activities.close)
