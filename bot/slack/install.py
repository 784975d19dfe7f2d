"""Installing by OAuth: an admin of ours is sent to Slack, comes back with a code, and the workspace's token is stored.

Only who may open the console can begin: whoever could install the app anywhere would read what everyone may read. The
state is a sealed time, also in a cookie: what comes back was begun here, in this browser, within ten minutes.
"""

import hmac
import html
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from slack_sdk.oauth import AuthorizeUrlGenerator

from bot.slack.api import SlackError
from bot.slack.events import SlackEvents, find_authorization, find_team
from bot.slack.installations import Installations
from bot.slack.manifest import REDIRECT_PATH, find_scopes
from bot.slack.posts import read_time

log = logging.getLogger(__name__)

INSTALL_PATH = "/slack/install"
# Under /console, so that the console's lock stands before it.
BEGIN_PATH = "/console/slack/install"
COOKIE = "nightbake_slack_state"
STATE_SECONDS = 600


class Install:
    """The three addresses, and the two events that end an installation.

    Args:
        keys: of the token store; the state is sealed with them too.
        authorize_url: Slack's page where an admin agrees.
        base_url: our own address, as the admin's browser reaches it.
    """

    def __init__(
        self, installations: Installations, *, keys: Sequence[str], client_id: str, authorize_url: str, base_url: str
    ) -> None:
        self._installations = installations
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._redirect_uri = base_url + REDIRECT_PATH
        self._is_https = base_url.startswith("https://")
        self._pages = AuthorizeUrlGenerator(
            client_id=client_id,
            redirect_uri=self._redirect_uri,
            scopes=find_scopes(),
            authorization_url=authorize_url,
        )

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [
            web.get(INSTALL_PATH, self.show_way),
            web.get(BEGIN_PATH, self.begin),
            web.get(REDIRECT_PATH, self.finish),
        ]

    def open_doors(self, events: SlackEvents) -> None:
        """Take the end of an installation."""
        events.on("event", "app_uninstalled", self.receive_end)
        events.on("event", "tokens_revoked", self.receive_end)

    async def show_way(self, _: web.Request) -> web.Response:
        """To where the console's lock stands."""
        return web.Response(status=303, headers={"Location": BEGIN_PATH})

    async def begin(self, _: web.Request) -> web.Response:
        """To Slack, with a state that this browser keeps too."""
        state = self._fernet.encrypt(secrets.token_bytes(16)).decode()
        response = web.Response(status=303, headers={"Location": self._pages.generate(state)})
        response.set_cookie(
            COOKIE,
            state,
            max_age=STATE_SECONDS,
            path=REDIRECT_PATH,
            httponly=True,
            samesite="Lax",
            secure=self._is_https,
        )
        return response

    async def finish(self, request: web.Request) -> web.Response:
        """Back from Slack: the code becomes a token, which is stored."""
        if not self._is_ours(request.query.get("state", ""), request.cookies.get(COOKIE, "")):
            return _show("Please begin again / 다시 시작해 주세요", INSTALL_PATH, status=400)
        if code := request.query.get("code"):
            try:
                grant, name = await self._installations.exchange(code, self._redirect_uri)
            except SlackError as error:
                return _show(f"{error} / 설치하지 못했습니다", INSTALL_PATH, status=502)
            await self._installations.store(grant)
            log.info("the Slack app was installed", extra={"place": grant.place, "installed_by": grant.installed_by})
            response = _show(f"Nightbake is installed in {name} / {name}에 설치했습니다", None)
        else:
            response = _show("Slack says no / 설치가 취소되었습니다", INSTALL_PATH, status=403)
        response.del_cookie(COOKIE, path=REDIRECT_PATH)
        return response

    async def receive_end(self, body: dict[str, Any]) -> None:
        """Forget the tokens; an event that comes late does not take those of a newer installation."""
        if place := find_ended(body):
            before = read_time(body["event_time"])
            if await self._installations.remove(place, before=before):
                log.warning("the Slack app was removed", extra={"place": place})

    def _is_ours(self, state: str, kept: str) -> bool:
        if not hmac.compare_digest(state.encode("utf-8", "replace"), kept.encode("utf-8", "replace")):
            return False
        try:
            self._fernet.decrypt(state.encode("utf-8", "replace"), ttl=STATE_SECONDS)
        except InvalidToken:
            return False
        return True


def find_ended(body: Mapping[str, Any]) -> str | None:
    """The workspace or organisation that took the app's token back; None where only people's tokens went."""
    event: Mapping[str, Any] = body["event"]
    revoked: Mapping[str, Any] = event.get("tokens") or {}
    if event["type"] == "tokens_revoked" and not revoked.get("bot"):
        return None
    own = find_authorization(body)
    if own.get("is_enterprise_install"):
        return own.get("enterprise_id") or body.get("enterprise_id")
    return find_team(body) or None


def _show(text: str, link: str | None, *, status: int = 200) -> web.Response:
    anchor = f'<p><a href="{link}">{link}</a></p>' if link else ""
    page = f"<!doctype html><meta charset=utf-8><title>Nightbake</title><p>{html.escape(text)}</p>{anchor}"
    return web.Response(text=page, content_type="text/html", status=status)
