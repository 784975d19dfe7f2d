"""Which module makes which kind."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from learning.exercises import choice_writing, definition, four_choice, rag, summary, unanswerable
from learning.exercises.draft import Draft, Kind, Section
from learning.exercises.task import Task

Find = Callable[[Sequence[Section]], Iterator[Draft]]

FINDERS: Mapping[Kind, Find] = {
    "definition": definition.find,
    "summary": summary.find,
    "four_choice": four_choice.find,
    "choice_writing": choice_writing.find,
    "rag": rag.find,
    "unanswerable": unanswerable.find,
}
TASKS: Mapping[Kind, Task] = {
    "definition": definition.TASK,
    "summary": summary.TASK,
    "four_choice": four_choice.TASK,
    "choice_writing": choice_writing.TASK,
    "rag": rag.TASK,
    "unanswerable": unanswerable.TASK,
}
# What is answered from passages needs related ones that do not answer.
SEARCHED: frozenset[Kind] = frozenset({"rag", "unanswerable"})
