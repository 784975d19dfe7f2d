"""Votes teach the search: a liked answer's question belongs to the passages that it cites, a blamed one's does not.

A vote is noted in its own transaction, and learnt from in another: whenever the process is killed, each of them is done
wholly or not at all. What was learnt is undone when the vote is taken back, and goes with its chunk.
"""

import asyncio
import hashlib
import logging
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from psycopg import AsyncConnection
from psycopg.rows import class_row

from core.advisory_lock import lock_transaction
from core.background import BackgroundWork
from core.database import Database
from core.group_commit import to_json_rows
from core.locks import Lock
from core.records import Vote
from core.sql import load_queries
from core.text import clean_text
from core.wording import find_citations
from retrieval.lexical import find_content_terms

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

WRONG_DOCUMENT = "wrong_document"
# A refusal only names the nearest documents: to like it says nothing for them.
LIKED_MODES, JUDGED_MODES = ("generated", "quoted"), ("generated", "quoted", "refused")
# No one person moves a passage further, and no passage becomes an answer to everything.
QUESTIONS_PER_PERSON, QUESTIONS_PER_CHUNK = 4, 32
MAX_QUESTION_TERMS = 64

_BATCH = 64
# A vote counts within a minute: this and the time of one turn.
_INTERVAL_SECONDS = 10.0
_SHORTEST_QUOTE = 20
_SPACES = re.compile(r"\s+")

Shown = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Untaught:
    """An answer with a vote that nothing was learnt from yet; `id` is the note's."""

    id: int
    interaction_id: int
    question: str
    mode: str | None
    passages: list[Shown] | None
    citations: list[int] | None


@dataclass(frozen=True, slots=True)
class StandingVote:
    """A person's standing judgement of an answer."""

    id: int
    interaction_id: int
    person: str
    value: Vote
    reason: str | None
    correction: str | None
    right_chunk_id: int | None = None


@dataclass(frozen=True, slots=True)
class NightlyVerdict:
    """What a night found that a passage is to an answer's question, on the word of some votes.

    Attributes:
        value: 1 where it answers the question, -1 where it was wrongly found for it.
        feedback_ids: the votes; one that stands no more says nothing.
    """

    interaction_id: int
    chunk_id: int
    value: Vote
    feedback_ids: list[int]


@dataclass(frozen=True, slots=True)
class Example:
    """What one vote says of one passage; `value` is 1 where it answers the question, -1 where it was blamed."""

    interaction_id: int
    chunk_id: int
    person: str
    value: Vote
    feedback_id: int
    question: str
    terms: list[str]


_OfAnswer = TypeVar("_OfAnswer", StandingVote, NightlyVerdict)


class Teaching(BackgroundWork):
    """Learns from new votes every ten seconds, first from those that were given meanwhile; several services share the
    work."""

    def __init__(self, database: Database, *, interval_seconds: float = _INTERVAL_SECONDS) -> None:
        super().__init__("learning from votes", pause_seconds=interval_seconds)
        self._database = database

    async def turn(self) -> bool:
        """All votes that wait; there will be more."""
        count = await teach(self._database)
        log.log(logging.INFO if count else logging.DEBUG, "learnt from votes", extra={"answers": count})
        return False


async def teach(database: Database) -> int:
    """Learn from every vote that waits; on how many answers. Counts from the next search on, in every process.

    Raises:
        DatabaseError: the database stayed away.
    """
    taught, after_id = 0, 0
    while True:
        found = await database.fetch_all(QUERIES["find_untaught"], {"after_id": after_id, "limit": _BATCH}, Untaught)
        if not found:
            return taught
        terms = await asyncio.to_thread(_read_all_terms, found)
        await _learn(database, found, terms)
        taught, after_id = taught + len(terms), found[-1].id


async def _learn(database: Database, found: Sequence[Untaught], terms: dict[int, list[str]]) -> None:
    answers = {one.interaction_id: one for one in found}
    wanted: dict[str, Any] = {"interaction_ids": list(answers)}
    async with database.transaction() as connection:
        # One process at a time writes what votes teach, and no chunk goes meanwhile.
        await lock_transaction(connection, Lock.INDEX)
        votes = await _read_by_answer(connection, "find_votes", wanted, StandingVote)
        nightly = await _read_by_answer(connection, "find_nightly", wanted, NightlyVerdict)
        examples = [one for id_ in votes for one in find_examples(answers[id_], votes[id_], terms[id_], nightly[id_])]
        rows = await connection.execute(QUERIES["put_examples"], {**wanted, "examples": to_json_rows(examples)})
        await _count_anew(connection, cast(list[tuple[int]], await rows.fetchall()))
        await connection.execute(QUERIES["mark_taught"], {"ids": [one.id for one in found]})


async def _read_by_answer(
    connection: AsyncConnection[Any], query: str, wanted: dict[str, Any], record: type[_OfAnswer]
) -> dict[int, list[_OfAnswer]]:
    """Rows by their answer; an answer without any has an empty list."""
    cursor = connection.cursor(row_factory=class_row(record))
    await cursor.execute(QUERIES[query], wanted)
    found: dict[int, list[_OfAnswer]] = defaultdict(list)
    for row in await cursor.fetchall():
        found[row.interaction_id].append(row)
    return found


