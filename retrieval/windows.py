"""Passages with the text around them: a search finds a part of a section, and a model may read more of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.records import Passage
from core.sql import load_queries
from retrieval.access import Access

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class _Around:
    """The chunks of a section on both sides of one, by place, and the document's text from the first to the last.

    Attributes:
        start: of that text in the document's; `starts` and `ends` are the chunks' there.
    """

    chunk_id: int
    start: int
    text: str
    chunk_ids: list[int]
    starts: list[int]
    ends: list[int]


async def widen(
    access: Access, passages: Sequence[Passage], principals: Sequence[str], *, neighbours: int
) -> list[Passage]:
    """Each passage with up to so many chunks before and after it under the same heading; no chunk is in two of them.

    What the asker may not read any more stays as it was found.
    """
    if not neighbours or not passages:
        return list(passages)
    parameters = {"chunk_ids": [passage.chunk_id for passage in passages], "neighbours": neighbours}
    found = await access.fetch_visible(QUERIES["find_around"], principals, parameters, _Around)
    around = {one.chunk_id: one for one in found}
    taken = {passage.chunk_id for passage in passages}
    return [
        _widen(passage, around[passage.chunk_id], taken) if passage.chunk_id in around else passage
        for passage in passages
    ]


def _widen(passage: Passage, around: _Around, taken: set[int]) -> Passage:
    """As far as its neighbours are free, which it takes."""
    first = last = around.chunk_ids.index(passage.chunk_id)
    while first > 0 and around.chunk_ids[first - 1] not in taken:
        first -= 1
    while last + 1 < len(around.chunk_ids) and around.chunk_ids[last + 1] not in taken:
        last += 1
    taken.update(around.chunk_ids[first : last + 1])
    start, end = around.starts[first], max(around.ends[first : last + 1])
    return replace(passage, start=start, end=end, text=around.text[start - around.start : end - around.start])
