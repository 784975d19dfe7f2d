"""What a night learnt, in words: from what, about what, how answers changed, and examples that everyone may read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from core.database import Database
from core.sql import load_queries
from learning.private_data import redact

QUERIES = load_queries(__file__)
# Of five examples one is the greatest loss: who reads only gains learns nothing of the risk.
BEST_EXAMPLES, WORST_EXAMPLES = 4, 1
MOST_TOPICS = 5
# A change of less is the same answer in other words.
LEAST_CHANGE = 0.05

Grades = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A held-out pair that may be told of, and how many people and votes stand behind it."""

    sha256: str
    question: str
    origin: str
    voters: int
    liked: int
    disliked: int
    corrected: int


@dataclass(frozen=True, slots=True)
class Lessons:
    """What may be told of a night's pairs; topics with the number of trained pairs, the most first."""

    told: Mapping[str, Told] = field(default_factory=dict[str, Told])
    topics: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class _Topic:
    topic: str
    pairs: int


async def find_lessons(database: Database, run_id: int) -> Lessons:
    """What everyone may be told of a night, by permission and consent of today."""
    told = await database.fetch_all(QUERIES["find_told"], {"run_id": run_id}, Told)
    topics = await database.fetch_all(QUERIES["count_topics"], {"run_id": run_id, "limit": MOST_TOPICS}, _Topic)
    return Lessons({one.sha256: one for one in told}, [(one.topic, one.pairs) for one in topics])


def choose_examples(answers: Mapping[str, Any] | None, told: Mapping[str, Told]) -> list[dict[str, Any]]:
    """Before and after, with the votes behind: the greatest improvements, and the greatest loss."""
    found = [example for example in (answers or {}).get("examples", []) if example["sha256"] in told]
    found.sort(key=lambda example: (-_measure_gain(example), example["sha256"]))
    shown = found if len(found) <= BEST_EXAMPLES + WORST_EXAMPLES else found[:BEST_EXAMPLES] + found[-WORST_EXAMPLES:]
    return [_tell(example, told[example["sha256"]]) for example in shown]


def count_changes(examples: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """In how many answers written again something was gained or lost; only what changed at all."""
    changes: list[dict[str, Any]] = []
    for name, compare in _CHANGES.items():
        found = [compare(example["live"], example["candidate"]) for example in examples]
        if any(found):
            changes.append({"name": name, "gained": found.count(1), "lost": found.count(-1)})
    return changes


def _tell(example: Mapping[str, Any], told: Told) -> dict[str, Any]:
    live, candidate = example["live"], example["candidate"]
    found = [(name, compare(live, candidate)) for name, compare in _CHANGES.items()]
    return {
        **asdict(told),
        "question": redact(told.question),
        "before": redact(live["text"]),
        "after": redact(candidate["text"]),
        "preferred": redact(example["preferred"] or ""),
        "is_same": live["text"] == candidate["text"],
        "gained": [name for name, change in found if change == 1],
        "lost": [name for name, change in found if change == -1],
    }


def _measure_gain(example: Mapping[str, Any]) -> float:
    """Words in common with what people preferred, and whether all of that is there."""
    live, candidate = example["live"], example["candidate"]
    return sum((candidate[name] or 0) - (live[name] or 0) for name in ("f1", "contains"))


def _compare_share(name: str) -> Callable[[Grades, Grades], int]:
    def compare(live: Grades, candidate: Grades) -> int:
        change = float(candidate.get(name) or 0) - float(live.get(name) or 0)
        return (change > LEAST_CHANGE) - (change < -LEAST_CHANGE)

    return compare


def _compare_refusal(live: Grades, candidate: Grades) -> int:
    return int(bool(live.get("refused"))) - int(bool(candidate.get("refused")))


_CHANGES: Mapping[str, Callable[[Grades, Grades], int]] = {
    "contains": _compare_share("contains"),
    "cited": _compare_share("cited"),
    "grounded": _compare_share("grounded"),
    "answers": _compare_refusal,
    "in_language": _compare_share("in_language"),
    "brief": _compare_share("brief"),
}
