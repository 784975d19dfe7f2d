"""Everything of Slack, put together: what comes in, what goes out, and how the installation is checked."""

from collections.abc import Mapping, Sequence

from aiohttp import web
from slack_bolt.async_app import AsyncApp

from bot.again import Again
from bot.home import Homes
from bot.inbox import Inbox
from bot.room_settings import RoomSettingsLog
from bot.slack import changes, directory, experts, home, posts, reactions, threads
from bot.slack.api import METHOD_SCOPES, OneToken, SlackApi, SlackError, build_client
from bot.slack.changes import Changes
from bot.slack.commands import Commands
from bot.slack.directory import SlackDirectory
from bot.slack.emoji import Emoji
from bot.slack.events import SlackEvents
from bot.slack.experts import SlackExperts, add_experts
from bot.slack.home import SlackHome
from bot.slack.judgements import Judgements
from bot.slack.posts import add_posts
from bot.slack.reactions import add_reactions
from bot.slack.reply import SlackPlatform
from bot.slack.settings import SET_ROOM, SlackSettings
from bot.slack.socket import SlackSocket
from bot.slack.threads import Threads
from bot.slack.whispers import SlackWhispers
from bot.worker import Handler
from core.consent import Consents
from core.database import Database
from core.directory import Directory
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.prompt import Language
from core.settings import Settings, read_list

# Each event that the manifest subscribes to, and the scope that Slack asks for it.
EVENT_SCOPES = {
    **posts.EVENT_SCOPES,
    **changes.EVENT_SCOPES,
    **threads.EVENT_SCOPES,
    **reactions.EVENT_SCOPES,
    **experts.EVENT_SCOPES,
    **directory.EVENT_SCOPES,
    **home.EVENT_SCOPES,
}
SCOPES = frozenset(
    {
        *filter(None, [*EVENT_SCOPES.values(), *METHOD_SCOPES.values()]),
        *directory.FURTHER_SCOPES,
        # For `/nightbake`; shortcuts need it too.
        "commands",
    }
)


# Questions to begin with, by language.
Prompts = Mapping[Language, Sequence[str]]
NO_PROMPTS: Prompts = {"en": (), "ko": ()}


class SlackSide:
    """Slack as the bot sees it.

    Attributes:
        platform: makes its replies.
        handlers: for events of its own.
        read_thread: gives what people said before a question.
        confirm: follows a vote.
        find_readers: says who will see a reply.
        find_language: says in which language a channel wants our own words.
        tell_erased: tells a person that they are forgotten.
        whispers: tells one person of a room something alone.
        experts: whom a question may be handed to, where there is a channel of theirs.
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
        signing_secret: str | None,
        emoji: Emoji | None = None,
        expert_channel: str | None = None,
        prompts: Prompts = NO_PROMPTS,
    ) -> None:
        self._events = SlackEvents(signing_secret=signing_secret)
        add_posts(self._events, inbox)
        add_reactions(self._events, inbox, emoji or Emoji())
        people = SlackDirectory(api=api, directory=Directory(database))
        people.open_doors(self._events)
        self.find_readers = people.find_readers
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
            prompts=prompts,
        )
        own.open_doors(self._events)
        self.tell_erased = own.tell_erased
        self.whispers = SlackWhispers(api=api, inbox=inbox, base_url=base_url)
        self.whispers.open_doors(self._events)
        changed = Changes(inbox=inbox, database=database)
        changed.open_doors(self._events)
        self.handlers: dict[str, Handler] = {
            "deletion": changed.take_deletion,
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
        self.platform = SlackPlatform(
            api=api,
            interactions=interactions,
            base_url=base_url,
            changes=changed,
            has_experts=expert_channel is not None,
        )

    @property
    def app(self) -> AsyncApp:
        """What Socket Mode hands its events to."""
        return self._events.app

    def routes(self) -> Sequence[web.RouteDef]:
        """The HTTP endpoint, where there is one."""
        return self._events.routes()


def build_side(
    settings: Settings,
    *,
    inbox: Inbox,
    database: Database,
    interactions: Interactions,
    feedback: FeedbackLog,
    again: Again,
    prompts: Prompts = NO_PROMPTS,
) -> tuple[SlackSide, list[SlackSocket]]:
    """Slack by the settings, and the connections of Socket Mode that must be started."""
    assert settings.slack_bot_token
    token, secret = settings.slack_bot_token.get_secret_value(), settings.slack_signing_secret
    side = SlackSide(
        api=SlackApi(OneToken(token)),
        inbox=inbox,
        database=database,
        interactions=interactions,
        feedback=feedback,
        again=again,
        base_url=settings.base_url,
        signing_secret=secret.get_secret_value() if secret else None,
        emoji=Emoji(read_list(settings.slack_emoji_up), read_list(settings.slack_emoji_down)),
        expert_channel=settings.slack_expert_channel,
        prompts=prompts,
    )
    if not settings.slack_app_token:
        return side, []
    app_token = settings.slack_app_token.get_secret_value()
    return side, [SlackSocket(app=side.app, client=build_client(token), app_token=app_token)]


async def check_installation(api: SlackApi) -> list[str]:
    """What is wrong with the installation, in words; empty where token and scopes are right.

    Side effects: one `auth.test`.
    """
    try:
        response = await api.call("", "auth.test")
    except SlackError as error:
        return [f"SLACK_BOT_TOKEN: {error}"]
    listed: str = response.headers.get("x-oauth-scopes", "")
    granted = {scope.strip() for scope in listed.split(",")}
    missing = sorted(SCOPES - granted)
    return [f"the Slack app lacks the scope {scope}; install it again from its manifest" for scope in missing]
