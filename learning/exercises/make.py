"""From documents to checked exercises: drafts by structure and by the model, checks, probes, tables.

Every try is stored as it ends, so that a call that was stopped goes on where it was, and nothing is tried twice.
"""

import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from typing import Literal, Protocol

from core.prompt import Language
from learning.exercises import rag, unanswerable
from learning.exercises.asking import Asker, Cost
from learning.exercises.checks import Reason, find_fault
from learning.exercises.draft import CountTokens, Draft, Kind, Origin, Related, Section, Slot, hash_parts
from learning.exercises.kinds import FINDERS, SEARCHED, TASKS
from learning.exercises.probe import Probed, probe
from learning.exercises.seen import Seen
from learning.exercises.store import Exercises

Purpose = Literal["training", "exam"]
PURPOSES: tuple[Purpose, ...] = ("training", "exam")
# A section of fewer characters holds nothing to ask a model about.
LEAST_CHARACTERS = 80
EVERYONE = "everyone"

Documents = Mapping[int, Sequence[Section]]


class FindRelated(Protocol):
    """Passages that the search finds for a question, best first, behind the visibility filter."""

    def __call__(self, question: str, principals: Sequence[str]) -> Awaitable[list[Related]]:
        """Search as a reader who holds these principals."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to make; the same wish again goes on with a make that was stopped.

    Attributes:
        count: exercises that pass all checks.
        origins: `structure`, `model`, or both.
        documents: what they are made of, in words: part of the wish.
    """

    kinds: tuple[Kind, ...]
    count: int
    origins: tuple[Origin, ...] = ("structure",)
    purpose: Purpose = "training"
    language: Language | None = None
    documents: str = ""
    passage_tokens: int = rag.PASSAGE_TOKENS


@dataclass(frozen=True, slots=True)
class Tried:
    """How far it is, after each try."""

    accepted: int
    tries: int
    kind: Kind
    reason: Reason | None


