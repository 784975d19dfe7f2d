"""Disliked answers of the last weeks to which somebody said what is right, or where it stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.database import Database
from core.prompt import Language
from core.records import Outcome
from core.sql import load_queries
from core.wording import is_refusal
from learning.claims import is_carried
from learning.library import Library, find_chunks, find_documents, find_holders

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Disliked:
    """A question with what one voter said of its answer; of several the one who said most, then the last.

    Attributes:
        principals: what everyone who saw the reply might read then.
    """

    interaction_id: int
    feedback_id: int
    asker: str
    question: str
    language: Language
    principals: list[str]
    correction: str | None
    right_chunk_id: int | None

    @property
    def key(self) -> str:
        """Its name among diagnoses."""
        return f"answer:{self.interaction_id}"


async def find_disliked(database: Database, *, since: datetime, limit: int) -> list[Disliked]:
    """The newest first; only what may be learnt from, and only answers that more people dislike than like."""
    return await database.fetch_all(QUERIES["find_disliked"], {"since": since, "limit": limit}, Disliked)


async def read_library(database: Database, disliked: Sequence[Disliked]) -> Library:
    """Which stored passages hold the corrections or are named as right, whoever may read them."""
    holders = await find_holders(database, {one.correction for one in disliked if one.correction})
    named = {one.right_chunk_id for one in disliked if one.right_chunk_id is not None}
    chunks = await find_chunks(database, {*named, *(one.chunk_id for found in holders.values() for one in found)})
    return Library(await find_documents(database, chunks.values()), chunks, holders)


def find_right_chunks(one: Disliked, library: Library) -> list[int]:
    """The passage that was named, else those that hold the correction, the best first."""
    if one.right_chunk_id is not None and one.right_chunk_id in library.chunks:
        return [one.right_chunk_id]
    return [holder.chunk_id for holder in library.holders.get(one.correction or "", [])]


def narrow(principals: Sequence[str], now: Sequence[str]) -> list[str]:
    """What an asker had then and still has; names that only deny or restrict stay, and nothing is added."""
    kept = {*now, "public"}
    return [name for name in principals if name in kept or name.startswith(("!", "source:"))]


def agrees(answer: str, correction: str) -> bool:
    """Whether an answer says what a correction says: all of its numbers and names, and half of its terms."""
    if is_refusal(answer) or is_refusal(correction):
        return is_refusal(answer) and is_refusal(correction)
    return is_carried(correction, [answer])


def build_judge(one: Disliked, documents: set[int]) -> Callable[[Outcome], bool]:
    """By the correction; where only the source was named, an answer of the model's own that cites it."""
    if one.correction:
        correction = one.correction
        return lambda outcome: agrees(outcome.answer, correction)
    return lambda outcome: (
        outcome.mode == "generated"
        and any(one.document_id in documents and one.number in outcome.citations for one in outcome.passages)
    )


def build_holder(one: Disliked) -> Callable[[str], bool]:
    """Whether a passage says what is right; any of the named document does where nothing was said in words."""
    if not one.correction or is_refusal(one.correction):
        return lambda _: True
    correction = one.correction
    return lambda text: is_carried(correction, [text])
