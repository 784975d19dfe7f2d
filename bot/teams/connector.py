"""The Bot Connector, through the SDK: the one file that knows botbuilder.

The SDK is final, and its successors speak the same protocol, so none of its types goes further than this file.
It only sends: what Teams sends to us is checked and read by ourselves.
"""
# The SDK has no types; they are narrowed here, at the border.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from botbuilder.core import CloudAdapterBase, TurnContext
from botbuilder.schema import Activity, ConversationReference, Entity, ErrorResponseException
from botframework.connector.aio import ConnectorClient
from botframework.connector.auth import (
    AppCredentials,
    BotFrameworkAuthentication,
    ClaimsIdentity,
    ConnectorFactory,
    MicrosoftAppCredentials,
)
from msrest.exceptions import ClientException

from core.errors import NightbakeError

log = logging.getLogger(__name__)

NOT_FOUND = 404

Message = dict[str, Any]


class TeamsError(NightbakeError):
    """The Bot Connector refused a message or is away.

    Attributes:
        status: the HTTP status, None where there was no answer.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


def build_credentials(app_id: str, password: str, tenant_id: str) -> AppCredentials:
    """Credentials of a single-tenant bot registration; no request is made before the first message."""
    return MicrosoftAppCredentials(app_id, password, tenant_id)


async def check_credentials(app_id: str, password: str, tenant_id: str) -> str | None:
    """What is wrong with a registration, in words; None where the login server gives a token for it."""
    credentials: Any = build_credentials(app_id, password, tenant_id)
    try:
        await asyncio.to_thread(credentials.get_access_token)
    except Exception as error:
        return f"no token for TEAMS_APP_ID; check TEAMS_APP_PASSWORD and TEAMS_TENANT_ID ({type(error).__name__})"
    return None


def build_no_credentials() -> AppCredentials:
    """For a local client that checks nothing."""
    return MicrosoftAppCredentials("", "")


class TeamsConnector:
    """Sends and edits messages in conversations that wrote to us before.

    Args:
        app_id: of the bot registration; empty with `build_no_credentials`.
    """

    def __init__(self, *, app_id: str, credentials: AppCredentials) -> None:
        self._app_id = app_id
        self._outbound = _Outbound(credentials)
        self._adapter: Any = CloudAdapterBase(self._outbound)

    async def close(self) -> None:
        """Release connections."""
        await self._outbound.close()

    async def send(self, reference: Mapping[str, Any], message: Message) -> str:
        """Send a message as an answer to the referenced one; its id.

        Raises:
            TeamsError: refused or away.
        """
        response = await self._continue(reference, lambda turn: turn.send_activity(_to_activity(message)))
        return str(response.id)

    async def update(self, reference: Mapping[str, Any], activity_id: str, message: Message) -> None:
        """Replace a message that was sent before.

        Raises:
            TeamsError: refused, away, or there is no such message (status 404).
        """
        activity = _to_activity(message)
        activity.id = activity_id
        await self._continue(reference, lambda turn: turn.update_activity(activity))

    async def _continue(self, reference: Mapping[str, Any], act: Callable[[Any], Awaitable[Any]]) -> Any:
        """One turn of the SDK outside of any request."""
        results: list[Any] = []

        async def turn(context: TurnContext) -> None:
            # The SDK makes up an id here and would send the answer as a reply to it.
            cast(Any, context).activity.id = reference["activityId"]
            results.append(await act(context))

        parsed: Any = cast(Any, ConversationReference).deserialize(dict(reference))
        try:
            await self._adapter.continue_conversation(parsed, turn, self._app_id)
        except ErrorResponseException as error:
            response: Any = cast(Any, error).response
            raise TeamsError(f"Teams answered {response.status_code}", status=response.status_code) from error
        except (ClientException, PermissionError, OSError) as error:
            raise TeamsError(f"Teams is away ({type(error).__name__})") from error
        return results[0]


class _Outbound(BotFrameworkAuthentication, ConnectorFactory):
    """The SDK's way out, and no way in.

    Its own factory makes new credentials for every message, and with them a new token request on the event loop;
    here one client a service keeps its connections, and the token is fetched in a thread before it is needed.
    """

    def __init__(self, credentials: AppCredentials) -> None:
        self._credentials: Any = credentials
        self._clients: dict[str, ConnectorClient] = {}

    async def close(self) -> None:
        for client in self._clients.values():
            await cast(Any, client).__aexit__(None, None, None)
        self._clients = {}

    async def create(self, service_url: str, audience: str) -> ConnectorClient:
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
    """An entity that keeps the fields of an answer; a plain one drops all but its type."""

    _attribute_map = {  # noqa: RUF012
        "type": {"key": "type", "type": "str"},
        "at_type": {"key": "@type", "type": "str"},
        "at_context": {"key": "@context", "type": "str"},
        "additional_type": {"key": "additionalType", "type": "[str]"},
        "citation": {"key": "citation", "type": "[object]"},
    }

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__(type=fields["type"])
        self.at_type = fields["@type"]
        self.at_context = fields["@context"]
        self.additional_type = fields.get("additionalType")
        self.citation = fields.get("citation")


def _to_activity(message: Message) -> Any:
    entities = [_Entity(entity) for entity in message.get("entities", [])]
    return cast(Any, Activity)(
        type="message",
        text=message["text"],
        text_format="markdown",
        entities=entities or None,
        channel_data=message.get("channelData"),
    )
