"""What exercises are made from and what they are before anybody checked them: frozen values."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from core.prompt import Language

Kind = Literal["definition", "summary", "four_choice", "choice_writing", "rag", "unanswerable"]
Origin = Literal["structure", "model", "evolved"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ORIGINS: tuple[Origin, ...] = get_args(Origin)

CountTokens = Callable[[str], int]
"""Tokens of a text by the tokenizer of the model that will be trained."""


@dataclass(frozen=True, slots=True)
class Section:
    """The text below one heading of a document.

    Attributes:
        version: of the document as it was read; place: number of the section's first chunk in it.
        heading_path: `Leave > Parental leave`; empty before the first heading.
        allow: principals that may read the document.
    """

    document_id: int
    version: int
    place: int
    path: str
    title: str
    heading_path: str
    language: Language
    text: str
    allow: list[str]

    @property
    def heading(self) -> str:
        """The nearest heading."""
        return self.heading_path.rsplit(" > ", 1)[-1]

    @property
    def source(self) -> "Source":
        """Where an exercise made of it comes from."""
        return Source(self.document_id, self.version)


@dataclass(frozen=True, slots=True)
class Source:
    """A document in the version that was read."""

    document_id: int
    version: int


@dataclass(frozen=True, slots=True)
class Related:
    """A passage that the search found for a question: a hard negative, where it does not answer it."""

    document_id: int
    version: int
    title: str
    heading_path: str
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An exercise that nobody checked yet.

    Attributes:
        answer: the right answer; of a four-choice item the text of its right option.
        clue: the text that answers it; for an unanswerable item, the one that would have.
        source: of the clue.
        shape: what it was made of: `table`, `entry`, `definition`, `faq`, `heading`, `number`, `outline` or `model`.
        options: the right one and three wrong ones, in the order shown; right: place of the right one, from 0.
        negatives: related passages without the answer.
        parent: the exercise that it was evolved from; step: how.
    """

    kind: Kind
    origin: Origin
    language: Language
    question: str
    answer: str
    clue: str
    source: Source
    shape: str
    title: str = ""
    heading_path: str = ""
    options: tuple[str, ...] = ()
    right: int | None = None
    negatives: tuple[Related, ...] = ()
    parent: int | None = None
    step: str | None = None

    @property
    def subject(self) -> str:
        """What is asked: where a question is to be written, the written one, for the instruction is always the same."""
        return self.answer.split("\n", 1)[0] if self.kind == "choice_writing" else self.question

    @property
    def solution(self) -> str:
        """What answers the subject."""
        return self.answer if self.right is None else self.options[self.right]

    @property
    def sha256(self) -> str:
        """Equal for the same exercise from the same document."""
        return hash_parts(self.kind, self.question, self.answer, self.source.document_id, *self.options)


@dataclass(frozen=True, slots=True)
class Slot:
    """A try at one exercise: a draft that structure gave, or a section that the model is asked about."""

    key: str
    kind: Kind
    origin: Origin
    section: Section
    draft: Draft | None = None


def hash_parts(*parts: Any) -> str:
    """A hash of values that keeps them apart."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()


def choose_place(text: str, places: int) -> int:
    """A place in `range(places)` that depends on the text alone, evenly over many texts."""
    return int(hash_parts(text)[:8], 16) % places
