"""From the log to the ledger: votes, judgements, pairs, curation and split, with every vote accounted for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from core.database import Database
from learning.curate import Curated, account, count_fates, curate_stored
from learning.labels import VoteRow, build_labels, find_answers, find_votes
from learning.pair_sources import find_restricted
from learning.pairs import Pair, Ticket, build_pairs
from learning.permission import EVERYONE
from learning.private_data import redact
from learning.runs import Run, Runs
from learning.split import Split, split_stored

# In place of words from documents that not everyone may read.
RESTRICTED = "(restricted)"


async def collect(
    database: Database, runs: Runs, run: Run, *, max_pairs: int, seed: int, audience: str = EVERYONE
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Store the pairs of a night and the fate of its votes; the counts and document tickets for its report.

    The same window gives the same ledger: votes are only ever added, with the time they were given at.

    Raises:
        ReconciliationError: votes in and votes accounted for differ.
    """
    votes = await find_votes(database, window_from=run.window_from, window_to=run.window_to)
    labels = build_labels(votes, await find_answers(database, votes))
    built = build_pairs(labels.judgements)
    curated = await curate_stored(
        database,
        built.pairs,
        window_from=run.window_from,
        window_to=run.window_to,
        max_pairs=max_pairs,
        seed=seed,
        audience=audience,
    )
    split = await split_stored(database, run.id, curated.kept, seed=seed, clusters=curated.clusters, audience=audience)
    curated.dropped += split.dropped
    fates = account(
        [vote.feedback_id for vote in votes],
        dropped_votes=labels.dropped | built.dropped,
        dropped_pairs=curated.dropped,
        train=split.train,
        held_out=split.held_out,
    )
    await runs.store_ledger(run.id, list_ledger(curated, split), fates)
    counts = count_pairs(votes, curated, split) | {"fates": count_fates(fates)}
    restricted = await find_restricted(database, (ticket.interaction_id for ticket in built.tickets))
    return counts, [redact_ticket(ticket, hide=ticket.interaction_id in restricted) for ticket in built.tickets]


def list_ledger(curated: Curated, split: Split) -> list[tuple[Pair, str, str | None]]:
    """Each pair with its state and reason; kept pairs come last, so that they win over an equal dropped one."""
    dropped: list[tuple[Pair, str, str | None]] = [(pair, "dropped", reason) for pair, reason in curated.dropped]
    trained = [(pair, "trained", None) for pair in split.train]
    return [*dropped, *trained, *((pair, "held_out", None) for pair in split.held_out)]


def count_pairs(votes: Sequence[VoteRow], curated: Curated, split: Split) -> dict[str, Any]:
    """The numbers of a collection, as they are stored with the night."""
    return {
        "votes": len(votes),
        "voters": len({vote.person for vote in votes}),
        "pairs": len(split.train) + len(split.held_out),
        "trained": len(split.train),
        "held_out": len(split.held_out),
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
