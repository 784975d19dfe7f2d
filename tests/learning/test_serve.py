"""What counts as proof that the served model is the trained one: every adapter that is not it is caught."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.adapters import Adapters
from core.database import Database
from core.model_server import ModelServer
from core.serving import Serving
from core.weights import WEIGHTS, hash_file
from learning.plan import Plan
from learning.room import Room, RoomSettings
from learning.serve import Proof, Shift, WrongWeightsError, check_weights, judge_proof, prove_served
from tests.fakes.vllm import FakeVllm
from tests.learning.log import log_run
from tests.learning.made_adapters import FILES, SPOILT, make_adapter, score_adapter, spoil

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers.*"),
    pytest.mark.timeout(900),  # transformers and peft are imported, which takes a busy machine minutes
]


@pytest.fixture(scope="module")
def adapters(base_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `right`, `another` and, by their names, of what is made of the two."""
    folder = tmp_path_factory.mktemp("adapters")
    right = make_adapter(base_model, folder / "right", seed=1, strength=0.1)
    another = make_adapter(base_model, folder / "another", seed=2, strength=0.1)
    for how in SPOILT:
        spoil(right, folder / how, how, other=another)
    return folder


@pytest.fixture(scope="module")
def scores(base_model: Path, adapters: Path) -> dict[str, Any]:
    return score_adapter(base_model, adapters / "right")


@pytest.fixture
async def client(base_model: Path) -> AsyncIterator[ModelServer]:
    """Of a server that has just started."""
    async with FakeVllm(base_model).running() as url:
        client = ModelServer(url, "base")
        yield client
        await client.close()


async def prove(client: ModelServer, folder: Path, scores: dict[str, Any]) -> Proof:
    """The proof of `night-1`, whose weights come from this folder."""
    await client.load_adapter("night-1", str(folder))
    proof = await prove_served(client, "night-1", proofs=scores["proofs"], scored=scores["pairs"])
    assert proof
    return proof


async def test_the_trained_adapter_is_proven(client: ModelServer, adapters: Path, scores: dict[str, Any]) -> None:
    proof = await prove(client, adapters / "right", scores)
    assert (proof.passed, proof.pairs) == (True, 3)
    assert proof.error < 1e-3
    assert proof.moved > 0.05


@pytest.mark.parametrize("how", SPOILT)
async def test_a_server_with_other_weights_is_caught(
    client: ModelServer, adapters: Path, scores: dict[str, Any], how: str
) -> None:
    assert (await prove(client, adapters / how, scores)).passed is False


async def test_a_base_model_under_the_adapters_name_is_caught(base_model: Path, scores: dict[str, Any]) -> None:
    fake = FakeVllm(base_model)
    async with fake.running() as url:
        client = ModelServer(url, "base")
        proof = await prove_served(client, "base", proofs=scores["proofs"], scored=scores["pairs"])
        await client.close()
    assert proof and not proof.passed and proof.error == pytest.approx(proof.effect, rel=1e-3)


async def test_a_name_that_was_loaded_from_another_folder_is_loaded_anew(
    client: ModelServer, adapters: Path, scores: dict[str, Any]
) -> None:
    await client.load_adapter("night-1", str(adapters / "another"))
    assert (await prove(client, adapters / "right", scores)).passed is True


@pytest.mark.parametrize("heals", [True, False])
async def test_an_adapter_that_was_lost_in_a_sleep_is_loaded_anew_and_proven_or_the_base_model_answers(
    database: Database, base_model: Path, adapters: Path, scores: dict[str, Any], heals: bool
) -> None:
    fake, registry = FakeVllm(base_model), Adapters(database)
    fake.forgets_in_sleep, fake.wrong_weights = heals, not heals
    (adapters / "right" / "evaluation.json").write_text(json.dumps(scores))
    async with fake.running() as url:
        client = ModelServer(url, "base")
        serving = Serving(adapters=registry, model_server=client)
        folder = adapters / "right"
        values = {"folder": str(folder), "base_model": "base", "sha256": hash_file(folder / WEIGHTS), "manifest": {}}
        await registry.register(name="night-1", **values)
        await serving.promote("night-1", by="test", reason="better")
        room = Room(database, serving, client, RoomSettings(need=1), settle_seconds=0)
        await room.make(Plan("sleep", None, 1, 60), run_id=await log_run(database))
        await room.give_back()
        await client.close()
    served = await registry.find_serving()
    assert served and served.name == ("night-1" if heals else None)
    assert [act for act, _ in fake.log][:5] == ["load", "sleep", "wake", "unload", "load"]


def test_the_folder_that_was_trained_is_accepted(adapters: Path) -> None:
    check_weights(adapters / "right")


@pytest.mark.parametrize("how", SPOILT)
def test_a_folder_with_other_weights_or_scale_is_not_loaded(adapters: Path, how: str) -> None:
    with pytest.raises(WrongWeightsError, match=f"in {how!r}"):
        check_weights(adapters / how)


@pytest.mark.parametrize("missing", FILES)
def test_a_folder_without_a_file_is_not_loaded(adapters: Path, tmp_path: Path, missing: str) -> None:
    for name in (*FILES, "manifest.json"):
        if name != missing:
            (tmp_path / name).write_bytes((adapters / "right" / name).read_bytes())
    with pytest.raises(WrongWeightsError, match="cannot be read"):
        check_weights(tmp_path)


def make_pair(trained: float, served: float, base_gap: float = 0.0) -> list[tuple[Shift, Shift]]:
    """One pair of two answers of 50 tokens; the adapter moves the chosen one only. All in nats a token of both."""
    chosen = Shift(50, 100 * trained, 100 * served, 100 * base_gap)
    return [(chosen, Shift(50, 0.0, 0.0, 0.0))]


@pytest.mark.parametrize(
    ("trained", "served", "base_gap", "passed"),
    [
        (0.5, 0.502, 0.002, True),
        (0.5, 0.521, 0.0, False),  # further than 0.02
        (0.5, 0.521, 0.01, True),  # as far as bfloat16 rounds
        (0.5, 0.551, 0.01, False),
        (0.02, 0.0, 0.0, False),  # a weak adapter that was lost: within 0.02, but not near
        (0.02, 0.01, 0.002, False),  # half the scale
        (0.02, 0.016, 0.0, True),
        (0.002, 0.002, 0.001, None),  # too weak to tell from rounding
        (0.0, 0.0, 0.0, None),
    ],
)
def test_a_proof_is_near_the_trainer_and_above_the_rounding(
    trained: float, served: float, base_gap: float, passed: bool | None
) -> None:
    proof = judge_proof(make_pair(trained, served, base_gap))
    assert proof and proof.passed is passed
    assert (proof.error, proof.moved) == pytest.approx((abs(served - trained), trained))


def test_two_sides_that_move_together_are_seen_where_the_margin_stands_still() -> None:
    proof = judge_proof([(Shift(50, 5.0, 0.0, 0.0), Shift(50, 5.0, 0.0, 0.0))])
    assert proof and (proof.error, proof.passed) == (0.0, False)


def test_no_pair_is_no_proof() -> None:
    assert judge_proof([]) is None
