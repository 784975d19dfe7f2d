"""Everything of Slack, put together: what comes in and what goes out."""

from collections.abc import Mapping, Sequence
from urllib.parse import urljoin

from aiohttp import web
from slack_bolt.async_app import AsyncApp

from bot.admin_messages import AdminMessages
from bot.again import Again
from bot.alerts import Alerts
from bot.changes import Changes
from bot.desk import Desk
from bot.home import Homes
from bot.inbox import Inbox
from bot.room_settings import RoomSettingsLog
from bot.slack import admin as admin_channel
from bot.slack import recovery
from bot.slack.admin import AdminChannel
from bot.slack.api import OneToken, SlackApi, Tokens, build_client
from bot.slack.changes import SlackChanges
from bot.slack.commands import Commands
from bot.slack.directory import SlackDirectory
from bot.slack.emoji import Emoji
from bot.slack.events import Kind, SlackEvents
from bot.slack.experts import SlackExperts, add_experts
from bot.slack.history import History
from bot.slack.home import SlackHome
from bot.slack.install import Install
from bot.slack.installations import Installations, Seal
from bot.slack.judgements import Judgements
from bot.slack.line import SlackNotices
from bot.slack.posts import add_posts
from bot.slack.reactions import add_reactions
from bot.slack.recovery import Recovery
from bot.slack.reply import SlackPlatform
from bot.slack.settings import SET_ROOM, SlackSettings
from bot.slack.socket import SlackSocket
from bot.slack.threads import Threads
from bot.slack.whispers import SlackWhispers
from bot.worker import Handler
from core.background import Loop
from core.consent import Consents
from core.database import Database
from core.directory import Directory
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.prompt import Language
from core.serving import Serving
from core.settings import Settings, read_list


class SlackSide:
    """Slack as the bot sees it.

    Attributes:
        loops: what runs beside the answers: connections kept open, posts to admins.
        platform: makes its replies.
        notices: tell people their place in the line.
        handlers: for events of its own.
        read_thread: gives what people said before a question.
        recovery: reads what was missed.
        confirm: follows a vote.
        find_readers: says who will see a reply.
        learn: reads a person, for the web.
        find_language: says in which language a channel wants our own words.
        tell_forgotten: tells a person that they are forgotten.
        whispers: tells one person of a room something alone.
        experts: whom a question may be handed to, where there is a channel of theirs.
        admin: reports, alerts and their buttons, where there is a channel for them.
    """

    def __init__(
        self,
        *,
        api: SlackApi,
        inbox: Inbox,
        database: Database,
        interactions: Interactions,
        feedback: FeedbackLog,
        again: Again,
        base_url: str,
        suggestions: Mapping[Language, Sequence[str]],
        signing_secret: str | None,
        emoji: Emoji | None = None,
        expert_channel: str | None = None,
        admin: AdminChannel | None = None,
        install: Install | None = None,
        history: History | None = None,
    ) -> None:
        self.loops: list[Loop] = [api]
        self._events = SlackEvents(signing_secret=signing_secret)
        add_posts(self._events, inbox)
        add_reactions(self._events, inbox, emoji or Emoji())
        people = SlackDirectory(api=api, directory=Directory(database))
        people.open_doors(self._events)
        self.find_readers = people.find_readers
        self.learn = people.learn
        rooms = SlackSettings(api=api, inbox=inbox, settings=RoomSettingsLog(database), people=people)
        rooms.open_doors(self._events)
        self.find_language = rooms.find_language
        said = Threads(api=api, inbox=inbox, database=database, hears_questions=rooms.hears_questions)
        said.open_doors(self._events)
        self.read_thread = said.read
        Commands(inbox=inbox, open_settings=rooms.open_form).open_doors(self._events)
        own = SlackHome(
            api=api,
            inbox=inbox,
            homes=Homes(database),
            consents=Consents(database),
            interactions=interactions,
            people=people,
            suggestions=suggestions,
        )
        own.open_doors(self._events)
        self.tell_forgotten = own.tell_forgotten
        self.whispers = SlackWhispers(api=api, inbox=inbox, base_url=base_url)
        self.whispers.open_doors(self._events)
        changes = Changes("slack", inbox=inbox, database=database)
        SlackChanges(changes, inbox=inbox, database=database).open_doors(self._events)
        self.recovery = Recovery(events=self._events, history=history or History(api), inbox=inbox, database=database)
        self.handlers: dict[str, Handler] = {
            recovery.KIND: self.recovery.take,
            SET_ROOM: rooms.set_room,
            **own.handlers(),
        }
        judgements = Judgements(
            api=api, inbox=inbox, interactions=interactions, feedback=feedback, again=again, base_url=base_url
        )
        judgements.open_doors(self._events)
        self.confirm = judgements.confirm
        self.experts = SlackExperts(api=api, channel=expert_channel) if expert_channel else None
        if expert_channel:
            add_experts(self._events, inbox, expert_channel)
        self._install = install
        if install:
            install.open_doors(self._events)
        self.admin = admin
        if admin:
            self.loops.append(admin)
            admin.open_doors(self._events)
            self.handlers[admin_channel.KIND] = admin.take
        self.platform = SlackPlatform(
            api=api,
            interactions=interactions,
            base_url=base_url,
            changes=changes,
            has_experts=expert_channel is not None,
        )
        self.notices = SlackNotices(api, self.platform.paces)

    @property
    def app(self) -> AsyncApp:
        """What Socket Mode hands its events to."""
        return self._events.app

    def names(self, kind: Kind) -> set[str]:
        """Names of what is read of a kind, which the manifest must announce."""
        return self._events.names(kind)

    def routes(self) -> Sequence[web.RouteDef]:
        """The HTTP endpoint and the way to install, where there are such."""
        return [*self._events.routes(), *(self._install.routes() if self._install else [])]


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
) -> tuple[SlackSide, list[SlackSocket]]:
    """Slack by the settings, and the connections of Socket Mode that must be started."""
    tokens, install = _build_tokens(settings, database)
    api = SlackApi(tokens, api_url=settings.slack_api_url)
    secret = settings.slack_signing_secret
    side = SlackSide(
        api=api,
        inbox=inbox,
        database=database,
        interactions=interactions,
        feedback=feedback,
        again=again,
        base_url=settings.base_url,
        signing_secret=secret.get_secret_value() if secret else None,
        emoji=Emoji(read_list(settings.slack_emoji_up), read_list(settings.slack_emoji_down)),
        expert_channel=settings.slack_expert_channel,
        admin=_build_admin(settings, api=api, inbox=inbox, database=console, serving=serving),
        install=install,
        suggestions=suggestions,
    )
    if isinstance(tokens, Installations):
        side.loops.append(tokens)
    if not settings.slack_app_token:
        return side, []
    app_token = settings.slack_app_token.get_secret_value()
    # The connection is opened with the app's own token.
    client = build_client("", api_url=settings.slack_api_url)
    return side, [SlackSocket(app=side.app, client=client, app_token=app_token, on_return=side.recovery.ask)]


