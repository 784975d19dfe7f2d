"""Slack's side of the Web API and of Socket Mode, as far as the adapter uses it."""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

BOT_TOKEN = "xoxb-token-of-the-tests"
CLIENT_SECRET = "client-secret-of-the-tests"
SCOPES = ",".join(
    [
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "groups:history",
        "groups:read",
        "im:history",
        "mpim:history",
        "mpim:read",
        "reactions:read",
        "usergroups:read",
        "users:read",
        "users:read.email",
    ]
)


TOKENLESS_METHODS = ("apps.connections.open", "oauth.v2.access", "response_url")


@dataclass
class Call:
    method: str
    arguments: dict[str, Any]
    at: float = field(default_factory=time.monotonic)


class FakeSlack:
    """Records calls and keeps the messages as they stand.

    Attributes:
        messages: arguments of the last post or edit, by `channel:ts`, in order of posting.
        tokens: bot tokens that are valid.
        grants: what `oauth.v2.access` gives, once, for a code or a refresh token.
        teams: workspaces of the organisation.
        peers: ends of the connections that calls came over.
        whispers: arguments of ephemeral messages; `views` are the forms that were opened.
        rate_limits: seconds of `Retry-After` for the next calls of a method.
        errors: Slack's word for the next calls of a method.
        posts: what people said, by `channel:thread_ts`, and outside of threads by `channel`.
        streaming: keys of messages that stream; one that is taken out has expired.
        statuses: last status of each session, by `channel:thread_ts`.
        rooms: what is not as usual about a channel, which is public, with Ann and Bob; `members` among it.
        users: what is not as usual about a user, who is an employee.
        homes: the Home that was published last, by user.
        prompts: suggested questions, by channel.
        responses: what commands were answered.
        groups: user groups, as Slack lists them.
        acknowledged: ids of Socket Mode envelopes that were acknowledged.
        mute: whether Socket Mode says nothing, neither to a new link nor to a ping.
        link_path: where Socket Mode is said to be.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.messages: dict[str, dict[str, Any]] = {}
        self.whispers: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.tokens = {BOT_TOKEN}
        self.grants: dict[str, dict[str, Any]] = {}
        self.teams: list[str] = []
        self.peers: set[Any] = set()
        self.rate_limits: dict[str, list[int]] = {}
        self.errors: dict[str, list[str]] = {}
        self.posts: dict[str, list[dict[str, Any]]] = {}
        self.streaming: set[str] = set()
        self.statuses: dict[str, str] = {}
        self.rooms: dict[str, dict[str, Any]] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.homes: dict[str, dict[str, Any]] = {}
        self.prompts: dict[str, list[dict[str, str]]] = {}
        self.responses: list[dict[str, Any]] = []
        self.groups: list[dict[str, Any]] = []
        self.scopes = SCOPES
        self.acknowledged: list[str] = []
        self.links: list[web.WebSocketResponse] = []
        self.mute = False
        self.link_path = "/link"
        self._times = itertools.count(1)
        app = web.Application()
        app.add_routes(
            [
                web.post("/api/{method}", self._answer),
                web.get("/api/{method}", self._answer),
                web.get("/link", self._link),
            ]
        )
        self._server = TestServer(app)

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None):
        for link in self.links:
            await link.close()
        await self._server.close()

    @property
    def api_url(self) -> str:
        return str(self._server.make_url("/api/"))

    def find_calls(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    async def send(self, envelope_id: str, payload: dict[str, Any]) -> None:
        """Send an event over the newest link."""
        envelope = {
            "type": "events_api",
            "envelope_id": envelope_id,
            "accepts_response_payload": False,
            "retry_attempt": 0,
            "payload": payload,
        }
        await self.links[-1].send_str(json.dumps(envelope))

    async def _answer(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if request.method == "GET":
            arguments = dict(request.query)
        elif request.content_type == "application/json":
            arguments = await request.json()
        else:
            arguments = dict(await request.post())
        self.calls.append(Call(method, arguments))
        self.peers.add(request.transport.get_extra_info("peername") if request.transport else None)
        if waits := self.rate_limits.get(method):
            headers = {"Retry-After": str(waits.pop(0))}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        if words := self.errors.get(method):
            return _refuse(words.pop(0))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if method not in TOKENLESS_METHODS and token not in self.tokens:
            return _refuse("invalid_auth")
        return self._METHODS[method](self, arguments)

    def _test_auth(self, _: dict[str, Any]) -> web.Response:
        answer = {"ok": True, "team_id": "T0HOME", "user_id": "U0BOT", "bot_id": "B0BOT"}
        return web.json_response(answer, headers={"x-oauth-scopes": self.scopes})

    def _post(self, arguments: dict[str, Any]) -> web.Response:
        ts = f"1700000000.{next(self._times):06}"
        self.messages[f"{arguments['channel']}:{ts}"] = arguments
        return web.json_response({"ok": True, "channel": arguments["channel"], "ts": ts})

    def _update(self, arguments: dict[str, Any]) -> web.Response:
        key = f"{arguments['channel']}:{arguments['ts']}"
        if key not in self.messages:
            return _refuse("message_not_found")
        if key in self.streaming:
            return _refuse("streaming_state_conflict")
        self.messages[key] = self.messages[key] | arguments | {"streamed": ""}
        return web.json_response({"ok": True, "channel": arguments["channel"], "ts": arguments["ts"]})

    def _post_ephemeral(self, arguments: dict[str, Any]) -> web.Response:
        self.whispers.append(arguments)
        return web.json_response({"ok": True, "message_ts": f"1700000000.{next(self._times):06}"})

    def _open_view(self, arguments: dict[str, Any]) -> web.Response:
        self.views.append(arguments["view"])
        return web.json_response({"ok": True, "view": {**arguments["view"], "id": f"V{len(self.views)}"}})

    def _get_permalink(self, arguments: dict[str, Any]) -> web.Response:
        link = f"https://home.slack.example/archives/{arguments['channel']}/p{arguments['message_ts'].replace('.', '')}"
        return web.json_response({"ok": True, "permalink": link})

    def _delete(self, arguments: dict[str, Any]) -> web.Response:
        if self.messages.pop(f"{arguments['channel']}:{arguments['ts']}", None) is None:
            return _refuse("message_not_found")
        return web.json_response({"ok": True})

    def _start_stream(self, arguments: dict[str, Any]) -> web.Response:
        if not (arguments.get("recipient_user_id") and arguments.get("recipient_team_id")):
            return _refuse("missing_recipient_user_id")
        ts = f"1700000000.{next(self._times):06}"
        key = f"{arguments['channel']}:{ts}"
        self.messages[key] = {
            "thread_ts": arguments["thread_ts"],
            "text": "",
            "blocks": [],
            "streamed": _read_chunks(arguments),
        }
        self.streaming.add(key)
        return web.json_response({"ok": True, "channel": arguments["channel"], "ts": ts})

    def _append_stream(self, arguments: dict[str, Any]) -> web.Response:
        key = f"{arguments['channel']}:{arguments['ts']}"
        if key not in self.messages:
            return _refuse("message_not_found")
        if key not in self.streaming:
            return _refuse("message_not_in_streaming_state")
        self.messages[key]["streamed"] += _read_chunks(arguments)
        return web.json_response({"ok": True})

    def _stop_stream(self, arguments: dict[str, Any]) -> web.Response:
        key = f"{arguments['channel']}:{arguments['ts']}"
        response = self._append_stream(arguments)
        if key in self.messages and key in self.streaming:
            self.streaming.discard(key)
            self.messages[key]["blocks"] = arguments.get("blocks", [])
            self.statuses[f"{arguments['channel']}:{self.messages[key]['thread_ts']}"] = arguments["session_status"]
        return response

    def _read_replies(self, arguments: dict[str, Any]) -> web.Response:
        first, *others = self.posts.get(f"{arguments['channel']}:{arguments['ts']}", [{}])
        since = [post for post in others if float(post["ts"]) >= float(arguments.get("oldest") or 0)]
        said = [first, *since] if first else []
        return web.json_response({"ok": True, "messages": said[: int(arguments["limit"])], "has_more": False})

    def _read_history(self, arguments: dict[str, Any]) -> web.Response:
        """Newest first, two a page."""
        said = sorted(self.posts.get(arguments["channel"], []), key=lambda post: float(post["ts"]), reverse=True)
        since = [post for post in said if float(post["ts"]) >= float(arguments["oldest"])]
        start = int(arguments.get("cursor") or 0)
        page, following = since[start : start + 2], since[start + 2 :]
        answer: dict[str, Any] = {"ok": True, "messages": page, "has_more": bool(following)}
        if following:
            answer["response_metadata"] = {"next_cursor": str(start + 2)}
        return web.json_response(answer)

    def _tell_room(self, arguments: dict[str, Any]) -> web.Response:
        channel = arguments["channel"]
        told = {"id": channel, "is_private": channel[0] != "C", "is_mpim": channel[0] == "G", "creator": "U0ANN"}
        return web.json_response({"ok": True, "channel": told | self.rooms.get(channel, {})})

    def _list_members(self, arguments: dict[str, Any]) -> web.Response:
        members = self.rooms.get(arguments["channel"], {}).get("members", ["U0ANN", "U0BOB", "U0BOT"])
        return _page("members", members, arguments)

    def _tell_user(self, arguments: dict[str, Any]) -> web.Response:
        return web.json_response({"ok": True, "user": self.build_user(arguments["user"])})

    def _list_users(self, arguments: dict[str, Any]) -> web.Response:
        return _page("members", [self.build_user(user) for user in self.users], arguments)

    def build_user(self, user: str) -> dict[str, Any]:
        told = {"id": user, "team_id": "T0HOME", "deleted": False, "is_restricted": False, "is_ultra_restricted": False}
        told |= {"is_bot": user == "U0BOT", "updated": 1700000000, "profile": {"email": f"{user}@Home.Example"}}
        return told | self.users.get(user, {})

    def _publish_home(self, arguments: dict[str, Any]) -> web.Response:
        self.homes[arguments["user_id"]] = arguments["view"]
        return web.json_response({"ok": True, "view": arguments["view"]})

    def _set_prompts(self, arguments: dict[str, Any]) -> web.Response:
        assert "thread_ts" not in arguments, "with a thread it fails without a word"
        self.prompts[arguments["channel_id"]] = arguments["prompts"]
        return web.json_response({"ok": True})

    def _respond(self, arguments: dict[str, Any]) -> web.Response:
        assert arguments["response_type"] == "ephemeral"
        self.responses.append(arguments)
        return web.Response(text="ok")

    def _list_groups(self, _: dict[str, Any]) -> web.Response:
        return web.json_response({"ok": True, "usergroups": self.groups})

    def _set_status(self, _: dict[str, Any]) -> web.Response:
        return web.json_response({"ok": True})

    def _set_session(self, arguments: dict[str, Any]) -> web.Response:
        self.statuses[f"{arguments['channel_id']}:{arguments['thread_ts']}"] = arguments["status"]
        return web.json_response({"ok": True})

    def _give(self, arguments: dict[str, Any]) -> web.Response:
        grant = self.grants.pop(arguments.get("code") or arguments.get("refresh_token") or "", None)
        if grant is None or arguments["client_secret"] != CLIENT_SECRET:
            return _refuse("invalid_code")
        self.tokens.add(grant["access_token"])
        return web.json_response({"ok": True, "token_type": "bot", **grant})

    def _list_teams(self, _: dict[str, Any]) -> web.Response:
        return web.json_response({"ok": True, "teams": [{"id": team, "name": team} for team in self.teams]})

    def _open_connection(self, _: dict[str, Any]) -> web.Response:
        address = str(self._server.make_url(self.link_path)).replace("http://", "ws://")
        return web.json_response({"ok": True, "url": address})

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        link = web.WebSocketResponse(autoping=not self.mute)
        await link.prepare(request)
        self.links.append(link)
        if not self.mute:
            await link.send_str(json.dumps({"type": "hello", "num_connections": 1}))
        async for message in link:
            if message.type is WSMsgType.TEXT:
                self.acknowledged.append(json.loads(message.data)["envelope_id"])
                await asyncio.sleep(0)
        return link

    _METHODS = {  # noqa: RUF012
        "agents.sessions.setStatus": _set_session,
        "assistant.threads.setSuggestedPrompts": _set_prompts,
        "assistant.threads.setStatus": _set_status,
        "auth.teams.list": _list_teams,
        "auth.test": _test_auth,
        "chat.appendStream": _append_stream,
        "chat.delete": _delete,
        "chat.startStream": _start_stream,
        "chat.stopStream": _stop_stream,
        "chat.postMessage": _post,
        "chat.update": _update,
        "conversations.history": _read_history,
        "conversations.info": _tell_room,
        "conversations.members": _list_members,
        "conversations.replies": _read_replies,
        "usergroups.list": _list_groups,
        "users.info": _tell_user,
        "users.list": _list_users,
        "chat.getPermalink": _get_permalink,
        "chat.postEphemeral": _post_ephemeral,
        "oauth.v2.access": _give,
        "response_url": _respond,
        "views.open": _open_view,
        "views.publish": _publish_home,
        "apps.connections.open": _open_connection,
    }


def read_message(message: dict[str, Any]) -> str:
    """The words a person sees, without the small grey lines."""
    texts = [block["text"] for block in message["blocks"] if block["type"] in ("markdown", "section")]
    return "\n".join(
        filter(
            None, [message.get("streamed", ""), *(text["text"] if isinstance(text, dict) else text for text in texts)]
        )
    )


def _read_chunks(arguments: dict[str, Any]) -> str:
    return "".join(chunk["text"] for chunk in arguments.get("chunks", []) if chunk["type"] == "markdown_text")


def _page(name: str, rows: list[Any], arguments: dict[str, Any]) -> web.Response:
    start, limit = int(arguments.get("cursor") or 0), int(arguments["limit"])
    further = str(start + limit) if start + limit < len(rows) else ""
    told = {"ok": True, name: rows[start : start + limit], "response_metadata": {"next_cursor": further}}
    return web.json_response(told)


def _refuse(word: str) -> web.Response:
    return web.json_response({"ok": False, "error": word})
