"""Confluence Cloud's REST API v2 and what of the first one is still needed, after Atlassian's documentation."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.service import FakeService, page_of

PAGE_SIZE = 2


@dataclass
class FakeConfluence(FakeService):
    """Spaces with pages and folders.

    Attributes:
        spaces: key to id.
        readers: by space id, `(type, id)` of principals that may read.
        pages: by id; `parentId` may name a folder.
        restrictions: by page or folder id, account ids and groups' names.
        groups: by id, name and account ids.
        emails: by account id; empty where a person hides it.
    """

    spaces: dict[str, str] = field(default_factory=dict)
    readers: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    restrictions: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)
    groups: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)

    def add_routes(self) -> None:
        self.app.add_routes(
            [
                web.get("/wiki/api/v2/spaces", self._list_spaces),
                web.get("/wiki/api/v2/spaces/{space}/permissions", self._list_permissions),
                web.get("/wiki/api/v2/spaces/{space}/pages", self._list_pages),
                web.get("/wiki/api/v2/pages/{page}", self._get_page),
                web.get("/wiki/api/v2/folders/{folder}", self._get_folder),
                web.post("/wiki/api/v2/users-bulk", self._find_users),
                web.get("/wiki/rest/api/content/{page}/restriction/byOperation/read", self._get_restriction),
                web.get("/wiki/rest/api/group/by-id", self._get_group),
                web.get("/wiki/rest/api/group/{group}/membersByGroupId", self._list_members),
            ]
        )

    def put_page(self, page_id: str, title: str, body: str, *, parent: str | None = None, version: int = 1) -> None:
        self.pages[page_id] = {
            "id": page_id,
            "status": "current",
            "title": title,
            "spaceId": "100",
            "parentId": parent,
            "version": {"number": version, "createdAt": "2026-01-01T00:00:00.000Z"},
            "body": {"view": {"representation": "view", "value": body}},
        }

    def _list(self, rows: list[Any], request: web.Request) -> web.Response:
        """A page of a list; the next one is named by a path with a cursor, as v2 does."""
        shown, following = page_of(rows, request, "cursor", PAGE_SIZE)
        links = {"next": f"{request.path}?limit={PAGE_SIZE}&cursor={following}"} if following else {}
        return web.json_response({"results": shown, "_links": links})

    async def _list_spaces(self, request: web.Request) -> web.Response:
        wanted = request.query["keys"].split(",") if "keys" in request.query else list(self.spaces)
        rows = [{"id": number, "key": key, "type": "global"} for key, number in self.spaces.items() if key in wanted]
        return self._list(rows, request)

    async def _list_permissions(self, request: web.Request) -> web.Response:
        rows = [
            {"id": f"{kind}-{one}-{key}", "principal": {"type": kind, "id": one}, "operation": operation}
            for kind, one in self.readers.get(request.match_info["space"], [])
            for key in ("read", "create")
            for operation in [{"key": key, "targetType": "space" if key == "read" else "page"}]
        ]
        # Somebody may write comments and not read: of no account here.
        rows.append(
            {"principal": {"type": "user", "id": "commenter"}, "operation": {"key": "create", "targetType": "comment"}}
        )
        return self._list(rows, request)

    async def _list_pages(self, request: web.Request) -> web.Response:
        current = [page for page in self.pages.values() if page["status"] == "current"]
        return self._list([{key: page[key] for key in page if key != "body"} for page in current], request)

    async def _get_page(self, request: web.Request) -> web.Response:
        page = self.pages.get(request.match_info["page"])
        return web.json_response(page) if page else web.json_response({"errors": []}, status=404)

    async def _get_folder(self, request: web.Request) -> web.Response:
        folder = self.folders.get(request.match_info["folder"])
        return web.json_response(folder) if folder else web.json_response({"errors": []}, status=404)

    async def _find_users(self, request: web.Request) -> web.Response:
        asked = (await request.json())["accountIds"]
        rows = [{"accountId": one, "email": self.emails[one]} for one in asked if one in self.emails]
        return web.json_response({"results": rows})

    async def _get_restriction(self, request: web.Request) -> web.Response:
        users, groups = self.restrictions.get(request.match_info["page"], ([], []))
        ids = {name: key for key, (name, _) in self.groups.items()}
        return web.json_response(
            {
                "operation": "read",
                "restrictions": {
                    "user": {"results": [{"type": "known", "accountId": one} for one in users], "start": 0},
                    "group": {"results": [{"type": "group", "name": name, "id": ids[name]} for name in groups]},
                },
            }
        )

    async def _get_group(self, request: web.Request) -> web.Response:
        key = request.query["id"]
        return web.json_response({"type": "group", "id": key, "name": self.groups[key][0]})

    async def _list_members(self, request: web.Request) -> web.Response:
        start = int(request.query["start"])
        members = self.groups[request.match_info["group"]][1][start : start + int(request.query["limit"])]
        return web.json_response({"results": [{"type": "known", "accountId": one} for one in members]})
