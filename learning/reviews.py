"""What people said of pairs, and which pairs wait for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.database import Database
from core.sql import load_queries
from learning.curate import Curated
from learning.pairs import Pair

QUERIES = load_queries(__file__)

Verdict = Literal["approve", "reject", "edit"]
# An edited pair may be edited again, and so on; nobody does that often.
MOST_EDITS = 8
_ALL = 2**32


@dataclass(frozen=True, slots=True)
class Review:
    """The last word on a pair; `chosen` is the preferred answer where it was edited."""

    sha256: str
    verdict: Verdict
    chosen: str | None


async def find_reviews(database: Database) -> dict[str, Review]:
    """The last review of each pair, by the pair's hash."""
    return {row.sha256: row for row in await database.fetch_all(QUERIES["find_reviews"], None, Review)}


def apply_reviews(curated: Curated, reviews: Mapping[str, Review], *, share: float) -> Curated:
    """Take out what people rejected and what waits for them, and write in what they edited.

    Args:
        share: of pairs that nobody reviewed, in [0, 1], those that wait; which ones depends on the pair alone.
    """
    kept: list[Pair] = []
    dropped = list(curated.dropped)
    for pair in curated.kept:
        edited, verdict = _follow(pair, reviews)
        if verdict == "reject":
            dropped.append((pair, "rejected_by_reviewer"))
        elif verdict is None and waits(pair.sha256, share):
            dropped.append((pair, "awaits_review"))
        else:
            kept.append(edited)
    return replace(curated, kept=kept, dropped=dropped)


def waits(sha256: str, share: float) -> bool:
    """Whether a pair without a review is among the share that waits for one."""
    return int(sha256[:8], 16) < share * _ALL


def _follow(pair: Pair, reviews: Mapping[str, Review]) -> tuple[Pair, Verdict | None]:
    """The pair as it was last edited, and the last word on it."""
    verdict: Verdict | None = None
    for _ in range(MOST_EDITS):
        review: Review | None = reviews.get(pair.sha256)
        if review is None:
            break
        verdict = review.verdict
        if review.chosen is None or review.chosen == pair.chosen:
            break
        pair = replace(pair, chosen=review.chosen, why=tuple(sorted({*pair.why, "review:edited"})))
    if verdict == "approve":
        pair = replace(pair, why=tuple(sorted({*pair.why, "review:approved"})))
    return pair, verdict


def list_waiting(dropped: Sequence[tuple[Pair, str]]) -> int:
    """How many pairs wait for a person."""
    return sum(reason == "awaits_review" for _, reason in dropped)
