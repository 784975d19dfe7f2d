"""What was tried: a hypothesis, the change, questions before and after, and its cost; later rounds follow it up."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb

from core.database import Database
from core.errors import InvalidInputError, NotFoundError
from core.exams import Exam, Exams
from core.sql import load_queries
from learning.advice.rounds import Diagnosed, Round, Rounds
from learning.evaluate import wilson_interval

QUERIES = load_queries(__file__)

State = Literal["open", "closed", "dropped"]
GOLDEN = "golden:"


@dataclass(frozen=True, slots=True)
class Experiment:
    """One change and what became of it.

    Attributes:
        step: of the advice it follows; None where somebody thought of it.
        hypothesis, change: in words, by language.
        before: `asked`, `right`, `asked_golden`, and the keys `targets` that it should mend.
        after: None until it is measured; see `measure_round` and `measure_exam`.
    """

    id: int
    step: str | None
    hypothesis: dict[str, str]
    change: dict[str, str]
    before: dict[str, Any]
    after: dict[str, Any] | None
    cost: dict[str, Any]
    state: State
    opened_by: str
    opened_at: datetime
    measured_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


class Experiments:
    """Opens, measures, ends and lists experiments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(
        self,
        *,
        hypothesis: Mapping[str, str],
        change: Mapping[str, str],
        by: str,
        step: str | None = None,
        mended: Collection[str] = (),
        cost: Mapping[str, Any] | None = None,
    ) -> int:
        """Begin one against the latest round of advice; its number.

        Args:
            mended: keys of the questions that it should mend; of none, all that fail.

        Raises:
            InvalidInputError: no round of advice is there to be held against, or the same step is open.
        """
        found = await Rounds(self._database).find_latest()
        if found is None:
            raise InvalidInputError("expected a round of `nightbake advice` to measure from, found none; run it first")
        if step and any(one.step == step and one.state == "open" for one in await self.find_all()):
            raise InvalidInputError(f"expected no open experiment of {step!r}, found one; `nightbake experiments list`")
        before = describe_before(await Rounds(self._database).find_diagnosed(found.id), mended)
        values = {
            "step": step,
            "round_id": found.id,
            "hypothesis": Jsonb(dict(hypothesis)),
            "change": Jsonb(dict(change)),
            "before": Jsonb(before),
            "cost": Jsonb(dict(cost or {})),
            "by": by,
        }
        return (await self._database.fetch_all(QUERIES["open"], values, _Id))[0].id

    async def find_all(self, *, limit: int = 100) -> list[Experiment]:
        """The newest first."""
        return await self._database.fetch_all(QUERIES["find_all"], {"limit": limit}, Experiment)

    async def find_told(self, *, since: datetime) -> list[Experiment]:
        """Those for a report: open ones, and those that ended since the last."""
        return await self._database.fetch_all(QUERIES["find_told"], {"since": since}, Experiment)

    async def end(self, experiment_id: int, state: Literal["closed", "dropped"]) -> None:
        """Close one whose change stays, or drop one whose change was taken back.

        Raises:
            NotFoundError: no open experiment has this number.
        """
        if not await self._database.execute(QUERIES["end"], {"id": experiment_id, "state": state}):
            raise NotFoundError(f"no open experiment with the number {experiment_id}; `nightbake experiments list`")

    async def measure(self, *, adapter: str | None) -> int:
        """Measure the open ones by the last round of advice and the last exam since they were opened; how many were.

        Args:
            adapter: that is served: an exam of another one tells nothing of what people get.
        """
        measured = 0
        rounds = Rounds(self._database)
        latest, exams = await rounds.find_latest(), await Exams(self._database).find_latest(limit=20)
        diagnosed = await rounds.find_diagnosed(latest.id) if latest else []
        exam = next((one for one in exams if one.adapter == adapter), None)
        for one in await self.find_all():
            after = _measure(one, latest, diagnosed, exam) if one.state == "open" else None
            if after and after != one.after:
                await self._database.execute(QUERIES["measure"], {"id": one.id, "after": Jsonb(after)})
                measured += 1
        return measured


def describe_before(diagnosed: Sequence[Diagnosed], mended: Collection[str]) -> dict[str, Any]:
    """Questions as they were; the keys of those that were wrong, for a later exam names only these."""
    wrong = [one.diagnosis.key for one in diagnosed if not one.diagnosis.is_right]
    return {
        "asked": len(diagnosed),
        "right": len(diagnosed) - len(wrong),
        "asked_golden": sum(one.diagnosis.key.startswith(GOLDEN) for one in diagnosed),
        "wrong": wrong,
        "targets": [key for key in wrong if key in set(mended)] if mended else wrong,
    }


def measure_round(before: Mapping[str, Any], diagnosed: Sequence[Diagnosed]) -> dict[str, Any] | None:
    """What a later round says of an experiment's questions; None where it asked none of its targets."""
    right = {one.diagnosis.key: one.diagnosis.is_right for one in diagnosed}
    targets = [key for key in before["targets"] if key in right]
    broken = [key for key, is_right in right.items() if not is_right and key not in before["wrong"]]
    return _sum_up("advice", targets, [key for key in targets if right[key]], len(right), sum(right.values()), broken)


def measure_exam(before: Mapping[str, Any], exam: Exam) -> dict[str, Any] | None:
    """What a later exam of as many golden questions says; it names only those that failed. None of another exam."""
    asked = exam.count(*{cell for counts in exam.cells.values() for cell in counts})
    if asked != before["asked_golden"]:
        return None
    failed = {f"{GOLDEN}{one['id']}" for one in exam.failed}
    targets = [key for key in before["targets"] if key.startswith(GOLDEN)]
    broken = sorted(failed - set(before["wrong"]))
    return _sum_up("exam", targets, [key for key in targets if key not in failed], asked, asked - len(failed), broken)


def _measure(
    one: Experiment, latest: Round | None, diagnosed: Sequence[Diagnosed], exam: Exam | None
) -> dict[str, Any] | None:
    """By what was asked last since it was opened."""
    rounds = [(latest.ended_at, "advice")] if latest and latest.ended_at and latest.began_at > one.opened_at else []
    exams = [(exam.asked_at, "exam")] if exam and exam.asked_at > one.opened_at else []
    for _, source in sorted([*rounds, *exams], reverse=True):
        after = measure_round(one.before, diagnosed) if source == "advice" else exam and measure_exam(one.before, exam)
        if after:
            return after
    return None


def _sum_up(
    source: Literal["advice", "exam"], targets: Sequence[str], mended: Sequence[str], asked: int, right: int,
    broken: Sequence[str],
) -> dict[str, Any] | None:  # fmt: skip
    if not targets:
        return None
    low, high = wilson_interval(len(mended) / len(targets), len(targets))
    return {
        "source": source,
        "asked": asked,
        "right": right,
        "targets": len(targets),
        "mended": len(mended),
        "low": round(low, 4),
        "high": round(high, 4),
        "broken": len(broken),
    }
