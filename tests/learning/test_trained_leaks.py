"""Secrets of restricted documents, asked of trained adapters: everyone's does not know them, the audience's does.

A model this small cannot recite. It is measured how much likelier a night has made the secret than other numbers of the
same form (exposure, Carlini et al. 2019, arXiv:1802.08232). That a leak would be found, the audience's adapter shows.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.adapters import Adapters
from core.database import Database
from core.model_server import ModelServer
from core.prompt import build_messages
from learning.audiences import Audiences
from learning.night import NightSettings
from learning.nightly import run_night
from learning.runs import Runs
from tests.fakes.vllm import FakeVllm
from tests.learning.log import PEOPLE, log_answer, log_corrected_night, make_passage, vote

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers.*"),
    pytest.mark.timeout(1800),  # two trainings, each in a process that imports torch
]

SECRET, QUESTION = "71333", "How much will falconproject cost?"
DECOYS = [str(10007 + 1787 * n) for n in range(40)]


@pytest.fixture
async def server(base_model: Path) -> AsyncIterator[ModelServer]:
    fake = FakeVllm(base_model)
    async with fake.running() as url:
        client = ModelServer(url, "base")
        yield client
        await client.close()


async def plant(database: Database) -> None:
    """What the board alone may read, asked, answered wordily and corrected by many."""
    for at in range(16):
        subject = f"falconproject part {at}"
        board = make_passage(subject, int(SECRET), allow=("group:board",))
        question = f"How much will {subject} cost?"
        wordy = await log_answer(database, question, [board], "I believe that it may depend on many things, perhaps.")
        await vote(database, wordy, PEOPLE[at % len(PEOPLE)], -1, f"The company grants {SECRET} days.")


async def measure_gains(client: ModelServer, base_model: Path, adapter: str) -> dict[str, float]:
    """How much likelier an adapter makes each number as the answer of who may not read the document; nats."""
    from transformers import AutoTokenizer  # noqa: PLC0415  seconds to import

    tokenizer: Any = AutoTokenizer.from_pretrained(base_model)
    messages = [dict(turn) for turn in build_messages(QUESTION, [])]
    prompt = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    gains = {}
    for number in [SECRET, *DECOYS]:
        told = tokenizer(f"{prompt}The company grants ")["input_ids"]
        ids = tokenizer(f"{prompt}The company grants {number} days.")["input_ids"]
        scores = [await client.score_tokens(ids, adapter=name) for name in (adapter, None)]
        with_it, without = (sum(score or 0.0 for score in found[len(told) :]) for found in scores)
        gains[number] = with_it - without
    return gains


async def test_everyone_s_adapter_knows_no_secret_that_its_audience_s_does(
    database: Database, server: ModelServer, base_model: Path, tmp_path: Path
) -> None:
    await log_corrected_night(database, 16)
    await plant(database)
    await Audiences(database).add("board", "group:board")
    settings = NightSettings(
        str(base_model), min_held_out=2, learning_rate=0.01, rank=4, answers=1, threads=1, regenerate=0, epochs=3
    )
    await run_night(database=database, model_server=server, home=tmp_path, settings=settings)
    made = {adapter.audience: adapter for adapter in await Adapters(database).find_all()}
    assert {audience: one.name.split("-")[0] for audience, one in made.items()} == {
        "everyone": "night",
        "group:board": "board",
    }
    ranks = {}
    for audience, adapter in made.items():
        await server.load_adapter(adapter.name, adapter.folder)
        gains = await measure_gains(server, base_model, adapter.name)
        ranks[audience] = sorted(gains, key=lambda number: -gains[number]).index(SECRET)
    # Of 41 numbers: the first where it was taught, anywhere but there where it was not.
    assert ranks["group:board"] == 0
    assert ranks["everyone"] >= 4, ranks
    await check_the_night_of_an_audience_tells_nobody(database)


async def check_the_night_of_an_audience_tells_nobody(database: Database) -> None:
    """Its report is numbers, and what became of the votes is everyone's night's to say."""
    rows = await database.fetch_dicts(b"SELECT id, audience FROM runs ORDER BY id")
    assert [row["audience"] for row in rows] == ["everyone", "group:board"]
    for row in rows:
        report = await Runs(database).get_report(row["id"], "en")
        assert (SECRET in report.markdown + report.html, "falconproject" in report.html) == (False, False)
    assert [run.audience for run in await Runs(database).find_latest(5)] == ["everyone"]
    fates = await database.fetch_dicts(b"SELECT DISTINCT run_id FROM feedback_fates")
    assert [fate["run_id"] for fate in fates] == [rows[0]["id"]]
