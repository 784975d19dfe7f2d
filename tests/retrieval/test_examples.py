"""Votes move passages, as far as they may, and back again."""

import asyncio

import pytest

from core.advisory_lock import lock_transaction
from core.database import Database
from core.feedback import FeedbackLog
from core.locks import Lock
from core.records import Feedback
from retrieval import examples
from retrieval.embedding import Embedder
from retrieval.examples import Teaching, teach
from retrieval.search import Search
from retrieval.sources.access_rules import AccessRule
from tests.eventually import eventually
from tests.retrieval.made_documents import Made, store
from tests.retrieval.voting import EVERYONE, answer, find_chunk, like, score, vote

OPEN = AccessRule(EVERYONE)
LEAVE, TRAVEL, PEOPLE = "leave.txt", "travel.txt", "people.txt"
# Words as the index holds them: stems.
DOCUMENTS = (
    Made(LEAVE, ["annual team lead grant 23 day off"], OPEN),
    Made(TRAVEL, ["custom travel paid day road count day"], OPEN),
    Made(PEOPLE, ["salari band team staff"], AccessRule(["group:people"])),
)
TAUGHT = b"SELECT term, path, weight FROM taught_terms JOIN chunks ON chunks.id = chunk_id \
JOIN documents ON documents.id = document_id ORDER BY path, term"
WAITING = b"SELECT interaction_id FROM untaught_votes"


@pytest.fixture
async def documents(database: Database, embedder: Embedder) -> Database:
    """A database with three documents of a chunk each."""
    await store(database, embedder, DOCUMENTS)
    return database


async def find_taught_terms(database: Database, path: str) -> dict[str, int]:
    return {row["term"]: row["weight"] for row in await database.fetch_dicts(TAUGHT) if row["path"] == path}


async def test_a_liked_question_brings_its_passage_to_the_words_that_people_use(documents: Database) -> None:
    assert LEAVE not in await score(documents, "vacation")
    await like(documents, "How much vacation do I have?", LEAVE)
    assert list(await score(documents, "vacation days")) == [LEAVE, TRAVEL]


async def test_a_vote_that_is_taken_back_leaves_the_scores_as_they_were(documents: Database) -> None:
    before = await score(documents, "vacation on the road")
    liked = await like(documents, "vacation on the road", LEAVE)
    assert await score(documents, "vacation on the road") != before
    await vote(documents, liked, "user:ann", 0)
    assert await teach(documents) == 1
    assert await score(documents, "vacation on the road") == before


async def test_what_stands_alone_is_learnt_and_not_what_was_typed(documents: Database) -> None:
    liked = await answer(documents, "and how much?", [LEAVE], standalone="How much vacation?")
    await vote(documents, liked, "user:ann", 1)
    await teach(documents)
    assert await find_taught_terms(documents, LEAVE) == {"much": 1, "vacat": 1}


async def test_a_blamed_passage_falls_behind_for_its_question(documents: Database) -> None:
    question = "days on the road"
    assert list(await score(documents, question)) == [TRAVEL, LEAVE]
    blamed = await answer(documents, question, [TRAVEL])
    await vote(documents, blamed, "user:ann", -1, blaming=True)
    await teach(documents)
    assert list(await score(documents, question)) == [LEAVE, TRAVEL]


@pytest.mark.parametrize(
    ("votes", "taught"),
    [
        (((1, False), (-1, True)), {}),
        (((1, False), (1, False), (-1, True)), {"vacat": 1}),
        (((1, False), (-1, True), (-1, True)), {"vacat": -1}),
        (((-1, False),), {}),
    ],
)
async def test_only_the_larger_side_teaches_and_a_dislike_alone_blames_no_document(
    documents: Database, votes: tuple[tuple[examples.Vote, bool], ...], taught: dict[str, int]
) -> None:
    asked = await answer(documents, "vacation?", [LEAVE])
    for number, (value, blaming) in enumerate(votes):
        await vote(documents, asked, f"user:{number}", value, blaming=blaming)
    await teach(documents)
    assert await find_taught_terms(documents, LEAVE) == taught


