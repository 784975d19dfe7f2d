"""Pairs that are longer than the model server takes: what goes, what stays, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest

from core.database import Database
from core.fitting import FRAME_TOKENS, count_fitting, count_tokens
from core.prompt import PromptPassage, build_messages
from learning.labels import Answer
from learning.lengths import count_answer, shorten
from learning.pairs import Pair
from learning.runs import Runs
from learning.singles import has_room
from tests.learning.log import log_answer, make_passage, vote
from tests.learning.making import make_answer, make_pair
from tests.learning.test_collect import begin, run_collect

QUESTION = "How many days for lunch?"
SHOWN = [PromptPassage(f"Rules {n}", "", f"For topic {n} the company grants {n}0 days. Ask first.") for n in (1, 2, 3)]


def make_long(chosen: str = "10 days. [1]", **changes: Any) -> tuple[Pair, Answer]:
    """A pair on three passages, with the answer it was made of."""
    messages = build_messages(QUESTION, SHOWN)
    passages = [
        {"number": n, "chunk_id": n, "title": one.title, "heading_path": "", "text": one.text}
        for n, one in enumerate(SHOWN, start=1)
    ]
    answer = make_answer(1, "Perhaps.", question=QUESTION, messages=messages, passages=passages)
    return make_pair(1, prompt=messages, chosen=chosen, rejected="Perhaps.", question=QUESTION, **changes), answer


def room_for(pair: Pair, count: int) -> int:
    """The context that takes just so many of the passages with the pair's answers."""
    return count_tokens(build_messages(QUESTION, SHOWN[:count])) + FRAME_TOKENS + count_answer(pair)


@pytest.mark.parametrize(("spare", "kept"), [(0, 2), (-1, 1)])
def test_the_lowest_ranked_passages_go_as_they_go_for_the_bot(spare: int, kept: int) -> None:
    pair, answer = make_long()
    context = room_for(pair, 2) + spare
    shorter = shorten(pair, answer, context_tokens=context)
    assert shorter and shorter.prompt == build_messages(QUESTION, SHOWN[:kept])
    assert f"shortened:{kept}" in shorter.why
    assert kept == count_fitting(QUESTION, SHOWN, context_tokens=context, answer_tokens=count_answer(pair))


@pytest.mark.parametrize(
    "chosen",
    [
        # It cites the passage that goes,
        "30 days. [3]",
        # or is carried by nothing else.
        "It is 30 days.",
    ],
)
def test_a_pair_that_leans_on_what_would_go_is_refused(chosen: str) -> None:
    pair, answer = make_long(chosen)
    assert shorten(pair, answer, context_tokens=room_for(pair, 2)) is None


def test_a_question_that_leaves_no_room_for_a_passage_refuses_the_pair() -> None:
    pair, answer = make_long("The documents do not say.")
    assert shorten(pair, answer, context_tokens=room_for(pair, 1) - 1) is None


def test_a_prompt_that_is_laid_out_otherwise_is_not_cut_at_a_guess() -> None:
    pair, answer = make_long()
    turned = replace(
        pair, prompt=[*pair.prompt[:-1], {"role": "user", "content": f"Hello. {pair.prompt[-1]['content']}"}]
    )
    assert shorten(turned, answer, context_tokens=room_for(pair, 2)) is None


def test_the_standing_prompt_stays_the_one_that_was_served() -> None:
    pair, answer = make_long()
    served = [{"role": "system", "content": "Answer."}, pair.prompt[-1]]
    shorter = shorten(replace(pair, prompt=served), answer, context_tokens=room_for(pair, 1))
    assert shorter and shorter.prompt[0] == served[0] and len(shorter.prompt) == 2


def test_a_single_that_is_too_long_has_no_room() -> None:
    _, answer = make_long()
    room = count_tokens(answer.messages or []) + FRAME_TOKENS + 4  # "Perhaps." are 8 letters: 3 tokens and one.
    assert [has_room(answer, context_tokens=room - less) for less in (0, 1)] == [True, False]


async def test_a_night_counts_what_is_too_long_and_keeps_what_can_be_shortened(database: Database) -> None:
    long = "Nothing else is said here about it, however long it goes on. " * 40
    for at, leans_on in enumerate((1, 2)):
        subjects = [f"parking {at}", f"lunch {at}"]
        passages = [make_passage(one, 3 + n, at=n) for n, one in enumerate(subjects, start=1)]
        passages[1] = replace(passages[1], text=f"{passages[1].text} {long}")
        wordy = await log_answer(database, f"How many days, {at}?", passages, "It may depend.")
        await vote(database, wordy, "user:ann", -1, f"The company grants {3 + leans_on} days. [{leans_on}]")
    run = await begin(database)
    counts = (await run_collect(database, run, context_tokens=1000)).counts
    assert (counts["pairs"], counts["dropped_pairs"]) == (1, {"too_long": 1})
    assert counts["fates"]["dropped:too_long"] == 1
    kept = [pair for pair in await Runs(database).find_pairs(run.id) if pair.state != "dropped"]
    assert "parking 0" in kept[0].prompt[-1]["content"] and "lunch 0" not in kept[0].prompt[-1]["content"]
