"""Everything of Teams, put together: what comes in, what goes out, and how the registration is checked."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from bot.again import Again
from bot.changes import Changes
from bot.inbox import Inbox
from bot.stops import Stops
from bot.teams.actions import CardActions
from bot.teams.activities import TeamsActivities
from bot.teams.auth import Authentication, LoopbackOnly, TokenCheck
from bot.teams.changes import TeamsChanges
from bot.teams.commands import Commands
from bot.teams.connector import TeamsConnector, build_credentials, build_no_credentials
from bot.teams.experts import TeamsExperts
from bot.teams.extension import Extension
from bot.teams.judgements import Answers, Judgements
from bot.teams.posts import read_thread
from bot.teams.reply import PAUSE_SECONDS, Means, TeamsPlatform
from bot.teams.threads import Threads
from bot.worker import Handler
from core.database import Database
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.prompt import Language
from core.settings import Settings, read_list


class TeamsSide:
    """Teams as the bot sees it.

    Attributes:
        platform: makes its replies.
        handlers: for events of its own.
        read_thread: gives what people said before a question.
        confirm: follows a vote.
        experts: whom a question may be handed to, where there is a channel of theirs.
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
        expert_channel: str | None = None,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._connector = connector
        self._activities = TeamsActivities(authentication=authentication)
        actions = CardActions()
        actions.open_doors(self._activities)
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
        self.experts: TeamsExperts | None = None
        if expert_channel:
            self.experts = TeamsExperts(
                connector=connector, inbox=inbox, database=database, answers=answers, channel=expert_channel
            )
            self.experts.open_doors(actions)
        commands = Commands(
            connector=connector, inbox=inbox, again=again, answers=answers, changes=changed, suggestions=suggestions
        )
        commands.open_doors(self._activities)
        said = Threads(inbox=inbox, database=database, commands=commands, experts=self.experts)
        said.open_doors(self._activities)
        Extension(inbox=inbox).open_doors(self._activities)
        self.read_thread = read_thread
        self.handlers: dict[str, Handler] = commands.handlers()
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
        await self._connector.close()
        await self._activities.close()


def build_side(
    settings: Settings,
    *,
    inbox: Inbox,
    database: Database,
    interactions: Interactions,
    feedback: FeedbackLog,
    again: Again,
    suggestions: Mapping[Language, Sequence[str]],
) -> TeamsSide:
    """Teams by the settings.

    Raises:
        SettingsError: authentication is off where others could reach the port.
    """
    connector, authentication = _build_gates(settings)
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
        expert_channel=settings.teams_expert_channel,
    )


def _build_gates(settings: Settings) -> tuple[TeamsConnector, Authentication]:
    """The way out and the way in; both without credentials only where the setting says so in as many words."""
    if settings.teams_without_authentication:
        return TeamsConnector(app_id="", credentials=build_no_credentials()), LoopbackOnly(host=settings.host)
    assert settings.teams_app_id and settings.teams_app_password and settings.teams_tenant_id
    tenants = read_list(settings.teams_tenant_id)
    password = settings.teams_app_password.get_secret_value()
    connector = TeamsConnector(
        app_id=settings.teams_app_id, credentials=build_credentials(settings.teams_app_id, password, tenants[0])
    )
    return connector, TokenCheck(app_id=settings.teams_app_id, tenants=frozenset(tenants))
