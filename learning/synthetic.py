"""Pairs with a side that nobody judged: faithful against unfaithful, right against distracting."""

from collections.abc import Sequence
from typing import Any

from core.database import Database
from core.sql import load_queries
from core.wording import find_citations, is_refusal
from learning.labels import Answer, Judgement
from learning.pairs import Pair, make_pair
from learning.refusals import find_unsupported, refuse
from learning.runs import Run
from learning.wording import find_missing_facts, measure_carried

QUERIES = load_queries(__file__)

# People's own pairs must set the tone: of each kind at most one for every four of theirs.
SHARE = 0.25
# What nobody voted on weighs as a hint does.
UNVOTED_WEIGHT = 0.6
# A distractor is a passage of the prompt that shares words with the question and is not what the answer was drawn from.
LEAST_DISTRACTION = 0.1
LONGEST_DISTRACTOR = 300


async def find_replaced(database: Database, run: Run, *, limit: int) -> list[Answer]:
    """Answers that were replaced by quotations because no passage carried them and nobody judged; newest first."""
    values = {"window_from": run.window_from, "window_to": run.window_to, "limit": limit}
    return await database.fetch_all(QUERIES["find_replaced"], values, Answer)


def build_faithful(replaced: Sequence[Answer], *, most: int) -> list[Pair]:
    """The quotation shown against the unsupported text that it replaced; the newest ones."""
    pairs: list[Pair] = []
    for answer in replaced:
        sides = (answer.answer or "", answer.generated or "")
        if len(pairs) < most and all(sides) and find_unsupported(sides[1], answer) and not refuse(*sides, answer):
            why = ("fault:contradiction", "checked:supported")
            pairs.append(make_pair(answer, sides, "faithful", votes=(), weight=UNVOTED_WEIGHT, why=why))
    return pairs


def build_distractors(singles: Sequence[Judgement], *, most: int) -> list[Pair]:
    """A liked answer against the beginning of a passage that was shown beside its own and does not answer."""
    liked = [one for one in singles if one.value > 0 and one.votes]
    liked.sort(key=lambda one: (-one.weight, -one.answer.id))
    pairs: list[Pair] = []
    for judgement in liked:
        answer = judgement.answer
        distractor = find_distractor(answer)
        if len(pairs) == most or not distractor or is_refusal(answer.answer or ""):
            continue
        sides = (answer.answer or "", distractor)
        if refuse(*sides, answer) is None:
            votes, why = judgement.votes, ("checked:supported", "checked:other_passage")
            pairs.append(make_pair(answer, sides, "distractor", votes=votes, weight=judgement.weight, why=why))
    return pairs


def find_distractor(answer: Answer) -> str | None:
    """The first sentences of the uncited passage that looks most like the question, cited as the model would.

    A passage that carries the answer as well is none.
    """
    cited = set(find_citations(answer.answer or ""))
    others = [passage for passage in answer.passages or [] if passage["number"] not in cited]
    scored = [(_measure_distraction(answer, passage), -passage["number"], passage) for passage in others if cited]
    best = max(scored, key=lambda one: one[:2], default=None)
    if best is None or best[0] < LEAST_DISTRACTION:
        return None
    text = best[2]["text"].strip()[:LONGEST_DISTRACTOR]
    return f"{text} [{best[2]['number']}]"


def _measure_distraction(answer: Answer, passage: dict[str, Any]) -> float:
    carries = not find_missing_facts(answer.answer or "", [passage["text"], answer.question])
    if carries and measure_carried(answer.answer or "", [passage["text"]]) >= 1.0:
        return 0.0
    return measure_carried(answer.question, [passage["text"]])
