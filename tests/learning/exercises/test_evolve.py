"""Questions made harder: what is thrown away by their words, by the model's own judgement, and by the checks."""

from collections.abc import AsyncIterator

import pytest

from core.database import Database
from core.model_server import ModelServer
from learning.exercises.asking import Asker
from learning.exercises.evolve import evolve, find_waste
from learning.exercises.make import Wanted
from learning.exercises.sections import read_sections
from learning.exercises.store import Exercises
from tests.fakes.model_server import FakeModelServer, run_model_server
from tests.learning.exercises.library import add_document, build_maker

PARENT = "When does the ferry leave?"
GLOSSARY = (
    "- Skipper: the person who leads an incident.\n- Bell: who tells customers.\n- Buddy: who looks after newcomers."
)


@pytest.mark.parametrize(
    ("question", "answer", "reason"),
    [
        ("When does the ferry leave on a stormy day?", "It stays in the harbour.", None),
        ("When does the ferry leave, please?", "At 07:50.", "no_gain"),
        ("When does it leave?", "At 07:50.", "no_gain"),
        ("Is the given question about a stormy day?", "Yes, it is.", "copied_prompt"),
        ("When does the ferry leave by the passage on a stormy day?", "At noon.", "copied_prompt"),
        ("What is it?", "At 07:50.", "no_content"),
        ("When does the ferry leave on a stormy day?", "The documents do not say.", "not_answerable"),
        ("When does the ferry leave on a stormy day?", "Sorry, this cannot be determined.", "not_answerable"),
        ("폭풍이 부는 날 배는 언제 떠나나요?", "죄송하지만 알 수 없습니다.", "not_answerable"),
    ],
)
def test_waste_is_known_by_its_words(question: str, answer: str, reason: str | None) -> None:
    assert find_waste(PARENT, question, answer, step="deepening") == reason


class Writer(FakeModelServer):
    """Writes one question, finds questions `equal`, and knows nothing without the passage."""

    def __init__(self, written: str, *, equal: bool = False) -> None:
        super().__init__()
        self.written, self.equal = written, equal

    def pieces(self) -> list[str]:
        """By the form that is asked for."""
        body = self.requests[-1]
        wanted = body.get("response_format", {}).get("json_schema", {}).get("schema", {}).get("required")
        if wanted:
            return [self.written if "question" in wanted else f'{{"equal": {str(self.equal).lower()}}}']
        knows = "leads an incident" in body["messages"][-1]["content"]
        return ["The person who leads an incident." if knows else "I do not know."]


@pytest.fixture
async def database_of_terms(database: Database) -> AsyncIterator[Database]:
    await add_document(database, "Words", {"People": GLOSSARY})
    maker = build_maker(database, Wanted(("definition",), 1))
    await maker.make(await read_sections(database), on_try=lambda _: None)
    yield database


async def evolve_with(database: Database, writer: Writer) -> list[str | None]:
    """Take what is there one step deeper; the reasons of the tries."""
    store = Exercises(database)
    reasons: list[str | None] = []
    async with run_model_server(writer) as fake:
        server = ModelServer(fake.url, "base")
        asker = Asker(server)
        maker = build_maker(database, Wanted(("definition",), 9), asker=asker)
        parents = [one for one in await store.find() if one.origin == "structure"]
        await evolve(
            maker, store, asker, parents, steps=["deepening"], count=9, on_try=lambda one: reasons.append(one.reason)
        )
        await server.close()
    return reasons


async def test_a_harder_question_is_kept_with_its_parent_and_tried_once(database_of_terms: Database) -> None:
    written = '{"question": "Who leads while an incident lasts?", "answer": "The person who leads an incident."}'
    assert await evolve_with(database_of_terms, Writer(written)) == [None]
    evolved, parent = await Exercises(database_of_terms).find()
    assert (evolved.parent_id, evolved.step, evolved.origin) == (parent.id, "deepening", "evolved")
    assert evolved.probe == {"closed_book": False, "open_book": True}
    assert await evolve_with(database_of_terms, Writer(written)) == []


async def test_what_the_model_itself_finds_equal_is_no_gain(database_of_terms: Database) -> None:
    written = '{"question": "Who leads while an incident lasts?", "answer": "The person who leads an incident."}'
    assert await evolve_with(database_of_terms, Writer(written, equal=True)) == ["no_gain"]


async def test_an_answer_that_the_passage_does_not_carry_is_left_out(database_of_terms: Database) -> None:
    written = '{"question": "How many skippers lead an incident at night?", "answer": "Seven of them, in turns."}'
    assert await evolve_with(database_of_terms, Writer(written)) == ["unsupported"]
