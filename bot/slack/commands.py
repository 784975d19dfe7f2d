"""`/nightbake ask|search|help|status|settings|forget-me`, and the message shortcut "Answer this"."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.answer import Searcher
from bot.audience import Audiences
from bot.inbox import Claimed, Event, Inbox, Kind
from bot.phrases import say
from bot.slack.events import SlackEvents, find_team
from bot.slack.names import name_person
from bot.slack.posts import read_text, read_time
from bot.slack.render_command import render_found, say_command
from bot.slack.render_home import render_forget, say_home
from bot.slack.whispers import send_response
from bot.standing import Standings
from bot.worker import Handler
from core.database import Database
from core.prompt import detect_language

COMMAND = "/nightbake"
COMMAND_USAGE = "ask QUESTION | search WORDS | status | settings | forget-me | help"
# Callback id of the shortcut in a message's menu, and its name there.
ANSWER_THIS, ANSWER_THIS_NAME = "answer_this", "Answer this"

SEARCH, STATUS = "search", "status"
SEARCH_PASSAGES = 5
NEEDING_WORDS = {"ask", "search"}

# Opens the settings of a channel; what Slack shall be told.
OpenSettings = Callable[[dict[str, Any]], Awaitable[str | None]]


class Commands:
    """Takes commands and shortcuts. What is read or asked happens in the worker, by the person's own rights."""

    def __init__(self, *, inbox: Inbox, open_settings: OpenSettings) -> None:
        self._inbox = inbox
        self._open_settings = open_settings

    def open_doors(self, events: SlackEvents) -> None:
        """Take both."""
        events.on("command", COMMAND, self._receive_command)
        events.on("shortcut", ANSWER_THIS, self._receive_shortcut)

    async def _receive_command(self, body: dict[str, Any]) -> dict[str, Any] | str | None:
        text = read_text(body.get("text") or "", None)
        word, _, rest = text.partition(" ")
        language = detect_language(text)
        match word.lower() if rest.strip() or word.lower() not in NEEDING_WORDS else None:
            case None:
                return say_command("ask_what", language)
            case "ask":
                await self._store("question", body, rest.strip())
                return say("reading", detect_language(rest))
            case "search" | "status" as kind:
                return await self._store(kind, body, rest.strip())
            case "settings":
                return await self._open_settings(body)
            case "forget-me":
                return {"text": say_home("forget_text", language), "blocks": render_forget(language)}
            case _:
                return say_command("help", language)

    async def _store(self, kind: Kind, body: Mapping[str, Any], text: str) -> None:
        team, user, trigger = find_team(body), body["user_id"], body["trigger_id"]
        payload = {
            "text": text,
            "team": team,
            "person": name_person(team, user),
            "channel": body["channel_id"],
            "thread_ts": trigger,
            "ts": trigger,
            "direct": True,
            "private": True,
            "external": False,
            "response_url": body["response_url"],
        }
        key = f"slack:{team}:{body['channel_id']}:command:{trigger}"
        await self._inbox.receive(Event("slack", f"command:{trigger}", key, kind, payload))

    async def _receive_shortcut(self, body: dict[str, Any]) -> None:
        """The chosen message as a question of the one who chose it, answered in its thread for everyone there."""
        message, channel = body["message"], body["channel"]["id"]
        team, ts = find_team(body), message["ts"]
        thread_ts = message.get("thread_ts") or ts
        is_direct = channel.startswith("D")
        payload = {
            "text": read_text(message.get("text") or "", None),
            "team": team,
            "person": name_person(team, body["user"]["id"]),
            "user_team": body["user"].get("team_id") or team,
            "room": "im" if is_direct else None,
            "channel": channel,
            "thread_ts": thread_ts,
            "ts": ts,
            "said_at": read_time(ts).isoformat(),
            "direct": is_direct,
            "external": False,
        }
        key = f"slack:{team}:{channel}:{thread_ts}"
        await self._inbox.receive(Event("slack", f"answer:{channel}:{ts}", key, "question", payload))


class CommandWork:
    """What the worker does for commands, beside answering."""

    def __init__(self, database: Database, *, search: Searcher, audiences: Audiences, base_url: str) -> None:
        self._search = search
        self._audiences = audiences
        self._standings = Standings(database)
        self._base_url = base_url

    def handlers(self) -> dict[Kind, Handler]:
        """What the worker does with each kind of event."""
        return {SEARCH: self.search, STATUS: self.say_status}

    async def search(self, claimed: Claimed) -> None:
        """List the passages found, without a model's word."""
        question = claimed.payload["text"]
        principals = await self._audiences.find(claimed)
        found = await self._search.find(question, principals, limit=SEARCH_PASSAGES)
        text, blocks = render_found(question, found.passages, self._base_url, detect_language(question))
        await send_response(claimed.payload["response_url"], text, blocks)

    async def say_status(self, claimed: Claimed) -> None:
        """What answers, how much the person may read, and what they allow."""
        language = detect_language(claimed.payload["text"])
        principals = await self._audiences.find(claimed)
        lines = await self._standings.describe(claimed.payload["person"], principals, language)
        await send_response(claimed.payload["response_url"], "\n".join(lines))
