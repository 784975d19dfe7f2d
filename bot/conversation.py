"""Follow-ups become questions that stand alone, so that search and prompt need no history."""

import re
from collections.abc import Sequence

from core.interactions import Turn

# The root question and the follow-up are kept apart, so that a chain of follow-ups keeps one root.
JOINT = " — "

# A first word that points back whatever comes after it.
_POINTS_BACK = re.compile(
    r"""^(what\s+about|how\s+about|what\s+if|since\s+when|until\s+when|same\s+for|and\s+(for|if|in|at|with|when|who|how)|
        it|its|that|those|these|they|their|he|she|his|her|
        (does|do|is|are|was|can|may|must|should|will|would)\s+(it|that|this|they|these|those|he|she)|
        그럼|그러면|그렇다면|그건|그거|그것|그게|그때|그걸|거기|이건|이거|이것|그\s|혹시\s*그)(?![\w'’])
      |^(그럼|그러면|그건|그거|그것|그때|거기|이건|이거|이것)[가-힣]{0,3}(?![가-힣])
      |^\S+(은|는)요\s*\??$""",
    re.IGNORECASE | re.VERBOSE,
)
# A connective that opens a fragment as often as a new question.
_CONNECTIVE = re.compile(r"^(and|or|but|so|then|also|그리고|또한|또|그런데|근데)(?![\w가-힣])[\s,]*", re.IGNORECASE)
# `for interns?`, `in Busan?`, `인턴의 경우는?`: a question without a verb of its own.
_FRAGMENT = re.compile(
    r"""^(for|in|at|with|without|during|after|before|as)\s+\S+(\s+\S+){0,3}\s*\?*$
      |^\S+(\s+\S+)?\s*(의\s*경우|인\s*경우)(는|에는|은|엔)?(요)?\s*\?*$
      |^(why|who|when|where|how\s+(long|much|many|often)|how\s+so|왜|누가|언제|언제까지|언제부터|어디서|얼마나|몇\s?일|며칠)(요)?\s*\?*$""",
    re.IGNORECASE | re.VERBOSE,
)
# A pronoun near the end of a short question: `Who approves it?`, `누가 그걸 승인하나요?`.
_PRONOUN = re.compile(
    r"\b(it|them|those|these|that|this)\s*\?*$|(?<![가-힣])(그걸|그것을|그것도|이걸|이것을|거기서)(?![가-힣])",
    re.IGNORECASE,
)
_MOST_WORDS_WITH_PRONOUN = 7
_MOST_WORDS_AFTER_CONNECTIVE = 6
_NEW_TOPIC = re.compile(
    r"^(another|a\s+different|new|one\s+more|next)\s+(question|topic)|^(on|by)\s+another\s+|^(다른|새로운)\s*(질문|주제|얘기|이야기)",
    re.IGNORECASE,
)

# `do you know?`, `any idea?`, `도와주세요`: a call for help with what was said before.
_CALLS_FOR_HELP = re.compile(
    r"""^((do|does|can|could|would|will)\s+(you|anyone|anybody|someone)\b.*\b(know|help|answer|explain|say|tell)\b
        |any\s+ideas?|please\s+(help|answer|explain)|help|what\s+do\s+you\s+(think|say)|your\s+turn)
      |(아시나요|아세요|알려\s*주|답변?\s*(해|부탁)|도와\s*주)""",
    re.IGNORECASE | re.VERBOSE,
)
_MOST_WORDS_IN_CALL = 8
_ASKS = re.compile(r"[?？]|(까요|나요|가요|는지|을까|ㄹ까)\s*[.!…]*$", re.MULTILINE)


def find_thread_question(posts: Sequence[str]) -> str | None:
    """What people were asking each other: their latest question, else what they began with.

    Args:
        posts: oldest first.
    """
    asked = [post for post in posts if _ASKS.search(post)]
    return asked[-1] if asked else posts[0] if posts else None


def choose_question(text: str, thread: str | None) -> str:
    """The question to answer: the thread's where the post only calls for help with it, or holds no words at all."""
    plain = text.strip()
    is_call = len(plain.split()) <= _MOST_WORDS_IN_CALL and _CALLS_FOR_HELP.search(plain)
    has_words = any(character.isalnum() for character in plain)
    return thread if thread and (is_call or not has_words) else text


def looks_like_question(text: str) -> bool:
    """Whether something is asked, in a question mark or in how Korean asks without one."""
    return bool(_ASKS.search(text))


def is_follow_up(question: str) -> bool:
    """Whether a question leans on the one before: it points back, is a fragment, or asks for something not named."""
    text = question.strip()
    if _NEW_TOPIC.match(text):
        return False
    if _POINTS_BACK.match(text) or _FRAGMENT.match(text):
        return True
    words = len(text.split())
    if match := _CONNECTIVE.match(text):
        return words <= _MOST_WORDS_AFTER_CONNECTIVE or bool(_POINTS_BACK.match(text[match.end() :]))
    return words <= _MOST_WORDS_WITH_PRONOUN and bool(_PRONOUN.search(text))


def make_standalone(question: str, turns: Sequence[Turn]) -> str:
    """The question with the root of the conversation before it, where it is a follow-up.

    Args:
        turns: earlier turns, newest first.
    """
    if not turns or not is_follow_up(question):
        return question
    root = turns[0].standalone_question.split(JOINT)[0]
    return f"{root}{JOINT}{question}"
