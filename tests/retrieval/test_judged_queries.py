"""What a night blames the search for reaches it: through the table of judged queries, and back with the vote."""

import pytest

from core.database import Database
from core.feedback import FeedbackLog
from core.records import Feedback
from learning.night import NightSettings
from learning.rehearse import rehearse
from retrieval.embedding import Embedder
from retrieval.examples import NightlyVerdict, StandingVote, Untaught, find_examples, teach
from retrieval.sources.access_rules import AccessRule
from tests.retrieval.made_documents import Made, store
from tests.retrieval.voting import EVERYONE, answer, find_chunk, score, vote

INTERNS, TRAVEL, BOARD = "interns.txt", "travel.txt", "board.txt"
DOCUMENTS = (
    Made(INTERNS, ["Interns receive exactly 11 days."], AccessRule(EVERYONE)),
    Made(TRAVEL, ["Custom travel is paid for every day on the road."], AccessRule(EVERYONE)),
    Made(BOARD, ["Board members receive exactly 47 days."], AccessRule(["group:board"])),
)
QUESTION = "vacation of trainees"


@pytest.fixture
async def documents(database: Database, embedder: Embedder) -> Database:
    await store(database, embedder, DOCUMENTS)
    return database


async def answer_wrongly(database: Database) -> int:
    """An answer from the passage that does not hold it."""
    asked = await answer(database, QUESTION, [TRAVEL])
    messages = b"""UPDATE interactions SET messages = '[{"role": "user", "content": "..."}]' WHERE id = %s"""
    await database.execute(messages, [asked])
    return asked


async def learn(database: Database) -> int:
    """A night's collection, then what the search makes of it: on how many answers."""
    await rehearse(database=database, model_server=None, settings=NightSettings("base"), requested_by="test")
    return await teach(database)


async def test_a_passage_that_holds_a_correction_is_found_by_the_question_from_then_on(documents: Database) -> None:
    asked = await answer_wrongly(documents)
    await vote(documents, asked, "user:ann", -1, correction="Interns receive exactly 11 days.")
    await teach(documents)
    assert INTERNS not in await score(documents, QUESTION)
    assert await learn(documents) == 1
    assert list(await score(documents, QUESTION)) == [INTERNS]


async def test_a_vote_that_is_taken_back_takes_along_what_the_night_made_of_it(documents: Database) -> None:
    asked = await answer_wrongly(documents)
    await vote(documents, asked, "user:ann", -1, correction="Interns receive exactly 11 days.")
    await learn(documents)
    await vote(documents, asked, "user:ann", 0)
    await teach(documents)
    assert INTERNS not in await score(documents, QUESTION)
    assert await learn(documents) == 1
    assert await documents.fetch_dicts(b"SELECT chunk_id FROM judged_queries") == []


async def test_a_right_source_brings_its_passage_forward_and_the_blamed_one_back(documents: Database) -> None:
    question = "paid days on the road"
    assert list(await score(documents, question)) == [TRAVEL]
    asked = await answer(documents, question, [TRAVEL])
    await documents.execute(b"UPDATE interactions SET messages = '[{}]' WHERE id = %s", [asked])
    right = await find_chunk(documents, INTERNS)
    await FeedbackLog(documents).record(Feedback(asked, "user:ann", -1, "web", right_chunk_id=right))
    await learn(documents)
    values = await documents.fetch_dicts(b"SELECT value FROM examples ORDER BY value")
    assert [row["value"] for row in values] == [-1, 1]
    assert next(iter(await score(documents, question))) == INTERNS


async def test_a_passage_that_the_asker_may_not_read_is_not_taught(documents: Database) -> None:
    asked = await answer_wrongly(documents)
    await vote(documents, asked, "user:ann", -1, correction="Board members receive exactly 47 days.")
    await learn(documents)
    assert await documents.fetch_dicts(b"SELECT chunk_id FROM examples") == []


async def test_a_night_that_finds_the_same_teaches_nothing_anew(documents: Database) -> None:
    asked = await answer_wrongly(documents)
    await vote(documents, asked, "user:ann", -1, correction="Interns receive exactly 11 days.")
    assert (await learn(documents), await learn(documents)) == (1, 0)


async def test_an_answer_that_is_forgotten_takes_its_judged_queries_along(documents: Database) -> None:
    asked = await answer_wrongly(documents)
    await vote(documents, asked, "user:ann", -1, correction="Interns receive exactly 11 days.")
    await learn(documents)
    await documents.execute(b"DELETE FROM feedback_fates")
    await documents.execute(b"DELETE FROM feedback")
    await documents.execute(b"DELETE FROM interactions WHERE id = %s", [asked])
    assert await documents.fetch_dicts(b"SELECT interaction_id FROM untaught_votes") == []


@pytest.mark.parametrize(("ids", "values"), [([1], {4: 1}), ([2], {}), ([1, 2], {4: 1})])
def test_only_votes_that_stand_speak_through_a_night(ids: list[int], values: dict[int, int]) -> None:
    asked = Untaught(1, 7, QUESTION, "generated", [], [])
    votes = [StandingVote(1, 7, "user:ann", -1, None, None)]
    found = find_examples(asked, votes, ["trainee"], [NightlyVerdict(7, 4, 1, ids)])
    assert {one.chunk_id: one.value for one in found} == values


def test_what_a_person_says_themselves_counts_before_what_a_night_makes_of_it() -> None:
    asked = Untaught(1, 7, QUESTION, "generated", [], [])
    votes = [StandingVote(1, 7, "user:ann", -1, None, None, right_chunk_id=4)]
    found = find_examples(asked, votes, ["trainee"], [NightlyVerdict(7, 4, -1, [1])])
    assert [(one.chunk_id, one.value) for one in found] == [(4, 1)]
