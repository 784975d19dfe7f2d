"""What two rooms pass to each other or meet in: frozen records, no behaviour beyond their own form."""

from dataclasses import dataclass, field
from typing import Any, Literal

from core.prompt import Language, Message

Platform = Literal["web", "slack", "teams", "cli"]
Mode = Literal["generated", "quoted", "refused", "stopped", "failed"]
Vote = Literal[-1, 0, 1]


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk returned for a question.

    Attributes:
        number: place in the list shown to the model and cited as `[number]`, from 1.
        score: fused score in [0, 1]; dense and lexical scores are each side's own scale.
        text: what was stored of the chunk; start and end are its offsets in the document's text.
        allow: principals that may read its document.
        sensitivity: name of its document's label.
    """

    number: int
    chunk_id: int
    document_id: int
    document_version: int
    title: str
    heading_path: str
    path: str
    page: int | None
    start: int
    end: int
    text: str
    language: str
    score: float
    dense_score: float
    lexical_score: float
    allow: list[str]
    sensitivity: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it was asked; `principals` is what everyone who sees the reply may read.

    Attributes:
        again_of: the answer that this one is to be held against.
    """

    platform: Platform
    conversation_key: str
    asker: str
    principals: list[str]
    text: str
    language: Language
    inbox_id: int | None = None
    again_of: int | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """An interaction that is stored.

    Attributes:
        adapter: chosen once for this answer, None is the base model.
        is_finished: whether it was answered before, and only the reply may still be owed.
    """

    id: int
    adapter: str | None
    is_finished: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything needed to say an answer again.

    Attributes:
        generated: what the model said; `answer` is what the person saw.
        standalone_question: what was searched and shown to the model.
        search_notice: what the person is told where that is not what was typed.
        mode_reason: why an answer was quoted, refused, stopped or failed.
        citations: numbers of the passages that the answer cites.
        sampling: the parameters of the request, as sent.
        example_ids: answers that stand in `messages` as earlier turns, right before the last (`retrieval/memory.py`).
        spared_tokens: of examples that need not stand there because the adapter has learnt them.
    """

    interaction_id: int
    answer: str
    mode: Mode
    mode_reason: str | None = None
    standalone_question: str | None = None
    search_notice: str | None = None
    model: str | None = None
    adapter: str | None = None
    messages: list[Message] = field(default_factory=list[Message])
    sampling: dict[str, Any] = field(default_factory=dict[str, Any])
    example_ids: list[int] = field(default_factory=list[int])
    example_tokens: int = 0
    spared_tokens: int = 0
    passages: list[Passage] = field(default_factory=list[Passage])
    generated: str | None = None
    citations: list[int] = field(default_factory=list[int])
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    first_token_seconds: float | None = None
    answer_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """One person's judgement of one answer; value 0 withdraws it.

    Attributes:
        source: where it was given, e.g. `web`, `slack_reaction`, `cli`.
        event_key: the platform's own id, so that a repeated delivery counts once.
        right_chunk_id: the passage that holds the right answer; `right_source` says it in words or as a link.
        said_at: Unix time in seconds, by the clock of the platform or page; None: now. The last one said stands,
            whichever is stored last.
    """

    interaction_id: int
    person: str
    value: Vote
    source: str
    correction: str | None = None
    reason: str | None = None
    event_key: str | None = None
    right_chunk_id: int | None = None
    right_source: str | None = None
    said_at: float | None = None
