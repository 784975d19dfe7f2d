"""Everything of Teams, put together: what comes in, what goes out, and how the registration is checked."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.admin_messages import AdminMessages
from bot.again import Again
from bot.alerts import Alerts
from bot.better import BetterAnswers
from bot.changes import Changes
from bot.desk import Desk
from bot.inbox import Inbox
from bot.stops import Stops
from bot.teams import admin as admin_chat
from bot.teams.actions import CardActions
from bot.teams.activities import TeamsActivities
from bot.teams.admin import AdminChat
from bot.teams.auth import Authentication, LoopbackOnly, TokenCheck
from bot.teams.changes import TeamsChanges
from bot.teams.clouds import CLOUDS, PUBLIC, Cloud
from bot.teams.commands import Commands
from bot.teams.connector import TeamsConnector, build_credentials, build_no_credentials
from bot.teams.directory import TeamsDirectory
from bot.teams.experts import TeamsExperts
from bot.teams.extension import Extension
from bot.teams.graph import Graph, build_graph
from bot.teams.groups_file import load_groups
from bot.teams.judgements import Answers, Judgements
from bot.teams.line import TeamsNotices
from bot.teams.news import News
from bot.teams.own import Own
from bot.teams.posts import read_thread
from bot.teams.reply import PAUSE_SECONDS, Means, TeamsPlatform
from bot.teams.threads import Threads
from bot.teams.whispers import TeamsWhispers
from bot.worker import Handler
from core.background import Loop
from core.database import Database
from core.directory import Directory
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.prompt import Language
from core.serving import Serving
from core.settings import Settings, read_list


class TeamsSide:
    """Teams as the bot sees it.

    Attributes:
        loops: what runs beside the answers.
        connector: the way out.
        platform: makes its replies.
        notices: tell people their place in the line.
        handlers: for events of its own.
        read_thread: gives what people said before a question.
        confirm: follows a vote.
        find_readers: says who will see a reply.
        learn: reads a person, for the web.
        tell_forgotten: tells a person that they are forgotten.
        whispers: tells one person of a room something alone.
        experts: whom a question may be handed to, where there is a channel of theirs.
        admin: reports, alerts and their buttons, where there is a chat for them.
    """

    def __init__(
        self,
        *,
        connector: TeamsConnector,
        authentication: Authentication,
        inbox: Inbox,
        database: Database,
        interactions: Interactions,
        feedback: FeedbackLog,
        again: Again,
        base_url: str,
        suggestions: Mapping[Language, Sequence[str]],
        people: TeamsDirectory,
        cloud: Cloud = PUBLIC,
        expert_channel: str | None = None,
        admin: AdminChat | None = None,
        news: News | None = None,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self.loops: list[Loop] = [news] if news else []
        self.connector = connector
        self._people = people
        self.find_readers = people.find_readers
        self.learn = people.learn
        self._activities = TeamsActivities(authentication=authentication)
        actions = CardActions()
        actions.open_doors(self._activities)
        people.open_doors(self._activities)
        changes, stops = Changes("teams", inbox=inbox, database=database), Stops(database)
        changed = TeamsChanges(changes)
        changed.open_doors(self._activities)
        answers = Answers(database=database, interactions=interactions)
        judgements = Judgements(
            connector=connector,
            inbox=inbox,
            interactions=interactions,
            feedback=feedback,
            again=again,
            answers=answers,
            stops=stops,
            base_url=base_url,
        )
        judgements.open_doors(self._activities, actions)
        self.confirm = judgements.confirm
        self.whispers = TeamsWhispers(
            connector=connector,
            inbox=inbox,
            database=database,
            interactions=interactions,
            answers=answers,
            base_url=base_url,
        )
        self.whispers.open_doors(actions)
        self.experts: TeamsExperts | None = None
        if expert_channel:
            self.experts = TeamsExperts(
                connector=connector,
                inbox=inbox,
                database=database,
                answers=answers,
                channel=expert_channel,
                client_url=cloud.client_url,
            )
            self.experts.open_doors(actions)
        own = Own(
            connector=connector,
            inbox=inbox,
            database=database,
            interactions=interactions,
            find_readers=self.find_readers,
        )
        own.open_doors(actions)
        self.tell_forgotten = own.tell_forgotten
        commands = Commands(
            connector=connector,
            inbox=inbox,
            again=again,
            answers=answers,
            changes=changed,
            own=own,
            suggestions=suggestions,
        )
        commands.open_doors(self._activities)
        said = Threads(inbox=inbox, database=database, commands=commands, experts=self.experts)
        said.open_doors(self._activities)
        Extension(inbox=inbox).open_doors(self._activities)
        self.read_thread = read_thread
        self.handlers: dict[str, Handler] = {**commands.handlers(), **own.handlers()}
        self.admin = admin
        if admin:
            self.loops.append(admin)
            admin.open_doors(actions)
            self.handlers[admin_chat.KIND] = admin.take
        self.notices = TeamsNotices(connector)
        self.platform = TeamsPlatform(
            Means(
                connector=connector,
                interactions=interactions,
                changes=changes,
                stops=stops,
                base_url=base_url,
                has_experts=expert_channel is not None,
                pause_seconds=pause_seconds,
            )
        )

    def routes(self) -> Sequence[web.RouteDef]:
        """The messaging endpoint."""
        return self._activities.routes()

    async def close(self) -> None:
        """Release connections."""
        await self.connector.close()
        await self._activities.close()
        await self._people.close()


def build_side(
    settings: Settings,
    *,
    inbox: Inbox,
    database: Database,
    console: Database,
    interactions: Interactions,
    feedback: FeedbackLog,
    again: Again,
    serving: Serving,
    suggestions: Mapping[Language, Sequence[str]],
) -> TeamsSide:
    """Teams by the settings.

    Raises:
        SettingsError: authentication is off where others could reach the port.
    """
    connector, authentication = _build_gates(settings)
    people = TeamsDirectory(
        connector=connector,
        directory=Directory(database),
        tenants=read_list(settings.teams_tenant_id or ""),
        graph=build_tenant_graph(settings),
        groups=load_groups(settings.teams_groups_file),
    )
    return TeamsSide(
        connector=connector,
        authentication=authentication,
        inbox=inbox,
        database=database,
        interactions=interactions,
        feedback=feedback,
        again=again,
        base_url=settings.base_url,
        suggestions=suggestions,
        people=people,
        cloud=CLOUDS[settings.teams_cloud],
        expert_channel=settings.teams_expert_channel,
        admin=_build_admin(
            settings, connector=connector, people=people, inbox=inbox, database=console, serving=serving
        ),
        news=News(
            connector=connector,
            answers=BetterAnswers(database, "teams"),
            zone=ZoneInfo(settings.night_time_zone),
        ),
    )


def _build_admin(
    settings: Settings,
    *,
    connector: TeamsConnector,
    people: TeamsDirectory,
    inbox: Inbox,
    database: Database,
    serving: Serving,
) -> AdminChat | None:
    if not settings.teams_admin_chat:
        return None
    return AdminChat(
        connector=connector,
        inbox=inbox,
        find_person=people.find_person,
        messages=AdminMessages(database, "teams"),
        alerts=Alerts(database),
        desk=Desk(database, serving),
        chat=settings.teams_admin_chat,
        admins=read_list(settings.teams_admins),
        language="ko" if settings.teams_admin_language == "ko" else "en",
        app_id=settings.teams_app_id or "",
        service_url=settings.teams_service_url or CLOUDS[settings.teams_cloud].service_url or "",
        base_url=settings.base_url,
    )


def build_tenant_graph(settings: Settings) -> Graph | None:
    """Microsoft Graph of the registration's tenant, where it may be asked."""
    if not (settings.teams_graph and settings.teams_app_id and settings.teams_app_password):
        return None
    tenant = read_list(settings.teams_tenant_id or "")[0]
    password = settings.teams_app_password.get_secret_value()
    cloud = CLOUDS[settings.teams_cloud]
    return build_graph(cloud, tenant=tenant, app_id=settings.teams_app_id, password=password)


def _build_gates(settings: Settings) -> tuple[TeamsConnector, Authentication]:
    """The way out and the way in; both without credentials only where the setting says so in as many words."""
    if settings.teams_without_authentication:
        return TeamsConnector(app_id="", credentials=build_no_credentials()), LoopbackOnly(host=settings.host)
    assert settings.teams_app_id and settings.teams_app_password and settings.teams_tenant_id
    tenants = read_list(settings.teams_tenant_id)
    password = settings.teams_app_password.get_secret_value()
    cloud = CLOUDS[settings.teams_cloud]
    credentials = build_credentials(settings.teams_app_id, password, tenants[0], cloud)
    connector = TeamsConnector(app_id=settings.teams_app_id, credentials=credentials)
    return connector, TokenCheck(app_id=settings.teams_app_id, tenants=frozenset(tenants), cloud=cloud)
