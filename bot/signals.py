"""Implicit signals: what a person's next question says of the answer before it. Guesses, kept apart from votes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.database import Database
from core.sql import load_queries
from core.wording import find_numbers, find_terms

QUERIES = load_queries(__file__)

WITHIN_SECONDS = 600
EARLIER_LOOKED_AT = 5

# Of the terms of both questions, the share that both have: below it is a question about something else.
SAME_SHARE = 0.65
FEWEST_TERMS = 2
# People also ask once more to read it again or to show it to somebody.
REASK_CONFIDENCE = 0.8
OBJECTION_CONFIDENCE = 0.8
# Outside a thread it may be meant for an answer to somebody else.
ELSEWHERE_CONFIDENCE = 0.5

# Only where it is plainly said to us: `No smoking areas?` and `아니면 언제인가요?` are questions.
_OBJECTION = re.compile(
    r"""^(no|nope|nah)\b[\s,.!…–—-]*(i\s+(meant|mean|asked|was\s+asking|am\s+asking)\b|(that|this|it)(['’]?s|\s+is|\s+was)\s+(not|wrong)\b
          |not\s+(that|what|this)\b)
      |^(sorry[\s,.]+)?i\s+(actually\s+|really\s+)?(meant|was\s+asking)\b
      |^(that|this)(['’]?s|\s+is|\s+was)\s+(wrong|incorrect|not\s+(right|correct|true|what\s+i))\b
      |\bnot\s+what\s+i\s+(asked|meant|was\s+asking)\b
      |^(아니(요|오)?|아뇨)(\s*[,.!~…]|\s+(그게|그거|그건|그런|말고|제\s*말|내\s*말))
      |^(그게|그건|그거|이게)\s*(아니(라|고|에요|예요|야|죠)|말고)
      |^(제|내)\s*(말은|질문은|얘기는)
      |^(틀렸|틀린\s*답|잘못된\s*답)
      |(그걸|그것을|그거)\s*(물은|물어본|여쭤본|여쭌)\s*(게|것이)\s*아니""",
    re.IGNORECASE | re.VERBOSE,
)

SignalKind = Literal["reask", "objection"]


@dataclass(frozen=True, slots=True)
class Earlier:
    """An answered question of the same person, and what the person says now."""

    id: int
    question: str
    is_same_conversation: bool
    said: str


@dataclass(frozen=True, slots=True)
class Signal:
    """That an answer did not help; `confidence` in (0, 1]."""

    interaction_id: int
    kind: SignalKind
    confidence: float


class Signals:
    """Notices and stores."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, interaction_id: int) -> Signal | None:
        """Look at a question in the light of the person's last ten minutes; "Try again" is no guess and is left out."""
        parameters = {"interaction_id": interaction_id, "within_seconds": WITHIN_SECONDS, "limit": EARLIER_LOOKED_AT}
        signal = find_signal(await self._database.fetch_all(QUERIES["find_earlier"], parameters, Earlier))
        if signal:
            stored = {
                "interaction_id": signal.interaction_id,
                "next_id": interaction_id,
                "kind": signal.kind,
                "confidence": signal.confidence,
            }
            await self._database.execute(QUERIES["record"], stored)
        return signal


def find_signal(earlier: Sequence[Earlier]) -> Signal | None:
    """The surest signal of what was said, if any; an objection is to the newest answer.

    Args:
        earlier: newest first.
    """
    found = [_find_objection(earlier[0])] if earlier else []
    found += [_find_reask(one) for one in earlier]
    return max(filter(None, found), key=lambda signal: signal.confidence, default=None)


def measure_sameness(one: str, other: str) -> float:
    """Share of terms that two questions have in common; 0 where their numbers differ: those are two questions."""
    if find_numbers(one) != find_numbers(other):
        return 0.0
    terms, others = find_terms(one, endings=False), find_terms(other, endings=False)
    if min(len(terms), len(others)) < FEWEST_TERMS:
        return 0.0
    return len(terms & others) / len(terms | others)


def _find_objection(earlier: Earlier) -> Signal | None:
    if not _OBJECTION.search(earlier.said.strip()):
        return None
    confidence = OBJECTION_CONFIDENCE if earlier.is_same_conversation else ELSEWHERE_CONFIDENCE
    return Signal(earlier.id, "objection", confidence)


def _find_reask(earlier: Earlier) -> Signal | None:
    sameness = measure_sameness(earlier.said, earlier.question)
    return Signal(earlier.id, "reask", REASK_CONFIDENCE * sameness) if sameness >= SAME_SHARE else None
