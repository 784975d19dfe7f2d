"""Follow-ups become questions that stand alone, so that search and prompt need no history."""

import re
from collections.abc import Sequence

from core.interactions import Turn

# The root question and the follow-up are kept apart, so that a chain of follow-ups keeps one root.
JOINT = " — "

_FOLLOW_UP = re.compile(
    r"""^(and|or|but|so|then|also|what\s+about|how\s+about|what\s+if|why|since\s+when|until\s+when|
        it|its|that|those|these|they|he|she|there|same\s+for|does\s+(it|that|this)|is\s+(it|that|this)|
        그럼|그러면|그렇다면|그건|그거|그것|그때|거기|그리고|또한|또|혹시\s*그|이건|이거|왜|언제까지|그\s)\b
      |^\S+(은|는)요\s*\??$""",
    re.IGNORECASE | re.VERBOSE,
)


def is_follow_up(question: str) -> bool:
    """Whether a question leans on the one before: a connective or pronoun first, or `인턴은요?`."""
    return bool(_FOLLOW_UP.match(question.strip()))


def make_standalone(question: str, turns: Sequence[Turn]) -> str:
    """The question with the root of the conversation before it, where it is a follow-up.

    Args:
        turns: earlier turns, newest first.
    """
    if not turns or not is_follow_up(question):
        return question
    root = turns[0].standalone_question.split(JOINT)[0]
    return f"{root}{JOINT}{question}"
