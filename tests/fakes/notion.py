"""Notion's API: search and the children of blocks, after its documentation."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.service import FakeService

PAGE_SIZE = 2


def words(text: str) -> list[dict[str, Any]]:
    """Rich text of one part."""
    return [{"type": "text", "plain_text": text, "text": {"content": text}}]


@dataclass
class FakeNotion(FakeService):
    """Pages by id, and blocks by the id of what they are in."""

    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    blocks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add_routes(self) -> None:
        self.app.add_routes(
            [web.post("/v1/search", self._search), web.get("/v1/blocks/{block}/children", self._list_children)]
        )

    def put(self, page_id: str, title: str, *blocks: dict[str, Any], edited: str = "2026-01-01T00:00:00.000Z") -> None:
        self.pages[page_id] = {
            "object": "page",
            "id": page_id,
            "last_edited_time": edited,
            "archived": False,
            "properties": {"Name": {"id": "title", "type": "title", "title": words(title)}},
        }
        self.blocks[page_id] = [{"id": f"{page_id}-{place}", **block} for place, block in enumerate(blocks)]

    async def _search(self, request: web.Request) -> web.Response:
        body = await request.json()
        if "Notion-Version" not in request.headers or body["filter"] != {"property": "object", "value": "page"}:
            return web.json_response({"object": "error", "status": 400}, status=400)
        return web.json_response(_cut(list(self.pages.values()), body.get("start_cursor")))

    async def _list_children(self, request: web.Request) -> web.Response:
        found = self.blocks.get(request.match_info["block"])
        if found is None:
            return web.json_response({"object": "error", "code": "object_not_found"}, status=404)
        return web.json_response(_cut(found, request.query.get("start_cursor")))


def _cut(rows: list[dict[str, Any]], cursor: str | None) -> dict[str, Any]:
    start = int(cursor or 0)
    following = start + PAGE_SIZE
    more = following < len(rows)
    return {"results": rows[start:following], "has_more": more, "next_cursor": str(following) if more else None}
