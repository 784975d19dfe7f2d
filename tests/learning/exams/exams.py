"""Accepted exam items in the tables, of documents that are there."""

from dataclasses import replace

from core.database import Database
from learning.exercises.asking import Cost
from learning.exercises.draft import Slot, Source
from learning.exercises.probe import Probed
from learning.exercises.store import Exercises
from tests.learning.exercises.making import FERRY, make_choice, make_section

ACCEPT = b"""INSERT INTO exercise_reviews (exercise_id, verdict, question, answer, reviewer, seconds)
VALUES (%(id)s, %(verdict)s, %(question)s, %(answer)s, 'user:ann', 1)"""


async def add_item(
    database: Database,
    document_id: int,
    question: str,
    *,
    verdict: str | None = "accept",
    edited: tuple[str | None, str | None] = (None, None),
    purpose: str = "exam",
) -> int:
    """A four-choice item of a document, with what a person said of it; its id."""
    store = Exercises(database)
    made = await store.begin({"question": question, "document": document_id}, model=None)
    draft = replace(make_choice(), question=question, source=Source(document_id, 1), clue=FERRY)
    slot = Slot(
        f"{document_id} {question}", "four_choice", "structure", make_section(FERRY, document=document_id), draft
    )
    id_ = await store.record(made.id, slot, draft, Cost(), probed=Probed(), purpose=purpose, seconds=0)
    assert id_ is not None
    if verdict:
        values = {"id": id_, "verdict": verdict, "question": edited[0], "answer": edited[1]}
        await database.execute(ACCEPT, values)
    return id_
