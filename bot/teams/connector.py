"""The Bot Connector, through the SDK: the one file that knows botbuilder.

The SDK is final, and its successors speak the same protocol, so none of its types goes further than this file.
It only sends: what Teams sends to us is checked and read by ourselves.
"""
# The SDK has no types; they are narrowed here, at the border.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, cast

from botbuilder.core import CloudAdapterBase, TurnContext
from botbuilder.schema import (
    Activity,
    Attachment,
    CardAction,
    ConversationParameters,
    ConversationReference,
    Entity,
    ErrorResponseException,
    SuggestedActions,
)
from botframework.connector.aio import ConnectorClient
from botframework.connector.auth import (
    AppCredentials,
    BotFrameworkAuthentication,
    ClaimsIdentity,
    ConnectorFactory,
    MicrosoftAppCredentials,
)
from msrest.exceptions import ClientException, HttpOperationError

from bot.teams.clouds import PUBLIC, Cloud
from bot.teams.limits import Limits
from core.errors import NightbakeError

log = logging.getLogger(__name__)

# Answers that mean "not now": too many requests, another write to the message, a server in trouble.
RETRIED_STATUSES = {412, 429, 502, 503, 504}
RETRIES = 3
# Where no Retry-After is named, doubled each time, and the longest that a call waits in it.
RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1.0, 60.0
# Members that Teams is asked for at once; it gives no more.
PAGE = 500
# Client errors that the same message may outlive: a token, a time-out, and "not now".
_PASSING_STATUSES = {401, 408, 412, 429}

# An activity in its own words; see `_to_activity` for the fields that are sent.
Message = dict[str, Any]


class TeamsError(NightbakeError):
    """The Bot Connector refused a message or is away.

    Attributes:
        status: the HTTP status, None where there was no answer.
        reason: Teams' own words, empty where it gave none.
        retry_seconds: what it asks to wait.
    """

    def __init__(
        self, message: str, *, status: int | None = None, reason: str = "", retry_seconds: float | None = None
    ) -> None:
        self.status = status
        self.reason = reason
        self.retry_seconds = retry_seconds
        super().__init__(message)

    @property
    def is_refusal(self) -> bool:
        """Whether this message in this place will never be taken."""
        return self.status is not None and 400 <= self.status < 500 and self.status not in _PASSING_STATUSES


def build_credentials(app_id: str, password: str, tenant_id: str, cloud: Cloud = PUBLIC) -> AppCredentials:
    """Credentials of a single-tenant bot registration; no request is made before the first message."""
    credentials = MicrosoftAppCredentials(app_id, password, tenant_id, cloud.issuer)
    credentials.oauth_endpoint = f"{cloud.login_url}/{tenant_id}"
    return credentials


async def check_credentials(app_id: str, password: str, tenant_id: str, cloud: Cloud = PUBLIC) -> str | None:
    """What is wrong with a registration, in words; None where the login server gives a token for it."""
    credentials: Any = build_credentials(app_id, password, tenant_id, cloud)
    try:
        await asyncio.to_thread(credentials.get_access_token)
    except Exception as error:
        # The SDK's own word for a refusal is an OSError too.
        if isinstance(error, OSError) and not isinstance(error, PermissionError):
            return f"{cloud.login_url} does not answer ({type(error).__name__}); let this machine reach it"
        advice = "check TEAMS_APP_PASSWORD, TEAMS_TENANT_ID and TEAMS_CLOUD"
        return f"no token for TEAMS_APP_ID; {advice} ({type(error).__name__})"
    return None


def build_no_credentials() -> AppCredentials:
    """For a local client that checks nothing."""
    return MicrosoftAppCredentials("", "")


