"""Lists of the console, page by page: what is asked of one, and where the next page begins. Pure."""

from typing import Any

from aiohttp import web

from core.text import clean_text

PAGE_ROWS = 40
LONGEST_WORDS = 200


def read_before(request: web.Request) -> int | None:
    """The id before which a page begins; None for the first page."""
    return read_id(request, "before")


def read_id(request: web.Request, name: str) -> int | None:
    """A parameter's id; None where it is absent or no id."""
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def choose_one(request: web.Request, name: str, known: tuple[str, ...]) -> str | None:
    """One of the known words that a parameter may hold."""
    value = request.query.get(name)
    return value if value in known else None


def to_page(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows of this page, and where the next one begins; one row more than a page was asked for."""
    shown = rows[:PAGE_ROWS]
    return {"rows": shown, "next_before": shown[-1]["id"] if len(rows) > PAGE_ROWS else None}


def read_words(request: web.Request) -> str:
    """What is searched for; empty for everything."""
    return clean_text(request.query.get("words", "")).strip()[:LONGEST_WORDS]


def to_pattern(words: str) -> str | None:
    """Words as a pattern in which no character is special; None where there are none."""
    if not words:
        return None
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
