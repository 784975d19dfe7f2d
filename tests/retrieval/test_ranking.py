"""Candidates against both sides worked out in Python, on random documents, readers and changes."""

import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psycopg
import pytest

from core.database import Database
from core.migrate import FOLDER, migrate
from retrieval import index, postings, vector_scan
from retrieval.candidates import Candidates
from retrieval.documents import Documents
from retrieval.embedding import Embedder
from retrieval.sources.access_rules import AccessRule
from tests.retrieval.made_documents import (
    SOURCE,
    Made,
    compare_vectors,
    find_chunk_names,
    may_read,
    score_words,
    store,
)

GROUPS = ["group:a", "group:b", "group:c", "group:d"]
WORDS = [f"w{number}" for number in range(30)]
DIMENSION = 384
# What the triggers keep, counted anew.
DRIFT = b"""
WITH counted AS (
    SELECT (chunks.id >> 12)::integer AS block, audience_id, count(*) * 2 AS bytes, sum(length) AS terms
    FROM chunks JOIN documents ON documents.id = document_id WHERE removed_at IS NULL GROUP BY 1, 2
), kept AS (
    SELECT block, audience_id, octet_length(places) AS bytes, term_count AS terms FROM audience_blocks
)
SELECT * FROM ((TABLE counted EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE counted)) AS drift"""
ENTRIES = b"""
SELECT coalesce(sum(octet_length(entries)), 0)::integer / 6 AS entries
FROM (SELECT entries FROM packed_postings UNION ALL SELECT entries FROM fresh_postings) AS held"""


def make(chance: random.Random, path: str) -> Made:
    # The last word is the chunk's own: equal chunks of a document would share a vector.
    words = (chance.choices(WORDS, k=chance.randint(1, 12)) for _ in range(chance.randint(1, 6)))
    chunks = [" ".join([*chosen, f"own{chance.randrange(10**9)}"]) for chosen in words]
    rule = AccessRule(chance.sample(GROUPS, chance.randint(0, 3)), chance.sample(GROUPS, chance.choice([0, 0, 1])))
    draw = np.random.default_rng(chance.randrange(2**32))
    vectors = {
        number: draw.standard_normal(DIMENSION, dtype=np.float32) / np.float32(20)
        for number in range(len(chunks))
        if chance.random() < 0.8
    }
    return Made(path, chunks, rule, vectors)


async def check(
    database: Database, made: Sequence[Made], chance: random.Random, *, limit: int = 1000, rounds: int = 4
) -> None:
    """Candidates of random askers are what the formulas give."""
    names = await find_chunk_names(database)
    model_id = (await database.fetch_dicts(b"SELECT id FROM embedding_models"))[0]["id"]
    for size in range(rounds):
        principals, question = chance.sample(GROUPS, size), chance.sample(WORDS, 4)
        vector = np.random.default_rng(size).standard_normal(DIMENSION, dtype=np.float32)
        found = await Candidates(database).find(question, vector, model_id, principals, limit_per_side=limit)
        lexical, dense = score_words(made, question, principals), compare_vectors(made, vector, principals)
        expected = {*sorted(lexical, key=lambda name: -lexical[name])[:limit]}
        expected |= {*sorted(dense, key=lambda name: -dense[name])[:limit]}
        assert {names[one.chunk_id] for one in found} == expected
        for one in found:
            name = names[one.chunk_id]
            assert one.lexical_score == pytest.approx(lexical.get(name, 0.0), abs=1e-9)
            assert one.dense_score == pytest.approx(dense.get(name), abs=1e-3)


@pytest.mark.parametrize("part_bytes", [3000, 0])
async def test_random_readers_get_what_the_formulas_give(
    database: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch, part_bytes: int
) -> None:
    monkeypatch.setattr(postings, "_PART_BYTES", part_bytes)  # 0: each term is a part of its own
    chance = random.Random(3)
    made = [make(chance, f"{number}.txt") for number in range(80)]
    await store(database, embedder, made)
    await check(database, made, chance, rounds=5)
    await check(database, made, chance, limit=5)


