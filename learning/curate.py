"""Which pairs may train, and an account of every vote: trained, held out, or dropped with a reason."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from core.errors import NightbakeError
from core.wording import normalise_text
from learning.pairs import Pair
from learning.private_data import redact_pair
from learning.wording import build_shingles, measure_overlap

EVERYONE = "everyone"
NEAR_DUPLICATE_OVERLAP = 0.9
SKETCH_SIZE = 12

State = Literal["trained", "held_out", "dropped"]


class ReconciliationError(NightbakeError):
    """Votes in and votes accounted for differ; the night stops rather than report wrong sums."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one vote."""

    state: State
    reason: str | None = None


@dataclass(slots=True)
class Curated:
    """Pairs that may train, and those that may not with the reason.

    Attributes:
        private: placeholders that were put in, by kind.
    """

    kept: list[Pair] = field(default_factory=list)
    dropped: list[tuple[Pair, str]] = field(default_factory=list)
    private: Counter[str] = field(default_factory=Counter[str])


def curate(pairs: Sequence[Pair], *, max_pairs: int, person_share: float = 0.3, person_minimum: int = 5) -> Curated:
    """Keep what everyone may read, once, from many people; personal data becomes placeholders.

    Args:
        max_pairs: the newest ones are kept.
        person_share: largest share of the offered pairs in which one person has a say.
        person_minimum: pairs a person may stand behind whatever the share.
    """
    curated = Curated()
    kept = [redact_pair(pair, curated.private) for pair in _drop_restricted(pairs, curated)]
    kept = _drop_contradictions(_drop_duplicates(merge_equal(kept), curated), curated)
    limit = max(person_minimum, int(person_share * len(kept)))
    kept = _cap_people(kept, limit, curated)
    kept.sort(key=lambda pair: (pair.given_at, pair.sha256), reverse=True)
    curated.dropped += [(pair, "over_maximum") for pair in kept[max_pairs:]]
    curated.kept = kept[:max_pairs]
    return curated


def is_public(pair: Pair) -> bool:
    """Whether every document of the prompt may be read by everyone; a prompt without passages is public."""
    return all(EVERYONE in allow for allow in pair.access)


def account(
    feedback_ids: Iterable[int],
    *,
    dropped_votes: Mapping[int, str],
    dropped_pairs: Sequence[tuple[Pair, str]],
    train: Sequence[Pair],
    held_out: Sequence[Pair],
) -> dict[int, Fate]:
    """The fate of every vote: the best one where a vote stands behind several pairs.

    Raises:
        ReconciliationError: a vote is unaccounted for, or one is that never came in.
    """
    fates = {key: Fate("dropped", reason) for key, reason in dropped_votes.items()}
    fates |= {key: Fate("dropped", reason) for pair, reason in dropped_pairs for key in pair.feedback_ids}
    fates |= {key: Fate("held_out") for pair in held_out for key in pair.feedback_ids}
    fates |= {key: Fate("trained") for pair in train for key in pair.feedback_ids}
    check_reconciled(feedback_ids, fates)
    return fates


def check_reconciled(feedback_ids: Iterable[int], fates: Mapping[int, Fate]) -> None:
    """Compare what came in with what is accounted for.

    Raises:
        ReconciliationError: with the first ids that differ.
    """
    came_in = set(feedback_ids)
    missing, unknown = sorted(came_in - set(fates)), sorted(set(fates) - came_in)
    if missing or unknown:
        raise ReconciliationError(
            f"{len(came_in)} votes came in and {len(fates)} are accounted for; "
            f"without a fate: {missing[:5]}, never came in: {unknown[:5]}; please report this"
        )


def count_fates(fates: Mapping[int, Fate]) -> dict[str, int]:
    """Votes by fate, `dropped:reason` for the dropped ones, largest first."""
    names = Counter(f"dropped:{fate.reason}" if fate.reason else fate.state for fate in fates.values())
    return dict(sorted(names.items(), key=lambda item: (-item[1], item[0])))