class TeamsConnector:
    """Sends and edits messages in conversations that wrote to us before.

    Args:
        app_id: of the bot registration; empty with `build_no_credentials`.
    """

    def __init__(self, *, app_id: str, credentials: AppCredentials, limits: Limits | None = None) -> None:
        self._app_id = app_id
        self._outbound = _Outbound(credentials)
        self._adapter: Any = CloudAdapterBase(self._outbound)
        self._limits = limits or Limits()

    async def close(self) -> None:
        """Release connections."""
        await self._outbound.close()

    async def send(self, reference: Mapping[str, Any], message: Message, *, patient: bool = True) -> str:
        """Send a message as an answer to the referenced one; its id, empty for a piece of a stream.

        Text and cards go as messages of their own, and the id is the first one's.

        Args:
            patient: waits as long as a 429 or 412 asks; for what another message will soon say too, it is not worth it.

        Raises:
            TeamsError: refused or away.
        """
        ids = [await self._send_one(reference, part, patient=patient) for part in take_apart(message)]
        return ids[0]

    async def _send_one(self, reference: Mapping[str, Any], message: Message, *, patient: bool) -> str:
        activity = _to_activity(message)
        response = await self._call(reference, lambda turn: turn.send_activity(activity), patient=patient)
        return str((response and response.id) or "")

    async def update(
        self, reference: Mapping[str, Any], activity_id: str, message: Message, *, patient: bool = True
    ) -> None:
        """Replace a message that was sent before, text by text or card by card.

        Raises:
            TeamsError: refused, away, or there is no such message (status 404).
        """
        activity = _to_activity(message)
        activity.id = activity_id
        await self._call(reference, lambda turn: turn.update_activity(activity), patient=patient)

    async def delete(self, reference: Mapping[str, Any], activity_id: str) -> None:
        """Take a message away.

        Raises:
            TeamsError: refused or away.
        """
        await self._call(reference, lambda turn: turn.delete_activity(activity_id), patient=True)

    async def open_chat(self, reference: Mapping[str, Any], tenant: str) -> str:
        """The id of the chat with the referenced person alone, which may exist.

        Raises:
            TeamsError: refused, as where the person has not got the app, or away.
        """
        read: Any = cast(Any, ConversationReference).deserialize(dict(reference))
        parameters: Any = cast(Any, ConversationParameters)(
            is_group=False, bot=read.bot, members=[read.user], tenant_id=tenant, channel_data={"tenant": {"id": tenant}}
        )
        try:
            client: Any = await self._outbound.create(reference["serviceUrl"], "")
            created = await client.conversations.create_conversation(parameters)
        except _FAILURES as error:
            raise _to_error(error) from error
        return str(created.id)

    async def read_members(self, service_url: str, conversation_id: str) -> AsyncGenerator[list[Mapping[str, Any]]]:
        """The people of a chat, channel or team, page by page, in Teams' own words.

        Raises:
            TeamsError: refused, as where the app is not there, or away.
        """
        token: str | None = None
        while True:
            page = await self._ask(service_url, conversation_id, _ask_page(conversation_id, token))
            yield page.get("members") or []
            token = page.get("continuationToken")
            if not token:
                return

    async def find_member(self, service_url: str, conversation_id: str, account: str) -> Mapping[str, Any] | None:
        """One person of a conversation, by Teams' id or the directory's; None where they are not in it.

        Raises:
            TeamsError: refused or away.
        """

        def ask(client: Any) -> Awaitable[Any]:
            return client.conversations.get_conversation_member(conversation_id, account, raw=True)

        try:
            return await self._ask(service_url, conversation_id, ask)
        except TeamsError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return None

    async def _ask(self, service_url: str, conversation_id: str, ask: Callable[[Any], Awaitable[Any]]) -> Any:
        """What Teams answers, as it says it: the SDK's own types drop `objectId`, by which a person is known."""

        async def act() -> Any:
            try:
                client: Any = await self._outbound.create(service_url, "")
                answered: Any = await ask(client)
                return answered.response.json()
            except (*_FAILURES, ValueError) as error:
                raise _to_error(error) from error

        return await self._take_turn(conversation_id, act, patient=True)

    async def _call(self, reference: Mapping[str, Any], act: Callable[[Any], Awaitable[Any]], *, patient: bool) -> Any:
        conversation = str(reference["conversation"]["id"])
        return await self._take_turn(conversation, lambda: self._continue(reference, act), patient=patient)

    async def _take_turn(self, conversation: str, act: Callable[[], Awaitable[Any]], *, patient: bool) -> Any:
        """One call in its conversation's turn, made again where Teams says "not now"."""
        async with self._limits.turn(conversation):
            for attempt in range(RETRIES + 1):
                if patient:
                    await self._limits.wait(conversation)
                elif pause := self._limits.find_pause(conversation):
                    raise TeamsError("Teams asked to wait", status=429, retry_seconds=pause)
                try:
                    return await act()
                except TeamsError as error:
                    if error.status not in RETRIED_STATUSES:
                        raise
                    seconds = error.retry_seconds or RETRY_SECONDS * 2**attempt
                    self._limits.close(conversation, min(seconds, LONGEST_RETRY_SECONDS))
                    if not patient or attempt == RETRIES:
                        raise
        raise AssertionError("the loop returns or raises")

    async def _continue(self, reference: Mapping[str, Any], act: Callable[[Any], Awaitable[Any]]) -> Any:
        """One turn of the SDK outside of any request."""
        results: list[Any] = []

        async def turn(context: TurnContext) -> None:
            # The SDK makes up an id here and would send the answer as a reply to it.
            cast(Any, context).activity.id = reference.get("activityId")
            results.append(await act(context))

        parsed: Any = cast(Any, ConversationReference).deserialize(dict(reference))
        try:
            await self._adapter.continue_conversation(parsed, turn, self._app_id)
        except _FAILURES as error:
            raise _to_error(error) from error
        return results[0]