async def forget_examples(connection: AsyncConnection[Any], *, person: str, interaction_ids: Sequence[int]) -> None:
    """Unlearn what a person's votes and the votes on some answers taught, in a transaction that holds Lock.INDEX."""
    wanted = {"person": person, "interaction_ids": list(interaction_ids)}
    rows = await connection.execute(QUERIES["forget"], wanted)
    await _count_anew(connection, cast(list[tuple[int]], await rows.fetchall()))


async def _count_anew(connection: AsyncConnection[Any], chunks: Sequence[tuple[int]]) -> None:
    chunk_ids = [chunk_id for (chunk_id,) in chunks]
    counted = {"chunk_ids": chunk_ids, "per_person": QUESTIONS_PER_PERSON, "per_chunk": QUESTIONS_PER_CHUNK}
    for name in ("forget_terms", "count_terms", "pack_blocks"):
        await connection.execute(QUERIES[name], counted)


def find_examples(
    answer: Untaught,
    votes: Sequence[StandingVote],
    terms: Sequence[str],
    nightly: Sequence[NightlyVerdict] = (),
) -> list[Example]:
    """What the standing votes on one answer teach; nothing where as many people dislike it as like it.

    The cited passages get the question of a liked answer. Where most say that it was taken from the wrong document,
    they are blamed. A person who chose the right passage, or whose correction names it, gives that one the
    question, whatever others think. Beside it counts what a night found out about a vote: where the facts of a
    correction stand, and which passages people blamed.
    """
    shown = [one for one in answer.passages or () if isinstance(one.get("chunk_id"), int)]
    if not terms or answer.mode not in JUDGED_MODES:
        return []
    by_id = {vote.id: vote for vote in votes}
    cited = [one["chunk_id"] for one in shown if one.get("number") in (answer.citations or ())]
    hinted = {(vote.person, chunk_id): vote for vote in votes for chunk_id in _find_right(vote, shown)}
    judging = [vote for vote in _find_majority(votes) if vote.value < 0 or answer.mode in LIKED_MODES]
    judged = {(vote.person, chunk_id): vote for vote in judging for chunk_id in cited}
    said: dict[tuple[str, int], tuple[StandingVote, Vote]] = {key: (vote, vote.value) for key, vote in judged.items()}
    for one in nightly:
        standing = [by_id[id_] for id_ in one.feedback_ids if id_ in by_id]
        said |= {(vote.person, one.chunk_id): (vote, one.value) for vote in standing}
    said |= {key: (vote, 1) for key, vote in hinted.items()}
    question = hash_terms(terms)
    return [
        Example(answer.interaction_id, chunk_id, person, value, vote.id, question, list(terms))
        for (person, chunk_id), (vote, value) in said.items()
    ]


def find_hints(correction: str, passages: Sequence[Shown]) -> list[int]:
    """Chunks that a correction plainly takes its answer from.

    Those that it cites by number as `[2]`; else the one passage that holds the whole of it word for word, or whose
    file it names.
    """
    numbers = set(find_citations(correction))
    if numbers:
        return [one["chunk_id"] for one in passages if one.get("number") in numbers]
    said = _flatten(correction)
    holding = [one for one in passages if len(said) >= _SHORTEST_QUOTE and said in _flatten(one.get("text", ""))]
    naming = [one for one in passages if (name := one.get("path", "").rpartition("/")[2].casefold()) and name in said]
    plain = holding or naming
    return [plain[0]["chunk_id"]] if len(plain) == 1 else []


def _find_right(vote: StandingVote, shown: Sequence[Shown]) -> list[int]:
    """The chunk that was chosen, which need not be one of those shown; else those that the correction points at."""
    if vote.right_chunk_id is not None:
        return [vote.right_chunk_id]
    return find_hints(vote.correction, shown) if vote.correction else []


def read_terms(question: str) -> list[str]:
    """Its terms, each once: only those that carry meaning alone.

    Character bigrams of Korean questions are mostly their endings, which all questions share; see docs/retrieval.md.
    """
    return sorted(set(find_content_terms(clean_text(question))))[:MAX_QUESTION_TERMS]


def hash_terms(terms: Sequence[str]) -> str:
    """SHA-256, hexadecimal: the same for everyone who asks in the same terms."""
    return hashlib.sha256("\n".join(terms).encode()).hexdigest()


def _find_majority(votes: Sequence[StandingVote]) -> list[StandingVote]:
    """Votes that like the answer, or votes that blame its documents; those of the smaller side teach nothing."""
    liking = [vote for vote in votes if vote.value > 0]
    disliking = [vote for vote in votes if vote.value < 0]
    blaming = [vote for vote in disliking if vote.reason == WRONG_DOCUMENT]
    if len(liking) > len(disliking):
        return liking
    return blaming if len(blaming) > len(liking) else []


def _read_all_terms(found: Sequence[Untaught]) -> dict[int, list[str]]:
    """Terms of each question by interaction."""
    return {one.interaction_id: read_terms(one.question) for one in found}


def _flatten(text: str) -> str:
    return _SPACES.sub(" ", text).strip().rstrip(".").casefold()
