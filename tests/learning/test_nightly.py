"""Whole nights with a real database, real training and a server that really serves what was trained."""

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.adapters import Adapters
from core.base_model import cpu_has_bfloat16
from core.database import Database
from core.errors import ModelServerError
from core.exams import Exams
from core.model_server import ModelServer
from core.pauses import Pauses
from core.rests import Rests
from core.serving import Serving
from learning.examine import read_evidence
from learning.night import NightSettings
from learning.nightly import run_night
from learning.room import RoomSettings
from learning.runs import Runs
from learning.serve import prove_served
from learning.trainer import list_rows, read_evaluation, read_manifest, run_trainer, write_job
from tests.fakes.vllm import FakeVllm
from tests.forgetting import build_forgetting
from tests.learning.log import log_corrected_night
from tests.learning.making import NOON

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers.*"),
    pytest.mark.timeout(600),  # training starts a process that imports torch, which takes a busy machine minutes
]

STAGES = ["collect", "train", "serve", "evaluate", "gate", "switch", "report"]


class Listener:
    """Keeps the events of a night and stops it at one of them, as a crash would."""

    def __init__(self, stop_at: tuple[str, str] | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self._stop_at = stop_at

    async def hear(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        if self._stop_at and self._stop_at in event.items():
            raise asyncio.CancelledError

    def list_stages(self) -> list[str]:
        return [event["stage"] for event in self.events if event["event"] == "stage"]


@pytest.fixture
async def server(base_model: Path) -> AsyncIterator[tuple[FakeVllm, ModelServer]]:
    fake = FakeVllm(base_model)
    async with fake.running() as url:
        client = ModelServer(url, "base")
        yield fake, client
        await client.close()


@pytest.fixture
async def away() -> AsyncIterator[ModelServer]:
    """A model server where nobody listens."""
    client = ModelServer("http://127.0.0.1:9", "base")
    yield client
    await client.close()


@pytest.fixture
def small_files() -> Iterator[None]:
    """A disk that takes no file above 20 kB, as a full one takes none."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def settings(base_model: Path, **changes: Any) -> NightSettings:
    values: dict[str, Any] = {"min_held_out": 5, "learning_rate": 0.01, "rank": 4, "answers": 8, "threads": 1}
    # A random model says nothing that stands in a passage; a few answers cannot rule out more than this.
    values["groundedness_margin"] = 0.9
    return NightSettings(str(base_model), **(values | changes))


async def test_a_night_of_corrections_trains_proves_and_serves_a_better_adapter(
    database: Database, server: tuple[FakeVllm, ModelServer], base_model: Path, tmp_path: Path
) -> None:
    await log_corrected_night(database, 28)
    fake, client = server
    listener = Listener()
    night = await run_night(
        database=database, model_server=client, home=tmp_path, settings=settings(base_model), progress=listener.hear
    )
    run = await Runs(database).get(night.run_id)
    assert (run.error, night.verdict, night.state, night.switched) == (None, "promote", "done", True), run.gate
    assert night.votes == 28 == sum(run.counts["fates"].values())
    rounding = 1e-2 if cpu_has_bfloat16() else 1e-4
    assert run.proof and run.proof["error"] < rounding < run.proof["effect"]
    active = await Adapters(database).find_active()
    assert active and active.name == night.adapter and list(fake.adapters) == [night.adapter]
    assert listener.list_stages() == STAGES
    assert "더 나은 어댑터" in (await Runs(database).get_report(night.run_id, "ko")).html
    await check_rebuilt_adapter_is_the_same(database, night.run_id, base_model, tmp_path)
    await check_lost_adapter_is_noticed(fake, client, Path(active.folder), active.name)
    await Serving(adapters=Adapters(database), model_server=client).roll_back(by="user:ann")
    assert await Adapters(database).find_active() is None


async def test_a_night_puts_the_model_to_rest_while_it_trains_and_the_adapter_on_trial_after_it(
    database: Database, server: tuple[FakeVllm, ModelServer], base_model: Path, tmp_path: Path
) -> None:
    await log_corrected_night(database, 28)
    fake, client = server
    resting: dict[str, bool] = {}

    async def look(event: dict[str, Any]) -> None:
        resting[event["event"]] = await Rests(database).is_resting() and fake.is_asleep

    values = {"trial_share": 0.5, "room": RoomSettings(wish="sleep", need=1)}
    night = await run_night(
        database=database,
        model_server=client,
        home=tmp_path,
        settings=settings(base_model, **values),
        progress=look,
    )
    served = await Adapters(database).find_serving()
    assert (night.verdict, night.state, night.reason, night.switched) == ("promote", "done", "on_trial", False)
    assert served and (served.name, served.trial, served.share) == (None, night.adapter, 0.5)
    assert (resting["planned"], resting["loaded"], resting["step"], resting["proved"]) == (False, True, True, False)
    assert "on trial" in (await Runs(database).get_report(night.run_id)).markdown


async def test_a_paused_night_of_the_schedule_reports_and_does_nothing_else(
    database: Database, away: ModelServer, base_model: Path, tmp_path: Path
) -> None:
    await log_corrected_night(database, 8)
    await Pauses(database).set(True, by="user:ann")
    night = await run_night(database=database, model_server=away, home=tmp_path, settings=settings(base_model))
    assert (night.state, night.reason, night.votes) == ("skipped", "paused", 0)
    report = await Runs(database).get_report(night.run_id)
    assert "Nights are paused" in report.markdown


async def test_a_night_by_hand_runs_while_paused_and_leaves_the_switch_to_people(
    database: Database, server: tuple[FakeVllm, ModelServer], base_model: Path, tmp_path: Path
) -> None:
    await log_corrected_night(database, 28)
    await Pauses(database).set(True, by="user:ann")
    night = await run_night(
        database=database,
        model_server=server[1],
        home=tmp_path,
        settings=settings(base_model),
        requested_by="user:ann",
    )
    assert (night.verdict, night.state, night.reason) == ("promote", "done", "awaits_approval")
    assert await Adapters(database).find_active() is None


async def test_a_night_ends_where_somebody_is_forgotten_after_the_training(
    database: Database, server: tuple[FakeVllm, ModelServer], base_model: Path, tmp_path: Path
) -> None:
    await log_corrected_night(database, 28)
    fake, client = server

    async def forget_at_the_gate(event: dict[str, Any]) -> None:
        if event.get("stage") == "gate":
            await build_forgetting(database, client, tmp_path).forget("user:bo", by="test")

    night = await run_night(
        database=database,
        model_server=client,
        home=tmp_path,
        settings=settings(base_model),
        progress=forget_at_the_gate,
    )
    run = await Runs(database).get(night.run_id)
    assert (night.state, night.switched, (run.error or "")[:26]) == ("failed", False, "somebody asked to be forgo")
    assert (await Adapters(database).find_active(), list(fake.adapters)) == (None, [])
    assert list((tmp_path / "adapters").iterdir()) == []
    assert await database.fetch_dicts(b"SELECT run_id FROM rebuilds") == [{"run_id": None}]


async def check_rebuilt_adapter_is_the_same(database: Database, run_id: int, base_model: Path, home: Path) -> None:
    """The ledger and the job give the same bytes again."""
    run, pairs = await Runs(database).get(run_id), await Runs(database).find_pairs(run_id)
    manifest = read_manifest(home / "adapters" / (run.adapter or ""))
    assert manifest
    folder = home / "again"
    write_job(folder, manifest["job"], train=list_rows(pairs, "trained"), held_out=list_rows(pairs, "held_out")[:1])
    await run_trainer(folder, progress=Listener().hear)
    again = read_manifest(folder / "adapter")
    assert again and (again["sha256"], again["pairs_sha256"]) == (manifest["sha256"], manifest["pairs_sha256"])


async def check_lost_adapter_is_noticed(fake: FakeVllm, client: ModelServer, folder: Path, name: str) -> None:
    """A server that answers with the base model in the adapter's name does not pass the proof."""
    fake.wrong_weights = True
    scores = read_evaluation(folder)
    proof = await prove_served(client, name, proofs=scores["proofs"], scored=scores["pairs"])
    assert proof and not proof.passed and proof.error == pytest.approx(proof.effect, rel=1e-3)


async def test_a_killed_night_resumes_where_it_was(
    database: Database, away: ModelServer, base_model: Path, tmp_path: Path
) -> None:
    await log_corrected_night(database, 12)
    parts: dict[str, Any] = {"database": database, "model_server": away, "home": tmp_path}
    parts["settings"] = settings(base_model, min_pairs=2)
    for stop_at in (("event", "loaded"), ("stage", "serve")):
        with contextlib.suppress(asyncio.CancelledError):
            await run_night(**parts, progress=Listener(stop_at).hear)
    left = await Runs(database).find_latest()
    assert [(run.state, run.attempts, bool(run.adapter)) for run in left] == [("running", 2, True)]
    listener = Listener()
    night = await run_night(**parts, progress=listener.hear)
    assert listener.list_stages() == STAGES
    assert "loaded" not in {event["event"] for event in listener.events}, "it trained what it had trained"
    # The model server is away all the while, so there is a candidate but no verdict.
    assert (night.state, night.verdict, night.switched) == ("done", "abstain", False)
    assert [adapter.state for adapter in await Adapters(database).find_all()] == ["candidate"]
    assert not (tmp_path / "nights" / str(night.run_id)).exists()


async def test_a_full_disk_is_a_report_and_leaves_no_half_adapter(
    database: Database, away: ModelServer, base_model: Path, tmp_path: Path, small_files: None
) -> None:
    await log_corrected_night(database, 8)
    night = await run_night(
        database=database, model_server=away, home=tmp_path, settings=settings(base_model, min_pairs=2, rank=16)
    )
    run = await Runs(database).get(night.run_id)
    assert (night.state, night.adapter) == ("failed", None)
    assert run.error and "no space left" in run.error
    assert "no space left" in (await Runs(database).get_report(night.run_id)).markdown
    assert await Adapters(database).find_all() == []
    assert not (tmp_path / "nights" / str(night.run_id)).exists()


async def test_too_few_pairs_are_a_report_and_no_training(
    database: Database, away: ModelServer, base_model: Path, tmp_path: Path
) -> None:
    await log_corrected_night(database, 3)
    listener = Listener()
    night = await run_night(
        database=database, model_server=away, home=tmp_path, settings=settings(base_model), progress=listener.hear
    )
    assert (night.state, night.reason, night.votes, night.pairs) == ("skipped", "too_few_pairs", 3, 3)
    assert listener.list_stages() == ["collect", "report"]
    assert "Too little feedback" in (await Runs(database).get_report(night.run_id)).markdown


@pytest.mark.parametrize(
    ("room", "reason", "words"),
    [
        (RoomSettings(wish="second", need=30), "no_room", "found no room on the GPU"),
        (RoomSettings(done_by="06:00", after_seconds=2 * 86400), "no_time", "Too little time was left"),
    ],
)
async def test_a_night_without_room_or_time_is_a_report_and_no_training(
    database: Database, away: ModelServer, tmp_path: Path, room: RoomSettings, reason: str, words: str
) -> None:
    await log_corrected_night(database, 12)
    values = {"min_pairs": 2, "regenerate": 0, "room": room}
    night = await run_night(
        database=database, model_server=away, home=tmp_path, settings=settings(Path("model"), **values)
    )
    assert (night.state, night.reason, night.adapter) == ("skipped", reason, None)
    assert words in (await Runs(database).get_report(night.run_id)).markdown
    assert await Rests(database).find() is None


async def test_golden_questions_are_asked_before_the_report_which_comes_also_without_them(
    database: Database, away: ModelServer, base_model: Path, tmp_path: Path
) -> None:
    exams = Exams(database)

    async def examine() -> None:
        if await exams.find_latest(limit=1):
            raise ModelServerError("gone")
        await exams.record(by="test", adapter=None, cells={"en": {"found_right": 3}}, failed=[])

    parts: dict[str, Any] = {"database": database, "model_server": away, "home": tmp_path, "examine": examine}
    reports: list[str] = []
    for requested_by in ("user:ann", "user:bob"):
        night = await run_night(**parts, settings=settings(base_model), requested_by=requested_by)
        reports.append((await Runs(database).get_report(night.run_id)).markdown)
    assert ["Golden questions" in report for report in reports] == [True, False]


async def test_a_night_that_keeps_dying_is_given_up(
    database: Database, away: ModelServer, base_model: Path, tmp_path: Path
) -> None:
    parts: dict[str, Any] = {"database": database, "model_server": away, "home": tmp_path}
    parts["settings"] = settings(base_model)
    for _ in range(3):
        with contextlib.suppress(asyncio.CancelledError):
            await run_night(**parts, progress=Listener(("stage", "collect")).hear)
    night = await run_night(**parts)
    assert night.state == "failed"
    assert "given up after 3 attempts" in ((await Runs(database).get(night.run_id)).error or "")


async def test_an_unreachable_server_is_no_evidence(away: ModelServer, database: Database) -> None:
    with pytest.raises(ModelServerError):
        await away.find_models()
    run = await Runs(database).begin(
        night=NOON.date(), requested_by="user:ann", window_from=NOON.replace(year=2025), window_to=NOON
    )
    assert run and read_evidence(replace(run, proof={"passed": None})).proven is None
