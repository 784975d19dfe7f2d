"""Whether a model answers an exercise without its clue, where it teaches nothing, and with it, where it must.

A four-choice item is asked with its options turned round: who guesses is right one time in four, and who knows always.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.prompt import Language, Message, PromptPassage, build_messages, neutralise
from core.wording import find_numbers, is_refusal, normalise_text
from learning.exercises.asking import Asker
from learning.exercises.draft import Draft
from learning.exercises.four_choice import LETTERS, OPTIONS, show_options
from learning.exercises.rag import says
from learning.judges import token_f1

SAME_F1 = 0.5
# Of four turns: a guesser reaches three one time in twenty.
KNOWN_TURNS = 3

CLOSED: dict[Language, str] = {
    "en": "Answer the question in one or two sentences from what you know. If you do not know, say so.",
    "ko": "아는 대로 한두 문장으로 답하세요. 모르면 모른다고 하세요.",
}
CHOOSE: dict[Language, str] = {
    "en": "Choose the right option. Reply with one letter: A, B, C or D.",
    "ko": "옳은 보기를 고르세요. A, B, C, D 가운데 한 글자로 답하세요.",
}


@dataclass(frozen=True, slots=True)
class Probed:
    """Whether the answers were right; None where it was not asked."""

    closed_book: bool | None = None
    open_book: bool | None = None

    @property
    def fault(self) -> Literal["closed_book", "not_answerable"] | None:
        """Why the item goes: known without its clue, or not answered with it."""
        if self.closed_book:
            return "closed_book"
        return "not_answerable" if self.open_book is False else None


async def probe(draft: Draft, asker: Asker, *, needs_open_book: bool) -> Probed:
    """Ask without the clue, then with it.

    Args:
        needs_open_book: whether answers with the clue are asked for: an answer that stands in its clue word for word
            needs no model to prove it, least of all a weak one.

    Raises:
        ModelServerError: the server is away.
    """
    if draft.kind in ("summary", "choice_writing"):
        return Probed()
    if draft.kind == "unanswerable":
        return Probed(open_book=await _refuses(draft, asker) if needs_open_book else None)
    if draft.kind == "four_choice":
        closed = await _count_right(draft, asker, clue="") >= KNOWN_TURNS
        is_open = await _count_right(draft, asker, clue=draft.clue) >= KNOWN_TURNS if needs_open_book else None
        return Probed(closed, is_open)
    said = await asker.answer(build_closed(draft))
    closed = is_same(said, draft)
    if closed or not needs_open_book:
        return Probed(closed)
    passages = [PromptPassage(draft.title, draft.heading_path, draft.clue)]
    return Probed(closed, is_same(await asker.answer(build_messages(draft.question, passages)), draft))


def build_closed(draft: Draft) -> list[Message]:
    """The question alone."""
    return [
        {"role": "system", "content": CLOSED[draft.language]},
        {"role": "user", "content": neutralise(draft.question)},
    ]


def build_choice(draft: Draft, options: Sequence[str], *, clue: str) -> list[Message]:
    """The question with options, below the clue where there is one."""
    shown = f"{draft.question}\n{show_options(options)}"
    content = neutralise(f"{clue}\n\n{shown}" if clue else shown)
    return [{"role": "system", "content": CHOOSE[draft.language]}, {"role": "user", "content": content}]


def is_same(said: str, draft: Draft) -> bool:
    """Whether what was said is the answer: all its numbers, and half of its words or all of them in a row."""
    if is_refusal(said) or not find_numbers(draft.answer) <= find_numbers(said):
        return False
    is_within = normalise_text(draft.answer) in normalise_text(said)
    return is_within or token_f1(said, draft.answer) >= SAME_F1 or says(said, draft.answer)


async def _count_right(draft: Draft, asker: Asker, *, clue: str) -> int:
    right = 0
    for turn in range(OPTIONS):
        options = [*draft.options[turn:], *draft.options[:turn]]
        said = await asker.answer(build_choice(draft, options, clue=clue), most_tokens=4)
        letter = LETTERS[options.index(draft.answer)]
        right += said.lstrip("(*# ").upper().startswith(letter)
    return right


async def _refuses(draft: Draft, asker: Asker) -> bool:
    passages = [PromptPassage(one.title, one.heading_path, one.text) for one in draft.negatives]
    return is_refusal(await asker.answer(build_messages(draft.question, passages)))
