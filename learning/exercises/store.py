"""Exercises in the tables: what was tried, what passed, with its documents and its cost."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson

from core.database import Database
from core.errors import NotFoundError
from core.sql import load_queries
from learning.exercises.asking import Cost
from learning.exercises.draft import Draft, Kind, Slot
from learning.exercises.probe import Probed

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Make:
    """One call of `make`; `accepted` is how many of its drafts passed before it was stopped."""

    id: int
    accepted: int


@dataclass(frozen=True, slots=True)
class Yield:
    """How many drafts of a kind and origin ended so; `reason` is None for those that passed."""

    kind: Kind
    origin: str
    reason: str | None
    drafts: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    model_seconds: float


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise as it stands now, with the words of whoever edited it.

    Attributes:
        state: accepted, rejected, disputed, waits (for people), or unseen (passed, and no sample of it).
        documents: id, version, title, allow and deny of each document whose text stands in it, that of the clue first.
    """

    id: int
    kind: Kind
    origin: str
    purpose: str
    language: str
    question: str
    answer: str
    clue: str
    title: str
    heading_path: str
    shape: str
    options: list[str]
    right_option: int | None
    negatives: list[dict[str, Any]]
    parent_id: int | None
    step: str | None
    probe: dict[str, Any]
    state: str
    accepts: int
    rejects: int
    documents: list[dict[str, Any]]
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What an item asks and its answer, for near-duplicate search."""

    kind: Kind
    purpose: str
    subject: str
    answer: str


class Exercises:
    """The tables of exercises.

    Args:
        share: of exercises that need no person, in [0, 1], those that wait for one all the same.
        reviewers: how many people must look at what waits.
    """

    def __init__(self, database: Database, *, share: float = 0.2, reviewers: int = 1) -> None:
        self._database = database
        self._judging = {"share": share, "wanted": reviewers}

    async def begin(self, arguments: Mapping[str, Any], *, model: str | None) -> Make:
        """A new make, or the last one of the same arguments where it did not end."""
        values = {"arguments": orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS).decode(), "model": model}
        found = await self._database.fetch_one(QUERIES["begin"], values, Make)
        assert found, "what is inserted says its id"
        return found

    async def end(self, make_id: int) -> None:
        """It has all that was wanted, or there was nothing left to try."""
        await self._database.execute(QUERIES["end"], {"id": make_id})

    async def find_tried(self) -> set[str]:
        """Keys of everything that was ever tried."""
        return {row[0] for row in await self._database.fetch_tuples(QUERIES["find_tried"])}

    async def find_asked(self) -> list[Asked]:
        """What every stored item asks."""
        return await self._database.fetch_all(QUERIES["find_asked"], None, Asked)

    async def record_fault(self, make_id: int, slot: Slot, reason: str, cost: Cost, *, seconds: float) -> None:
        """A try that failed; of the draft nothing is kept."""
        await self._database.execute(
            QUERIES["record_fault"], _to_try(make_id, slot, cost, seconds) | {"reason": reason}
        )

    async def record(
        self, make_id: int, slot: Slot, draft: Draft, cost: Cost, *, probed: Probed, purpose: str, seconds: float
    ) -> int | None:
        """A draft that passed, as an exercise; its id.

        None where the same one is there already, or one of its documents has gone meanwhile: recorded as a duplicate.
        """
        clue_is_shown = draft.kind != "unanswerable"
        versions = {draft.source.document_id: draft.source.version} | {
            one.document_id: one.version for one in draft.negatives
        }
        values = _to_try(make_id, slot, cost, seconds) | {
            "sha256": draft.sha256,
            "purpose": purpose,
            "language": draft.language,
            "question": draft.question,
            "answer": draft.answer,
            "clue": draft.clue,
            "title": draft.title,
            "heading_path": draft.heading_path,
            "shape": draft.shape,
            "options": list(draft.options),
            "right_option": draft.right,
            "negatives": orjson.dumps([asdict(one) for one in draft.negatives]).decode(),
            "parent_id": draft.parent,
            "step": draft.step,
            "probe": orjson.dumps(_to_probe(probed)).decode(),
            "document_ids": list(versions),
            "versions": list(versions.values()),
            "clue_document": draft.source.document_id if clue_is_shown else None,
        }
        found = await self._database.fetch_dicts(QUERIES["record"], values)
        return found[0]["exercise_id"] if found else None

    async def find_yields(self, make_id: int | None = None) -> list[Yield]:
        """What became of the drafts of one make, or of all."""
        return await self._database.fetch_all(QUERIES["find_yields"], {"make_id": make_id}, Yield)

    async def find(
        self,
        *,
        kind: str | None = None,
        state: str | None = None,
        purpose: str | None = None,
        words: str | None = None,
        before: int | None = None,
        id_: int | None = None,
        principals: Sequence[str] | None = None,
        limit: int = 50,
    ) -> list[Exercise]:
        """Exercises whose documents are there and unchanged, newest first.

        Args:
            principals: only what these may read all documents of; None for all, which is for admins alone.
        """
        values = {"kind": kind, "state": state, "purpose": purpose, "words": words, "before": before, "id": id_}
        values |= {"principals": None if principals is None else list(principals), "limit": limit}
        return await self._database.fetch_all(QUERIES["find"], values | self._judging, Exercise)

    async def get(self, id_: int) -> Exercise:
        """One exercise.

        Raises:
            NotFoundError: there is none, or a document of it has changed or gone.
        """
        found = await self.find(id_=id_, limit=1)
        if not found:
            raise NotFoundError(
                f"no exercise {id_}, or its document changed; `nightbake exercises list` has the others"
            )
        return found[0]

    async def count_states(self) -> dict[str, dict[str, int]]:
        """Kind -> state -> exercises."""
        counted: dict[str, dict[str, int]] = {}
        for row in await self._database.fetch_dicts(QUERIES["count_states"], self._judging):
            counted.setdefault(row["kind"], {})[row["state"]] = row["count"]
        return counted


def _to_try(make_id: int, slot: Slot, cost: Cost, seconds: float) -> dict[str, Any]:
    facts: dict[str, Any] = {"make_id": make_id, "key": slot.key, "kind": slot.kind, "origin": slot.origin}
    return facts | asdict(cost) | {"seconds": seconds}


def _to_probe(probed: Probed) -> dict[str, bool]:
    return {name: value for name, value in asdict(probed).items() if value is not None}
