"""Memory of corrections: what people said of answers stands in prompts within seconds, without waiting for the night.

Here votes become memories; `retrieval/memory.py` finds those that fit a question, and judges anew each time whether
they may be used. What speaks against learning from a vote speaks against it here too: consent, disagreement, newcomers,
bursts, personal data.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import class_row

from core.advisory_lock import lock_transaction
from core.background import BackgroundWork
from core.database import Database
from core.fitting import count_tokens
from core.group_commit import to_json_rows
from core.instructions import is_command
from core.locks import Lock
from core.outgoing import find_unsafe
from core.prompt import SYSTEM, PromptExample, build_turns, detect_language
from core.records import Vote
from core.sql import load_queries
from core.wording import find_citations, is_refusal, normalise_text, strip_citations
from learning.caps import Caps
from learning.private_data import redact
from learning.raters import RaterRules

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

Kind = Literal["expert", "correction", "like"]

# The source of a correction that somebody was asked for, in the channel of experts.
EXPERT = "expert"
# Longer ones are left to the night: they would take the place of passages.
MOST_QUESTION_CHARACTERS, MOST_ANSWER_CHARACTERS = 500, 1200
INTERVAL_SECONDS = 2.0

_BATCH = 64

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """An answer with a vote; `settled` is an administrator's last word on it, 0 where nobody can tell."""

    id: int
    question: str
    mode: str
    answer: str
    passages: list[dict[str, Any]]
    citations: list[int]
    settled: Vote | None = None


