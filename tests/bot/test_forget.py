"""Forget me: nothing that a person said is left, and nothing of anybody else is gone."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from bot.forget import FORGET, ForgetHandler
from bot.inbox import Claimed, Event, Inbox
from core.consent import Consents
from core.database import Database
from core.directory import Directory, Person
from core.forgetting import Receipt
from core.interactions import Interactions
from core.model_server import ModelServer
from retrieval.embedding import Embedder
from retrieval.examples import teach
from retrieval.sources.access_rules import AccessRule
from tests.forgetting import build_forgetting
from tests.retrieval.made_documents import Made, store
from tests.retrieval.voting import answer, find_chunk, like, score, vote

ANN, BOB = "user:ann", "user:bob"
# Every column of text and jsonb of the log, but for the audit and what an administrator or a directory says.
COLUMNS = b"""SELECT table_name, column_name FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type IN ('text', 'jsonb', 'ARRAY')
AND table_name NOT IN ('people', 'memberships', 'directory_groups', 'room_members', 'training_consents')"""


@pytest.fixture(scope="module")
def embedder() -> Iterator[Embedder]:
    """The model of the package."""
    embedder = Embedder()
    yield embedder
    embedder.close()


async def erase(database: Database, person: str, *, by: str) -> Receipt:
    return await build_forgetting(database, ModelServer("http://127.0.0.1:9", "base"), Path("none")).forget(
        person, by=by
    )


async def find_left(database: Database, words: list[str]) -> list[tuple[str, str]]:
    """Tables and columns in which any of the words still stands."""
    columns = [(row["table_name"], row["column_name"]) for row in await database.fetch_dicts(COLUMNS)]
    found: list[tuple[str, str]] = []
    for table, column in columns:
        query = f'SELECT 1 AS one FROM "{table}" WHERE "{column}"::text ILIKE ANY(%s) LIMIT 1'
        if await database.fetch_dicts(query.encode(), [[f"%{word}%" for word in words]]):
            found.append((table, column))
    return found


async def log_pair(database: Database, interaction_id: int, voter: str, adapter: str) -> None:
    """A night that trained on a pair of this voter."""
    await database.execute(
        b"""WITH run AS (
                INSERT INTO runs (night, requested_by, window_from, window_to, adapter)
                VALUES (current_date, 'test', now() - interval '1 day', now(), %(adapter)s) RETURNING id
            ), made AS (
                INSERT INTO adapters (name, folder, base_model, sha256, manifest)
                VALUES (%(adapter)s, '', 'b', '', '{}')
            ), pair AS (
                INSERT INTO pairs (sha256, prompt, chosen, rejected, origin, question, language, interaction_ids,
                                   feedback_ids, voters, access, weight, given_at)
                VALUES (%(voter)s || %(id)s, '[]', 'a', 'b', 'correction', 'q', 'en', ARRAY[%(id)s::bigint],
                        '{}', ARRAY[name_voter(%(voter)s)], '[]', 1, now()) RETURNING id
            ), fates AS (
                INSERT INTO feedback_fates (feedback_id, run_id, state)
                SELECT feedback.id, run.id, 'trained' FROM feedback, run
                WHERE person = %(voter)s AND interaction_id = %(id)s
            )
            INSERT INTO run_pairs (run_id, pair_id, state) SELECT run.id, pair.id, 'trained' FROM run, pair""",
        {"id": interaction_id, "voter": voter, "adapter": adapter},
    )


async def test_nothing_of_the_person_is_left_and_everything_of_others(database: Database, embedder: Embedder) -> None:
    await store(database, embedder, [Made("leave.txt", ["annual grant 23 day off"], AccessRule(["everyone"]))])
    mine = await like(database, "How much vacation does zanzibar get?", "leave.txt", ANN, BOB)
    await database.execute(b"UPDATE interactions SET asker = %s WHERE id <> %s", [BOB, mine])
    theirs = await answer(database, "How is travel paid?", ["leave.txt"])
    await database.execute(b"UPDATE interactions SET asker = %s WHERE id = %s", [BOB, theirs])
    await vote(database, theirs, ANN, -1, correction="zanzibar pays")
    await vote(database, theirs, BOB, 1)
    await teach(database)
    await log_pair(database, mine, BOB, "night-1")
    await log_pair(database, theirs, ANN, "night-2")
    await log_pair(database, theirs, BOB, "night-3")
    examples = {name: {"count": 1, "examples": [{"question": "zanzibar"}]} for name in ("answers", "disliked")}
    await database.execute(b"UPDATE runs SET evaluation = %s WHERE adapter = 'night-1'", [Jsonb(examples)])
    inbox = Inbox(database)
    for person in (ANN, BOB):
        payload: dict[str, Any] = {"person": person, "text": "waiting"}
        await inbox.receive(Event("web", f"e{person}", f"c{person}", "question", payload))

    erased = await erase(database, ANN, by="test")

    assert (erased.log["questions"], erased.log["votes"], erased.log["events"], erased.pairs) == (1, 3, 1, 2)
    assert erased.adapters == ["night-1", "night-2"]
    assert await find_left(database, [ANN, "zanzibar"]) == []
    rows = await database.fetch_dicts(
        b"""SELECT (SELECT array_agg(id) FROM interactions) AS questions,
                   (SELECT array_agg(person) FROM feedback) AS votes,
                   (SELECT count(*)::integer FROM pairs) AS pairs, (SELECT count(*)::integer FROM inbox) AS inbox"""
    )
    assert rows == [{"questions": [theirs], "votes": [BOB], "pairs": 1, "inbox": 1}]
    assert await database.fetch_dicts(b"SELECT act, subject FROM audit") == [
        {"act": "forget person", "subject": "receipt 1; adapters trained on it: night-1, night-2"}
    ]


async def test_the_search_unlearns_what_it_learnt_from_the_person(database: Database, embedder: Embedder) -> None:
    documents = [Made("leave.txt", ["annual grant 23 day off"], AccessRule(["everyone"]))]
    await store(database, embedder, documents)
    before = await score(database, "vacation")
    await like(database, "How much vacation do I have?", "leave.txt", ANN)
    assert await score(database, "vacation") != before
    await erase(database, ANN, by="test")
    assert await score(database, "vacation") == before
    assert await find_chunk(database, "leave.txt")


async def test_what_was_learnt_goes_while_the_person_refuses_and_comes_back(
    database: Database, embedder: Embedder
) -> None:
    await store(database, embedder, [Made("leave.txt", ["annual grant 23 day off"], AccessRule(["everyone"]))])
    before = await score(database, "vacation")
    await like(database, "How much vacation do I have?", "leave.txt", ANN)
    learnt = await score(database, "vacation")
    for allows_training, expected in ((False, before), (True, learnt)):
        await Consents(database).set(ANN, allows_training=allows_training)
        await teach(database)
        assert await score(database, "vacation") == expected


async def claim_wish(database: Database) -> Claimed:
    inbox = Inbox(database)
    await inbox.receive(Event("web", "forget:1", f"web:forget:{ANN}", FORGET, {"person": ANN}))
    claimed = await inbox.claim("w")
    assert claimed
    return claimed


async def test_the_wish_bears_repetition_and_leaves_nothing_of_itself(database: Database) -> None:
    told: list[Receipt] = []

    async def tell(_: Claimed, receipt: Receipt) -> None:
        told.append(receipt)
        if len(told) == 1:
            raise RuntimeError("the platform is away")

    claimed = await claim_wish(database)
    await answer(database, "How much vacation?", [])
    forgetting = build_forgetting(database, ModelServer("http://127.0.0.1:9", "base"), Path("none"))
    forget = ForgetHandler(database, forgetting, tell={"web": tell})
    results = await asyncio.gather(forget(claimed), return_exceptions=True)
    assert isinstance(results[0], RuntimeError)
    await forget(claimed)
    assert [one.log["questions"] for one in told] == [1, 0]
    assert await find_left(database, [ANN]) == []


async def test_an_answer_under_way_finds_nothing_to_finish(database: Database) -> None:
    begun = await answer(database, "How much vacation?", [])
    await erase(database, ANN, by="test")
    assert await database.fetch_dicts(b"SELECT id FROM interactions WHERE id = %s", [begun]) == []
    assert not await Interactions(database).exist()


async def test_people_are_forgotten_while_the_search_learns(database: Database, embedder: Embedder) -> None:
    await store(database, embedder, [Made("leave.txt", ["annual grant 23 day off"], AccessRule(["everyone"]))])
    for round_ in range(5):
        liked = await answer(database, f"How much vacation in {round_}?", ["leave.txt"])
        await vote(database, liked, BOB, 1)
        await asyncio.gather(teach(database), erase(database, ANN, by="test"), teach(database))
    await teach(database)
    assert [await database.fetch_dicts(b"SELECT 1 AS one FROM examples"), await score(database, "vacation")] == [[], {}]


async def test_who_is_on_two_platforms_is_forgotten_on_both(database: Database, embedder: Embedder) -> None:
    await store(database, embedder, [Made("leave.txt", ["annual grant 23 day off"], AccessRule(["everyone"]))])
    said = datetime(2026, 11, 20, tzinfo=UTC)
    names = ("slack:T0:U0ANN", "teams:t1:ann")
    await Directory(database).put_people([Person(name, "member", said, email="ann@example.com") for name in names])
    for name in names:
        await vote(database, await answer(database, "How is travel paid?", ["leave.txt"]), name, 1)
    await teach(database)
    erased = await erase(database, names[1], by="test")
    assert erased.log["votes"] == 2
    assert await find_left(database, list(names)) == []
