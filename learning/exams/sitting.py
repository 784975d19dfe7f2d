"""One four-choice item asked one way: by the letter that the model writes, or by how likely it finds each option.

By letter the options are shown, in four orders. By likelihood they are not: the question is asked openly and each
option weighed as its whole answer, so that no place plays a part, and one order is all there is.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.model_server import ModelServer, Sampling
from core.prompt import Language, Message, PromptPassage, build_messages, neutralise
from learning.exams.comparison import Way
from learning.exams.four_choice import Choice, build_orders, choose_likeliest, read_letter
from learning.exams.grader import score_options
from learning.exercises.four_choice import LETTERS, show_options
from learning.exercises.probe import CHOOSE, CLOSED

By = Literal["likelihood", "generation"]
LETTER_TOKENS = 8

FindPassages = Callable[[str, Sequence[str]], Awaitable[Sequence[PromptPassage]]]
"""Passages for a question, as the bot shows them to its model, behind the filter of these principals."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is asked.

    Attributes:
        key: its name, equal for the same words.
        group: the document that it stands or falls with.
        principals: what its reader may read.
    """

    key: str
    language: Language
    question: str
    options: tuple[str, ...]
    right: int
    group: str = ""
    principals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Help:
    """How a model is helped.

    Attributes:
        adapter: None is the base model.
        examples: items with their answers, by language, shown before the question.
        find_passages: None shows none.
    """

    way: Way
    adapter: str | None = None
    examples: Mapping[Language, Sequence[Item]] | None = None
    find_passages: FindPassages | None = None


@dataclass(frozen=True, slots=True)
class Sat:
    """An answer to an item in one order, and what it took."""

    choice: Choice
    seconds: float
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


def list_orders(item: Item, by: By) -> list[tuple[int, ...]]:
    """The orders in which it is asked."""
    orders = build_orders(item.key)
    return orders if by == "generation" else orders[:1]


async def ask(model_server: ModelServer, help_: Help, item: Item, order: Sequence[int], by: By) -> Sat:
    """One item in one order.

    Raises:
        ModelServerError: the server is away, or does not give log-probabilities.
    """
    shown = [item.options[at] for at in order]
    question = item.question if by == "likelihood" else show_question(item, order)
    passages = None
    if help_.find_passages is not None:
        passages = await help_.find_passages(item.question, item.principals)
    messages = build_prompt(help_, item.language, question, passages, by)
    began = time.perf_counter()
    if by == "likelihood":
        likely = await score_options(model_server, messages, shown, adapter=help_.adapter)
        chosen, tokens = choose_likeliest(likely, length="characters"), (None, None)
    else:
        sampling = Sampling(max_tokens=LETTER_TOKENS)
        said = await model_server.complete(messages, adapter=help_.adapter, sampling=sampling)
        chosen, tokens = read_letter(said.text), (said.prompt_tokens, said.completion_tokens)
    choice = Choice(item.key, tuple(order), order.index(item.right), chosen)
    return Sat(choice, time.perf_counter() - began, *tokens)


def build_prompt(
    help_: Help, language: Language, question: str, passages: Sequence[PromptPassage] | None, by: By
) -> list[Message]:
    """The question as this way asks it: below passages in the bot's own prompt, else alone or after examples."""
    if passages is not None:
        return build_messages(f"{question}\n{CHOOSE[language]}" if by == "generation" else question, passages)
    instruction = CHOOSE[language] if by == "generation" else CLOSED[language]
    messages: list[Message] = [{"role": "system", "content": instruction}]
    for example in (help_.examples or {}).get(language, ()):
        messages += show_example(example, by)
    return [*messages, {"role": "user", "content": neutralise(question)}]


def show_example(example: Item, by: By) -> list[Message]:
    """An item with its right answer as two turns; where it stands among the options depends on its words."""
    order = build_orders(example.key)[0]
    asked = show_question(example, order) if by == "generation" else example.question
    answer = LETTERS[order.index(example.right)] if by == "generation" else example.options[example.right]
    return [{"role": "user", "content": neutralise(asked)}, {"role": "assistant", "content": neutralise(answer)}]


def show_question(item: Item, order: Sequence[int]) -> str:
    """The question with its options in an order, a letter each."""
    return f"{item.question}\n{show_options([item.options[at] for at in order])}"
