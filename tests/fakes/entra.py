"""Microsoft Graph's people and groups, and the server that gives tokens, after its documentation."""

from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from bot.teams.clouds import PUBLIC, Cloud
from tests.fakes.service import FakeService


@dataclass
class FakeEntra(FakeService):
    """One tenant's directory.

    Attributes:
        users: by object id, as `GET /users/ID` shows them.
        member_of: ids of groups by the id of a person, through other groups too.
        teams: visibility by the id of a team's group.
        tokens: how many were given; only the last one lets in.
    """

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    member_of: dict[str, list[str]] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)
    tokens: int = 0
    expires_in: int = 3600

    def add_routes(self) -> None:
        self.app.add_routes(
            [
                web.post("/{tenant}/oauth2/v2.0/token", self._give_token),
                web.get("/v1.0/users", self._list_users),
                web.get("/v1.0/users/{user}", self._get_user),
                web.post("/v1.0/users/{user}/getMemberGroups", self._list_groups),
                web.get("/v1.0/groups/{group}", self._get_group),
            ]
        )

    @property
    def cloud(self) -> Cloud:
        """The public cloud with this directory."""
        return replace(PUBLIC, login_url=self.url, graph_url=self.url)

    def is_open(self, path: str) -> bool:
        return path.endswith("/token")

    def add(self, account: str, *groups: str, **further: Any) -> None:
        """A person with their groups; a member of the tenant unless something else is said."""
        own = {"id": account, "userType": "Member", "accountEnabled": True, "mail": None, "preferredLanguage": None}
        self.users[account] = own | further
        self.member_of[account] = list(groups)

    async def _give_token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form["client_secret"] != "secret-1" or not str(form["scope"]).endswith("/.default"):
            return web.json_response({"error": "invalid_client"}, status=401)
        self.tokens += 1
        self.authorization = f"Bearer token-{self.tokens}"
        return web.json_response({"access_token": f"token-{self.tokens}", "expires_in": self.expires_in})

    async def _list_users(self, request: web.Request) -> web.Response:
        return web.json_response({"value": [{"id": account} for account in self.users][:1]})

    async def _get_user(self, request: web.Request) -> web.Response:
        return _answer(self.users.get(request.match_info["user"]))

    async def _list_groups(self, request: web.Request) -> web.Response:
        if (await request.json()) != {"securityEnabledOnly": False}:
            return web.json_response({"error": {"code": "Request_BadRequest"}}, status=400)
        found = self.member_of.get(request.match_info["user"])
        return _answer(None if found is None else {"value": found})

    async def _get_group(self, request: web.Request) -> web.Response:
        group = request.match_info["group"]
        return _answer({"visibility": self.teams[group]} if group in self.teams else None)


def _answer(found: dict[str, Any] | None) -> web.Response:
    if found is None:
        return web.json_response({"error": {"code": "Request_ResourceNotFound"}}, status=404)
    return web.json_response(found)
