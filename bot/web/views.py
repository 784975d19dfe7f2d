"""Answers as the page receives them: the same JSON from a live reply and from the log."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.answer import EXCERPT_CHARACTERS
from bot.phrases import PHRASES, say
from bot.reply import FinishedAnswer, Source
from core.prompt import Language
from core.records import Mode


def view_answer(answer: FinishedAnswer) -> dict[str, Any]:
    """An answer with its sources; addresses are relative, because people may reach us under several names."""
    notice = answer.notice or (say("stopped", answer.language) if answer.mode == "stopped" else "")
    return {
        "interaction_id": answer.interaction_id,
        "language": answer.language,
        "text": answer.text,
        "mode": answer.mode,
        "notice": notice,
        "sources": [_view_source(source) for source in answer.sources],
    }


def restore_answer(row: Mapping[str, Any]) -> FinishedAnswer:
    """A stored interaction (its columns by name) as the answer that was shown."""
    language: Language = "ko" if row["language"] == "ko" else "en"
    cited: list[int] = row["citations"] or []
    passages: list[dict[str, Any]] = row["passages"] or []
    reason: str | None = row["mode_reason"]
    mode: Mode = row["mode"] or "failed"
    return FinishedAnswer(
        interaction_id=row["id"],
        language=language,
        text=row["answer"] or "",
        mode=mode,
        notice=say(reason, language) if reason in PHRASES[language] and cited else "",
        sources=[_restore_source(passage) for passage in passages if passage["number"] in cited],
    )


def _restore_source(passage: Mapping[str, Any]) -> Source:
    return Source(
        number=passage["number"],
        title=passage["title"],
        heading_path=passage["heading_path"],
        page=passage["page"],
        url=f"/passages/{passage['chunk_id']}",
        excerpt=passage["text"][:EXCERPT_CHARACTERS],
    )


def _view_source(source: Source) -> dict[str, Any]:
    return {
        "number": source.number,
        "title": source.title,
        "heading_path": source.heading_path,
        "page": source.page,
        "url": urlsplit(source.url).path,
        "excerpt": source.excerpt,
    }
