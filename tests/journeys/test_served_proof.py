"""The served proof against the real model server: the trained adapter passes, and nothing else does."""

import shutil
from pathlib import Path

import pytest

from cli.house import open_house
from core.settings import load_settings
from learning.serve import prove_served
from tests.learning.made_adapters import SPOILT, make_adapter, score_adapter, spoil
from tests.ports import find_free_port

pytestmark = [
    pytest.mark.model,
    pytest.mark.timeout(1500),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers.*"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="the model server compiles a kernel at its start"),
]


async def test_the_real_server_is_caught_with_any_other_adapter(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("MODEL_PORT", str(find_free_port()))
    async with open_house(load_settings()) as house, house.model_running(quiet=True):
        base, server = house.base_model_folder, house.model_server
        right = make_adapter(base, tmp_path / "right", seed=1, strength=0.03)
        other = make_adapter(base, tmp_path / "another", seed=2, strength=0.03)
        scores = score_adapter(base, right)
        passed: dict[str, bool | None] = {}
        for how in ("right", *SPOILT):
            folder = right if how == "right" else spoil(right, tmp_path / how, how, other=other)
            await server.load_adapter(f"night-{how}", str(folder))
            proof = await prove_served(server, f"night-{how}", proofs=scores["proofs"], scored=scores["pairs"])
            assert proof
            passed[how] = proof.passed
            if how == "right":
                assert proof.error < 0.02 < proof.moved
            await server.unload_adapter(f"night-{how}")
    assert passed == {"right": True} | dict.fromkeys(SPOILT, False)
