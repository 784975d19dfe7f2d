"""Teams' side: the Bot Connector that takes our messages, and the key server behind its tokens."""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field, replace
from functools import cache
from types import TracebackType
from typing import Any, Self

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from bot.teams.clouds import PUBLIC, Cloud

APP_ID = "11111111-aaaa-4444-8888-000000000001"
TENANT = "22222222-bbbb-4444-8888-000000000002"
ISSUER = "https://api.botframework.com"
# About what Teams takes of one message.
MESSAGE_BYTES = 80_000
STOPPED, TIMED_OUT = "Content stream was canceled by user.", "Content stream finished due to exceeded streaming time."


def make_member(name: str, number: int, **further: Any) -> dict[str, Any]:
    """A member as the Connector tells of them; the directory's id is `objectId` there."""
    identifier = f"{number}" * 8
    account = f"{identifier}-cccc-4444-8888-{number:012}"
    mail = f"{name.lower()}@example.com"
    own = {"id": f"29:1{name.lower()}", "name": name, "objectId": account, "email": mail, "userPrincipalName": mail}
    return own | {"tenantId": TENANT, "userRole": "user"} | further


# Everybody of the recorded activities.
PEOPLE = [make_member("Ann", 3), make_member("Bob", 4), make_member("Eve", 5)]


@dataclass
class Call:
    method: str
    path: str
    activity: dict[str, Any]
    authorization: str | None


@dataclass
class Stream:
    """A streamed message: its last number and text, and why it takes no more."""

    sequence: int = 1
    text: str = ""
    ended: str | None = None
    last_at: float = field(default_factory=time.monotonic)


