"""Why a pair is refused: facts that nothing carries, sides that say the same, an instruction hidden in a document."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from core.instructions import leave_out_instructions
from core.wording import SUPPORTED_SHARE, find_citations, is_refusal, normalise_text, strip_citations
from learning.labels import Answer
from learning.wording import SOURCES_KEPT, find_missing_facts, measure_carried


def refuse(chosen: str, rejected: str, answer: Answer, *, with_citations: bool = True) -> str | None:
    """Why two sides are no pair in the prompt of `answer`; None where they are one."""
    if says_the_same(chosen, rejected, with_citations=with_citations):
        return "same_text"
    if follows_instruction(chosen, answer):
        return "hidden_instruction"
    return "unsupported_facts" if find_unsupported(chosen, answer) else None


def says_the_same(chosen: str, rejected: str, *, with_citations: bool) -> bool:
    """Whether two sides differ in nothing but case, punctuation and, unless asked for, citations."""
    if normalise_text(chosen) != normalise_text(rejected):
        return False
    return not with_citations or find_citations(chosen) == find_citations(rejected)


def find_unsupported(text: str, answer: Answer) -> list[str]:
    """What of a text the answer's passages do not hold; empty where they support it."""
    if is_refusal(text):
        return []
    passages = answer.passages or []
    cited_wrongly = [f"[{n}]" for n in find_citations(text) if n not in {p["number"] for p in passages}]
    sources = [_full_text(passage) for passage in passages]
    return cited_wrongly + _find_missing(text, [*sources, answer.question])


def follows_instruction(text: str, answer: Answer) -> bool:
    """Whether a text is carried only by sentences of its passages that speak to the model."""
    sources = [_full_text(passage) for passage in answer.passages or []]
    plain = [_leave_out_instructions(source) for source in sources]
    if plain == sources or is_refusal(text) or _find_missing(text, [*sources, answer.question]):
        return False
    return bool(_find_missing(text, [*plain, answer.question]))


def choose_rejected(answer: Answer) -> str:
    """What the model said: where its answer was replaced by quotations, the unsupported text itself."""
    is_replaced = answer.mode in ("quoted", "refused") and answer.generated
    return (answer.generated if is_replaced else answer.answer) or ""


def share_passages(one: Answer, other: Answer) -> bool:
    """Whether two answers were written from overlapping passages."""
    return bool(get_chunk_ids(one) & get_chunk_ids(other))


def get_chunk_ids(answer: Answer) -> set[int]:
    """The passages that were shown."""
    return {passage["chunk_id"] for passage in answer.passages or []}


def _find_missing(text: str, sources: Sequence[str]) -> list[str]:
    missing = find_missing_facts(text, sources)
    if not missing and measure_carried(text, sources) < SUPPORTED_SHARE:
        return [strip_citations(text).strip()]
    return missing


@lru_cache(maxsize=SOURCES_KEPT)
def _leave_out_instructions(source: str) -> str:
    return leave_out_instructions(source)


def _full_text(passage: dict[str, Any]) -> str:
    return f"{passage['title']}\n{passage.get('heading_path', '')}\n{passage['text']}"
