"""Notion: the pages that an integration was given, their blocks as Markdown."""

import time
from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from typing import Any

from core.errors import InvalidInputError
from retrieval.dates import read_date
from retrieval.sources.access_rules import AccessRule
from retrieval.sources.http import HttpClient, StatusError
from retrieval.sources.names import build_path
from retrieval.sources.notion_blocks import Block, find_text, render_blocks
from retrieval.sources.source import Content, Entry, GoneError, Listed, SourceAwayError

API_VERSION = "2022-06-28"
_PAGE_SIZE = 100
_MAX_DEPTH = 8
_MAX_BLOCKS = 20_000
# Notion counts edits in minutes: within one, a page changes under the same time.
_SETTLED_SECONDS = 180
# Pages of their own, which the search names themselves.
_NOT_FOLLOWED = frozenset({"child_page", "child_database"})


class NotionSource:
    """Pages that were shared with the integration. Who else may read them Notion does not tell: `rule` says so.

    Args:
        http: at `https://api.notion.com/v1`, with the header `Notion-Version`.
    """

    kind = "notion"

    def __init__(self, name: str, http: HttpClient, *, rule: AccessRule) -> None:
        self.name = name
        self._http = http
        self._rule = rule

    async def list_entries(self, cursor: str | None) -> AsyncGenerator[Listed]:
        """All pages, a hundred a request: changes alone would not tell of a page that was taken from us.

        Raises:
            SourceAwayError: no answer, or the token is refused.
        """
        body: dict[str, Any] = {
            "filter": {"property": "object", "value": "page"},
            "sort": {"timestamp": "last_edited_time", "direction": "descending"},
            "page_size": _PAGE_SIZE,
        }
        while True:
            found = await self._http.post_json("search", body)
            for page in found["results"]:
                if not page.get("archived") and not page.get("in_trash"):
                    yield self._look_at(page)
            if not found.get("has_more"):
                return
            if found.get("next_cursor") in (None, body.get("start_cursor")):
                raise SourceAwayError("expected the next page of the search, was sent round in a circle")
            body["start_cursor"] = found["next_cursor"]

    async def fetch(self, entry: Entry, *, stored_version: str | None, max_bytes: int) -> Content | None:
        """The page's blocks under its title.

        Raises:
            GoneError: it was deleted, or taken from the integration.
            InvalidInputError: more blocks or text than a document has.
        """
        try:
            blocks = await self._read_blocks(str(entry.handle["id"]), 0, [_MAX_BLOCKS])
        except StatusError as error:
            if error.status in (400, 403):
                raise InvalidInputError(str(error)) from error
            raise
        content = f"# {entry.handle['title']}\n\n{render_blocks(blocks)}".encode()
        if len(content) > max_bytes:
            raise InvalidInputError(f"expected at most {max_bytes:,} bytes, got {len(content):,}; split the page")
        return Content(content, version=entry.version)

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    def _look_at(self, page: Mapping[str, Any]) -> Entry:
        key, title, edited = str(page["id"]), _find_title(page), str(page["last_edited_time"])
        path = build_path(title, key, ".md")
        handle = {"id": key, "title": title}
        return Entry(key, path, self._rule, version=_settle(edited), handle=handle, changed_at=read_date(edited))

    async def _read_blocks(self, block_id: str, depth: int, left: list[int]) -> list[Block]:
        blocks: list[Block] = []
        parameters: dict[str, Any] = {"page_size": _PAGE_SIZE}
        while True:
            found = await self._http.get_json(f"blocks/{block_id}/children", parameters)
            for raw in found["results"]:
                left[0] -= 1
                if left[0] < 0:
                    raise InvalidInputError(f"expected at most {_MAX_BLOCKS:,} blocks, got more; split the page")
                below: list[Block] = []
                if raw.get("has_children") and raw["type"] not in _NOT_FOLLOWED and depth < _MAX_DEPTH:
                    below = await self._read_children(raw, depth, left)
                blocks.append(Block(str(raw["type"]), raw.get(raw["type"]) or {}, below))
            if not found.get("has_more"):
                return blocks
            parameters["start_cursor"] = found["next_cursor"]

    async def _read_children(self, raw: Mapping[str, Any], depth: int, left: list[int]) -> list[Block]:
        """Blocks below; those of a synced copy lie elsewhere, and may be closed to us."""
        synced: dict[str, Any] = raw.get("synced_block") or {}
        origin: dict[str, Any] = synced.get("synced_from") or {}
        try:
            return await self._read_blocks(str(origin.get("block_id") or raw["id"]), depth + 1, left)
        except GoneError:
            return []


def _find_title(page: Mapping[str, Any]) -> str:
    for value in page.get("properties", {}).values():
        if value.get("type") == "title":
            return " ".join(find_text(value["title"]).split()) or "untitled"
    return "untitled"


def _settle(edited: str) -> str | None:
    """The time of the last edit; None while there may be another within the same minute."""
    age = time.time() - datetime.fromisoformat(edited).timestamp()
    return edited if age > _SETTLED_SECONDS else None