class FakeTeams:
    """Records calls and keeps the messages as they stand; holds streams to Teams' rules.

    Attributes:
        messages: the last form of each message, by `conversation|id`, in order of posting.
        streams: by the same key; a stream is ended from outside by `end_streams`.
        faults: why pieces of streams were refused.
        typing: conversations in which we were seen to type.
        statuses: HTTP statuses of the next calls, or a status with its Retry-After; 0 lets a message through.
        stream_seconds: at least so long between two pieces of a stream.
        keys: what the key server publishes, by key id.
        key_status: what the key server answers with.
        key_seconds: how long it takes.
        key_requests: how often the keys were fetched.
        rosters: members by conversation, or the status that asking for them is answered with; of any other
            conversation `PEOPLE` are the members.
        roster_requests: conversations whose members were asked for.
        page_size: of members that are listed at once.
        knows_accounts: whether a person is found by the directory's id too.
        knows_everybody: whether whoever is asked for is a member.
        chat_status: what opening a chat with one person is answered with.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.messages: dict[str, dict[str, Any]] = {}
        self.streams: dict[str, Stream] = {}
        self.faults: list[str] = []
        self.typing: list[str] = []
        self.statuses: list[int | tuple[int, int]] = []
        self.stream_seconds = 0.0
        self.keys: dict[str, dict[str, Any]] = {"key-1": publish("key-1")}
        self.key_status = 200
        self.key_seconds = 0.0
        self.key_requests = 0
        self.rosters: dict[str, list[dict[str, Any]] | int] = {}
        self.roster_requests: list[str] = []
        self.page_size = 500
        self.knows_accounts = True
        self.knows_everybody = False
        self.chat_status = 201
        self._numbers = itertools.count(1)
        app = web.Application()
        activities = "/connector/v3/conversations/{conversation}/activities"
        app.add_routes(
            [
                web.get("/openid", self._describe),
                web.get("/keys", self._publish),
                web.post(activities, self._post),
                web.post(activities + "/{id}", self._post),
                web.put(activities + "/{id}", self._update),
                web.delete(activities + "/{id}", self._delete),
                web.post("/connector/v3/conversations", self._open_chat),
                web.get("/connector/v3/conversations/{conversation}/pagedmembers", self._list_members),
                web.get("/connector/v3/conversations/{conversation}/members/{member}", self._find_member),
            ]
        )
        self._server = TestServer(app)

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None):
        await self._server.close()

    @property
    def service_url(self) -> str:
        return str(self._server.make_url("/connector/"))

    @property
    def openid_url(self) -> str:
        return str(self._server.make_url("/openid"))

    @property
    def cloud(self) -> Cloud:
        """The public cloud with this key server."""
        return replace(PUBLIC, openid_url=self.openid_url)

    @property
    def said(self) -> dict[str, dict[str, Any]]:
        """The messages that have words, without those that are a card only."""
        return {key: message for key, message in self.messages.items() if message.get("text")}

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """Those of all cards that stand."""
        return [action for message in self.messages.values() for action in read_actions(message)]

    async def was_asked_for_members(self) -> bool:
        """Whether anybody asked for members of a conversation yet."""
        return bool(self.roster_requests)

    async def _describe(self, _: web.Request) -> web.Response:
        return web.json_response({"issuer": ISSUER, "jwks_uri": str(self._server.make_url("/keys"))})

    async def _publish(self, _: web.Request) -> web.Response:
        self.key_requests += 1
        await asyncio.sleep(self.key_seconds)
        return web.json_response({"keys": list(self.keys.values())}, status=self.key_status)

    def end_streams(self, why: str) -> None:
        """Let the streams under way take no more, by a person's Stop or by Teams' clock."""
        for stream in self.streams.values():
            stream.ended = stream.ended or why

    async def _post(self, request: web.Request) -> web.Response:
        activity = await self._record(request)
        if self.statuses and (status := self.statuses.pop(0)):
            return _refuse(status)
        conversation = request.match_info["conversation"]
        if stream := next((one for one in activity.get("entities", []) if one["type"] == "streaminfo"), None):
            return self._take_piece(conversation, activity, stream)
        if activity["type"] == "typing":
            self.typing.append(conversation)
            return web.json_response({}, status=202)
        if len(json.dumps(activity, ensure_ascii=False).encode()) > MESSAGE_BYTES:
            return _refuse(413)
        if is_split(activity):
            # Teams makes several messages of it and tells the id of none.
            for part in [{"text": activity.get("text")}, *({"attachments": [one]} for one in activity["attachments"])]:
                self.messages[f"{conversation}|17000000000{next(self._numbers):02}"] = activity | part
            return web.Response(status=202)
        number = f"17000000000{next(self._numbers):02}"
        self.messages[f"{conversation}|{number}"] = activity
        return web.json_response({"id": number}, status=201)

    def _take_piece(self, conversation: str, activity: dict[str, Any], entity: dict[str, Any]) -> web.Response:
        text, kind, stream_id = activity.get("text") or "", entity["streamType"], entity.get("streamId")
        key = f"{conversation}|{stream_id or f'17000000000{next(self._numbers):02}'}"
        if stream_id and key not in self.streams:
            return _refuse(404)
        stream = self.streams.get(key) or Stream()
        if fault := self._find_fault(stream, conversation, activity, entity):
            self.faults.append(fault[1])
            return _refuse(*fault)
        if kind == "final":
            stream.ended = "Content stream is not allowed on an already completed streamed message"
        stream.sequence += 1
        stream.last_at = time.monotonic()
        stream.text = text if kind != "informative" else ""
        self.streams[key], self.messages[key] = stream, activity
        return web.json_response({} if stream_id else {"id": key.rpartition("|")[2]}, status=202 if stream_id else 201)

    def _find_fault(
        self, stream: Stream, conversation: str, activity: dict[str, Any], entity: dict[str, Any]
    ) -> tuple[int | tuple[int, int], str] | None:
        """The rule that a piece breaks, as Teams answers it."""
        is_final, is_typing = entity["streamType"] == "final", activity["type"] == "typing"
        is_numbered = "streamSequence" not in entity if is_final else entity.get("streamSequence") == stream.sequence
        is_early = stream.sequence > 1 and time.monotonic() - stream.last_at < self.stream_seconds
        grows = (activity.get("text") or "").startswith(stream.text)
        rules: list[tuple[bool, int | tuple[int, int], str]] = [
            (not conversation.startswith("a:"), 403, "Content stream is not allowed"),
            (not activity.get("text"), 400, "Start streaming activities should include text"),
            (stream.ended is not None, 403, stream.ended or ""),
            (is_early, (429, 1), "API calls quota exceeded"),
            (not grows, 400, "Request streamed content should contain the previously streamed content"),
            (not is_numbered or is_typing == is_final, 400, "pieces are typing and numbered, the final one neither"),
        ]
        return next(((status, message) for broken, status, message in rules if broken), None)

    async def _update(self, request: web.Request) -> web.Response:
        activity = await self._record(request)
        key = f"{request.match_info['conversation']}|{request.match_info['id']}"
        if self.statuses:
            return _refuse(self.statuses.pop(0))
        if key not in self.messages:
            return _refuse(404)
        if (stream := self.streams.get(key)) and not stream.ended:
            return _refuse(403, "the message is streaming")
        if is_split(activity):
            return _refuse(400, "Activity resulted into multiple skype activities")
        self.messages[key] = activity
        return web.json_response({"id": request.match_info["id"]})

    async def _delete(self, request: web.Request) -> web.Response:
        key = f"{request.match_info['conversation']}|{request.match_info['id']}"
        return web.json_response({}) if self.messages.pop(key, None) else _refuse(404)

    async def _open_chat(self, request: web.Request) -> web.Response:
        parameters = await self._record(request)
        if self.statuses:
            return _refuse(self.statuses.pop(0))
        if self.chat_status >= 400:
            return _refuse(self.chat_status)
        return web.json_response({"id": f"a:chat-{parameters['members'][0]['id']}"}, status=201)

    async def _list_members(self, request: web.Request) -> web.Response:
        members = self._find_roster(request)
        if isinstance(members, int):
            return _refuse(members)
        start = int(request.query.get("continuationToken") or 0)
        following = start + self.page_size
        more = {"continuationToken": str(following)} if following < len(members) else {}
        return web.json_response({"members": members[start:following], **more})

    async def _find_member(self, request: web.Request) -> web.Response:
        members, wanted = self._find_roster(request), request.match_info["member"]
        if isinstance(members, int):
            return _refuse(members)
        names = ("id", "objectId") if self.knows_accounts else ("id",)
        found = next((one for one in members if wanted in [one.get(name) for name in names]), None)
        if found is None and self.knows_everybody:
            found = make_member("Ann", 3, objectId=wanted)
        return web.json_response(found) if found else _refuse(404)

    def _find_roster(self, request: web.Request) -> list[dict[str, Any]] | int:
        if self.statuses:
            status = self.statuses.pop(0)
            return status if isinstance(status, int) else status[0]
        conversation = request.match_info["conversation"]
        self.roster_requests.append(conversation)
        return self.rosters.get(conversation, PEOPLE)

    async def _record(self, request: web.Request) -> dict[str, Any]:
        activity = await request.json()
        self.calls.append(Call(request.method, request.path, activity, request.headers.get("Authorization")))
        return activity


def read_actions(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The buttons of a message's cards."""
    cards = [attached["content"] for attached in message.get("attachments", [])]
    inner = [element for card in cards for element in card["body"] if element["type"] == "ActionSet"]
    return [action for holder in (*cards, *inner) for action in holder.get("actions", [])]


