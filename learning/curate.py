"""Which pairs may train, and an account of every vote: trained, held out, or dropped with a reason."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from core.database import Database
from core.errors import NightbakeError
from core.outgoing import find_unsafe
from core.wording import find_numbers, normalise_text
from learning.canaries import build_canaries, find_canary_pairs, find_pushed
from learning.caps import Caps, cap_pairs
from learning.disputes import find_outvoted
from learning.exams.guard import read_guard
from learning.exercises.seen import Seen
from learning.near_duplicates import TEXT_OVERLAP, build_text_shingles, group_questions, group_similar, link_by_facts
from learning.pair_sources import Sources, find_cited, find_sources, get_sources, is_stale
from learning.pairs import Pair
from learning.permission import EVERYONE, may_train
from learning.private_data import redact_pair
from learning.raters import Raters, find_raters

State = Literal["trained", "held_out", "evaluation", "retrieval", "ticket", "dropped"]


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
        clusters: of each kept pair's normalised question, the one that stands for all that ask the same.
        flags: what looked like gaming, with how often.
        sampled: what reviewers said of a sample, by origin.
        raters: what is known of the window's voters.
    """

    kept: list[Pair] = field(default_factory=list[Pair])
    dropped: list[tuple[Pair, str]] = field(default_factory=list[tuple[Pair, str]])
    private: Counter[str] = field(default_factory=Counter[str])
    clusters: dict[str, str] = field(default_factory=dict[str, str])
    flags: dict[str, int] = field(default_factory=dict[str, int])
    sampled: Mapping[str, Any] = field(default_factory=dict[str, Any])
    raters: Raters = field(default_factory=Raters)


async def curate_stored(
    database: Database,
    pairs: Sequence[Pair],
    *,
    window_from: datetime,
    window_to: datetime,
    max_pairs: int,
    seed: int = 0,
    audience: str = EVERYONE,
) -> Curated:
    """Curate with what the tables know of the pairs' documents and voters."""
    sources = await find_sources(database, pairs)
    raters = await find_raters(database, window_from=window_from, window_to=window_to)
    return curate(
        pairs,
        max_pairs=max_pairs,
        sources=sources,
        raters=raters,
        canaries=build_canaries(seed),
        audience=audience,
        guard=await read_guard(database),
    )


def curate(
    pairs: Sequence[Pair],
    *,
    max_pairs: int,
    sources: Sources | None = None,
    raters: Raters | None = None,
    caps: Caps | None = None,
    canaries: Sequence[str] = (),
    counts_voices: bool = True,
    audience: str = EVERYONE,
    guard: Seen | None = None,
) -> Curated:
    """Keep what all of an audience may read, once, fresh, from many people; personal data becomes placeholders.

    Args:
        max_pairs: the newest ones are kept.
        sources: the passages of the pairs' prompts, by interaction; without them only what was logged counts.
        counts_voices: where people want different facts, keep what the many want.
        audience: the principal that everyone who will be served has.
        guard: questions of exams, which are never trained on.
    """
    sources, raters = sources or {}, raters or Raters()
    curated = Curated(raters=raters)
    kept = _drop_restricted(pairs, sources, audience, curated)
    kept = _drop(kept, lambda pair: is_stale(pair, sources), "stale_document", curated)
    if guard is not None:
        kept = _drop(kept, lambda pair: guard.holds(pair.question, pair.chosen), "exam", curated)
    kept = _drop_suspicious(kept, raters, canaries, curated)
    kept = [redact_pair(pair, curated.private) for pair in kept]
    kept = _drop(kept, _obeys, "hidden_instruction", curated)
    kept = _drop_contradictions(_drop_duplicates(merge_equal(kept), curated), curated)
    clusters = name_clusters(kept, sources)
    pushed = find_pushed(kept, clusters, raters)
    kept = _drop(kept, lambda pair: pair.sha256 in pushed, "pushed_name", curated)
    if counts_voices:
        outvoted = find_outvoted(
            kept, clusters, raters, lambda pair: {source.chunk_id for source in get_sources(pair, sources)}
        )
        kept = _drop(kept, lambda pair: pair.sha256 in outvoted, "outvoted", curated)
    kept, over = cap_pairs(
        kept,
        caps=caps or Caps(),
        raters=raters,
        clusters=clusters,
        documents=lambda pair: {source.document_id for source in find_cited(pair, sources)},
    )
    curated.dropped += over
    kept.sort(key=lambda pair: (pair.given_at, pair.sha256), reverse=True)
    curated.dropped += [(pair, "over_maximum") for pair in kept[max_pairs:]]
    curated.kept = kept[:max_pairs]
    curated.clusters = {pair.cluster: clusters[pair.sha256] for pair in curated.kept}
    curated.flags = _count_flags(raters, curated)
    return curated


def name_clusters(pairs: Sequence[Pair], sources: Sources) -> dict[str, str]:
    """The cluster of each pair, named by its oldest question: near-equal questions, and translations of each other.

    Two questions in different languages are one where their preferred answers cite the same passages and hold the same
    numbers.
    """
    ordered = sorted(pairs, key=lambda pair: (min(pair.interaction_ids, default=0), pair.sha256))
    questions = list(dict.fromkeys(pair.cluster for pair in ordered))
    places = {question: at for at, question in enumerate(questions)}
    facts = {at: fact for at, pair in enumerate(ordered) if (fact := _read_facts(pair, sources))}
    links = link_by_facts(facts, lambda one, other: ordered[one].language != ordered[other].language)
    shared = [(places[ordered[one].cluster], places[ordered[other].cluster]) for one, other in links]
    firsts = group_questions(questions, shared)
    return {pair.sha256: questions[firsts[places[pair.cluster]]] for pair in ordered}