@pytest.mark.parametrize(
    "correction",
    [
        "It says so in [2].",
        "Annual team  lead grant 23 day.",
        "see LEAVE.txt",
    ],
)
async def test_a_correction_that_names_its_passage_gives_it_the_question(documents: Database, correction: str) -> None:
    asked = await answer(documents, "vacation?", [TRAVEL, LEAVE])
    await vote(documents, asked, "user:ann", -1, blaming=True, correction=correction)
    await teach(documents)
    assert (await find_taught_terms(documents, LEAVE), await find_taught_terms(documents, TRAVEL)) == (
        {"vacat": 1},
        {"vacat": -1},
    )


@pytest.mark.parametrize("shown", [[TRAVEL, LEAVE], [TRAVEL], []])
async def test_a_passage_that_a_person_chose_gets_the_question_though_it_was_not_shown(
    documents: Database, shown: list[str]
) -> None:
    asked = await answer(documents, "vacation?", shown, mode="generated" if shown else "refused")
    right = await find_chunk(documents, LEAVE)
    await FeedbackLog(documents).record(Feedback(asked, "user:ann", -1, "slack_form", right_chunk_id=right))
    await teach(documents)
    assert (await find_taught_terms(documents, LEAVE), await find_taught_terms(documents, TRAVEL)) == ({"vacat": 1}, {})


async def test_a_chosen_passage_that_is_gone_teaches_nothing(documents: Database) -> None:
    asked = await answer(documents, "vacation?", [TRAVEL])
    await FeedbackLog(documents).record(Feedback(asked, "user:ann", -1, "slack_form", right_chunk_id=4711))
    await teach(documents)
    assert await documents.fetch_dicts(TAUGHT) == []


@pytest.mark.parametrize("correction", ["25 days", "see plan.txt", "days"])
async def test_a_correction_that_names_none_teaches_nothing(documents: Database, correction: str) -> None:
    asked = await answer(documents, "vacation?", [TRAVEL, LEAVE])
    await vote(documents, asked, "user:ann", -1, correction=correction)
    await teach(documents)
    assert await documents.fetch_dicts(TAUGHT) == []


@pytest.mark.parametrize("mode", ["refused", "failed", "stopped"])
async def test_to_like_what_is_no_answer_teaches_nothing(documents: Database, mode: examples.Any) -> None:
    asked = await answer(documents, "vacation?", [LEAVE], mode=mode)
    await vote(documents, asked, "user:ann", 1)
    await teach(documents)
    assert await documents.fetch_dicts(TAUGHT) == []


async def test_one_person_moves_a_passage_by_a_few_questions(documents: Database) -> None:
    for word in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta"):
        await like(documents, f"vacation {word}", LEAVE, "user:ann")
    expected = {"vacat": 4, "gamma": 1, "delta": 1, "epsilon": 1, "zeta": 1}
    assert await find_taught_terms(documents, LEAVE) == expected


async def test_a_question_counts_once_however_often_one_asks_it(documents: Database) -> None:
    for _ in range(3):
        await like(documents, "vacation", LEAVE, "user:ann", "user:bo")
    assert await find_taught_terms(documents, LEAVE) == {"vacat": 1}


async def test_a_full_passage_keeps_the_questions_of_most_people(
    documents: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "QUESTIONS_PER_CHUNK", 2)
    await like(documents, "holiday", LEAVE, "user:ann", "user:bo")
    await like(documents, "vacation", LEAVE, "user:ann")
    await like(documents, "break", LEAVE, "user:cho")
    assert await find_taught_terms(documents, LEAVE) == {"holiday": 1, "break": 1}


async def test_who_may_not_read_a_passage_sees_nothing_of_what_it_was_taught(documents: Database) -> None:
    before = await score(documents, "vacation days of the team")
    await like(documents, "days of vacation for the team", PEOPLE)
    assert await score(documents, "vacation days of the team") == before
    assert PEOPLE in await score(documents, "team", ["group:people"])


