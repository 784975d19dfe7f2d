"""Examples of a prompt: what people corrected or liked, then those of the company's file, as far as there is room."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.prompt import show
from core.errors import SettingsError
from core.fitting import fits
from core.prompt import Language, PromptExample, build_messages, detect_language
from core.records import Passage
from retrieval.memory import Remembered


@dataclass(frozen=True, slots=True)
class ShownExamples:
    """What stands in a prompt as earlier turns.

    Attributes:
        fixed: of the file, which come first.
        remembered: of people, the nearest last, right before the question.
        spared_tokens: of what the adapter has learnt, so that it need not stand there.
    """

    fixed: tuple[PromptExample, ...] = ()
    remembered: tuple[Remembered, ...] = ()
    spared_tokens: int = 0

    @property
    def turns(self) -> list[PromptExample]:
        """All, in the order of the prompt."""
        return [*self.fixed, *(PromptExample(one.question, one.answer) for one in self.remembered)]

    @property
    def tokens(self) -> int:
        """Of what people said, at most."""
        return sum(one.tokens for one in self.remembered)


def load_examples(file: Path) -> list[PromptExample]:
    """The company's own examples, JSON Lines with `question` and `answer`.

    Raises:
        SettingsError: there is no such file, or a line is written otherwise.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"EXAMPLES_FILE: expected a file of JSON Lines in UTF-8, got {str(file)!r}"]) from error
    return [_read_line(file, number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _read_line(file: Path, number: int, line: str) -> PromptExample:
    try:
        row = json.loads(line)
        question, answer = row["question"], row["answer"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SettingsError([_describe_line(file, number)]) from error
    if not all(isinstance(text, str) and text.strip() for text in (question, answer)):
        raise SettingsError([_describe_line(file, number)])
    return PromptExample(question.strip(), answer.strip())


def _describe_line(file: Path, number: int) -> str:
    return f"EXAMPLES_FILE: expected question and answer as texts in line {number} of {file.name}"


def choose_examples(
    question: str,
    passages: Sequence[Passage],
    remembered: Sequence[Remembered],
    fixed: Sequence[PromptExample],
    *,
    most: int,
    context_tokens: int,
    answer_tokens: int,
) -> ShownExamples:
    """At most so many beside passages that stay all; one that is too long is left out for a shorter one.

    Args:
        remembered: the nearest first.
        fixed: in their order; those in the question's language fill what places are left.
    """
    chosen: list[Remembered] = []
    filling: list[PromptExample] = []

    def has_room(example: PromptExample) -> bool:
        turns = [PromptExample(one.question, one.answer) for one in chosen]
        messages = build_messages(question, show(passages), [*filling, *turns, example])
        return len(turns) + len(filling) < most and fits(
            messages, context_tokens=context_tokens, answer_tokens=answer_tokens
        )

    for one in remembered:
        if not one.is_learnt and has_room(PromptExample(one.question, one.answer)):
            chosen.append(one)
    language: Language = detect_language(question)
    for one in fixed:
        if detect_language(one.question) == language and has_room(one):
            filling.append(one)
    spared = sum(one.tokens for one in remembered if one.is_learnt)
    return ShownExamples(tuple(filling), tuple(reversed(chosen)), spared)