def take_apart(message: Message) -> list[Message]:
    """What Teams shows as messages of their own: the text, then each card.

    It would split them itself and then tell no id, and takes no edit that it would have to split. Only the end of a
    stream holds both.
    """
    cards: list[Message] = [{"attachments": [one]} for one in message.get("attachments", [])]
    is_streamed = any(entity["type"] == "streaminfo" for entity in message.get("entities", []))
    if is_streamed or len(cards) + bool(message.get("text")) < 2:
        return [message]
    text = {name: value for name, value in message.items() if name != "attachments"}
    return [text, *cards] if message.get("text") else cards


_FAILURES = (ClientException, PermissionError, OSError)


def _ask_page(conversation_id: str, token: str | None) -> Callable[[Any], Awaitable[Any]]:
    def ask(client: Any) -> Awaitable[Any]:
        return client.conversations.get_teams_conversation_paged_members(
            conversation_id, page_size=PAGE, continuation_token=token, raw=True
        )

    return ask


def _to_error(error: Exception) -> TeamsError:
    """What an exception of the SDK means, in our words."""
    if not isinstance(error, ErrorResponseException | HttpOperationError):
        return TeamsError(f"Teams is away ({type(error).__name__})")
    failure: Any = error
    response: Any = failure.response
    named = str(response.headers.get("Retry-After") or "")
    return TeamsError(
        f"Teams answered {response.status_code}",
        status=response.status_code,
        reason=str(failure.message or ""),
        retry_seconds=float(named) if named.isdecimal() else None,
    )


class _Outbound(BotFrameworkAuthentication, ConnectorFactory):
    """The SDK's way out, and no way in.

    Its own factory makes new credentials for every message, and with them a new token request on the event loop;
    here one client a service keeps its connections, and the token is fetched in a thread before it is needed.
    """

    def __init__(self, credentials: AppCredentials) -> None:
        self._credentials: Any = credentials
        self._clients: dict[str, ConnectorClient] = {}
        # Many messages may want the first token, or the first client, at once.
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        for client in self._clients.values():
            await cast(Any, client).__aexit__(None, None, None)
        self._clients = {}

    async def create(self, service_url: str, audience: str) -> ConnectorClient:
        async with self._lock:
            if self._credentials.microsoft_app_id:
                await asyncio.to_thread(self._credentials.get_access_token)
            if service_url not in self._clients:
                client: Any = ConnectorClient(self._credentials, base_url=service_url)
                self._clients[service_url] = await client.__aenter__()
            return self._clients[service_url]

    def create_connector_factory(self, claims_identity: ClaimsIdentity) -> ConnectorFactory:
        return self

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> Any:
        return None

    async def authenticate_request(self, activity: Activity, auth_header: str) -> Any:
        raise NotImplementedError("activities are checked by bot/teams/auth.py")

    async def authenticate_streaming_request(self, auth_header: str, channel_id_header: str) -> Any:
        raise NotImplementedError("activities are checked by bot/teams/auth.py")


class _Entity(Entity):
    """An entity that keeps its fields; a plain one drops all but its type."""

    _attribute_map = {  # noqa: RUF012
        "type": {"key": "type", "type": "str"},
        "at_type": {"key": "@type", "type": "str"},
        "at_context": {"key": "@context", "type": "str"},
        "additional_type": {"key": "additionalType", "type": "[str]"},
        "citation": {"key": "citation", "type": "[object]"},
        "stream_id": {"key": "streamId", "type": "str"},
        "stream_type": {"key": "streamType", "type": "str"},
        "stream_sequence": {"key": "streamSequence", "type": "int"},
        "mentioned": {"key": "mentioned", "type": "object"},
        "text": {"key": "text", "type": "str"},
    }

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__(type=fields["type"])
        for name, mapped in self._attribute_map.items():
            setattr(self, name, fields.get(mapped["key"]))


def _to_activity(message: Message) -> Any:
    entities = [_Entity(entity) for entity in message.get("entities", [])]
    attachments = [
        cast(Any, Attachment)(content_type=attached["contentType"], content=attached["content"])
        for attached in message.get("attachments", [])
    ]
    prompts = [
        cast(Any, CardAction)(type="imBack", title=prompt, value=prompt) for prompt in message.get("prompts", [])
    ]
    return cast(Any, Activity)(
        type=message.get("type", "message"),
        text=message.get("text"),
        text_format="markdown" if message.get("text") else None,
        entities=entities or None,
        attachments=attachments or None,
        suggested_actions=cast(Any, SuggestedActions)(actions=prompts) if prompts else None,
        channel_data=message.get("channelData"),
    )
