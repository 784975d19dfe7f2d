"""Google Drive's API v3 with its changes feed, and the server that takes a service account's assertion."""

from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web

from tests.fakes.service import FakeService, page_of

PAGE_SIZE = 2


@dataclass
class FakeGoogleDrive(FakeService):
    """Files, changes and tokens.

    Attributes:
        changes: every change so far; a page token is a place in it.
        hide_permissions: as in a shared drive, where files come without them.
        public_key: that assertions must be signed for.
    """

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    content: dict[str, bytes] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    hide_permissions: bool = False
    oldest: int = 0
    public_key: str = ""
    subjects: list[str] = field(default_factory=list)

    def add_routes(self) -> None:
        self.app.add_routes(
            [
                web.post("/token", self._give_token),
                web.get("/drive/v3/changes/startPageToken", self._get_start),
                web.get("/drive/v3/changes", self._list_changes),
                web.get("/drive/v3/files", self._list_files),
                web.get("/drive/v3/files/{file}", self._get_file),
                web.get("/drive/v3/files/{file}/export", self._export_file),
                web.get("/drive/v3/files/{file}/permissions", self._list_permissions),
            ]
        )

    def is_open(self, path: str) -> bool:
        return path == "/token"

    def put(
        self, file_id: str, name: str, content: bytes, *permissions: dict[str, Any], kind: str = "text/markdown"
    ) -> None:
        """A new file, or a new version of one."""
        file = {"id": file_id, "name": name, "mimeType": kind, "trashed": False, "permissions": list(permissions)}
        file |= {"modifiedTime": f"2026-01-01T00:00:{len(self.changes):02}.000Z"}
        file |= {"owners": [{"emailAddress": "Owner@Example.com"}]}
        if not kind.startswith("application/vnd.google-apps"):
            file |= {"md5Checksum": str(hash(content)), "size": str(len(content))}
        self.files[file_id], self.content[file_id] = file, content
        self.changes.append({"changeType": "file", "fileId": file_id, "removed": False, "file": file})

    def remove(self, file_id: str) -> None:
        del self.files[file_id]
        self.changes.append({"changeType": "file", "fileId": file_id, "removed": True})

    def _shown(self, file: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in file.items() if key != "permissions" or not self.hide_permissions}

    async def _give_token(self, request: web.Request) -> web.Response:
        form = await request.post()
        try:
            claims = jwt.decode(
                str(form["assertion"]), self.public_key, algorithms=["RS256"], audience=f"{self.url}/token"
            )
        except jwt.InvalidTokenError:
            return web.json_response({"error": "invalid_grant"}, status=400)
        self.subjects.append(claims.get("sub", claims["iss"]))
        self.authorization = "Bearer google-1"
        return web.json_response({"access_token": "google-1", "expires_in": 3600, "token_type": "Bearer"})

    async def _get_start(self, request: web.Request) -> web.Response:
        return web.json_response({"startPageToken": str(len(self.changes) + 1)})

    async def _list_changes(self, request: web.Request) -> web.Response:
        since = int(request.query["pageToken"])
        if since <= self.oldest:
            return web.json_response({"error": {"message": "Invalid Value"}}, status=400)
        shown = self.changes[since - 1 : since - 1 + PAGE_SIZE]
        changes = [change | ({"file": self._shown(change["file"])} if "file" in change else {}) for change in shown]
        following = since + len(shown)
        key = "nextPageToken" if following <= len(self.changes) else "newStartPageToken"
        return web.json_response({"changes": changes, key: str(following)})

    async def _list_files(self, request: web.Request) -> web.Response:
        shown, following = page_of(list(self.files.values()), request, "pageToken", PAGE_SIZE)
        body = {"incompleteSearch": False, "files": [self._shown(file) for file in shown]}
        return web.json_response(body | ({"nextPageToken": following} if following else {}))

    async def _get_file(self, request: web.Request) -> web.Response:
        content = self.content.get(request.match_info["file"])
        return web.Response(body=content) if content is not None else web.json_response({}, status=404)

    async def _export_file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.content[request.match_info["file"]], content_type=request.query["mimeType"])

    async def _list_permissions(self, request: web.Request) -> web.Response:
        return web.json_response({"permissions": self.files[request.match_info["file"]]["permissions"]})
