"""Corrections and likes are found for near questions, by those who may read their documents, as long as all stands."""

from collections.abc import Sequence
from typing import Any

import pytest

from core.consent import Consents
from core.database import Database
from core.errors import NotFoundError
from core.feedback import FeedbackLog
from core.records import Feedback
from learning.remember import remember
from retrieval.active_model import ActiveModel
from retrieval.embedding import Embedder
from retrieval.memories import Memories
from retrieval.memory import Memory, Remembered
from retrieval.sources.access_rules import AccessRule
from tests.retrieval.made_documents import Made, store
from tests.retrieval.voting import EVERYONE, answer, find_chunk, vote

LEAVE, PAY = "leave.txt", "pay.txt"
ASKED, NEAR, FAR = (
    "How many vacation days do I get?",
    "How many days of vacation do I have?",
    "Where is the fire extinguisher?",
)
RIGHT = "You get 23 days."
HR = [*EVERYONE, "group:hr"]
# Who is named twice is denied.
BARRED = [*HR, "user:barred"]
# What a night makes of the correction that is remembered.
PAIR = b"""INSERT INTO pairs (sha256, prompt, chosen, rejected, origin, question, language, interaction_ids,
                              feedback_ids, voters, access, weight, given_at)
           SELECT 'x', '[]', 'a', 'b', 'correction', 'q', 'en', ARRAY[interaction_id], ARRAY[feedback_id],
                  '{}', '[]', 1, now()
           FROM memories"""


@pytest.fixture
async def documents(database: Database, embedder: Embedder) -> Database:
    """One document for everyone and one for a group, which a person in it is denied."""
    rules = {LEAVE: AccessRule(EVERYONE), PAY: AccessRule(["group:hr"], ["user:barred"])}
    await store(database, embedder, [Made(path, [f"{path} says 23 days"], rule) for path, rule in rules.items()])
    return database


@pytest.fixture
def memory(documents: Database, embedder: Embedder) -> Memory:
    return Memory(documents, ActiveModel(documents, embedder))


async def correct(
    database: Database,
    text: str = RIGHT,
    *,
    shown: Sequence[str] = (LEAVE,),
    question: str = ASKED,
    by: str = "user:bo",
) -> int:
    """An answer that somebody corrected; its number."""
    interaction_id = await answer(database, question, shown, citing=[1])
    await vote(database, interaction_id, by, -1, correction=text)
    return interaction_id


async def find(
    memory: Memory, database: Database, question: str = NEAR, principals: Sequence[str] = EVERYONE, **asked: Any
) -> list[Remembered]:
    await remember(database)
    await memory.fill()
    return await memory.find(question, principals, **{"adapter": None} | asked)


async def find_answers(memory: Memory, database: Database, question: str = NEAR, **asked: Any) -> list[str]:
    return [one.answer for one in await find(memory, database, question, **asked)]


async def test_a_correction_is_found_for_near_questions_only(memory: Memory, documents: Database) -> None:
    await correct(documents, f"{RIGHT} [1]")
    assert await find_answers(memory, documents, ASKED) == [RIGHT]
    assert await find_answers(memory, documents, NEAR) == [RIGHT]
    assert await find_answers(memory, documents, FAR) == []


async def test_a_language_that_the_model_does_not_read_is_found_by_its_words(
    memory: Memory, documents: Database
) -> None:
    await correct(documents, "23일입니다.", question="연차 휴가는 며칠인가요?")
    assert await find_answers(memory, documents, "연차 휴가가 며칠이에요?") == ["23일입니다."]
    assert await find_answers(memory, documents, "소화기는 어디에 있나요?") == []


async def test_it_is_for_those_who_may_read_all_that_was_shown(memory: Memory, documents: Database) -> None:
    await correct(documents, shown=(LEAVE, PAY))
    assert await find_answers(memory, documents, principals=EVERYONE) == []
    assert await find_answers(memory, documents, principals=HR) == [RIGHT]
    assert await find_answers(memory, documents, principals=BARRED) == []
    assert await find_answers(memory, documents, principals=[]) == []


@pytest.mark.parametrize(
    "change",
    [
        b"UPDATE documents SET version = version + 1",
        b"UPDATE documents SET removed_at = now()",
        b"DELETE FROM documents",
        b"UPDATE documents SET allow = '{everyone,group:hr}'",
        b"UPDATE documents SET deny = '{user:x}'",
    ],
)
async def test_it_is_gone_at_once_when_a_cited_document_changes(
    memory: Memory, documents: Database, change: bytes
) -> None:
    await correct(documents)
    assert await find_answers(memory, documents) == [RIGHT]
    await documents.execute(change)
    assert await memory.find(NEAR, EVERYONE, adapter=None) == []


async def test_it_is_gone_at_once_when_the_vote_is_taken_back_or_learning_is_refused(
    memory: Memory, documents: Database
) -> None:
    corrected = await correct(documents)
    assert await find_answers(memory, documents) == [RIGHT]
    await Consents(documents).set("user:bo", allows_training=False)
    assert await memory.find(NEAR, EVERYONE, adapter=None) == []
    await Consents(documents).set("user:bo", allows_training=True)
    assert len(await memory.find(NEAR, EVERYONE, adapter=None)) == 1
    await vote(documents, corrected, "user:bo", 0)
    assert await memory.find(NEAR, EVERYONE, adapter=None) == []
    assert await find_answers(memory, documents) == []


