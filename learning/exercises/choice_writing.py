"""Writing a four-choice question from a passage: the other task that a four-choice item gives.

Its answer is the item itself, so it is only as good as the item, passes the same checks, and nobody writes it anew.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.prompt import Language
from learning.exercises import four_choice
from learning.exercises.draft import Draft, Section
from learning.exercises.four_choice import LETTERS, show_options
from learning.exercises.task import Task, Written

WRITE: dict[Language, str] = {
    "en": "Write one four-choice question about this passage and name the right option.",
    "ko": "이 대목으로 사지선다 문제를 하나 만들고 정답을 밝혀 주세요.",
}
RIGHT: dict[Language, str] = {"en": "Right: {letter}", "ko": "정답: {letter}"}


def find(sections: Sequence[Section]) -> Iterator[Draft]:
    """Of a document's sections, without a model."""
    return map(turn_around, four_choice.find(sections))


def read(written: Written, section: Section) -> Draft | None:
    """As a four-choice question is read, then turned around."""
    draft = four_choice.read(written, section)
    return draft and turn_around(draft)


def turn_around(draft: Draft) -> Draft:
    """The item as the answer to the task of writing one."""
    assert draft.right is not None, "a four-choice item has a right option"
    letter = RIGHT[draft.language].format(letter=LETTERS[draft.right])
    answer = f"{draft.question}\n{show_options(draft.options)}\n{letter}"
    return replace(draft, kind="choice_writing", question=WRITE[draft.language], answer=answer)


TASK = Task(four_choice.TASK.instructions, four_choice.TASK.schema, four_choice.TASK.examples, read)
