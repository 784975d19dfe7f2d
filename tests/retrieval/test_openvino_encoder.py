"""Documents through OpenVINO: torch's vectors, nothing that telephones home, and advice where it is not installed."""

import importlib.util
import sys
from collections.abc import Iterator

import pytest

from core.base_model import cpu_has_bfloat16
from core.errors import SettingsError
from retrieval import openvino_encoder
from retrieval.embedding import Embedder

needs_openvino = pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is not installed")


@pytest.fixture
def converted() -> Iterator[Embedder]:
    embedder = Embedder(backend="openvino")
    yield embedder
    embedder.close()


@needs_openvino
async def test_vectors_are_those_of_torch_and_no_telemetry_is_loaded(embedder: Embedder, converted: Embedder) -> None:
    texts = ["", "Leave", "휴가는 며칠인가요?", *(f"{'word ' * number} number {number}" for number in range(0, 400, 9))]
    cosines = ((await embedder.embed(texts)) * (await converted.embed(texts))).sum(axis=1)
    assert cosines.min() >= (0.999 if cpu_has_bfloat16() else 0.9999)
    loaded = {name for name, module in sys.modules.items() if module and name.startswith("openvino_telemetry")}
    assert loaded == set()


@needs_openvino
async def test_a_question_goes_the_way_it_went(embedder: Embedder, converted: Embedder) -> None:
    assert (await embedder.embed_query("How long?")).tolist() == (await converted.embed_query("How long?")).tolist()


async def test_a_missing_package_is_a_setting_to_mend(monkeypatch: pytest.MonkeyPatch, converted: Embedder) -> None:
    monkeypatch.setattr(openvino_encoder, "_PACKAGE", "no_such_package_as_openvino")
    with pytest.raises(SettingsError, match=r"pip install 'nightbake\[openvino\]'"):
        await converted.load()
