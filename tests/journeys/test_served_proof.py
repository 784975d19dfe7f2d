"""The served proof against the real model server: the trained adapter passes, and nothing else does.

And what a night asks that server for beside it: seeded answers to long prompts.
"""

import shutil
from pathlib import Path

import pytest

from cli.house import open_house
from core.base_model import cpu_has_bfloat16
from core.model_server import ModelServer, Sampling
from core.prompt import Message
from core.settings_loading import load_settings
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
        # What an adapter does must stand out of what is rounded.
        strength = 0.3 if cpu_has_bfloat16() else 0.03
        right = make_adapter(base, tmp_path / "right", seed=1, strength=strength)
        other = make_adapter(base, tmp_path / "another", seed=2, strength=strength)
        scores = score_adapter(base, right)
        passed: dict[str, bool | None] = {}
        for how in ("right", *SPOILT):
            folder = right if how == "right" else spoil(right, tmp_path / how, how, other=other)
            await server.load_adapter(f"night-{how}", str(folder))
            proof = await prove_served(server, f"night-{how}", proofs=scores["proofs"], scored=scores["pairs"])
            assert proof
            passed[how] = proof.passed
            if how == "right":
                assert proof.error < proof.tolerance < proof.moved, proof
            await server.unload_adapter(f"night-{how}")
        await check_seeds_of_prompts_computed_in_pieces(server)
    assert passed == {"right": True} | dict.fromkeys(SPOILT, False)


async def check_seeds_of_prompts_computed_in_pieces(server: ModelServer) -> None:
    """More tokens than a batch holds, of which vLLM's own worker dies on a CPU; the second time they are cached."""
    prompt: list[Message] = [{"role": "user", "content": "Leave is 25 days. " * 500}]

    async def answer(seed: int) -> str:
        sampling = Sampling(max_tokens=6, temperature=1.5, seed=seed)
        return (await server.complete(prompt, sampling=sampling)).text

    first, same, other = [await answer(seed) for seed in (1, 1, 2)]
    assert first == same != other
