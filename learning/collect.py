"""From the log to the ledger: votes, judgements, blame, pairs, curation and split, with every vote accounted for."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from core.database import Database
from learning.canaries import build_canaries
from learning.curate import Curated, count_fates, curate_stored
from learning.exercise_pairs import build_distractor_pairs, build_sampled_pairs, choose_count, spread
from learning.exercises.learnable import Lesson
from learning.gather import Gathered, gather
from learning.labels import (
    Answer,
    Hint,
    VoteRow,
    build_labels,
    find_hints,
    find_outlines,
    find_rater_weights,
    find_settled,
    find_votes,
    rate,
)
from learning.leftovers import find_refused, store_queries, store_singles
from learning.lengths import fit_stored
from learning.pair_sources import find_restricted
from learning.pairs import Pair
from learning.permission import EVERYONE
from learning.private_data import redact
from learning.raters import Raters
from learning.reconcile import Parts, account
from learning.regenerate import Sampler, regenerate
from learning.reviews import apply_reviews, find_reviews, list_waiting
from learning.runs import Run, Runs
from learning.singles import Surroundings, choose_singles, count_singles, pin_singles
from learning.split import Split, split_stored
from learning.synthetic import SHARE, build_distractors, build_faithful, find_replaced
from learning.tickets import Ticket

# In place of words from documents that not everyone may read.
RESTRICTED = "(restricted)"

Progress = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class CollectSettings:
    """What a collection is told.

    Attributes:
        rater_weights: by person or principal; who is named by none weighs 1.
        review_share: of the pairs that nobody reviewed, those that wait for a person, in [0, 1].
        audience: the principal that everyone who will be served has.
        context_tokens: prompt and answer together, as the model server takes them at most.
        exercise_pairs: up to which pairs of exercises fill the night; 0 takes none.
    """

    max_pairs: int
    seed: int
    context_tokens: int = 4096
    rater_weights: Mapping[str, float] = field(default_factory=dict[str, float])
    review_share: float = 0.0
    audience: str = EVERYONE
    exercise_pairs: int = 0


@dataclass(frozen=True, slots=True)
class Collected:
    """The numbers of a collection, and the document tickets for its report."""

    counts: dict[str, Any]
    tickets: list[dict[str, Any]]


async def collect(
    database: Database,
    runs: Runs,
    run: Run,
    settings: CollectSettings,
    *,
    sampler: Sampler | None = None,
    lessons: Sequence[Lesson] = (),
    progress: Progress | None = None,
) -> Collected:
    """Store the pairs of a night and the fate of its votes.

    The same window gives the same ledger: votes are only ever added, with the time they were given at, and answers
    that were sampled are kept.

    Args:
        lessons: exercises that may make pairs.

    Raises:
        ReconciliationError: votes in and votes accounted for differ.
    """

    async def tell(done: int, total: int) -> None:
        if progress:
            await progress({"event": "paired", "answers": done, "of": total})

    window = {"window_from": run.window_from, "window_to": run.window_to}
    votes, hints = await find_votes(database, **window), await find_hints(database, **window)
    outlines = await find_outlines(database, sorted({one.interaction_id for one in [*votes, *hints]}))
    vote_weights = rate(votes, await find_rater_weights(database, settings.rater_weights))
    settled = await find_settled(database, window_to=run.window_to)
    labels = build_labels(votes, outlines, vote_weights=vote_weights, hints=hints, settled=settled)
    prompts = sampler.prompts if sampler else 0
    gathered = await gather(database, labels.judgements, most_disliked=prompts, audience=settings.audience, tell=tell)
    await add_synthetic(database, run, gathered, sampler)
    await add_exercises(database, gathered, sampler, lessons, settings.exercise_pairs)
    fitting, too_long = await fit_stored(database, gathered.pairs, context_tokens=settings.context_tokens)
    curated = await curate_stored(
        database,
        fitting,
        **window,
        max_pairs=settings.max_pairs,
        seed=settings.seed,
        audience=settings.audience,
    )
    curated.dropped += too_long
    curated = apply_reviews(curated, await find_reviews(database), share=settings.review_share)
    split = await split_stored(
        database,
        run.id,
        curated.kept,
        seed=settings.seed,
        clusters=curated.clusters,
        audience=settings.audience,
        keep=not run.is_rehearsal,
    )
    curated.dropped += split.dropped
    known = describe(votes, outlines, curated.raters, split, settings)
    use, offered = await choose_singles(database, gathered.singles, known)
    # Without a pair nothing is trained; what is offered is there for an export.
    trained = offered if split.train else set[int]()
    if not run.is_rehearsal:
        await pin_singles(database, run.id, trained, known)
    trained_votes = {id_ for one in gathered.singles if one.interaction_id in trained for id_ in one.feedback_ids}
    parts = Parts(labels.dropped, gathered, curated, split, find_refused(gathered.singles), trained_votes)
    fates = account([vote.feedback_id for vote in votes], parts)
    # What a vote came to is told by everyone's night; an audience's only adds an adapter.
    await runs.store_ledger(run.id, list_ledger(curated, split), fates if settings.audience == EVERYONE else {})
    if settings.audience == EVERYONE:
        await store_queries(database, run.id, gathered.queries)
    await store_singles(database, run.id, gathered.singles, offered)
    counts = count_pairs(votes, hints, curated, split) | {
        "fates": count_fates(fates),
        "reconciled": True,
        "judged_queries": len(gathered.queries),
        "tickets": len(gathered.tickets),
        "singles": count_singles(gathered.singles, use, trained),
    }
    restricted = await find_restricted(database, (ticket.interaction_id for ticket in gathered.tickets))
    tickets = [redact_ticket(ticket, hide=ticket.interaction_id in restricted) for ticket in gathered.tickets]
    return Collected(counts, tickets)


def describe(
    votes: Sequence[VoteRow], outlines: Mapping[int, Answer], raters: Raters, split: Split, settings: CollectSettings
) -> Surroundings:
    """What decides which single votes train."""
    return Surroundings(
        questions={id_: outline.question for id_, outline in outlines.items()},
        persons={vote.feedback_id: vote.person for vote in votes},
        raters=raters,
        canaries=build_canaries(settings.seed),
        split=split,
        seed=settings.seed,
        audience=settings.audience,
        context_tokens=settings.context_tokens,
    )


async def add_synthetic(database: Database, run: Run, gathered: Gathered, sampler: Sampler | None) -> None:
    """Sampled and built pairs beside people's own, which set how many there may be; votes behind one are no singles."""
    most = int(SHARE * len(gathered.pairs))
    made = await regenerate(database, sampler, gathered.disliked) if sampler else []
    if most:
        made += build_faithful(await find_replaced(database, run, limit=2 * most), most=most)
        made += build_distractors(gathered.liked, most=most)
    gathered.pairs += made
    used = {feedback_id for pair in made for feedback_id in pair.feedback_ids}
    gathered.dropped = {key: reason for key, reason in gathered.dropped.items() if key not in used}
    gathered.singles = [one for one in gathered.singles if not used & set(one.feedback_ids)]
    gathered.liked.clear()
    gathered.disliked.clear()