class Maker:
    """Tries slots.

    Args:
        find_related: of the search; the text of hard negatives.
        asker: writes and is examined; None makes by structure alone and asks nobody.
        held: questions with answers that must not be made again for this purpose: the other purpose's and golden ones.
    """

    def __init__(
        self,
        store: Exercises,
        wanted: Wanted,
        *,
        find_related: FindRelated,
        count_tokens: CountTokens,
        asker: Asker | None = None,
        held: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._store = store
        self._wanted = wanted
        self._find_related = find_related
        self._count_tokens = count_tokens
        self._asker = asker
        self._held = held
        self._items: dict[Kind, Seen] = defaultdict(Seen)
        self._others = Seen()

    async def make(self, documents: Documents, *, on_try: Callable[[Tried], None]) -> int:
        """Try until enough passed or nothing is left; the number of the make.

        Raises:
            ModelServerError: the server went away; what was made is kept, and the same call goes on.
        """
        model = self._asker.model if self._asker else None
        made = await self._store.begin(asdict(self._wanted), model=model)
        await self.remember()
        tried = await self._store.find_tried()
        accepted, tries = made.accepted, 0
        queues = deque(self._list_queues(documents))
        while queues and accepted < self._wanted.count:
            queue = queues.popleft()
            slot = next((one for one in queue if one.key not in tried), None)
            if slot is None:
                continue
            reason = await self.try_slot(made.id, slot)
            accepted, tries = accepted + (reason is None), tries + 1
            on_try(Tried(accepted, tries, slot.kind, reason))
            queues.append(queue)
        await self._store.end(made.id)
        return made.id

    async def remember(self) -> None:
        """Read what is there already, so that nothing is made twice and nothing of the exam is trained on."""
        for question, answer in self._held:
            self._others.add(question, answer)
        for one in await self._store.find_asked():
            same = one.purpose == self._wanted.purpose
            (self._items[one.kind] if same else self._others).add(one.subject, one.answer)

    async def try_slot(self, make_id: int, slot: Slot) -> Reason | None:
        """Draft, checks, probe, tables; None where it passed."""
        began = time.monotonic()
        draft = slot.draft or await self._write(slot)
        return await self.finish(make_id, slot, draft, began=began, fault=None if draft else "form")

    async def finish(
        self, make_id: int, slot: Slot, draft: Draft | None, *, began: float, fault: Reason | None
    ) -> Reason | None:
        """Check a draft, unless it has a fault already, and store what became of it.

        Args:
            began: when its making began, by the monotonic clock.
        """
        probed = Probed()
        if draft and fault is None:
            draft = await self._surround(draft, slot.section)
            fault, probed = await self._judge(draft)
        cost = self._asker.take_cost() if self._asker else Cost()
        if fault or draft is None:
            fault = fault or "form"
            await self._store.record_fault(make_id, slot, fault, cost, seconds=time.monotonic() - began)
            return fault
        values = {"probed": probed, "purpose": self._wanted.purpose, "seconds": time.monotonic() - began}
        if await self._store.record(make_id, slot, draft, cost, **values) is None:
            return "duplicate"
        self._items[draft.kind].add(draft.subject, draft.solution)
        return None

    async def _write(self, slot: Slot) -> Draft | None:
        assert self._asker, "a slot without a draft is the model's"
        task = TASKS[slot.kind]
        return task.read(await self._asker.write(task.build_messages(slot.section), task.schema), slot.section)

    async def _surround(self, draft: Draft, section: Section) -> Draft:
        """Hard negatives, as a reader of the clue's document would find them."""
        if draft.kind not in SEARCHED:
            return draft
        related = await self._find_related(draft.question, list(dict.fromkeys([EVERYONE, *section.allow[:1]])))
        limits = {"count_tokens": self._count_tokens, "most_tokens": self._wanted.passage_tokens}
        return (rag.add_negatives if draft.kind == "rag" else unanswerable.take_clue_away)(draft, related, **limits)

    async def _judge(self, draft: Draft) -> tuple[Reason | None, Probed]:
        fault = find_fault(draft, items=self._items[draft.kind], exam=self._others)
        if fault or not self._asker:
            return fault, Probed()
        probed = await probe(draft, self._asker, needs_open_book=draft.origin != "structure")
        return probed.fault, probed

    def _list_queues(self, documents: Documents) -> Iterator[Iterator[Slot]]:
        for kind in self._wanted.kinds:
            for origin in self._wanted.origins:
                if origin == "structure":
                    yield list_structured(documents, kind, self._wanted.language)
                elif self._asker:
                    yield list_written(documents, kind, self._wanted.language, model=self._asker.model)


def list_structured(documents: Documents, kind: Kind, language: Language | None) -> Iterator[Slot]:
    """What the form of documents gives, a draft of each document in turn; their order depends on the drafts alone."""
    found = [_find_structured(of_document, kind) for of_document in _order(documents, kind)]
    return (slot for slot in _take_turns(found) if language in (None, slot.section.language))


def list_written(documents: Documents, kind: Kind, language: Language | None, *, model: str) -> Iterator[Slot]:
    """Sections to ask a model about, one of each document in turn."""
    found = [
        [
            Slot(hash_parts(kind, "model", model, *_name(section)), kind, "model", section)
            for section in of_document
            if len(section.text) >= LEAST_CHARACTERS and language in (None, section.language)
        ]
        for of_document in _order(documents, kind)
    ]
    return _take_turns(found)


def _find_structured(sections: Sequence[Section], kind: Kind) -> list[Slot]:
    by_place = {section.heading_path: section for section in reversed(sections)}
    slots = [
        Slot(
            hash_parts(kind, "structure", *_name(sections[0])[:2], draft.sha256),
            kind,
            "structure",
            by_place.get(draft.heading_path, sections[0]),
            replace(draft, kind=kind),
        )
        for draft in FINDERS[kind](sections)
    ]
    return sorted(slots, key=lambda slot: slot.key)


def _name(section: Section) -> tuple[int, int, int]:
    return section.document_id, section.version, section.place


def _order(documents: Documents, kind: Kind) -> list[Sequence[Section]]:
    """Another order for each kind, so that a small count is not made of the same documents in all of them."""
    return [documents[id_] for id_ in sorted(documents, key=lambda id_: hash_parts(kind, id_))]


def _take_turns(queues: Sequence[Sequence[Slot]]) -> Iterator[Slot]:
    return (slot for turn in zip_longest(*queues) for slot in turn if slot is not None)
