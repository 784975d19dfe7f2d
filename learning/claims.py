"""Whether an answer keeps to its passages, claim by claim. Pure."""

import re
from collections.abc import Sequence

from core.wording import SUPPORTED_SHARE, is_refusal, measure_support, strip_citations
from learning.wording import find_missing_facts

_SENTENCE_END = re.compile(r"(?<=[.!?。])\s+|\n+")
_LETTER = re.compile(r"\w")


def split_claims(answer: str) -> list[str]:
    """The sentences of an answer that say something; none of a refusal."""
    if is_refusal(answer):
        return []
    sentences = _SENTENCE_END.split(strip_citations(answer))
    return [sentence.strip() for sentence in sentences if _LETTER.search(sentence)]


def measure_claims(answer: str, sources: Sequence[str]) -> float:
    """Share in [0, 1] of an answer's claims that the sources carry; 1.0 where it claims nothing.

    A claim is carried where half of its terms and all of its numbers and names stand in the sources. An answer
    without a word claims nothing and helps nobody: 0.0.
    """
    if not _LETTER.search(answer):
        return 0.0
    claims = split_claims(answer)
    carried = [claim for claim in claims if is_carried(claim, sources)]
    return len(carried) / len(claims) if claims else 1.0


def is_carried(claim: str, sources: Sequence[str]) -> bool:
    """Whether the sources say what one sentence says, as far as words can tell."""
    return measure_support(claim, sources) >= SUPPORTED_SHARE and not find_missing_facts(claim, sources)