@dataclass(frozen=True, slots=True)
class StandingVote:
    """A voter's standing judgement of an answer.

    Attributes:
        waits_until: for a newcomer's, as long as their pairs wait.
        day_before: memories by votes of this voter in the day before it.
    """

    id: int
    interaction_id: int
    voter: str
    value: Vote
    correction: str | None = None
    source: str = ""
    right_chunk_id: int | None = None
    waits_until: datetime | None = None
    is_burst: bool = False
    day_before: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is remembered of an answer: its question, and what is right, by whose word."""

    kind: Kind
    vote: StandingVote
    text: str


@dataclass(frozen=True, slots=True)
class _Note:
    id: int
    interaction_id: int


@dataclass(frozen=True, slots=True)
class RightDocument:
    """The document of a passage that somebody named as the right one."""

    chunk_id: int
    document_id: int
    version: int


class Remembering(BackgroundWork):
    """Remembers new votes every two seconds; several services share the work."""

    def __init__(self, database: Database, *, interval_seconds: float = INTERVAL_SECONDS) -> None:
        super().__init__("remembering corrections", pause_seconds=interval_seconds)
        self._database = database

    async def turn(self) -> bool:
        """All votes that wait; there will be more."""
        count = await remember(self._database)
        log.log(logging.INFO if count else logging.DEBUG, "remembered votes", extra={"answers": count})
        return False


async def remember(database: Database, *, rules: RaterRules | None = None) -> int:
    """Remember every vote that waits, and forget what no vote stands behind any more; how many answers were looked at.

    Raises:
        DatabaseError: the database stayed away.
    """
    rules, looked_at = rules or RaterRules(), 0
    while True:
        notes = await database.fetch_all(QUERIES["find_unremembered"], {"limit": _BATCH}, _Note)
        if not notes:
            return looked_at
        await _remember(database, notes, rules)
        looked_at += len({note.interaction_id for note in notes})


async def _remember(database: Database, notes: Sequence[_Note], rules: RaterRules) -> None:
    ids = sorted({note.interaction_id for note in notes})
    async with database.transaction() as connection:
        await lock_transaction(connection, Lock.MEMORY)
        answers = await _read(connection, "find_answers", {"ids": ids}, JudgedAnswer)
        limits = {
            "quarantine_days": rules.quarantine_days,
            "burst_minutes": rules.burst_minutes,
            "burst_votes": rules.burst_votes,
        }
        votes: dict[int, list[StandingVote]] = defaultdict(list)
        for vote in await _read(connection, "find_votes", {"ids": ids, **limits}, StandingVote):
            votes[vote.interaction_id].append(vote)
        chosen: dict[int, Chosen] = {}
        taken: Counter[str] = Counter()
        for one in answers:
            if found := choose(one, votes[one.id], taken):
                chosen[one.id] = found
                taken[found.vote.voter] += 1
        named = [one.vote.right_chunk_id for one in chosen.values() if one.vote.right_chunk_id is not None]
        right = {
            one.chunk_id: one for one in await _read(connection, "find_right_documents", {"ids": named}, RightDocument)
        }
        documents = {one.id: list_documents(one, chosen[one.id], right) for one in answers if one.id in chosen}
        # What no document carries may be anybody's to know, so it is nobody's to be shown.
        kept = sorted(id_ for id_, listed in documents.items() if listed)
        rows = [_to_row(one, chosen[one.id]) for one in answers if one.id in kept]
        listed = [row for id_ in kept for row in documents[id_]]
        await connection.execute(QUERIES["forget_others"], {"ids": ids, "kept": kept})
        await connection.execute(QUERIES["store"], {"rows": to_json_rows(rows)})
        await connection.execute(QUERIES["forget_documents"], {"kept": kept})
        await connection.execute(QUERIES["store_documents"], {"rows": to_json_rows(listed)})
        if bursting := sorted({vote.voter for given in votes.values() for vote in given if vote.is_burst}):
            wanted = {"voters": bursting, "burst_minutes": rules.burst_minutes}
            await connection.execute(QUERIES["forget_bursts"], wanted)
        await connection.execute(QUERIES["mark_remembered"], {"ids": [note.id for note in notes]})


async def _read(
    connection: AsyncConnection[Any], query: str, values: Mapping[str, Any], record: type[Record]
) -> list[Record]:
    cursor = connection.cursor(row_factory=class_row(record))
    await cursor.execute(QUERIES[query], values)
    return await cursor.fetchall()


def choose(
    answer: JudgedAnswer, votes: Sequence[StandingVote], taken: Mapping[str, int], *, caps: Caps | None = None
) -> Chosen | None:
    """What the standing votes on one answer say is right; None where they are of two minds, or nothing may be kept.

    An expert's word settles it. Else an administrator's, else the majority's: a liked answer of the model, or the
    correction that most people wrote, the newest of those.

    Args:
        taken: memories of each voter that are about to be stored beside those before.
    """
    most_a_day = (caps or Caps()).person_day
    trusted = [vote for vote in votes if not vote.is_burst and vote.day_before + taken.get(vote.voter, 0) < most_a_day]
    experts = [vote for vote in votes if vote.source == EXPERT and vote.correction]
    balance = sum(vote.value for vote in votes) if answer.settled is None else answer.settled
    chosen = None
    if experts:
        chosen = _choose_correction("expert", experts)
    elif balance < 0:
        chosen = _choose_correction("correction", [vote for vote in trusted if vote.value < 0 and vote.correction])
    elif balance > 0 and answer.mode == "generated":
        liking = sorted((vote for vote in trusted if vote.value > 0), key=_by_standing)
        chosen = Chosen("like", liking[-1], strip_citations(answer.answer)) if liking else None
    return chosen if chosen and _may_be_kept(answer, chosen.text) else None


def _choose_correction(kind: Kind, votes: Sequence[StandingVote]) -> Chosen | None:
    counts = Counter(normalise_text(vote.correction or "") for vote in votes)
    ordered = sorted(votes, key=lambda vote: (counts[normalise_text(vote.correction or "")], *_by_standing(vote)))
    return Chosen(kind, ordered[-1], strip_citations(ordered[-1].correction or "")) if ordered else None


def _by_standing(vote: StandingVote) -> tuple[bool, int]:
    """Those who need not wait last, then the newest."""
    return vote.waits_until is None, vote.id


def _may_be_kept(answer: JudgedAnswer, text: str) -> bool:
    """Whether it says something, is short, and holds nothing that is somebody's, or that no answer may hold."""
    question = answer.question
    if not normalise_text(text) or is_refusal(text):
        return False
    if len(question) > MOST_QUESTION_CHARACTERS or len(text) > MOST_ANSWER_CHARACTERS:
        return False
    if redact(question) != question or redact(text) != text or is_command(question):
        return False
    sources = [f"{one.get('title', '')}\n{one.get('text', '')}" for one in answer.passages]
    return find_unsafe(text, sources=[question, *sources], hidden=[SYSTEM]) is None


def list_documents(answer: JudgedAnswer, chosen: Chosen, right: Mapping[int, RightDocument]) -> list[dict[str, Any]]:
    """The documents that a memory leans on, each once; where it cites none, it leans on all that were shown."""
    cited = set(answer.citations)
    if chosen.vote.correction and chosen.kind != "like":
        cited |= set(find_citations(chosen.vote.correction))
    shown = [one for one in answer.passages if "document_id" in one]
    named = {one["document_id"] for one in shown if one.get("number") in cited}
    versions = {one["document_id"]: one.get("document_version", 1) for one in shown}
    named = named or set(versions)
    if found := right.get(chosen.vote.right_chunk_id or 0):
        versions.setdefault(found.document_id, found.version)
        named.add(found.document_id)
    return [
        {"interaction_id": answer.id, "document_id": id_, "version": version, "is_cited": id_ in named}
        for id_, version in sorted(versions.items())
    ]


def _to_row(answer: JudgedAnswer, chosen: Chosen) -> dict[str, Any]:
    example = PromptExample(answer.question, chosen.text)
    waits_until = chosen.vote.waits_until if chosen.kind != "expert" else None
    return asdict(example) | {
        "interaction_id": answer.id,
        "feedback_id": chosen.vote.id,
        "kind": chosen.kind,
        "voter": chosen.vote.voter,
        "language": detect_language(answer.question),
        "tokens": count_tokens(build_turns(example)),
        "waits_until": waits_until,
    }