async def test_a_question_is_never_part_of_what_is_shown(documents: Database, embedder: Embedder) -> None:
    await like(documents, "vacation of Kim's secret project", LEAVE)
    (found,) = await Search(documents, embedder).search("secret project", EVERYONE, side="lexical")
    assert (found.path, found.text) == (LEAVE, DOCUMENTS[0].chunks[0])


async def test_what_a_chunk_was_taught_goes_with_it(documents: Database, embedder: Embedder) -> None:
    liked = await like(documents, "vacation", LEAVE)
    await store(documents, embedder, [Made(LEAVE, ["other rule now"], OPEN)])
    assert await score(documents, "vacation") == {}
    assert await documents.fetch_dicts(b"SELECT chunk_id FROM examples") == []
    await vote(documents, liked, "user:bo", 1)
    await like(documents, "holiday", TRAVEL)
    assert list(await score(documents, "holiday vacation")) == [TRAVEL]


async def test_a_chunk_that_stays_in_a_changed_document_keeps_what_it_was_taught(
    documents: Database, embedder: Embedder
) -> None:
    await like(documents, "vacation", LEAVE)
    await store(documents, embedder, [Made(LEAVE, ["a new first paragraph", *DOCUMENTS[0].chunks], OPEN)])
    assert list(await score(documents, "vacation")) == [LEAVE]


async def test_a_row_that_is_odd_is_passed_over(documents: Database) -> None:
    odd = await answer(documents, "vacation?", [LEAVE])
    await vote(documents, odd, "user:ann", 1)
    await documents.execute(b"""UPDATE interactions SET passages = '[{"number": 1}, {"number": 1, "chunk_id": "x"}]'""")
    await like(documents, "holiday", LEAVE)
    assert await find_taught_terms(documents, LEAVE) == {"holiday": 1}
    assert await documents.fetch_dicts(WAITING) == []


async def test_several_services_learn_each_vote_once(documents: Database) -> None:
    async with Database(documents.url) as other:
        asked = [await answer(documents, f"vacation {word}", [LEAVE]) for word in ("alpha", "beta", "gamma", "delta")]
        for number, interaction_id in enumerate(asked):
            await asyncio.gather(
                *(vote(documents, interaction_id, f"user:{number}-{voter}", 1) for voter in range(3)),
                teach(documents),
                teach(other),
            )
        await asyncio.gather(teach(documents), teach(other))
    assert await find_taught_terms(documents, LEAVE) == {"vacat": 4, "alpha": 1, "beta": 1, "gamma": 1, "delta": 1}
    assert await documents.fetch_dicts(WAITING) == []


async def test_who_is_stopped_in_the_middle_leaves_the_vote_to_the_next(documents: Database) -> None:
    asked = await answer(documents, "vacation?", [LEAVE])
    await vote(documents, asked, "user:ann", 1)
    async with documents.transaction() as connection:
        await lock_transaction(connection, Lock.INDEX)
        learning = asyncio.create_task(teach(documents))
        await eventually(lambda: is_waiting_for_lock(documents))
        learning.cancel()
        await asyncio.gather(learning, return_exceptions=True)
    assert await documents.fetch_dicts(TAUGHT) == []
    assert await teach(documents) == 1
    assert await find_taught_terms(documents, LEAVE) == {"vacat": 1}


async def test_the_service_learns_by_itself_also_what_came_before_it(documents: Database) -> None:
    asked = [await answer(documents, question, [LEAVE]) for question in ("vacation", "holiday")]
    await vote(documents, asked[0], "user:ann", 1)
    teaching = Teaching(documents, interval_seconds=0.02)
    await teaching.start()
    try:
        await eventually(lambda: holds(documents, {"vacat"}))
        await vote(documents, asked[1], "user:ann", 1)
        await eventually(lambda: holds(documents, {"vacat", "holiday"}))
    finally:
        await teaching.stop()


async def holds(database: Database, terms: set[str]) -> bool:
    return set(await find_taught_terms(database, LEAVE)) == terms


async def is_waiting_for_lock(database: Database) -> bool:
    waiting = b"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    return bool(await database.fetch_dicts(waiting))