async def add_exercises(
    database: Database, gathered: Gathered, sampler: Sampler | None, lessons: Sequence[Lesson], wish: int
) -> None:
    """Pairs of exercises beside those of people, which set how many there may be."""
    most = choose_count(len(gathered.pairs), wish, SHARE) if lessons else 0
    if most:
        sampled = await build_sampled_pairs(database, sampler, lessons[:most]) if sampler else []
        gathered.pairs += spread(
            {"exercise_sampled": sampled, "exercise_distractor": build_distractor_pairs(lessons)}, most
        )


def list_ledger(curated: Curated, split: Split) -> list[tuple[Pair, str, str | None]]:
    """Each pair with its state and reason; kept pairs come last, so that they win over an equal dropped one."""
    dropped: list[tuple[Pair, str, str | None]] = [(pair, "dropped", reason) for pair, reason in curated.dropped]
    trained = [(pair, "trained", None) for pair in split.train]
    return [*dropped, *trained, *((pair, "held_out", None) for pair in split.held_out)]


def count_pairs(votes: Sequence[VoteRow], hints: Sequence[Hint], curated: Curated, split: Split) -> dict[str, Any]:
    """The numbers of a collection, as they are stored with the night."""
    return {
        "votes": len(votes),
        "voters": len({vote.person for vote in votes}),
        "hints": dict(Counter(hint.kind for hint in hints)),
        "pairs": len(split.train) + len(split.held_out),
        "trained": len(split.train),
        "held_out": len(split.held_out),
        "awaiting_review": list_waiting(curated.dropped),
        "sampled": {origin: asdict(one) for origin, one in curated.sampled.items()},
        "dropped_pairs": dict(Counter(reason for _, reason in curated.dropped)),
        "origins": dict(Counter(pair.origin for pair in curated.kept)),
        "private": dict(sorted(curated.private.items())),
        "flags": curated.flags,
        "held_out_by": split.held_out_by,
        "languages": dict(Counter(pair.language for pair in curated.kept)),
    }


def redact_ticket(ticket: Ticket, *, hide: bool = False) -> dict[str, Any]:
    """A ticket for people's eyes, without personal data; with `hide`, without words: the log has them."""
    if hide:
        hidden = replace(ticket, question=RESTRICTED, correction=RESTRICTED, missing=[], titles=[])
        return asdict(hidden)
    cleaned = replace(ticket, question=redact(ticket.question), correction=redact(ticket.correction))
    return asdict(cleaned) | {"missing": [redact(fact) for fact in ticket.missing]}
