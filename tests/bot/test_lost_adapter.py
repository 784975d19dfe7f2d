"""A model server that was started anew has forgotten the adapter: it is given it again, or the base model answers."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.answer import Asked
from core.adapters import Adapters
from core.database import Database
from core.interactions import Interaction, Interactions
from core.model_server import ModelServer
from core.prompt import PROMPT_VERSION, SYSTEM
from core.serving import Serving
from core.weights import WEIGHTS, hash_file
from tests.bot.assistant import LEAVE, build_answerer
from tests.bot.recorded import ListSearch, RecordedReply
from tests.fakes.vllm import FakeVllm

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers.*"),
    pytest.mark.timeout(300),  # transformers and peft are imported, which takes a busy machine a minute
]

QUESTION = "How many days of annual leave do employees have?"


@pytest.fixture(scope="module")
def adapter_folder(base_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter that makes the tiny model say something else."""
    import torch  # noqa: PLC0415  seconds to import
    from peft import LoraConfig, get_peft_model  # noqa: PLC0415
    from transformers import AutoModelForCausalLM  # noqa: PLC0415

    torch.manual_seed(1)
    model: Any = AutoModelForCausalLM.from_pretrained(base_model)
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=64, target_modules=["q_proj"], init_lora_weights=False))
    folder = tmp_path_factory.mktemp("adapters") / "night-1"
    adapted.save_pretrained(str(folder))
    return folder


@pytest.fixture
def fake(base_model: Path) -> FakeVllm:
    """A server that has just started: it knows the base model only."""
    return FakeVllm(base_model)


async def ask(database: Database, client: ModelServer, restore: Callable[[str], Awaitable[None]] | None) -> Interaction:
    """One question, as it was stored with its answer."""
    find_baked = Adapters(database).find_baked_prompt
    answerer = build_answerer(database, ListSearch(LEAVE), client, restore=restore, find_baked=find_baked)
    finished = await answerer.answer(Asked("web", "c1", "user:ann", ["everyone"], QUESTION), RecordedReply())
    return await Interactions(database).get(finished.interaction_id)


@asynccontextmanager
async def serving(
    database: Database, fake: FakeVllm, folder: Path, manifest: dict[str, Any] | None = None
) -> AsyncGenerator[tuple[ModelServer, Serving]]:
    """The adapter of a folder is active in the database, whatever the server knows of it."""
    adapters = Adapters(database)
    sha256 = hash_file(folder / WEIGHTS) if folder.exists() else "00"
    values = {"base_model": "base", "sha256": sha256, "manifest": manifest or {}}
    await adapters.register(name="night-1", folder=str(folder), **values)
    await adapters.switch("night-1", by="test", reason="better")
    async with fake.running() as url:
        client = ModelServer(url, "base")
        yield client, Serving(adapters=adapters, model_server=client)
        await client.close()


async def test_a_lost_adapter_is_loaded_again_and_answers(
    database: Database, fake: FakeVllm, adapter_folder: Path
) -> None:
    async with serving(database, fake, adapter_folder) as (client, served):
        first, second = [await ask(database, client, served.restore) for _ in range(2)]
        base = await client.complete(first.messages or [])
    chat, load = ("chat", "night-1"), ("load", "night-1")
    assert fake.log == [chat, load, chat, chat, ("chat", "base")]
    assert [(stored.adapter, stored.mode_reason) for stored in (first, second)] == [
        ("night-1", "quoted_unsupported")
    ] * 2
    assert first.generated == second.generated != base.text


async def test_the_base_model_answers_where_the_adapter_cannot_be_loaded(
    database: Database, fake: FakeVllm, tmp_path: Path
) -> None:
    async with serving(database, fake, tmp_path / "deleted") as (client, served):
        stored = await ask(database, client, served.restore)
        expected = await client.complete(stored.messages or [])
    assert fake.log[:2] == [("chat", "night-1"), ("chat", "base")]
    assert (stored.adapter, stored.generated, stored.mode_reason) == (None, expected.text, "quoted_unsupported")


async def test_the_base_model_reads_the_prompt_that_the_adapter_had_in_its_weights(
    database: Database, fake: FakeVllm, tmp_path: Path
) -> None:
    async with serving(database, fake, tmp_path / "deleted", {"baked_prompt": PROMPT_VERSION}) as (client, served):
        stored = await ask(database, client, served.restore)
    assert fake.log == [("chat", "night-1"), ("chat", "base")]
    assert (stored.messages or [])[0]["content"] == SYSTEM


async def test_a_lost_adapter_that_nobody_can_load_is_a_quotation(
    database: Database, fake: FakeVllm, adapter_folder: Path
) -> None:
    async with serving(database, fake, adapter_folder) as (client, _):
        stored = await ask(database, client, None)
    assert (fake.log, stored.mode_reason, stored.generated) == ([("chat", "night-1")], "quoted_server", None)


async def test_a_server_of_another_model_is_a_quotation(database: Database, fake: FakeVllm) -> None:
    async def restore(_: str) -> None:
        raise AssertionError("there is no adapter to load")

    async with fake.running() as url:
        client = ModelServer(url, "another")
        stored = await ask(database, client, restore)
        await client.close()
    assert (fake.log, stored.mode_reason) == ([("chat", "another")], "quoted_server")
    assert stored.answer == "Employees have 23 days of annual leave. [1]"
