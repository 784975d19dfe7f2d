"""What the last nights cost and brought, and how often answers are right, read from the tables for `break_even.py`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.database import Database
from core.exams import Exam, Exams
from core.sql import load_queries
from learning.break_even import Accuracy, BreakEven, Figures, Gain, Spending, judge, sum_spending

QUERIES = load_queries(__file__)
DAYS = 30
RIGHT_CELLS = ("found_right", "missed_right")
WRONG_CELLS = ("found_wrong", "missed_wrong", "invented")


@dataclass(frozen=True, slots=True)
class Economy:
    """Is it good enough, and what did the nights of the last `days` cost and return."""

    figures: Figures
    break_even: BreakEven
    spending: Spending
    days: int = DAYS


@dataclass(frozen=True, slots=True)
class _Night:
    id: int
    machine_seconds: float
    was_served: bool
    before: int
    after: int
    count: int
    answers: int


@dataclass(frozen=True, slots=True)
class _Judged:
    liked: int
    count: int


async def find_economy(database: Database, figures: Figures, *, until: datetime) -> Economy:
    """The numbers of the thirty days up to a moment."""
    window = {"since": until - timedelta(days=DAYS), "until": until}
    nights = await database.fetch_all(QUERIES["find_nights"], window, _Night)
    gains = [Gain(one.before, one.after, one.count, one.answers) for one in nights if one.was_served]
    spending = sum_spending([one.machine_seconds for one in nights], gains, figures)
    return Economy(figures, judge(await _find_accuracy(database, window), figures), spending)


async def _find_accuracy(database: Database, window: dict[str, datetime]) -> Accuracy | None:
    """By the latest round of golden questions; where none was asked, by people's votes."""
    rounds = await Exams(database).find_latest(limit=1)
    if rounds and (counted := read_accuracy(rounds[0])).count:
        return counted
    found = await database.fetch_one(QUERIES["count_judged"], window, _Judged)
    return Accuracy(found.liked, found.count, "votes") if found and found.count else None


def read_accuracy(exam: Exam) -> Accuracy:
    """Right among those that were answered: a refusal is no answer, and an invention is a wrong one."""
    right = exam.count(*RIGHT_CELLS)
    return Accuracy(right, right + exam.count(*WRONG_CELLS), "golden")