def is_split(activity: dict[str, Any]) -> bool:
    """Whether Teams makes more than one message of it."""
    return len(activity.get("attachments") or []) + bool(activity.get("text")) > 1


def _refuse(status: int | tuple[int, int], message: str = "refused") -> web.Response:
    code, headers = (status, {}) if isinstance(status, int) else (status[0], {"Retry-After": str(status[1])})
    error = {"code": "ServiceError" if message == "refused" else "ContentStreamNotAllowed", "message": message}
    return web.json_response({"error": error}, status=code, headers=headers)


@cache
def make_key(key_id: str) -> RSAPrivateKey:
    """A key pair of this test run."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def publish(key_id: str, *, endorsements: tuple[str, ...] = ("msteams",)) -> dict[str, Any]:
    """A key as the key server lists it."""
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(make_key(key_id).public_key()))
    return public | {"kid": key_id, "use": "sig", "endorsements": list(endorsements)}


def sign(service_url: str, *, key_id: str = "key-1", signed_by: str | None = None, **claims: Any) -> str:
    """A token as the Connector makes it; `claims` replace its own, and None leaves one out."""
    now = int(time.time())
    own = {"iss": ISSUER, "aud": APP_ID, "serviceurl": service_url, "nbf": now - 60, "exp": now + 3600}
    merged = {name: value for name, value in (own | claims).items() if value is not None}
    return jwt.encode(merged, make_key(signed_by or key_id), algorithm="RS256", headers={"kid": key_id})