def merge_equal(pairs: Sequence[Pair]) -> list[Pair]:
    """One pair for those of equal content, with everybody behind it."""
    merged: dict[str, Pair] = {}
    for pair in pairs:
        known = merged.get(pair.sha256, pair)
        merged[pair.sha256] = replace(
            known,
            interaction_ids=tuple(sorted({*known.interaction_ids, *pair.interaction_ids})),
            feedback_ids=tuple(sorted({*known.feedback_ids, *pair.feedback_ids})),
            voters=tuple(sorted({*known.voters, *pair.voters})),
            weight=max(known.weight, pair.weight),
            given_at=max(known.given_at, pair.given_at),
        )
    return list(merged.values())


def _drop_restricted(pairs: Sequence[Pair], curated: Curated) -> list[Pair]:
    curated.dropped += [(pair, "restricted_documents") for pair in pairs if not is_public(pair)]
    return [pair for pair in pairs if is_public(pair)]


def _drop_duplicates(pairs: list[Pair], curated: Curated) -> list[Pair]:
    """Keep the heaviest of pairs that say nearly the same.

    A pair is compared only with those that share one of its smallest shingle hashes: two sets that
    overlap by nine tenths share at least one of twelve but for about one time in 10^12.
    """
    kept: list[Pair] = []
    sketches: dict[str, list[int]] = defaultdict(list)
    shingles: list[frozenset[str]] = []
    for pair in sorted(pairs, key=lambda pair: (-pair.weight, -pair.given_at.timestamp(), pair.sha256)):
        own = _shingle_pair(pair)
        sketch = sorted(own, key=_spread)[:SKETCH_SIZE]
        near = {at for shingle in sketch for at in sketches[shingle]}
        if any(measure_overlap(own, shingles[at]) >= NEAR_DUPLICATE_OVERLAP for at in near):
            curated.dropped.append((pair, "duplicate"))
            continue
        for shingle in sketch:
            sketches[shingle].append(len(kept))
        kept.append(pair)
        shingles.append(own)
    return kept


def _shingle_pair(pair: Pair) -> frozenset[str]:
    """Shingles of question, chosen and rejected, each side marked so that swapped sides are no duplicates."""
    parts = {"q": pair.question, "c": pair.chosen, "r": pair.rejected}
    marked = (f"{mark}{shingle}" for mark, text in parts.items() for shingle in build_shingles(text))
    # Numbers count whole: two answers that differ in nothing but a number say different things.
    numbers = (
        f"{mark}={word}" for mark, text in parts.items() for word in normalise_text(text).split() if word.isdigit()
    )
    return frozenset(marked) | frozenset(numbers)


def _spread(shingle: str) -> tuple[int, str]:
    return sum(ord(letter) * 7919**at for at, letter in enumerate(shingle, start=1)) % 1_000_003, shingle


def _drop_contradictions(pairs: list[Pair], curated: Curated) -> list[Pair]:
    """Two pairs of one question that want opposite things cancel each other."""
    wanted = {(pair.cluster, normalise_text(pair.chosen), normalise_text(pair.rejected)) for pair in pairs}
    kept: list[Pair] = []
    for pair in pairs:
        opposite = (pair.cluster, normalise_text(pair.rejected), normalise_text(pair.chosen))
        if opposite in wanted and opposite[1] != opposite[2]:
            curated.dropped.append((pair, "contradiction"))
        else:
            kept.append(pair)
    return kept


def _cap_people(pairs: list[Pair], limit: int, curated: Curated) -> list[Pair]:
    """Drop a pair where everyone behind it stands behind enough others already."""
    counts: Counter[str] = Counter()
    kept: list[Pair] = []
    for pair in pairs:
        if all(counts[person] >= limit for person in pair.voters):
            curated.dropped.append((pair, "person_cap"))
            continue
        counts.update(pair.voters)
        kept.append(pair)
    return kept
