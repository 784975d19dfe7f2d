"""Forget a person, whoever asks for it and wherever: log, votes, pairs, data sets, reports and adapters.

What stays is said: exported files, messages in a chat, a report that was sent, groups, consent and the audit.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from core.adapters import EVERYONE, Adapters
from core.database import Database
from core.directory import Directory
from core.errors import ModelServerError
from core.locks import Lock
from core.model_server import ModelServer
from core.serving import Serving
from core.sql import load_queries
from core.wording import hash_question, normalise_text

QUERIES = load_queries(__file__)

REASON = "trained on what a person asked to be forgotten"
# The name of the model without an adapter, where commands take an adapter.
BASE = "base"

# How long an answer under way is waited for before its adapter's weights stay for another time.
ANSWERS_SECONDS, POLL_SECONDS = 30.0, 0.2

# In this order: each row goes before what it refers to.
LEARNT = (
    "mark_runs", "erase_run_pairs", "erase_pairs", "erase_reviews", "blank_reviews", "blank_checks",
    "blank_exercise_reviews", "erase_golden", "blank_golden", "blank_exams", "erase_diagnoses", "blank_rounds",
    "blank_experiments", "erase_sides", "erase_singles", "erase_judged_queries", "erase_words",
)  # fmt: skip
LOGGED = ("votes", "expert_requests", "expert_replies", "questions", "events")


class Unlearn(Protocol):
    """Takes out of the search what a person and some answers taught, in a transaction that holds `Lock.INDEX`."""

    def __call__(
        self, connection: AsyncConnection[Any], *, person: str, interaction_ids: Sequence[int]
    ) -> Awaitable[None]:
        """Unlearn; `interaction_ids` are the answers."""
        ...


@dataclass(frozen=True, slots=True)
class Used:
    """What used a person's words: ids but for names of adapters and words of questions.

    Attributes:
        votes: the person's own, and those of others on answers to the person.
        touched: answers that the person asked for or voted on.
        runs: that held a pair or a vote; `adapters` are those that trained on a pair.
    """

    asked: list[int]
    votes: list[int]
    touched: list[int]
    pairs: list[int]
    questions: list[str]
    runs: list[int]
    adapters: list[str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was forgotten. It names nobody: it is for the person who asked.

    Attributes:
        number: None where there was nothing to forget, and no receipt is kept.
        log: rows of the log that are gone, by kind: votes, expert_requests, expert_replies, questions, events.
        serving: what answers now, where that had to change; `base` is the base model.
        folders_left: adapters whose weights the model server still holds; forget again once it has stopped.
        rebuild: number of the queued night; None where no adapter was touched.
    """

    number: int | None
    log: dict[str, int]
    pairs: int
    nights: list[int]
    reports: int
    adapters: list[str]
    serving: str | None = None
    folders_left: tuple[str, ...] = ()
    rebuild: int | None = None


class Forgetting:
    """The one way to forget a person, for the chat and the command alike.

    Args:
        home: state folder, with the nights' jobs and the adapters.
        unlearn: of the search.
    """

    def __init__(
        self,
        *,
        database: Database,
        adapters: Adapters,
        serving: Serving,
        model_server: ModelServer,
        home: Path,
        unlearn: Unlearn,
    ) -> None:
        self._database = database
        self._adapters = adapters
        self._serving = serving
        self._model_server = model_server
        self._home = home
        self._unlearn = unlearn

    async def forget(self, person: str, *, by: str, keep_inbox: int | None = None) -> Receipt:
        """Erase in one transaction a name, then stop serving what was trained on it and delete its weights.

        Done again, it forgets what came since, and ends what a crash or a model server that was away left undone.
        An employee who is on several platforms is forgotten on all of them.

        Args:
            by: who did it, for receipt and audit, which outlive the person: never the person's own name.
            keep_inbox: the event that asks for it, which must outlive a crash.
        """
        names = await Directory(self._database).find_same(person)
        return _join([await self._forget(name, by, keep_inbox) for name in names])

    async def _forget(self, person: str, by: str, keep_inbox: int | None) -> Receipt:
        async with self._database.transaction() as connection:
            # Before any row, in the order in which the search learns: else each would wait for what the other holds.
            await connection.execute(QUERIES["lock"], {"key": Lock.INDEX})
            await connection.execute(QUERIES["lock_questions"], {"person": person})
            used = await _find_used(connection, person)
            await self._unlearn(connection, person=person, interaction_ids=used.asked)
            receipt = await _erase(connection, used, person, keep_inbox)
            receipt = await _retire(connection, used, receipt, by)
        await asyncio.to_thread(_delete_jobs, self._home, used.runs)
        serving = await self._serve_another(by)
        receipt = replace(receipt, serving=serving, folders_left=tuple(await self._delete_weights()))
        if receipt.number is not None:
            await self._database.execute(QUERIES["complete_receipt"], _to_values(receipt) | {"number": receipt.number})
        return receipt

    async def _serve_another(self, by: str) -> str | None:
        """Where what answers was retired for somebody's wish: the latest before it that stays, or the base model.

        An audience whose adapter was retired is answered by everyone's.
        """
        await self._end_trial(by)
        for adapter in await self._adapters.find_served():
            if adapter.reason == REASON and adapter.audience != EVERYONE:
                await self._serving.promote(None, by=by, reason=REASON, audience=adapter.audience)
        active = await self._adapters.find_active()
        if active is None or active.reason != REASON:
            return None
        rejected = {adapter.name for adapter in await self._adapters.find_all() if adapter.reason}
        switches = await self._adapters.find_switches()
        served = [switch["name"] for switch in switches if switch["name"] and switch["audience"] == EVERYONE]
        successor = next((name for name in served if name not in rejected), None)
        try:
            await self._serving.promote(successor, by=by, reason=REASON)
        except ModelServerError:
            successor = None
            await self._serving.promote(None, by=by, reason=REASON)
        return successor or BASE

    async def _end_trial(self, by: str) -> None:
        """Where what is on trial was retired for somebody's wish."""
        served = await self._adapters.find_serving()
        if served and served.trial and (await self._adapters.get(served.trial)).reason == REASON:
            await self._adapters.switch(served.name, by=by, reason=REASON, act="end trial")

    async def _delete_weights(self) -> list[str]:
        """Of all that was ever retired for such a wish; the names of those that the model server holds on to."""
        retired = [adapter.name for adapter in await self._adapters.find_all() if adapter.reason == REASON]
        return [name for name in retired if not await self._delete(self._home / "adapters" / name)]

    async def _delete(self, folder: Path) -> bool:
        """Unload, let answers under way end, delete: a server that misses a folder dies. False where it holds on."""
        if not folder.exists():
            return True
        try:
            await self._model_server.unload_adapter(folder.name)
        except ModelServerError:
            return False
        if not await self._wait_for_answers(folder.name):
            return False
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return True

    async def _wait_for_answers(self, adapter: str) -> bool:
        """False where an answer that began with this adapter does not end in time."""
        for _ in range(int(ANSWERS_SECONDS / POLL_SECONDS)):
            if adapter not in await self._adapters.find_answering():
                return True
            await asyncio.sleep(POLL_SECONDS)
        return False


