"""From the model's `[n]` to passages: invalid numbers dropped, missing ones found, wrong ones mended."""

from collections.abc import Sequence

from core.records import Passage
from core.wording import (
    CITATION,
    SUPPORTED_SHARE,
    find_citations,
    find_numbers,
    find_terms,
    measure_support,
    strip_citations,
)


def support(answer: str, passage: Passage) -> float:
    """How far a passage carries an answer, in [0, 1].

    0 where a number of the answer is not in the passage, and where the answer says nothing: a lone `[1]` is none.
    """
    source = f"{passage.title} {passage.heading_path} {passage.text}"
    if not find_terms(answer) or not find_numbers(answer) <= find_numbers(source):
        return 0.0
    return measure_support(answer, [source])


def settle(answer: str, passages: Sequence[Passage]) -> tuple[str, list[int]]:
    """The answer with citations that hold, and their numbers; none where no passage carries it.

    A cited passage that carries the answer stays. Else the passage that carries it best is cited instead.
    """
    mentioned = find_citations(answer)
    cited = sorted(
        (passage for passage in passages if passage.number in mentioned),
        key=lambda passage: mentioned.index(passage.number),
    )
    holding = [passage.number for passage in cited if support(answer, passage) >= SUPPORTED_SHARE]
    if holding:
        kept = CITATION.sub(lambda mark: mark[0] if int(mark[1]) in holding else "", answer).strip()
        return kept, holding
    best = max(passages, key=lambda passage: support(answer, passage), default=None)
    if best is None or support(answer, best) < SUPPORTED_SHARE:
        return strip_citations(answer), []
    return f"{strip_citations(answer)} [{best.number}]", [best.number]
