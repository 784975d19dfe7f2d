"""Where a right answer stands in the documents, as its asker may read them.

Passages come through the filter only. Beside it no more is read than whether a document of a name is there.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from core.database import Database
from core.records import Passage
from core.sql import load_queries
from core.wording import measure_support
from retrieval.access import Access
from retrieval.superseded import find_old

QUERIES = load_queries(__file__)

# `stale`: a document of that name is there and says something else. `hidden`: it is there, but not for the asker.
Standing = Literal["there", "missing", "stale", "hidden"]
MOST_CHUNKS = 2000


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the documents hold of a right answer.

    Attributes:
        passages: that hold it, the best one of each document; two neighbours where none does alone.
        is_split: no passage holds it alone.
    """

    standing: Standing
    passages: tuple[Passage, ...] = ()
    is_split: bool = False


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


@dataclass(frozen=True, slots=True)
class _Path:
    path: str


async def find_evidence(
    database: Database,
    *,
    question: str,
    principals: Sequence[str],
    paths: Collection[str] = (),
    chunk_ids: Collection[int] = (),
    holds: Callable[[str], bool],
    limit: int,
) -> Evidence:
    """What holds the right answer among documents of these paths and these passages, at most `limit` passages.

    Args:
        holds: whether a text does.
    """
    wanted = {"paths": list(paths), "chunk_ids": list(chunk_ids), "limit": MOST_CHUNKS}
    access = Access(database)
    found = await access.fetch_visible(QUERIES["find_chunks"], principals, wanted, Passage)
    passages, is_split = choose_evidence(question, found, holds, limit)
    if passages:
        return Evidence("there", passages, is_split)
    known = {row.id for row in await database.fetch_all(QUERIES["find_known"], wanted, _Id)}
    visible = await access.find_visible(list(known), principals)
    if known - visible:
        return Evidence("hidden")
    return Evidence("stale" if visible else "missing")


async def find_readable(database: Database, paths: Collection[str], principals: Sequence[str]) -> set[str]:
    """Those of the paths of which these principals may read a document."""
    found = await Access(database).fetch_visible(QUERIES["find_paths"], principals, {"paths": list(paths)}, _Path)
    return {row.path for row in found}


async def find_lost(database: Database, paths: Collection[str]) -> list[str]:
    """Those of the paths that no document has now, in order."""
    rows = await database.fetch_all(QUERIES["find_lost"], {"paths": sorted(set(paths))}, _Path)
    return [row.path for row in rows]


def choose_evidence(
    question: str, found: Sequence[Passage], holds: Callable[[str], bool], limit: int
) -> tuple[tuple[Passage, ...], bool]:
    """The best passage of each document that holds the answer, by words in common with the question. Pure.

    Args:
        found: by document, in their order there.

    Returns:
        Passages numbered from 1, and whether these are two neighbours because none holds it alone.
    """
    alone = sorted(
        (one for one in found if holds(_read(one))), key=lambda one: -measure_support(question, [_read(one)])
    )
    if alone:
        best = {passage.document_id: passage for passage in reversed(alone)}
        chosen = sorted(best.values(), key=alone.index)[:limit]
        return _number(chosen), False
    for one, other in pairwise(found):
        if one.document_id == other.document_id and holds(f"{_read(one)}\n{other.text}"):
            return _number([one, other]), True
    return (), False


def is_superseded(right: Sequence[Passage], shown: Sequence[Passage]) -> bool:
    """Whether an old edition stands in the way: one of the right page is shown, or the right page itself is old."""
    others = [one for one in shown if all(one.chunk_id != passage.chunk_id for passage in right)]
    old = find_old([*right, *others])
    return any(old[: len(right)]) or any(
        is_old and not was_old for is_old, was_old in zip(old[len(right) :], find_old(others), strict=True)
    )


def _read(passage: Passage) -> str:
    return f"{passage.heading_path}\n{passage.text}"


def _number(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    return tuple(replace(passage, number=number) for number, passage in enumerate(passages, start=1))
