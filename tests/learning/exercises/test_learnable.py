"""Which exercises a model is trained on, and what it is shown of them."""

from typing import Any

import pytest

from core.database import Database
from core.prompt import REFUSALS, SYSTEM
from learning.exercises.draft import KINDS, Related
from learning.exercises.learnable import Lesson, find_learnable, split_lessons
from learning.exercises.make import Wanted
from learning.exercises.sections import read_sections
from learning.exercises.store import Exercises
from tests.learning.exercises.library import FixedSearch, add_document, build_maker, fill

PARKING = "Bicycles stand behind the harbour house, and whoever parks there signs the book at the gate first."


async def make_all(database: Database, *, purpose: Any = "training", count: int = 30) -> None:
    """Exercises of every kind, by structure."""
    other = await add_document(database, "Parking", {"Bicycles": PARKING})
    search = FixedSearch(
        Related(other, 1, "Parking", "Bicycles", PARKING), Related(other, 1, "Parking", "Gate", PARKING[::-1])
    )
    maker = build_maker(database, Wanted(KINDS, count, purpose=purpose), find_related=search)
    await maker.make(await read_sections(database), on_try=lambda _: None)


async def accept_all(database: Database) -> None:
    await database.execute(
        b"INSERT INTO exercise_reviews (exercise_id, verdict, reviewer, seconds) "
        b"SELECT id, 'accept', 'ann', 1 FROM exercises"
    )


async def find(database: Database, **options: Any) -> tuple[list[Lesson], dict[str, int]]:
    found = await find_learnable(Exercises(database, share=0.0), **options)
    return found.lessons, found.left_out


async def test_what_waits_for_people_is_not_trained_on(database: Database) -> None:
    await fill(database)
    await make_all(database)
    lessons, left_out = await find(database)
    kinds = {lesson.kind for lesson in lessons}
    assert kinds.isdisjoint({"rag", "unanswerable"}) and left_out["waits"] > 0
    await accept_all(database)
    lessons, left_out = await find(database)
    assert {lesson.kind for lesson in lessons} == set(KINDS) and not left_out


async def test_documents_that_some_may_not_read_train_nobody_else(database: Database) -> None:
    await fill(database)
    await make_all(database)
    await accept_all(database)
    everyone, _ = await find(database)
    await database.execute(b"UPDATE documents SET allow = '{group:crew}' WHERE title = 'Travel'")
    left, left_out = await find(database)
    assert 0 < len(left) < len(everyone) == len(left) + left_out["restricted_documents"]
    crew, _ = await find(database, audience="group:crew")
    assert len(crew) == len(everyone)
    # A group may hold the one who is denied.
    await database.execute(b"UPDATE documents SET deny = '{user:bob}' WHERE title = 'Travel'")
    assert len((await find(database, audience="group:crew"))[0]) == len(left)


async def test_what_an_exam_asks_is_left_out_though_it_was_made_first(database: Database) -> None:
    await fill(database)
    await make_all(database)
    await accept_all(database)
    lessons, _ = await find(database)
    asked = next(lesson for lesson in lessons if lesson.kind == "definition")
    left, left_out = await find(database, held=[(asked.question, asked.answer)])
    assert asked not in left and left_out["exam"] >= 1


async def test_each_kind_is_shown_as_it_is_served_or_asked(database: Database) -> None:
    await fill(database)
    await make_all(database)
    await accept_all(database)
    lessons, _ = await find(database)
    shown = {lesson.kind: lesson for lesson in lessons}
    for kind in ("rag", "unanswerable", "summary"):
        assert shown[kind].prompt[0]["content"] == SYSTEM
    rag, choice = shown["rag"], shown["four_choice"]
    number = int(rag.answer[-2])
    passages = rag.prompt[1]["content"].split(f"[{number}] ")[1]
    assert rag.answer.endswith(f"[{number}]") and rag.answer[:-4] in passages.split("\n\n[")[0]
    assert shown["unanswerable"].answer == REFUSALS["en"]
    # What is wrong in its prompt: the beginning of each passage that does not answer, cited.
    assert len(rag.wrong) == len(shown["unanswerable"].wrong) == 2 and f"[{number}]" not in "".join(rag.wrong)
    assert all(one.rpartition(" [")[0] in rag.prompt[1]["content"] for one in rag.wrong)
    assert choice.answer in "ABCD" and len(choice.wrong) == 3 and choice.answer not in choice.wrong
    assert "passages" not in shown["definition"].prompt[0]["content"]


@pytest.mark.parametrize("seed", range(4))
async def test_no_document_answers_on_both_sides(database: Database, seed: int) -> None:
    await fill(database)
    await make_all(database, count=60)
    await accept_all(database)
    lessons, _ = await find(database)
    train, held_out = split_lessons(lessons, share=0.5, seed=seed)
    assert not {one.source_id for one in train} & {one.source_id for one in held_out}
    assert len(train) + len(held_out) == len(lessons) > 20
