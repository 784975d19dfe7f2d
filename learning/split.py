"""Training and held-out pairs, apart by question, by person and by time; a question's side never changes."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from psycopg.types.json import Jsonb

from core.database import Database
from core.sql import load_queries
from core.wording import hash_question, normalise_text
from learning.pairs import Pair

QUERIES = load_queries(__file__)

HELD_OUT_SHARE = 0.25
# People whose pairs never train, where so many vote that the others teach enough.
PEOPLE_SHARE, FEWEST_PEOPLE = 0.05, 40
# The newest questions wait for a night, where so many are trained on that they are not missed.
NEWEST_SHARE, FEWEST_QUESTIONS = 0.05, 200

Side = Literal["trained", "held_out"]
Why = Literal["question", "person", "time"]


@dataclass(frozen=True, slots=True)
class Split:
    """Both sides, each in the order of the pairs' hashes, so that equal nights train equal adapters.

    Attributes:
        dropped: pairs that fit neither side, with the reason.
        sides: of every question whose side is decided for good, by `hash_question`.
        held_out_by: how many pairs are held out for which reason.
    """

    train: list[Pair]
    held_out: list[Pair]
    dropped: list[tuple[Pair, str]] = field(default_factory=list[tuple[Pair, str]])
    sides: dict[str, Side] = field(default_factory=dict[str, Side])
    held_out_by: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class _Pin:
    question: str
    side: Side


async def split_stored(
    database: Database,
    run_id: int,
    pairs: Sequence[Pair],
    *,
    seed: int,
    clusters: Mapping[str, str],
    audience: str,
    keep: bool = True,
) -> Split:
    """Split with the sides of earlier nights of this lineage; with `keep`, the sides that are new are kept for good."""
    pinned = await find_pinned(database, audience, seed, (pair.question for pair in pairs))
    split = split_pairs(pairs, seed=seed, clusters=clusters, pinned=pinned)
    if keep:
        await pin_sides(database, run_id, audience, seed, split.sides)
    return split


async def find_pinned(database: Database, audience: str, seed: int, questions: Iterable[str]) -> dict[str, Side]:
    """The sides that earlier nights of a lineage gave to questions, by `hash_question` of the normalised ones."""
    hashed = sorted({hash_question(normalise_text(question)) for question in questions})
    values = {"lineage": f"{audience}:{seed}", "questions": hashed}
    return {pin.question: pin.side for pin in await database.fetch_all(QUERIES["find_sides"], values, _Pin)}


async def pin_sides(database: Database, run_id: int, audience: str, seed: int, sides: Mapping[str, Side]) -> None:
    """Keep sides for good; one that is kept already stays."""
    values: dict[str, Any] = {"lineage": f"{audience}:{seed}", "sides": Jsonb(dict(sides)), "run_id": run_id}
    await database.execute(QUERIES["pin_sides"], values)


def split_pairs(
    pairs: Sequence[Pair],
    *,
    seed: int,
    share: float = HELD_OUT_SHARE,
    clusters: Mapping[str, str] | None = None,
    pinned: Mapping[str, Side] | None = None,
) -> Split:
    """Hold out about `share` of the questions, with all their pairs; no cluster is on both sides.

    A question's side follows from it and the seed, or from earlier nights. So tonight's held-out questions were held
    out before, and the adapter in service has not seen them either. Where two clusters grow together, the held-out
    side wins; what was trained on before is then on neither side.

    Args:
        clusters: of each normalised question; one of its own by default.
        pinned: sides of earlier nights by `hash_question`.
    """
    groups = _group(pairs, clusters or {})
    held_people = choose_held_people({person for pair in pairs for person in pair.voters}, seed)
    pinned = pinned or {}
    sides = {
        name: choose_side(name, members, seed=seed, share=share, pinned=pinned, held_people=held_people)
        for name, members in groups.items()
    }
    sides |= dict.fromkeys(_find_newest(groups, sides, pinned), ("held_out", "time"))
    split, by = Split([], []), Counter[str]()
    for name, members in groups.items():
        side, why = sides[name]
        for pair in members:
            before = pinned.get(hash_question(pair.cluster))
            if side == "held_out" and before == "trained":
                split.dropped.append((pair, "trained_before"))
            elif side == "trained" and held_people & set(pair.voters):
                split.dropped.append((pair, "held_out_person"))
            else:
                (split.held_out if side == "held_out" else split.train).append(pair)
                by.update([why] if side == "held_out" else [])
            if why != "time":
                split.sides[hash_question(pair.cluster)] = before or side
    for one in (split.train, split.held_out):
        one.sort(key=lambda pair: pair.sha256)
    split.held_out_by.update(sorted(by.items()))
    return split


def choose_side(
    name: str,
    members: Sequence[Pair],
    *,
    seed: int,
    share: float,
    pinned: Mapping[str, Side],
    held_people: Iterable[str],
) -> tuple[Side, Why]:
    """The side of a cluster, and what decided it: earlier nights, then chance, then who stands behind it."""
    before = {pinned.get(hash_question(pair.cluster)) for pair in members}
    if "held_out" in before:
        return "held_out", "question"
    if "trained" in before:
        return "trained", "question"
    if is_held_out(name, seed=seed, share=share):
        return "held_out", "question"
    if any(set(held_people) & set(pair.voters) for pair in members):
        return "held_out", "person"
    return "trained", "question"


def is_held_out(cluster: str, *, seed: int, share: float = HELD_OUT_SHARE) -> bool:
    """Whether a question belongs to the held-out side."""
    digest = hashlib.sha256(f"{seed}:{cluster}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def choose_held_people(people: Iterable[str], seed: int) -> set[str]:
    """Those whose pairs never train; nobody where few vote."""
    known = set(people)
    if len(known) < FEWEST_PEOPLE:
        return set()
    return {person for person in known if is_held_out(f"person:{person}", seed=seed, share=PEOPLE_SHARE)}


def _group(pairs: Sequence[Pair], clusters: Mapping[str, str]) -> dict[str, list[Pair]]:
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda pair: pair.sha256):
        groups[clusters.get(pair.cluster, pair.cluster)].append(pair)
    return groups


def _find_newest(
    groups: Mapping[str, Sequence[Pair]], sides: Mapping[str, tuple[Side, Why]], pinned: Mapping[str, Side]
) -> list[str]:
    """Training questions that came up last: every other one is older. Those of earlier nights stay where they are."""
    trained = [name for name, (side, _) in sides.items() if side == "trained"]
    if len(trained) < FEWEST_QUESTIONS:
        return []
    first = {name: min(pair.given_at for pair in groups[name]) for name in trained}
    newest = sorted(trained, key=lambda name: (first[name], name))[-int(NEWEST_SHARE * len(trained)) :]
    return [name for name in newest if not any(hash_question(pair.cluster) in pinned for pair in groups[name])]
