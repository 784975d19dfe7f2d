"""Whose fault a wrong answer is, and that asking leaves no trace."""

from dataclasses import replace

import pytest

from bot.compose import Composer, Limits
from bot.exam import Cell, Examiner, Graded
from bot.golden import GoldenQuestion
from core.database import Database
from core.model_server import ModelServer
from core.prompt import REFUSALS
from tests.bot.assistant import OneDocument
from tests.fakes.model_server import FakeModelServer, run_model_server

RIGHT, WRONG = "Employees have 23 days of annual leave. [1]", "Leave is asked for in the portal. [1]"


def make_golden(*sources: str, principals: tuple[str, ...] = ("everyone",)) -> GoldenQuestion:
    accept = ["23 days"] if sources else []
    return GoldenQuestion("g1", "en", "How many days of leave?", "", accept, list(sources), list(principals), False)


async def grade(golden: GoldenQuestion, answer: str) -> Graded:
    async with run_model_server(FakeModelServer(answer=answer)) as fake:
        server = ModelServer(fake.url, fake.model)
        examiner = Examiner(OneDocument(), Composer(server, Limits()))
        graded = [one async for one in examiner.examine([golden], adapter=None)]
        await server.close()
    return graded[0]


@pytest.mark.parametrize(
    ("golden", "answer", "cell"),
    [
        (make_golden("leave.md"), RIGHT, "found_right"),
        (make_golden("leave.md"), WRONG, "found_wrong"),
        (make_golden("other.md"), RIGHT, "missed_right"),
        (make_golden("other.md"), WRONG, "missed_wrong"),
        (make_golden("leave.md", principals=("group:board",)), RIGHT, "missed_wrong"),
        (make_golden(), REFUSALS["en"], "refused"),
        (make_golden(), RIGHT, "invented"),
        (make_golden("leave.md"), REFUSALS["en"], "found_right"),
    ],
)
async def test_the_cell_tells_search_from_model(golden: GoldenQuestion, answer: str, cell: Cell) -> None:
    assert (await grade(golden, answer)).cell == cell


async def test_questions_are_answered_in_order() -> None:
    golden = [replace(make_golden("leave.md" if at % 2 else "other.md"), id=f"g{at}") for at in range(7)]
    async with run_model_server(FakeModelServer(answer=RIGHT)) as fake:
        server = ModelServer(fake.url, fake.model)
        asked = Examiner(OneDocument(), Composer(server, Limits())).examine(golden, adapter=None)
        graded = [(one.golden.id, one.cell) async for one in asked]
        await server.close()
    assert graded == [(f"g{at}", "found_right" if at % 2 else "missed_right") for at in range(7)]


async def test_nothing_is_logged(database: Database) -> None:
    await grade(make_golden("leave.md"), RIGHT)
    assert await database.fetch_dicts(b"SELECT FROM interactions UNION ALL SELECT FROM gaps") == []