def _read_facts(pair: Pair, sources: Sources) -> tuple[str, ...]:
    """What the preferred answer says, whatever the language: cited passages and numbers; empty where either lacks."""
    chunks = sorted({source.chunk_id for source in find_cited(pair, sources)})
    numbers = sorted(find_numbers(pair.chosen))
    return (*map(str, chunks), "|", *numbers) if chunks and numbers else ()


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
    names = Counter(f"{fate.state}:{fate.reason}" if fate.reason else fate.state for fate in fates.values())
    return dict(sorted(names.items(), key=lambda item: (-item[1], item[0])))


def merge_equal(pairs: Sequence[Pair]) -> list[Pair]:
    """One pair for those of equal content, with everybody behind it."""
    merged: dict[str, Pair] = {}
    for pair in pairs:
        known = merged.get(pair.sha256, pair)
        merged[pair.sha256] = replace(
            known,
            # The first one is where the prompt comes from.
            interaction_ids=tuple(dict.fromkeys((*known.interaction_ids, *pair.interaction_ids))),
            feedback_ids=tuple(sorted({*known.feedback_ids, *pair.feedback_ids})),
            voters=tuple(sorted({*known.voters, *pair.voters})),
            weight=max(known.weight, pair.weight),
            given_at=max(known.given_at, pair.given_at),
        )
    return list(merged.values())


def _drop_restricted(pairs: Sequence[Pair], sources: Sources, audience: str, curated: Curated) -> list[Pair]:
    return _drop(
        pairs,
        lambda pair: not may_train(pair.access, get_sources(pair, sources), audience),
        "restricted_documents",
        curated,
    )


def _drop_suspicious(pairs: Sequence[Pair], raters: Raters, canaries: Sequence[str], curated: Curated) -> list[Pair]:
    """Leave out pairs that teach a canary, that only newcomers stand behind, or that a burst made."""
    canary = find_canary_pairs(pairs, canaries)
    kept = _drop(pairs, lambda pair: pair.sha256 in canary, "canary", curated)
    kept = _drop(kept, lambda pair: bool(raters.burst.intersection(pair.feedback_ids)), "burst", curated)
    return _drop(kept, lambda pair: bool(pair.voters) and raters.new.issuperset(pair.voters), "quarantine", curated)


def _obeys(pair: Pair) -> bool:
    """Whether the preferred answer holds what no answer may: an order to an assistant, or what it would carry out."""
    *before, last = [turn["content"] for turn in pair.prompt] or [""]
    return find_unsafe(pair.chosen, sources=[last, pair.question], hidden=before) is not None


def _drop(pairs: Sequence[Pair], is_out: Callable[[Pair], bool], reason: str, curated: Curated) -> list[Pair]:
    kept: list[Pair] = []
    for pair in pairs:
        if is_out(pair):
            curated.dropped.append((pair, reason))
        else:
            kept.append(pair)
    return kept


def _drop_duplicates(pairs: list[Pair], curated: Curated) -> list[Pair]:
    """Keep the heaviest of pairs that say nearly the same."""
    ordered = sorted(pairs, key=lambda pair: (-pair.weight, -pair.given_at.timestamp(), pair.sha256))
    firsts = group_similar((_shingle_pair(pair) for pair in ordered), overlap=TEXT_OVERLAP)
    kept = [pair for at, pair in enumerate(ordered) if firsts[at] == at]
    curated.dropped += [(pair, "duplicate") for at, pair in enumerate(ordered) if firsts[at] != at]
    return kept


def _shingle_pair(pair: Pair) -> frozenset[str]:
    """Shingles of question, chosen and rejected, each side marked so that swapped sides are no duplicates."""
    parts = {"q": pair.question, "c": pair.chosen, "r": pair.rejected}
    shingled = {mark: build_text_shingles(text) for mark, text in parts.items()}
    # Each side's numbers and negations before every shingle: pairs that differ in one of them share nothing.
    keys = "|".join(min(shingles).partition("\t")[0] for shingles in shingled.values())
    return frozenset(f"{keys}{mark}{shingle}" for mark, shingles in shingled.items() for shingle in shingles)


def _drop_contradictions(pairs: list[Pair], curated: Curated) -> list[Pair]:
    """Two pairs of one question that want opposite things cancel each other."""
    wanted = {(pair.cluster, normalise_text(pair.chosen), normalise_text(pair.rejected)) for pair in pairs}

    def is_contradicted(pair: Pair) -> bool:
        opposite = (pair.cluster, normalise_text(pair.rejected), normalise_text(pair.chosen))
        return opposite in wanted and opposite[1] != opposite[2]

    return _drop(pairs, is_contradicted, "contradiction", curated)


def _count_flags(raters: Raters, curated: Curated) -> dict[str, int]:
    """Numbers for the report, never names."""
    reasons = Counter(reason for _, reason in curated.dropped)
    flags = {
        "raters_in_quarantine": len(raters.new),
        "burst_votes": len(raters.burst),
        "people_who_vote_as_one": len(raters.teams),
        "canary_pairs": reasons["canary"],
        "pushed_names": reasons["pushed_name"],
        "outvoted_pairs": reasons["outvoted"],
    }
    return {name: count for name, count in flags.items() if count}
