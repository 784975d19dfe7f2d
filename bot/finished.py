"""From what is stored of an answer to what a person sees, now or after a restart."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bot.phrases import PHRASES, say
from bot.reply import FinishedAnswer, Source
from core.outgoing import redact_secrets
from core.prompt import Language
from core.records import Mode, Outcome

EXCERPT_CHARACTERS = 240


def show_outcome(outcome: Outcome, language: Language, *, base_url: str) -> FinishedAnswer:
    """An answer that was just finished."""
    return show_stored({**asdict(outcome), "id": outcome.interaction_id, "language": language}, base_url=base_url)


def show_stored(row: Mapping[str, Any], *, base_url: str) -> FinishedAnswer:
    """A stored interaction, its columns by name; cited passages become sources that open at `base_url`."""
    language: Language = "ko" if row["language"] == "ko" else "en"
    cited: Sequence[int] = row["citations"] or []
    passages: Sequence[Mapping[str, Any]] = row["passages"] or []
    mode: Mode = row["mode"] or "failed"
    return FinishedAnswer(
        interaction_id=row["id"],
        language=language,
        text=row["answer"] or "",
        mode=mode,
        notice=" ".join(
            part
            for part in (
                row.get("search_notice"),
                _choose_notice(row["mode_reason"], language, has_sources=bool(cited)),
            )
            if part
        ),
        sources=[_to_source(passage, base_url) for passage in passages if passage["number"] in cited],
    )


def _choose_notice(reason: str | None, language: Language, *, has_sources: bool) -> str:
    """Why this is a quotation or a refusal; where nothing was found the answer says so itself."""
    if reason is None or reason == "not_found" or reason not in PHRASES[language]:
        return ""
    return say(reason, language) if has_sources or reason == "stopped" else ""


def _to_source(passage: Mapping[str, Any], base_url: str) -> Source:
    return Source(
        number=passage["number"],
        title=passage["title"],
        heading_path=passage["heading_path"],
        page=passage["page"],
        url=f"{base_url}/passages/{passage['chunk_id']}",
        excerpt=redact_secrets(passage["text"][:EXCERPT_CHARACTERS]),
        sensitivity=passage.get("sensitivity") or "",
    )
