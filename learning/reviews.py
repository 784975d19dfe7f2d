"""What people said of pairs, which pairs wait for it, and what a sample of them says of the rest.

With a share below 1, the pairs that wait are a sample, the same whoever looks. Where people reject most of what they
see of an origin, more surely than chance would have it, the pairs of that origin that nobody saw are left out too.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.database import Database
from core.sql import load_queries
from core.wording import is_refusal
from learning.curate import Curated
from learning.pairs import Pair
from learning.private_data import redact
from learning.wording import find_missing_facts

QUERIES = load_queries(__file__)

Verdict = Literal["approve", "reject", "edit"]
# An edited pair may be edited again, and so on; nobody does that often.
MOST_EDITS = 8
_ALL = 2**32
# An origin of which surely fewer than this share is right teaches more wrong than it is worth.
LEAST_RIGHT = 0.5
_NORMAL_95 = 1.96


@dataclass(frozen=True, slots=True)
class Review:
    """The last word on a pair; `chosen` is the preferred answer where it was edited."""

    sha256: str
    verdict: Verdict
    chosen: str | None


@dataclass(frozen=True, slots=True)
class Sampled:
    """How many of an origin's sampled pairs people found right as they were; an edited one was not."""

    right: int
    wrong: int

    @property
    def most(self) -> float:
        """The largest share that may well be right: the upper end of Wilson's 95 % interval."""
        n = self.right + self.wrong
        share, z2 = self.right / n, _NORMAL_95**2
        spread = _NORMAL_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
        return (share + z2 / (2 * n) + spread) / (1 + z2 / n)

    @property
    def is_poor(self) -> bool:
        """Whether surely fewer than half are right."""
        return self.most < LEAST_RIGHT


async def find_reviews(database: Database) -> dict[str, Review]:
    """The last review of each pair, by the pair's hash."""
    return {row.sha256: row for row in await database.fetch_all(QUERIES["find_reviews"], None, Review)}


def apply_reviews(curated: Curated, reviews: Mapping[str, Review], *, share: float) -> Curated:
    """Take out what people rejected and what waits for them, and write in what they edited.

    An edit is read like any other text: personal data become placeholders, and facts that its prompt lacks refuse it.

    Args:
        share: of pairs that nobody reviewed, in [0, 1], those that wait; which ones depends on the pair alone.
    """
    kept: list[Pair] = []
    dropped = list(curated.dropped)
    followed = [(pair, *_follow(pair, reviews, curated.private)) for pair in curated.kept]
    sampled = count_sampled(((pair, _judge(pair, edited, verdict)) for pair, edited, verdict in followed), share)
    for pair, edited, verdict in followed:
        if verdict == "reject":
            dropped.append((pair, "rejected_by_reviewer"))
        elif verdict is None and waits(pair.sha256, share):
            dropped.append((pair, "awaits_review"))
        elif verdict is None and pair.origin in sampled and sampled[pair.origin].is_poor:
            dropped.append((pair, "origin_rejected"))
        elif edited.chosen != pair.chosen and not _is_supported(edited):
            dropped.append((edited, "edit_unsupported"))
        else:
            kept.append(edited)
    return replace(curated, kept=kept, dropped=dropped, sampled=sampled)


def count_sampled(verdicts: Iterable[tuple[Pair, Verdict | None]], share: float) -> dict[str, Sampled]:
    """What people said of the sampled pairs, by origin; what they picked themselves says nothing of the rest."""
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for pair, verdict in verdicts:
        if verdict and waits(pair.sha256, share):
            said[pair.origin]["right" if verdict == "approve" else "wrong"] += 1
    return {origin: Sampled(counts["right"], counts["wrong"]) for origin, counts in sorted(said.items())}


def waits(sha256: str, share: float) -> bool:
    """Whether a pair without a review is among the share that waits for one."""
    return int(sha256[:8], 16) < share * _ALL


def _judge(pair: Pair, edited: Pair, verdict: Verdict | None) -> Verdict | None:
    """What was said of the pair as it was: an edited one was not right, whatever was said of it afterwards."""
    return "edit" if edited.chosen != pair.chosen else verdict


def _is_supported(pair: Pair) -> bool:
    """Whether the prompt holds every number and name of the preferred answer."""
    sources = [*(turn["content"] for turn in pair.prompt), pair.question]
    return is_refusal(pair.chosen) or not find_missing_facts(pair.chosen, sources)


def _follow(pair: Pair, reviews: Mapping[str, Review], private: Counter[str]) -> tuple[Pair, Verdict | None]:
    """The pair as it was last edited, and the last word on it."""
    verdict: Verdict | None = None
    for _ in range(MOST_EDITS):
        review: Review | None = reviews.get(pair.sha256)
        if review is None:
            break
        verdict = review.verdict
        chosen = None if review.chosen is None else redact(review.chosen, private)
        if chosen is None or chosen == pair.chosen:
            break
        pair = replace(pair, chosen=chosen, why=tuple(sorted({*pair.why, "review:edited"})))
    if verdict == "approve":
        pair = replace(pair, why=tuple(sorted({*pair.why, "review:approved"})))
    return pair, verdict


def list_waiting(dropped: Sequence[tuple[Pair, str]]) -> int:
    """How many pairs wait for a person."""
    return sum(reason == "awaits_review" for _, reason in dropped)
