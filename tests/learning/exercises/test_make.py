"""From documents to stored exercises: counted, resumed, never twice, and gone with their documents."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.database import Database
from core.model_server import ModelServer
from learning.exercises.asking import Asker
from learning.exercises.draft import KINDS, Related
from learning.exercises.make import Maker, Tried, Wanted
from learning.exercises.sections import read_sections
from learning.exercises.store import Exercise, Exercises
from tests.fakes.model_server import FakeModelServer, run_model_server
from tests.learning.exercises.library import FixedSearch, add_document, build_maker, fill
from tests.learning.exercises.making import FERRY

NOBODY_ASKS = (
    "A shed behind the boat house holds paint, and whoever takes some writes it into a book.",
    "Ropes are dried in the sun, and those that are worn are given to the children of the school.",
)


def ignore(_: Tried) -> None:
    """Nobody watches."""


async def make(database: Database, maker: Maker) -> list[Exercise]:
    """What there is after a make."""
    await maker.make(await read_sections(database), on_try=ignore)
    return await Exercises(database).find(limit=500)


async def find_related_to(database: Database, *texts: str) -> FixedSearch:
    """A search that finds these texts, each of a document of its own."""
    ids = [await add_document(database, f"Shed {at}", {"": text}) for at, text in enumerate(texts)]
    return FixedSearch(*(Related(id_, 1, "Shed", "", text) for id_, text in zip(ids, texts, strict=True)))


@pytest.fixture
async def fake() -> AsyncIterator[FakeModelServer]:
    async with run_model_server() as fake:
        yield fake


@pytest.fixture
async def asker(fake: FakeModelServer) -> AsyncIterator[Asker]:
    server = ModelServer(fake.url, "base")
    yield Asker(server)
    await server.close()


async def test_every_kind_is_made_without_a_model(database: Database) -> None:
    await fill(database)
    search = await find_related_to(database, *NOBODY_ASKS)
    found = await make(database, build_maker(database, Wanted(KINDS, 24), find_related=search))
    assert (len(found), {one.kind for one in found}) == (24, set(KINDS))
    assert all(len(one.negatives) == 2 and len(one.documents) >= 2 for one in found if one.kind == "rag")
    assert set(map(tuple, search.asked)) == {("everyone",)}


async def test_the_same_wish_makes_further_ones_and_none_twice(database: Database) -> None:
    await fill(database)
    wanted = Wanted(("four_choice",), 5)
    assert len(await make(database, build_maker(database, wanted))) == 5
    found = await make(database, build_maker(database, wanted))
    assert (len(found), len({one.question for one in found})) == (10, 10)


async def test_a_make_that_was_stopped_goes_on_and_counts_what_it_had(database: Database) -> None:
    await fill(database)
    wanted = Wanted(("four_choice", "definition"), 8)

    def stop(tried: Tried) -> None:
        if tried.accepted == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await build_maker(database, wanted).make(await read_sections(database), on_try=stop)
    assert len(await Exercises(database).find()) == 3
    assert len(await make(database, build_maker(database, wanted))) == 8
    rows = await database.fetch_dicts(b"SELECT ended_at IS NOT NULL AS ended, seconds > 0 AS timed FROM exercise_makes")
    assert rows == [{"ended": True, "timed": True}]


async def test_yields_account_for_every_try(database: Database) -> None:
    await fill(database)
    tried: list[Tried] = []
    made = await build_maker(database, Wanted(KINDS, 300)).make(await read_sections(database), on_try=tried.append)
    yields = await Exercises(database).find_yields(made)
    assert sum(one.drafts for one in yields) == len(tried)
    assert sum(one.drafts for one in yields if one.reason is None) == tried[-1].accepted
    assert {one.reason for one in yields if one.kind == "rag"} == {"few_negatives"}


async def test_what_golden_questions_ask_is_not_made(database: Database) -> None:
    await fill(database)
    golden = ('What does "Bell" mean in "Words"?', "the person who tells customers what is happening.")
    found = await make(database, build_maker(database, Wanted(("definition",), 50), held=[golden]))
    assert "Bell" not in "".join(one.question for one in found)
    assert len(found) == 3


async def test_an_exam_and_a_training_share_no_item(database: Database) -> None:
    """Nor does a training write an item of the exam."""
    await fill(database)
    await make(database, build_maker(database, Wanted(("four_choice",), 4, purpose="exam")))
    found = await make(database, build_maker(database, Wanted(("four_choice", "choice_writing"), 400)))
    exam = {one.question for one in found if one.purpose == "exam"}
    training = [one for one in found if one.purpose == "training"]
    assert {one.kind for one in training} == {"four_choice", "choice_writing"}
    assert exam & {text for one in training for text in (one.question, one.answer.split("\n")[0])} == set()


async def test_an_exercise_goes_with_any_document_that_stands_in_it(database: Database) -> None:
    ids = await fill(database)
    search = await find_related_to(database, *NOBODY_ASKS)
    before = await make(database, build_maker(database, Wanted(("rag", "definition"), 99), find_related=search))
    assert {one.kind for one in before} == {"rag", "definition"}
    await database.execute(b"DELETE FROM documents WHERE title = 'Shed 0'")
    left = await Exercises(database).find(limit=99)
    assert {one.kind for one in left} == {"definition"}
    await database.execute(b"DELETE FROM documents WHERE id = %s", [ids["Words"]])
    assert await database.fetch_dicts(b"SELECT id FROM exercises") == []


async def test_a_hidden_document_hides_its_exercises_and_a_changed_one_unless_its_clue_still_stands(
    database: Database,
) -> None:
    ids = await fill(database)
    store = Exercises(database)
    assert len(await make(database, build_maker(database, Wanted(("definition",), 9)))) == 4
    await database.execute(b"UPDATE documents SET version = 2 WHERE id = %s", [ids["Words"]])
    assert len(await store.find()) == 4
    await database.execute(b"UPDATE document_texts SET text = 'Other.' WHERE document_id = %s", [ids["Words"]])
    assert await store.find() == []
    await database.execute(b"UPDATE documents SET version = 1 WHERE id = %s", [ids["Words"]])
    assert len(await store.find()) == 4
    await database.execute(b"UPDATE documents SET removed_at = now() WHERE id = %s", [ids["Words"]])
    assert await store.find() == []


async def test_a_hard_negative_that_changed_may_answer_now(database: Database) -> None:
    await fill(database)
    search = await find_related_to(database, *NOBODY_ASKS)
    before = await make(database, build_maker(database, Wanted(("rag",), 3), find_related=search))
    await database.execute(b"UPDATE documents SET version = 2 WHERE title = 'Shed 1'")
    assert len(await Exercises(database).find()) == len(before) == 3
    await database.execute(
        b"UPDATE document_texts SET text = 'Boats.' WHERE document_id = %s", [search.related[1].document_id]
    )
    assert await Exercises(database).find() == []


async def test_an_exercise_is_for_whoever_may_read_all_its_documents(database: Database) -> None:
    bands = "- A: the first band.\n- B: the second band.\n- C: the third band."
    await add_document(database, "Bands", {"Words": bands}, allow=["group:people"])
    search = FixedSearch()
    await make(database, build_maker(database, Wanted(("definition", "rag"), 9), find_related=search))
    store = Exercises(database)
    assert len(await store.find(principals=["everyone", "group:people"])) == 3
    assert await store.find(principals=["everyone"]) == []
    assert set(map(tuple, search.asked)) == {("everyone", "group:people")}


async def test_a_model_writes_in_the_asked_form_and_its_cost_is_kept(
    database: Database, fake: FakeModelServer, asker: Asker
) -> None:
    await add_document(database, "Boats", {"Ferry": FERRY})
    fake.answer = '{"question": "How many bicycles does the ferry carry?", "answer": "It carries eight bicycles."}'
    search = await find_related_to(database, *NOBODY_ASKS)
    wanted = Wanted(("rag",), 1, origins=("model",))
    # It says the same to everything: of the ferry's page the answer, without having seen it.
    assert await make(database, build_maker(database, wanted, find_related=search, asker=asker)) == []
    assert fake.requests[0]["response_format"]["json_schema"]["schema"]["required"] == ["question", "answer"]
    costs = {
        one.reason: (one.drafts, one.requests, one.prompt_tokens) for one in await Exercises(database).find_yields()
    }
    assert costs == {"closed_book": (1, 2, 200), "unsupported": (2, 2, 200)}


@pytest.mark.parametrize("said", ["I do not know.", "B"])
async def test_what_a_model_knows_without_the_clue_is_left_out(
    database: Database, fake: FakeModelServer, asker: Asker, said: str
) -> None:
    """A model that always says B is right in one of four turns, so it is no knowledge."""
    await fill(database)
    fake.answer = said
    found = await make(database, build_maker(database, Wanted(("four_choice",), 12), asker=asker))
    assert len(found) == 12
    assert all(one.probe == {"closed_book": False} for one in found)
    fake.answer = "the person who tells customers what is happening."
    found = await make(database, build_maker(database, Wanted(("definition",), 9), asker=asker))
    reasons = {one.reason for one in await Exercises(database).find_yields() if one.kind == "definition"}
    assert reasons == {None, "closed_book"}


async def test_reviews_decide_what_is_accepted(database: Database) -> None:
    await fill(database)
    found = await make(database, build_maker(database, Wanted(("definition",), 3)))
    store = Exercises(database, share=0.0, reviewers=2)
    assert {one.state for one in await store.find()} == {"unseen"}
    assert {one.state for one in await Exercises(database, share=1.0).find()} == {"waits"}

    async def say(exercise: Exercise, reviewer: str, verdict: str, **texts: Any) -> str:
        values = {"id": exercise.id, "verdict": verdict, "by": reviewer, "question": None, "answer": None} | texts
        await database.execute(
            b"INSERT INTO exercise_reviews (exercise_id, verdict, question, answer, reviewer, seconds) "
            b"VALUES (%(id)s, %(verdict)s, %(question)s, %(answer)s, %(by)s, 6)",
            values,
        )
        return (await store.get(exercise.id)).state

    one, other, third = found
    assert await say(one, "ann", "accept") == "waits"
    assert await say(one, "bo", "edit", question="Q?", answer="A.") == "accepted"
    assert ((await store.get(one.id)).question, (await store.get(one.id)).answer) == ("Q?", "A.")
    assert [await say(other, "ann", "reject"), await say(other, "ann", "reject")] == ["waits", "waits"]
    assert await say(other, "bo", "reject") == "rejected"
    assert [await say(third, "ann", "accept"), await say(third, "bo", "reject")] == ["waits", "disputed"]
    assert await say(third, "cho", "reject") == "rejected"
