"""Masks of what may be seen: ids, places and bits, worked out by hand, and kept right by writers at once."""

import asyncio
import struct

import numpy as np

from core.database import Database
from retrieval.access import Access
from retrieval.embedding import Embedder
from retrieval.postings import pack_postings, unpack_postings
from retrieval.sources.access_rules import AccessRule
from retrieval.visible import read_visible
from tests.retrieval.made_documents import Made, store
from tests.retrieval.test_ranking import DRIFT

# Chunks 5 and 4,094 of block 2, chunk 0 of block 4; nothing of block 3.
VISIBLE = read_visible([(2, struct.pack(">2H", 4094, 5), 7), (4, struct.pack(">H", 0), 2)], version=1)
IDS = [2 * 4096 + 5, 2 * 4096 + 4094, 4 * 4096]


def test_ids_and_places_skip_blocks_of_which_nothing_is_visible() -> None:
    assert (VISIBLE.find_ids(), VISIBLE.count, VISIBLE.mean_length) == (IDS, 3, 3.0)
    assert VISIBLE.get_places(IDS).tolist() == [5, 4094, 4096]
    assert VISIBLE.get_ids(np.array([4096, 5])) == [IDS[2], IDS[0]]


def test_postings_of_hidden_chunks_are_not_unpacked() -> None:
    rows = pack_postings({IDS[0]: {"visa": 2, "train": 1}, IDS[0] + 1: {"visa": 40_000}, IDS[2]: {"visa": 1}})
    postings = unpack_postings(rows, VISIBLE)
    assert [term for term, _, _ in rows] == ["train", "visa", "visa"]
    assert dict(zip(postings.terms, postings.count_chunks().tolist(), strict=True)) == {"train": 1, "visa": 2}
    assert VISIBLE.get_ids(postings.places) == [IDS[0], IDS[0], IDS[2]]
    assert (postings.frequencies.tolist(), postings.lengths.tolist()) == ([1, 2, 1], [3, 3, 1])


async def test_writers_at_once_leave_the_blocks_right(database: Database, embedder: Embedder) -> None:
    def make(number: int, group: str) -> Made:
        return Made(f"{number}.txt", [f"w{number} x{part}" for part in range(3)], AccessRule([group]))

    await store(database, embedder, [make(number, "group:a") for number in range(12)])
    await asyncio.gather(
        *(store(database, embedder, [make(number, "group:b"), make(20 + number, "group:b")]) for number in range(6)),
        *(
            database.execute(b"UPDATE documents SET allow = '{group:c}' WHERE id %% 3 = %s", [part])
            for part in range(3)
        ),
        *(database.execute(b"UPDATE documents SET removed_at = now() WHERE id %% 4 = %s", [part]) for part in range(2)),
    )
    assert await database.fetch_dicts(DRIFT) == []
    seen = await Access(database).find_visible_chunks(["group:a", "group:b", "group:c"])
    rows = await database.fetch_dicts(
        b"SELECT count(*) AS chunks FROM chunks JOIN documents ON documents.id = document_id WHERE removed_at IS NULL"
    )
    assert rows == [{"chunks": seen.count}]


async def test_what_was_read_holds_until_the_index_changes(database: Database, embedder: Embedder) -> None:
    def make(number: int) -> Made:
        return Made(f"{number}.txt", [f"w{number}"], AccessRule(["group:a"]))

    access = Access(database)
    await store(database, embedder, [make(number) for number in range(3)])
    first = await access.find_visible_chunks(["group:a", "group:b"])
    assert await access.find_visible_chunks(["group:b", "group:a"]) is first
    counts = [first.count]
    for change in (
        "UPDATE documents SET deny = '{group:b}' WHERE path = '0.txt'",
        "UPDATE documents SET removed_at = now() WHERE path = '1.txt'",
        "DELETE FROM documents WHERE path = '2.txt'",
        "UPDATE documents SET removed_at = NULL WHERE path = '1.txt'",
    ):
        await database.execute(change.encode())
        counts.append((await access.find_visible_chunks(["group:a", "group:b"])).count)
    await store(database, embedder, [make(4)])
    counts.append((await access.find_visible_chunks(["group:a", "group:b"])).count)
    assert counts == [3, 2, 1, 0, 1, 2]
