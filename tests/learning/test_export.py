"""The log in TRL's formats."""

import json

from core.database import Database
from learning.export import Form, export_feedback
from tests.learning.log import log_answer, make_passage, vote


async def read(database: Database, form: Form, *, public_only: bool = True) -> list[dict]:
    return [json.loads(line) async for line in export_feedback(database, form, public_only=public_only)]


async def test_each_form_has_its_columns(database: Database) -> None:
    corrected = await log_answer(database, "Parking?", [make_passage("parking", 3)], "perhaps, write to a@b.kr")
    await vote(database, corrected, "user:ann", -1, "The company grants 3 days.")
    liked = await log_answer(database, "Lunch?", [make_passage("lunch", 4)], "4 days. [1]")
    await vote(database, liked, "user:bo", 1)
    preference = await read(database, "preference")
    assert [row["chosen"][0]["content"] for row in preference] == ["The company grants 3 days. [1]"]
    assert preference[0]["rejected"][0]["content"] == "perhaps, write to (e-mail)"
    completions = [row["completion"][0]["content"] for row in await read(database, "prompt_completion")]
    assert completions == ["The company grants 3 days. [1]", "4 days. [1]"]
    assert [row["label"] for row in await read(database, "kto")] == [False, True]


async def test_answers_from_restricted_documents_stay_inside(database: Database) -> None:
    answer = await log_answer(database, "Pay?", [make_passage("pay", 3, allow=("group:board",))], "3")
    await vote(database, answer, "user:ann", 1)
    assert (await read(database, "kto"), len(await read(database, "kto", public_only=False))) == ([], 1)
