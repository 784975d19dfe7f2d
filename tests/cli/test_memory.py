"""`nightbake memory`: what stands in prompts, what it takes, and out with it."""

import asyncio
import os

import pytest

from core.database import Database
from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer
from tests.learning.log import log_answer, make_passage


@pytest.fixture
def answered(installation: FakeModelServer) -> int:
    """An answer that nobody judged; its number."""

    async def fill() -> int:
        async with Database(os.environ["DATABASE_URL"]) as database:
            return await log_answer(database, "Lunch [b]?", [make_passage("lunch", 4)], "4 days. [1]")

    run_nightbake("migrate")
    return asyncio.run(fill())


def test_a_correction_is_remembered_at_once_shown_and_removed(answered: int) -> None:
    number = str(answered)
    assert run_nightbake("feedback", "give", number, "down", "--correction", "5 days").code == 0
    (listed,) = run_nightbake("memory", "list", "--json").json["memories"]
    assert (listed["id"], listed["state"], listed["answer"], listed["uses"]) == (answered, "standing", "5 days", 0)
    assert "Lunch [b]?" in run_nightbake("memory", "list").out
    shown = run_nightbake("memory", "show", number, "--json").json
    assert ([one["path"] for one in shown["documents"]], shown["used_in"]) == (["lunch.md"], [])
    assert "lunch.md" in run_nightbake("memory", "show", number).out
    assert run_nightbake("memory", "remove", number, "--json").json == {"removed": answered}
    assert run_nightbake("memory", "list", "--state", "standing", "--json").json["memories"] == []
    assert run_nightbake("memory", "remove", number).code == 1
    assert run_nightbake("memory", "show", "999").code == 1