def _join(receipts: Sequence[Receipt]) -> Receipt:
    """One receipt for all names of a person; what is stored has one for each."""
    last = receipts[-1]
    return replace(
        last,
        number=next((one.number for one in receipts if one.number is not None), None),
        log={name: sum(one.log[name] for one in receipts) for name in last.log},
        pairs=sum(one.pairs for one in receipts),
        nights=sorted({night for one in receipts for night in one.nights}),
        reports=sum(one.reports for one in receipts),
        adapters=sorted({name for one in receipts for name in one.adapters}),
        serving=next((one.serving for one in reversed(receipts) if one.serving), None),
        rebuild=next((one.rebuild for one in reversed(receipts) if one.rebuild), None),
    )


async def _find_used(connection: AsyncConnection[Any], person: str) -> Used:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(QUERIES["find_used"], {"person": person})
        found = await cursor.fetchone()
    assert found, "a query without a table gives a row"
    return Used(**found)


async def _erase(connection: AsyncConnection[Any], used: Used, person: str, keep_inbox: int | None) -> Receipt:
    """Everything in the tables; what the nights made first, then the log that it was made from."""
    questions = [hash_question(normalise_text(question)) for question in used.questions]
    values: dict[str, Any] = asdict(used) | {"person": person, "keep_inbox": keep_inbox, "questions": questions}
    values |= {"questions_asked": used.questions}
    for name in LEARNT:
        await connection.execute(QUERIES[name], values)
    reports = (await connection.execute(QUERIES["erase_reports"], values)).rowcount
    await connection.execute(QUERIES["erase_fates"], values)
    log = {name: (await connection.execute(QUERIES[f"erase_{name}"], values)).rowcount for name in LOGGED}
    # Memories went with their votes: an answer that is finished from now on finds them gone and leaves them out.
    await connection.execute(QUERIES["erase_examples"], values)
    return Receipt(None, log, len(used.pairs), used.runs, reports, used.adapters)


async def _retire(connection: AsyncConnection[Any], used: Used, receipt: Receipt, by: str) -> Receipt:
    """Reject the adapters and queue a night without them; then the receipt, unless there was nothing to forget."""
    if used.adapters:
        await connection.execute(QUERIES["reject_adapters"], {"adapters": used.adapters, "reason": REASON})
        receipt = replace(receipt, rebuild=await _insert(connection, "queue_rebuild", {"reason": REASON}))
    if not (any(receipt.log.values()) or receipt.pairs):
        return receipt
    values = _to_values(receipt) | {"by": by, "adapters": used.adapters}
    return replace(receipt, number=await _insert(connection, "write_receipt", values))


async def _insert(connection: AsyncConnection[Any], name: str, values: Mapping[str, Any]) -> int:
    row = await (await connection.execute(QUERIES[name], values)).fetchone()
    assert row, "what is inserted says its id"
    return row[0]


def _to_values(receipt: Receipt) -> dict[str, Any]:
    """The receipt as it is kept: its number is the row's."""
    facts: Mapping[str, Any] = asdict(receipt)
    return {"receipt": Jsonb({key: value for key, value in facts.items() if key != "number"})}


def _delete_jobs(home: Path, runs: Sequence[int]) -> None:
    """The data sets that a night wrote for its training process, where a crash left them."""
    for run_id in runs:
        shutil.rmtree(home / "nights" / str(run_id), ignore_errors=True)