async def test_what_changes_bit_by_bit_ranks_as_if_stored_at_once(
    database: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_PACK_EVERY", 16)
    monkeypatch.setattr(index, "_LEAST_GONE", 3)
    chance = random.Random(5)
    kept: dict[str, Made] = {}
    documents = Documents(database)
    for step in range(40):
        path = f"{chance.randrange(12)}.txt"
        stored = {one.path: one.id for one in await documents.find_all()}
        if path in stored and chance.random() < 0.3:
            await database.execute(b"UPDATE documents SET removed_at = now() WHERE id = %s", [stored[path]])
            del kept[path]
        elif path in stored and chance.random() < 0.3:
            rule = AccessRule(chance.sample(GROUPS, 2), [])
            await database.execute(b"UPDATE documents SET allow = %s, deny = '{}' WHERE path = %s", [rule.allow, path])
            kept[path] = Made(path, kept[path].chunks, rule, kept[path].vectors)
        else:
            new = make(chance, path)
            if path in kept:  # some of what was there stays, in another place
                chunks = [*new.chunks, *kept[path].chunks[1:]]
                moved = {
                    len(new.chunks) + number - 1: vector for number, vector in kept[path].vectors.items() if number
                }
                new = Made(path, chunks, new.rule, {**new.vectors, **moved})
            kept[path] = new
            await store(database, embedder, [new])
        assert await database.fetch_dicts(DRIFT) == [], f"after step {step}"
    await check(database, list(kept.values()), chance)


async def test_sweeping_leaves_the_postings_of_what_is_there(database: Database, embedder: Embedder) -> None:
    chance = random.Random(11)
    made = [make(chance, f"{number}.txt") for number in range(20)]
    await store(database, embedder, made)
    made[0] = make(chance, "0.txt")
    await store(database, embedder, [made[0]])
    await database.execute(b"SELECT pack_postings(), sweep_postings(1)")
    expected = sum(len(set(words.split())) for one in made for words in one.chunks)
    assert await database.fetch_dicts(ENTRIES) == [{"entries": expected}]
    assert await database.fetch_dicts(b"SELECT chunk_id FROM gone_chunks") == []
    await check(database, made, chance)


async def test_few_vectors_among_many_chunks_are_all_found(
    database: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_scan, "MIN_COMPARED", 20)
    vectors = np.random.default_rng(1).standard_normal((9, DIMENSION), dtype=np.float32)
    everyone = AccessRule(["group:a"])
    made = [Made("words.txt", [f"w1 x{number}" for number in range(400)], everyone)]
    made.append(Made("few.txt", [f"w2 y{number}" for number in range(9)], everyone, dict(enumerate(vectors))))
    await store(database, embedder, made)
    model_id = (await database.fetch_dicts(b"SELECT id FROM embedding_models"))[0]["id"]
    found = await Candidates(database).find([], vectors[0], model_id, ["group:a"], limit_per_side=10)
    assert len(found) == 9


async def test_vectors_stored_between_questions_are_found_by_the_next(
    database: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_scan, "MIN_COMPARED", 1)
    monkeypatch.setattr(vector_scan, "_READ_AT_ONCE", 7)
    vectors = np.random.default_rng(1).standard_normal((60, DIMENSION), dtype=np.float32)
    candidates, rule = Candidates(database), AccessRule(["group:a"])
    for number in range(3):
        own = dict(enumerate(vectors[number * 20 : (number + 1) * 20]))
        await store(database, embedder, [Made(f"{number}.txt", [f"y{number} z{at}" for at in range(20)], rule, own)])
        model_id = (await database.fetch_dicts(b"SELECT id FROM embedding_models"))[0]["id"]
        names = await find_chunk_names(database)
        for at in (0, 19):
            found = await candidates.find([], own[at], model_id, ["group:a"], limit_per_side=1)
            assert [names[one.chunk_id] for one in found] == [(f"{number}.txt", at)]
    await database.execute(b"UPDATE documents SET allow = '{group:b}' WHERE path = '2.txt'")
    found = await candidates.find([], vectors[40], model_id, ["group:a"], limit_per_side=1)
    assert [names[one.chunk_id][0] for one in found] != ["2.txt"]


async def test_documents_of_one_transaction_are_stored_together_or_not_at_all(
    database: Database, embedder: Embedder
) -> None:
    good = Made("good.txt", ["w1"], AccessRule(["group:a"]))
    bad = Made("bad.txt", ["w2"], AccessRule(["group:a"]), {0: np.full(DIMENSION, np.nan, dtype=np.float32)})
    await store(database, embedder, [good])
    with pytest.raises(psycopg.DataError, match="invalid input syntax"):
        await store(database, embedder, [Made("new.txt", ["w3"], AccessRule(["group:a"])), bad])
    assert [one.path for one in await Documents(database).find_all()] == ["good.txt"]


async def test_documents_stored_before_the_packing_are_ranked_the_same(postgres: str, tmp_path: Path) -> None:
    chance = random.Random(13)
    made = [make(chance, f"{number}.txt") for number in range(25)]
    before = tmp_path / "before"
    before.mkdir()
    for path in sorted(FOLDER.glob("000[1-5]_*.sql")):
        shutil.copy(path, before)
    async with Database(postgres) as outside:
        await outside.execute(b"DROP DATABASE IF EXISTS before_packing")
        await outside.execute(b"CREATE DATABASE before_packing")
    async with Database(postgres.replace("/postgres?", "/before_packing?")) as database:
        await migrate(database, before)
        for one in made:
            await insert_as_before(database, one)
        await database.execute(b"UPDATE documents SET removed_at = now() WHERE path = '3.txt'")
        await migrate(database)
        assert await database.fetch_dicts(DRIFT) == []
        await check(database, [one for one in made if one.path != "3.txt"], chance, rounds=5)


async def insert_as_before(database: Database, made: Made) -> None:
    put, vectors = made.build_put()
    await database.execute(b"INSERT INTO embedding_models (name, dimension) VALUES ('m', 384) ON CONFLICT DO NOTHING")
    document = await database.fetch_dicts(
        b"INSERT INTO documents (source, path, title, format, language, sha256, recipe, allow, deny) "
        b"VALUES (%s, %s, '', 'text', 'en', '', '1', %s, %s) RETURNING id",
        [SOURCE, made.path, made.rule.allow, made.rule.deny],
    )
    for ordinal, chunk in enumerate(put.document.chunks):
        stored = await database.fetch_dicts(
            b"INSERT INTO chunks (document_id, version, ordinal, heading_path, start_offset, end_offset, text, sha256, "
            b"language, length) VALUES (%s, 1, %s, '', 0, 1, 'x', %s, 'en', %s) RETURNING id",
            [document[0]["id"], ordinal, chunk.sha256, chunk.length],
        )
        for term, frequency in chunk.terms.items():
            await database.execute(b"INSERT INTO terms (term) VALUES (%s) ON CONFLICT DO NOTHING", [term])
            await database.execute(
                b"INSERT INTO postings SELECT %s, %s, id, %s, %s FROM terms WHERE term = %s",
                [stored[0]["id"], document[0]["id"], chunk.length, frequency, term],
            )
        if chunk.sha256 in vectors:
            await database.execute(
                b"INSERT INTO embeddings (chunk_id, document_id, model_id, vector) VALUES (%s, %s, 1, %s)",
                [stored[0]["id"], document[0]["id"], vectors[chunk.sha256]],
            )


def test_the_rule_of_the_tests_is_the_rule_of_the_bot() -> None:
    assert may_read(AccessRule(["group:a"], ["group:b"]), ["group:a"])
    assert not may_read(AccessRule(["group:a"], ["group:b"]), ["group:a", "group:b"])
