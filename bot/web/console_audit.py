"""The console's page of the audit log: who did what to what and when, and who was refused; also as a file."""

import csv
import io
import json
from typing import Any

from aiohttp import web
from jinja2 import Environment

from bot.web.listing import PAGE_ROWS, choose_one, read_before, read_words, to_page, to_pattern
from bot.web.pages import render
from bot.web.people import get_actor
from core.audit import find_acts, record_act
from core.database import Database

KINDS = ("act", "sign_in", "refused")
MOST_ROWS = 50_000
COLUMNS = ("id", "done_at", "actor", "email", "act", "subject")
# What a spreadsheet would run.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ConsoleAudit:
    """The page `/console/audit` and its downloads."""

    def __init__(self, *, templates: Environment, database: Database) -> None:
        self._templates = templates
        self._database = database

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [
            web.get("/console/audit", self.show_audit),
            web.get("/console/audit/{format:csv|json}", self.download, allow_head=False),
        ]

    async def show_audit(self, request: web.Request) -> web.Response:
        """Acts, newest first; `words`, `kind` and `before` choose."""
        chosen = _read_choice(request)
        rows = await self._find(chosen, before=read_before(request), limit=PAGE_ROWS + 1)
        return render(
            self._templates, "console/audit.html", request, room="audit", kinds=KINDS, chosen=chosen, **to_page(rows)
        )

    async def download(self, request: web.Request) -> web.Response:
        """The same as a file, `MOST_ROWS` at most; that somebody took it is in the log too."""
        kind, chosen = request.match_info["format"], _read_choice(request)
        rows = await self._find(chosen, before=None, limit=MOST_ROWS)
        await record_act(self._database, actor=get_actor(request), act="download audit", subject=f"{len(rows)} {kind}")
        listed = [{name: row[name] for name in COLUMNS} | {"done_at": row["done_at"].isoformat()} for row in rows]
        headers = {
            "Content-Disposition": f'attachment; filename="nightbake-audit.{kind}"',
            "Cache-Control": "no-store",
        }
        if kind == "json":
            return web.Response(
                text=json.dumps({"acts": listed}, ensure_ascii=False), content_type="application/json", headers=headers
            )
        return web.Response(text=_to_csv(listed), content_type="text/csv", charset="utf-8", headers=headers)

    async def _find(self, chosen: dict[str, str], *, before: int | None, limit: int) -> list[dict[str, Any]]:
        pattern = to_pattern(chosen["words"])
        return await find_acts(self._database, pattern=pattern, kind=chosen["kind"] or None, before=before, limit=limit)


def _read_choice(request: web.Request) -> dict[str, str]:
    return {"words": read_words(request), "kind": choose_one(request, "kind", KINDS) or ""}


def _to_csv(rows: list[dict[str, Any]]) -> str:
    """With a byte order mark, for spreadsheets; a text that begins like a formula is none."""
    file = io.StringIO()
    file.write("\ufeff")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_disarm(row[name]) for name in COLUMNS])
    return file.getvalue()


def _disarm(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
