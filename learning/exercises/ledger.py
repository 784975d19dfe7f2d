"""What exercises cost, in tokens, seconds, minutes of people and money, and how far two people agree on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.database import Database
from core.sql import load_queries
from learning.exams.agreement import find_kappa

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Prices:
    """An hour of the machine that the model runs on, and of a reviewer; None where nobody said."""

    currency: str = "USD"
    machine_hour: float | None = None
    reviewer_hour: float | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What went into exercises so far, or into one make.

    Attributes:
        seconds: of the whole making, searches and checks included; model_seconds: of these, in the model server.
        passed: exercises that passed every check.
    """

    passed: int
    tries: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    model_seconds: float
    seconds: float
    reviews: int
    reviewer_seconds: float


@dataclass(frozen=True, slots=True)
class Bill:
    """What was spent, in money as far as prices are known, and for one exercise that passed."""

    spent: Spent
    currency: str
    machine: float | None
    reviewers: float | None
    each: float | None
    tokens_each: float | None
    reviewer_minutes_each: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two people who saw the same exercises agree.

    Attributes:
        items: that two people looked at; same: share of them with the same verdict, an edit counting as acceptance.
        kappa: agreement beyond chance (Cohen 1960); None where both always said the same one thing.
    """

    items: int
    same: float | None
    kappa: float | None


@dataclass(frozen=True, slots=True)
class _Pair:
    first: bool
    second: bool


async def find_bill(database: Database, prices: Prices, *, make_id: int | None = None) -> Bill:
    """The sums of one make, or of all of them."""
    spent = await database.fetch_one(QUERIES["sum_spent"], {"make_id": make_id}, Spent)
    assert spent, "a sum is a row"
    return write_bill(spent, prices)


def write_bill(spent: Spent, prices: Prices) -> Bill:
    """Sums of money; None where a price is, and so is what each cost where something spent has no price."""
    machine = _price(spent.model_seconds, prices.machine_hour)
    reviewers = _price(spent.reviewer_seconds, prices.reviewer_hour)
    known = [amount for amount in (machine, reviewers) if amount is not None]
    unpriced = (machine is None and spent.model_seconds) or (reviewers is None and spent.reviewer_seconds)
    each = sum(known) / spent.passed if spent.passed and known and not unpriced else None
    tokens = spent.prompt_tokens + spent.completion_tokens
    return Bill(
        spent=spent,
        currency=prices.currency,
        machine=machine,
        reviewers=reviewers,
        each=None if each is None else round(each, 4),
        tokens_each=round(tokens / spent.passed, 1) if spent.passed else None,
        reviewer_minutes_each=round(spent.reviewer_seconds / 60 / spent.passed, 3) if spent.passed else None,
    )


async def find_agreement(database: Database) -> Agreement:
    """Of the first two people who looked at each exercise."""
    return measure_agreement(
        [(pair.first, pair.second) for pair in await database.fetch_all(QUERIES["find_pairs"], None, _Pair)]
    )


def measure_agreement(pairs: Sequence[tuple[bool, bool]]) -> Agreement:
    """Share and kappa of verdicts, True where accepted."""
    count = len(pairs)
    if not count:
        return Agreement(0, None, None)
    same = sum(one == other for one, other in pairs) / count
    return Agreement(count, same, find_kappa(pairs))


def _price(seconds: float, hour: float | None) -> float | None:
    return None if hour is None else round(seconds / 3600 * hour, 4)
