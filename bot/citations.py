"""From the model's `[n]` to passages: invalid numbers dropped, missing ones found, wrong ones mended."""

import re
from collections.abc import Sequence

from bot.words import coverage, find_numbers
from core.records import Passage

_MARK = re.compile(r"\s*\[(\d+)\]")
# Below this share of shared terms a passage does not carry the answer; measured on the sample's golden questions.
SUPPORTED = 0.6


def strip_marks(text: str) -> str:
    """The answer without its citation marks."""
    return _MARK.sub("", text).strip()


def find_cited(text: str, passages: Sequence[Passage]) -> list[int]:
    """Numbers of existing passages that the text cites, in order of appearance."""
    known = {passage.number for passage in passages}
    return [number for number in dict.fromkeys(int(mark) for mark in _MARK.findall(text)) if number in known]


def support(answer: str, passage: Passage) -> float:
    """How far a passage carries an answer, in [0, 1]: 0 where a number of the answer is not in the passage."""
    source = f"{passage.title} {passage.heading_path} {passage.text}"
    statement = strip_marks(answer)
    if not find_numbers(statement) <= find_numbers(source):
        return 0.0
    return coverage(statement, source)


def settle(answer: str, passages: Sequence[Passage]) -> tuple[str, list[int]]:
    """The answer with citations that hold, and their numbers; none where no passage carries it.

    A cited passage that carries the answer stays. Else the passage that carries it best is cited instead.
    """
    cited = [passage for passage in passages if passage.number in find_cited(answer, passages)]
    holding = [passage.number for passage in cited if support(answer, passage) >= SUPPORTED]
    if holding:
        kept = _MARK.sub(lambda mark: mark[0] if int(mark[1]) in holding else "", answer).strip()
        return kept, holding
    best = max(passages, key=lambda passage: support(answer, passage), default=None)
    if best is None or support(answer, best) < SUPPORTED:
        return strip_marks(answer), []
    return f"{strip_marks(answer)} [{best.number}]", [best.number]
