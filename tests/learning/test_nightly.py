"""Whole nights with a real database, real training and a server that really serves what was trained."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.adapters import Adapters
from core.database import Database
from core.model_server import ModelServer
from learning.night import NightSettings
from learning.nightly import run_night
from learning.runs import Runs
from tests.fakes.vllm import FakeVllm
from tests.learning.log import log_corrected_night

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers.*"),
]


@pytest.fixture
async def server(base_model: Path) -> AsyncIterator[tuple[FakeVllm, ModelServer]]:
    fake = FakeVllm(base_model)
    async with fake.running() as url:
        client = ModelServer(url, "base")
        yield fake, client
        await client.close()


def settings(base_model: Path, **changes: Any) -> NightSettings:
    values: dict[str, Any] = {"min_held_out": 5, "learning_rate": 0.01, "rank": 4, "answers": 3, "threads": 1}
    return NightSettings(str(base_model), **(values | changes))


async def test_a_night_of_corrections_trains_proves_and_serves_a_better_adapter(
    database: Database, server: tuple[FakeVllm, ModelServer], base_model: Path, tmp_path: Path
) -> None:
    await log_corrected_night(database, 40)
    fake, client = server
    events: list[dict[str, Any]] = []

    async def keep(event: dict[str, Any]) -> None:
        events.append(event)

    night = await run_night(
        database=database, model_server=client, home=tmp_path, settings=settings(base_model), progress=keep
    )
    run = await Runs(database).get(night.run_id)
    assert (run.error, night.verdict, night.state, night.switched) == (None, "promote", "done", True), run.gate
    assert night.votes == 40 == sum(run.counts["fates"].values())
    assert run.proof and run.proof["error"] < 1e-4 < run.proof["effect"]
    active = await Adapters(database).find_active()
    assert active and active.name == night.adapter and list(fake.adapters) == [night.adapter]
    assert [event["stage"] for event in events if event["event"] == "stage"] == [
        "collect", "train", "serve", "evaluate", "gate", "switch", "report"
    ]  # fmt: skip
    report = await Runs(database).get_report(night.run_id, "ko")
    Path("/tmp/tj/report.html").write_text((await Runs(database).get_report(night.run_id, "en")).html)
    Path("/tmp/tj/report.ko.html").write_text(report.html)
    Path("/tmp/tj/report.md").write_text(report.markdown)
    assert "더 나은 어댑터" in report.html
