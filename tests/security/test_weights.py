"""Weights are read as safetensors only, and an adapter only where it holds what was trained."""

import hashlib
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from core.adapters import Adapters
from core.database import Database
from core.embedded_model import find_starter
from core.errors import SettingsError
from core.model_server import ModelServer
from core.serving import Serving
from core.weights import WEIGHTS, UnsafeWeightsError, check_adapter, check_model, hash_file
from learning.supervised import load_lora
from learning.trainer import check_finished
from retrieval.embedding import Embedder
from retrieval.rerank import Reranker
from tests.fakes.model_server import FakeModelServer, run_model_server

CONTENT = b"eight bytes of a header, then numbers"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Trap:
    """What a pickle can do: it leaves a file where it is opened."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._mark}",)


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """Exists once a pickle of these tests was opened."""
    return tmp_path / "sprung"


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "night-1"
    folder.mkdir()
    (folder / WEIGHTS).write_bytes(CONTENT)
    (folder / "manifest.json").write_text(f'{{"sha256": "{SHA256}"}}')
    return folder


def spoil(folder: Path, way: str, trap: Path) -> None:
    if way == "a pickle beside it":
        (folder / "adapter_model.bin").write_bytes(pickle.dumps(Trap(trap)))
    if way == "a pickle in its place":
        (folder / WEIGHTS).unlink()
        (folder / "adapter_model.pt").write_bytes(pickle.dumps(Trap(trap)))
    if way == "one bit":
        (folder / WEIGHTS).write_bytes(CONTENT[:-1] + b"S")
    if way == "cut":
        (folder / WEIGHTS).write_bytes(CONTENT[:9])
    if way == "nothing":
        (folder / WEIGHTS).unlink()


WAYS = ["a pickle beside it", "a pickle in its place", "one bit", "cut", "nothing"]


@pytest.mark.parametrize("way", WAYS)
async def test_no_spoilt_adapter_is_ever_loaded_or_served(
    database: Database, adapter: Path, trap: Path, way: str
) -> None:
    adapters = Adapters(database)
    await adapters.register(name="night-1", folder=str(adapter), base_model="base", sha256=SHA256, manifest={})
    async with run_model_server(FakeModelServer()) as fake:
        client = ModelServer(fake.url, fake.model)
        serving = Serving(adapters=adapters, model_server=client)
        await serving.promote("night-1", by="test", reason="as it was trained")
        await client.unload_adapter("night-1")
        spoil(adapter, way, trap)
        with pytest.raises(UnsafeWeightsError):
            await serving.restore()
        with pytest.raises(UnsafeWeightsError):
            await serving.promote("night-1", by="test", reason="again")
        assert fake.adapters == {}
        await client.close()
    with pytest.raises(UnsafeWeightsError):
        check_finished(adapter)
    assert not trap.exists()


async def test_a_pickle_is_refused_wherever_a_model_is_named(tmp_path: Path, trap: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(UnsafeWeightsError, match="as safetensors"):
        check_model(str(folder))
    with pytest.raises(SettingsError, match="EMBEDDING_MODEL"):
        await Embedder(str(folder)).load()
    with pytest.raises(SettingsError, match="RERANK_MODEL"):
        await Reranker(str(folder)).load()
    assert not trap.exists()


def test_the_base_model_of_a_night_is_read_as_safetensors_only(tmp_path: Path, base_model: Path, trap: Path) -> None:
    from learning.base_weights import load_base  # noqa: PLC0415

    folder = tmp_path / "base"
    folder.mkdir()
    for file in base_model.iterdir():
        if file.suffix != ".safetensors":
            (folder / file.name).write_bytes(file.read_bytes())
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(OSError, match="safetensors"):
        load_base(str(folder))
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises((UnsafeWeightsError, OSError)):
        load_lora(None, folder)
    assert not trap.exists()


def test_the_starter_that_is_shipped_is_safetensors_and_nothing_else() -> None:
    starter = find_starter()
    assert starter
    check_adapter(starter, hash_file(starter / WEIGHTS))
