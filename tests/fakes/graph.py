"""Microsoft Graph's drives with delta and permissions, and the server that gives tokens, after its documentation."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.service import FakeService, page_of

PAGE_SIZE = 2
DRIVE = "drive-1"


@dataclass
class FakeGraph(FakeService):
    """One drive.

    Attributes:
        items: in the order of their last change; a deleted one stays with `deleted`.
        permissions: by item id.
        content: by item id; lies on another host, which must not see our token.
        token: that is valid now; the next one asked for is another.
        labels: id of the sensitivity label by item id.
        oldest: delta links before this place are too old.
    """

    items: list[dict[str, Any]] = field(default_factory=list)
    permissions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    content: dict[str, bytes] = field(default_factory=dict)
    tokens: int = 0
    expires_in: int = 3600
    oldest: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    storage: "FakeStorage | None" = None

    def add_routes(self) -> None:
        self.app.add_routes(
            [
                web.post("/tenant-1/oauth2/v2.0/token", self._give_token),
                web.get("/v1.0/sites/contoso.example:/sites/hr:/drive", self._get_drive),
                web.get("/v1.0/drives/{drive}/root/delta", self._list_delta),
                web.get("/v1.0/drives/{drive}/items/{item}/permissions", self._list_permissions),
                web.get("/v1.0/drives/{drive}/items/{item}/content", self._get_content),
                web.post("/v1.0/drives/{drive}/items/{item}/extractSensitivityLabels", self._list_labels),
            ]
        )

    def is_open(self, path: str) -> bool:
        return path.endswith("/token")

    def put(self, item_id: str, name: str, content: bytes, *permissions: dict[str, Any]) -> None:
        """A new file, or a new version of one."""
        tag = f"c:{{{item_id}}},{len(self.requests)}-{len(content)}"
        item = {"id": item_id, "name": name, "size": len(content), "cTag": tag, "file": {}}
        self.change(item | {"lastModifiedDateTime": "2026-01-01T00:00:00Z"})
        self.content[item_id] = content
        self.permissions[item_id] = list(permissions)

    def change(self, item: dict[str, Any]) -> None:
        """An item as the next delta shows it."""
        changed = {**item, "at": self.now()}
        self.items = [*(one for one in self.items if one["id"] != item["id"]), changed]

    def now(self) -> int:
        return max((item["at"] for item in self.items), default=0) + 1

    async def _give_token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form["client_secret"] != "secret-1" or form["grant_type"] != "client_credentials":
            return web.json_response({"error": "invalid_client"}, status=401)
        self.tokens += 1
        self.authorization = f"Bearer token-{self.tokens}"
        return web.json_response({"access_token": f"token-{self.tokens}", "expires_in": self.expires_in})

    async def _get_drive(self, request: web.Request) -> web.Response:
        return web.json_response({"id": DRIVE})

    async def _list_delta(self, request: web.Request) -> web.Response:
        since = int(request.query.get("token", 0))
        if since and since < self.oldest:
            return web.json_response({"error": {"code": "resyncRequired"}}, status=410)
        changed = [item for item in self.items if item["at"] > since and (since or "deleted" not in item)]
        if "sharedChanged" not in request.headers.get("Prefer", "") and "sharing" not in request.headers["Prefer"]:
            changed = [item for item in changed if "file" in item]
        shown, following = page_of(changed, request, "$skiptoken", PAGE_SIZE)
        base = f"{self.url}{request.path}?token={since}"
        root = [] if request.query.get("$skiptoken") else [{"id": "root", "root": {}, "folder": {}}]
        body: dict[str, Any] = {"value": [*root, *shown]}
        if following:
            body["@odata.nextLink"] = f"{base}&$skiptoken={following}"
        else:
            body["@odata.deltaLink"] = f"{self.url}{request.path}?token={self.now() - 1}"
        return web.json_response(body)

    async def _list_permissions(self, request: web.Request) -> web.Response:
        found = self.permissions.get(request.match_info["item"])
        return web.json_response({"value": found}) if found is not None else web.json_response({}, status=404)

    async def _list_labels(self, request: web.Request) -> web.Response:
        label = self.labels.get(request.match_info["item"])
        found = [{"sensitivityLabelId": label, "assignmentMethod": "standard", "tenantId": "t"}] if label else []
        return web.json_response({"labels": found})

    async def _get_content(self, request: web.Request) -> web.Response:
        item = request.match_info["item"]
        if item not in self.content or self.storage is None:
            return web.json_response({}, status=404)
        self.storage.content[item] = self.content[item]
        return web.Response(status=302, headers={"Location": f"{self.storage.url}/{item}"})


@dataclass
class FakeStorage(FakeService):
    """Where Graph sends a download, by an address that needs no token."""

    content: dict[str, bytes] = field(default_factory=dict)

    def add_routes(self) -> None:
        self.app.add_routes([web.get("/{item}", self._get)])

    async def _get(self, request: web.Request) -> web.Response:
        return web.Response(body=self.content[request.match_info["item"]])
