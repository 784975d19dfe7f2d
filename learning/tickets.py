"""What the documents should say and do not: for the people who look after them."""

from dataclasses import dataclass, field
from typing import Literal

TicketKind = Literal["missing", "stale", "not_visible"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A fault of the documents, not of the model.

    Attributes:
        correction: what somebody said the answer should have been; empty where nobody did.
        missing: what of it stands in none of the passages shown.
        titles: the documents to mend; those that were shown where nobody knows which.
        kind: `missing` from all documents, `stale` because one changed or is out of date, `not_visible` to the asker.
        owners: whom to ask.
    """

    interaction_id: int
    question: str
    correction: str
    missing: list[str]
    titles: list[str]
    kind: TicketKind = "missing"
    owners: list[str] = field(default_factory=list[str])