def build_installations(settings: Settings, database: Database) -> Installations:
    """The store of tokens, where the app is installed by OAuth."""
    assert settings.slack_client_id and settings.slack_client_secret and settings.slack_token_key
    return Installations(
        database,
        Seal(read_list(settings.slack_token_key.get_secret_value())),
        client_id=settings.slack_client_id,
        client_secret=settings.slack_client_secret.get_secret_value(),
        api_url=settings.slack_api_url,
    )


def _build_tokens(settings: Settings, database: Database) -> tuple[Tokens, Install | None]:
    """One token by the settings, or a store of those that workspaces gave."""
    if settings.slack_bot_token:
        return OneToken(settings.slack_bot_token.get_secret_value()), None
    assert settings.slack_client_id and settings.slack_token_key
    installations = build_installations(settings, database)
    install = Install(
        installations,
        keys=read_list(settings.slack_token_key.get_secret_value()),
        client_id=settings.slack_client_id,
        authorize_url=urljoin(settings.slack_api_url, "/oauth/v2/authorize"),
        base_url=settings.base_url,
    )
    return installations, install


def _build_admin(
    settings: Settings, *, api: SlackApi, inbox: Inbox, database: Database, serving: Serving
) -> AdminChannel | None:
    if not settings.slack_admin_channel:
        return None
    team, _, channel = settings.slack_admin_channel.rpartition("/")
    return AdminChannel(
        api=api,
        inbox=inbox,
        messages=AdminMessages(database, "slack"),
        alerts=Alerts(database),
        desk=Desk(database, serving),
        team=team,
        channel=channel,
        admins=read_list(settings.slack_admins),
        language="ko" if settings.slack_admin_language == "ko" else "en",
        base_url=settings.base_url,
    )
