"""Answers as the page receives them: the same JSON from a live reply and from the log."""

from typing import Any
from urllib.parse import urlsplit

from bot.reply import FinishedAnswer, Source


def view_answer(answer: FinishedAnswer) -> dict[str, Any]:
    """An answer with its sources; addresses are relative, because people may reach us under several names."""
    return {
        "interaction_id": answer.interaction_id,
        "language": answer.language,
        "text": answer.text,
        "mode": answer.mode,
        "notice": answer.notice,
        "sources": [_view_source(source) for source in answer.sources],
    }


def _view_source(source: Source) -> dict[str, Any]:
    return {
        "number": source.number,
        "title": source.title,
        "heading_path": source.heading_path,
        "page": source.page,
        "url": urlsplit(source.url).path,
        "excerpt": source.excerpt,
        "sensitivity": source.sensitivity,
    }
