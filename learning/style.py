"""Whether an answer keeps to the standing prompt's rules: length, language, citation, the agreed refusal. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.prompt import REFUSALS, Language, detect_language
from core.wording import CITATION, find_citations, is_refusal, normalise_text, strip_citations
from learning.claims import split_claims

MOST_SENTENCES = 2
_PASSAGE = re.compile(r"^\[(\d+)\] ", re.MULTILINE)


def keeps_style(answer: str, language: Language, *, passages: int) -> bool:
    """Whether it keeps every rule.

    Args:
        language: of the question.
        passages: how many the prompt shows.
    """
    return not find_faults(answer, language, passages=passages)


def find_faults(answer: str, language: Language, *, passages: int) -> Sequence[str]:
    """The rules that it breaks: `refusal`, or `length`, `language` and `citation`."""
    if is_refusal(answer):
        agreed = normalise_text(answer) == normalise_text(REFUSALS[language])
        return [] if agreed else ["refusal"]
    cited = find_citations(answer)
    ends_cited = bool(CITATION.search(answer)) and answer.rstrip(" .").endswith("]")
    kept = {
        "length": 0 < len(split_claims(answer)) <= MOST_SENTENCES,
        "language": detect_language(strip_citations(answer)) == language,
        "citation": ends_cited and all(1 <= number <= passages for number in cited),
    }
    return [name for name, is_kept in kept.items() if not is_kept]


def count_passages(messages: Sequence[Mapping[str, Any]]) -> int:
    """How many passages the last turn of a prompt shows."""
    return max((int(number) for number in _PASSAGE.findall(messages[-1]["content"])), default=0)
