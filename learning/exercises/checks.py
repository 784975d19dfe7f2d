"""What a draft must pass before a person sees it; the first check that it fails names the reason. Pure.

Whether a model answers it, with the clue and without, is asked in `probe.py`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal, get_args

from core.instructions import is_command
from core.prompt import detect_language
from core.wording import find_terms, is_refusal, measure_support, normalise_text
from learning.claims import measure_claims
from learning.exercises.draft import Draft, Kind
from learning.exercises.four_choice import OPTIONS
from learning.exercises.rag import NEGATIVES, says
from learning.exercises.seen import Seen
from learning.private_data import redact

Reason = Literal[
    "form",
    "language",
    "private",
    "leaks",
    "unsupported",
    "two_right",
    "distractor_true",
    "guessable_length",
    "few_negatives",
    "negative_answers",
    "duplicate",
    "exam",
    "closed_book",
    "not_answerable",
    "no_gain",
    "no_content",
    "copied_prompt",
]
REASONS: tuple[Reason, ...] = get_args(Reason)

LONGEST_QUESTION, LONGEST_ANSWER = 600, 1200
# Fewer letters say too little of a language: `P5`, `VPN`, `71 dollars` stand in Korean texts too.
LANGUAGE_LETTERS = 24
# An option that is so much longer, or shorter, than all others is chosen without reading.
LENGTH_RATIO = 1.6
LEAST_LENGTH = 12
_ALL_OR_NONE = re.compile(r"\b(?:all|none|both) of (?:the above|these|them)\b|모두 (?:맞|틀)|위의? (?:모두|모든)", re.I)
_POINTER = re.compile(
    r"\b(?:this|the (?:above|given)) (?:passage|text|section)\b|(?:위|이|다음) (?:대목|지문|글)", re.I
)
_LETTER = re.compile(r"[^\W\d_]")

Check = Callable[[Draft], bool]
"""Whether a draft passes."""


def find_fault(draft: Draft, *, items: Seen, exam: Seen) -> Reason | None:
    """The first check that a draft fails; None where it passes all of its kind's.

    Args:
        items: those of its kind so far; exam: questions that must not be trained on, of every kind.
    """
    for reason, passes in CHECKS[draft.kind]:
        if not passes(draft):
            return reason
    if items.holds(draft.subject, draft.solution):
        return "duplicate"
    return "exam" if exam.holds(draft.subject, draft.solution) else None


def has_form(draft: Draft) -> bool:
    """Question and answer of a length to read, and a question that stands alone."""
    is_short = 0 < len(draft.question) <= LONGEST_QUESTION and 0 < len(draft.answer) <= LONGEST_ANSWER
    return is_short and bool(find_terms(draft.question)) and not _points(draft)


def has_options(draft: Draft) -> bool:
    """Four of them, one at the place of the right one, none that speaks of the others."""
    if len(draft.options) != OPTIONS or draft.right is None or not all(draft.options):
        return False
    return not any(_ALL_OR_NONE.search(option) for option in draft.options)


def is_in_language(draft: Draft) -> bool:
    """Question and answer in the language that was asked for, as far as they have letters enough to tell."""
    texts = [draft.question, *([draft.answer] if len(_LETTER.findall(draft.answer)) >= LANGUAGE_LETTERS else [])]
    return all(detect_language(text) == draft.language for text in texts)


def is_public(draft: Draft) -> bool:
    """No personal data and no secret in anything that a model would see, no order to it in what it would learn."""
    learnt = [draft.question, draft.answer, *draft.options]
    texts = [*learnt, draft.clue, *(one.text for one in draft.negatives)]
    return all(redact(text) == text for text in texts) and not any(map(is_command, learnt))


def keeps_its_answer(draft: Draft) -> bool:
    """The question does not hold the answer."""
    return f" {normalise_text(draft.answer)} " not in f" {normalise_text(draft.question)} "


def is_supported(draft: Draft) -> bool:
    """The clue carries every claim of the answer."""
    if normalise_text(draft.answer) in normalise_text(draft.clue):
        return True
    return measure_claims(draft.answer, [f"{draft.title}\n{draft.heading_path}\n{draft.clue}"]) == 1.0


def has_one_right(draft: Draft) -> bool:
    """No option says the same as another, and none holds the right one."""
    normal = [normalise_text(option) for option in draft.options]
    right = f" {normalise_text(draft.solution)} "
    wrong = [f" {option} " for at, option in enumerate(normal) if at != draft.right]
    return len(set(normal)) == OPTIONS and not any(right in option or option in right for option in wrong)


def has_wrong_options(draft: Draft) -> bool:
    """No wrong option stands in the line of the clue that the right one was taken from."""
    line = normalise_text(find_bearing_line(draft.clue, draft.subject, draft.solution))
    wrong = [normalise_text(option) for at, option in enumerate(draft.options) if at != draft.right]
    return not any(f" {option} " in f" {line} " for option in wrong)


def has_even_lengths(draft: Draft) -> bool:
    """The right option is not told by its length."""
    lengths = [len(option) for option in draft.options]
    right = lengths[draft.right or 0]
    others = [length for at, length in enumerate(lengths) if at != draft.right]
    if max(lengths) < LEAST_LENGTH:
        return True
    return min(others) / LENGTH_RATIO <= right <= max(others) * LENGTH_RATIO


def has_negatives(draft: Draft) -> bool:
    """As many related passages as the prompt shows beside the clue."""
    return len(draft.negatives) >= NEGATIVES


def has_no_answering_negative(draft: Draft) -> bool:
    """No negative says the answer; of an unanswerable item its own section is one and may be about the same."""
    return is_refusal(draft.answer) or not any(says(one.text, draft.answer) for one in draft.negatives)


def find_bearing_line(clue: str, question: str, answer: str) -> str:
    """The line or sentence of a clue that is most about question and answer; one that holds the answer goes first."""
    wanted, asked = normalise_text(answer), f"{question} {answer}"
    lines = [line for line in re.split(r"\n+|(?<=[.!?。])\s+", clue) if line.strip()]
    return max(lines, key=lambda line: (wanted in normalise_text(line), measure_support(asked, [line])), default="")


def _points(draft: Draft) -> bool:
    """Whether a question speaks of a passage that its reader will not see; to write one, it must."""
    return draft.kind != "choice_writing" and bool(_POINTER.search(draft.question))


_COMMON: tuple[tuple[Reason, Check], ...] = (
    ("form", has_form),
    ("language", is_in_language),
    ("private", is_public),
)
_CHOICE: tuple[tuple[Reason, Check], ...] = (
    ("two_right", has_one_right),
    ("distractor_true", has_wrong_options),
    ("guessable_length", has_even_lengths),
)
_ANSWERED: tuple[tuple[Reason, Check], ...] = (("leaks", keeps_its_answer), ("unsupported", is_supported))

CHECKS: Mapping[Kind, tuple[tuple[Reason, Check], ...]] = {
    "definition": (*_COMMON, *_ANSWERED),
    "summary": (*_COMMON, ("unsupported", is_supported)),
    "four_choice": (("form", has_options), *_COMMON, *_ANSWERED, *_CHOICE),
    "rag": (*_COMMON, *_ANSWERED, ("few_negatives", has_negatives), ("negative_answers", has_no_answering_negative)),
    "unanswerable": (
        *_COMMON,
        ("few_negatives", has_negatives),
        ("form", lambda draft: is_refusal(draft.answer)),
    ),
    "choice_writing": (("form", has_options), *_COMMON, *_CHOICE),
}