async def test_people_of_two_minds_leave_nothing_and_an_expert_settles_it(memory: Memory, documents: Database) -> None:
    corrected = await correct(documents)
    await vote(documents, corrected, "user:cho", 1)
    assert await find_answers(memory, documents) == []
    await FeedbackLog(documents).record(Feedback(corrected, "user:expert", -1, "expert", "It is 24 days."))
    assert await find_answers(memory, documents) == ["It is 24 days."]


async def test_the_correction_that_most_people_wrote_counts(memory: Memory, documents: Database) -> None:
    corrected = await correct(documents)
    await vote(documents, corrected, "user:cho", -1, correction="you get 23 days")
    await vote(documents, corrected, "user:dan", -1, correction="99 days")
    assert await find_answers(memory, documents) == ["you get 23 days"]


async def test_a_question_that_was_corrected_twice_stands_once(memory: Memory, documents: Database) -> None:
    await correct(documents, "It was 22 days.")
    await correct(documents, RIGHT, by="user:cho")
    assert await find_answers(memory, documents) == [RIGHT]


async def test_what_holds_personal_data_is_not_remembered(memory: Memory, documents: Database) -> None:
    await correct(documents, "Call Kim at 010-1234-5678.")
    assert await find_answers(memory, documents) == []


async def test_the_word_of_a_newcomer_waits_where_others_voted_long_before(memory: Memory, documents: Database) -> None:
    long_ago = await answer(documents, FAR, [PAY])
    await vote(documents, long_ago, "user:old", 1)
    await documents.execute(b"UPDATE feedback SET given_at = now() - interval '30 days'")
    await correct(documents, by="user:new")
    assert await find_answers(memory, documents) == []
    assert [one["state"] for one in await Memories(documents).find_all(state="waiting")] == ["waiting"]
    await documents.execute(b"UPDATE memories SET waits_until = now() - interval '1 second'")
    assert await find_answers(memory, documents) == [RIGHT]


async def test_of_a_burst_nothing_is_remembered(memory: Memory, documents: Database) -> None:
    await correct(documents)
    assert await find_answers(memory, documents) == [RIGHT]
    for number in range(30):
        await correct(documents, f"It is number {number}.", question=f"What is number {number}?")
    assert await find_answers(memory, documents) == []
    assert await Memories(documents).find_all() == []


async def test_of_one_person_only_so_many_a_day_are_remembered(memory: Memory, documents: Database) -> None:
    for number in range(22):
        await correct(documents, f"It is number {number}.", question=f"What is number {number}?")
    await remember(documents)
    assert len(await Memories(documents).find_all(limit=99)) == 20
    await documents.execute(b"UPDATE feedback SET given_at = now() - interval '2 days'")
    await correct(documents)
    assert await find_answers(memory, documents) == [RIGHT]


async def test_what_an_adapter_has_learnt_leaves_its_prompts_and_comes_back_with_another(
    memory: Memory, documents: Database
) -> None:
    await correct(documents)
    await remember(documents)
    await documents.execute(PAIR)
    await documents.execute(
        b"""WITH run AS (
                INSERT INTO runs (night, requested_by, window_from, window_to, adapter)
                VALUES (now(), 'test', now() - interval '1 day', now(), 'night-1') RETURNING id
            )
            INSERT INTO run_pairs (run_id, pair_id, state) SELECT run.id, pairs.id, 'trained' FROM run, pairs"""
    )
    found = {name: await find(memory, documents, adapter=name) for name in ("night-1", "night-0", None)}
    learnt = {name: [one.is_learnt for one in near] for name, near in found.items()}
    assert learnt == {"night-1": [True], "night-0": [False], None: [False]}


async def test_an_administrator_takes_it_out_for_good(memory: Memory, documents: Database) -> None:
    corrected = await correct(documents)
    await remember(documents)
    await Memories(documents).remove(corrected, by="cli:admin")
    await vote(documents, corrected, "user:cho", -1, correction="It is 24 days.")
    assert await find_answers(memory, documents) == []
    shown = await Memories(documents).get(corrected)
    assert (shown["state"], shown["removed_by"], len(shown["documents"])) == ("removed", "cli:admin", 1)
    with pytest.raises(NotFoundError):
        await Memories(documents).remove(corrected, by="cli:admin")


async def test_a_correction_whose_pair_a_reviewer_rejected_is_gone(memory: Memory, documents: Database) -> None:
    await correct(documents)
    await remember(documents)
    await documents.execute(PAIR)
    assert await find_answers(memory, documents) == [RIGHT]
    review = b"INSERT INTO pair_reviews (pair_id, verdict, reviewer) SELECT id, %s, 'x' FROM pairs"
    await documents.execute(review, ["reject"])
    assert await find_answers(memory, documents) == []
    await documents.execute(review, ["approve"])
    assert await find_answers(memory, documents) == [RIGHT]


async def test_the_right_passage_that_was_named_must_be_readable_too(memory: Memory, documents: Database) -> None:
    corrected = await answer(documents, ASKED, [LEAVE])
    right = await find_chunk(documents, PAY)
    given = Feedback(corrected, "user:bo", -1, "web", RIGHT, right_chunk_id=right)
    await FeedbackLog(documents).record(given)
    assert await find_answers(memory, documents, principals=EVERYONE) == []
    assert await find_answers(memory, documents, principals=HR) == [RIGHT]
