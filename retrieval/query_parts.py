"""A message that asks several things becomes several questions."""

import re

MOST_PARTS = 3

_WORDS = r"who|whom|whose|what|when|where|why|which|how"
_BREAKS = re.compile(
    rf"""(?<=[?？])\s+(?=\S)
        |\s*[,;]\s*(?:and|or)\s+(?:also\s+)?(?=(?:{_WORDS})\b)
        |\s+and\s+(?:also\s+)?(?=(?:{_WORDS})\s+(?:is|are|do|does|did|can|may|must|should|will|approves?|pays?|many|much|long)\b)
        |(?<=[가-힣])(?:이고|이며|하고|고|며)\s*,?\s+(?=(?:누가|누구|언제|어디|어떻게|왜|무엇|뭐|얼마|몇|며칠)\S*)
        |\s+그리고\s+(?=(?:누가|누구|언제|어디|어떻게|왜|무엇|뭐|얼마|몇|며칠|.{{2,20}}(?:나요|까요|까|요)\s*[?？]?$))""",
    re.IGNORECASE | re.VERBOSE,
)
# A part that points at another is searched with it.
_LEANS = re.compile(
    r"\b(it|its|that|this|these|those|them|they|he|she|there)\b|그것|그걸|그건|그거|이것|이걸|거기|그때", re.IGNORECASE
)
_MOST_WORDS_LEANING = 3


def split_question(question: str) -> list[str]:
    """The questions of a message, in order, each fit to be searched; one where there is one.

    A part that points at an earlier one (`and who approves it?`, `누가 승인하나요?`) is searched with the first part.
    """
    parts = [part.strip() for part in _BREAKS.split(question) if part.strip()]
    if len(parts) < 2 or any(len(part) < 3 for part in parts):
        return [question]
    first, *others = parts[:MOST_PARTS]
    befores = parts[: len(others)]
    return [
        first,
        *(f"{first} {part}" if _leans(part, before) else part for before, part in zip(befores, others, strict=True)),
    ]


def _leans(part: str, before: str) -> bool:
    is_short = not before.endswith(("?", "？")) and len(part.split()) <= _MOST_WORDS_LEANING
    return is_short or bool(_LEANS.search(part))
