"""The fate of every vote: trained, held out, evaluation, retrieval, a ticket, or dropped with a reason."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from learning.curate import Curated, Fate
from learning.curate import account as account_for_pairs
from learning.gather import Gathered
from learning.split import Split


@dataclass(frozen=True, slots=True)
class Parts:
    """What a window's votes went into.

    Attributes:
        singles: each vote behind a single, with the reason where it may not be used.
        trained_singles: votes of those that train.
    """

    dropped: Mapping[int, str]
    gathered: Gathered
    curated: Curated
    split: Split
    singles: Mapping[int, str | None]
    trained_singles: Collection[int] = ()


def account(feedback_ids: Iterable[int], parts: Parts) -> dict[int, Fate]:
    """One fate a vote, the best that it has a part in: pairs first, then evaluation, the search, a ticket.

    Raises:
        ReconciliationError: a vote is unaccounted for, or one is that never came in.
    """
    gathered = parts.gathered
    outside = find_outside(parts)
    fates = account_for_pairs(
        feedback_ids,
        dropped_votes=dict(parts.dropped) | gathered.dropped | {key: fate.state for key, fate in outside.items()},
        dropped_pairs=parts.curated.dropped,
        train=parts.split.train,
        held_out=parts.split.held_out,
    )
    return {key: outside[key] if fate.state == "dropped" and key in outside else fate for key, fate in fates.items()}


def find_outside(parts: Parts) -> dict[int, Fate]:
    """The votes that taught something else than a pair; a single that may not be used is dropped with its reason."""
    gathered = parts.gathered
    outside = {key: Fate("ticket", kind) for key, kind in gathered.documents.items()}
    tickets = {key: reason for key, reason in gathered.dropped.items() if reason == "document_ticket"}
    outside |= {key: Fate("ticket", "missing") for key in tickets}
    outside |= {key: Fate("retrieval", evidence) for key, evidence in gathered.search.items()}
    for key, reason in parts.singles.items():
        used = Fate("trained", "single") if key in parts.trained_singles else Fate("evaluation", "unpaired")
        outside[key] = Fate("dropped", reason) if reason else used
    return outside
