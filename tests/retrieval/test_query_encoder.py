"""One text through our own layers: the library's vectors, and the library itself where the model is another kind."""

from pathlib import Path

import pytest
import torch
from sentence_transformers import SentenceTransformer

from core.base_model import cpu_has_bfloat16
from retrieval.embedding import Embedder, find_default_model
from retrieval.query_encoder import build_query_encoder
from tests.retrieval.small_models import save_model


@pytest.mark.parametrize(
    "text",
    ["How many days of leave?", "", "a", "Ünïcode — and 23 more days", "휴가는 며칠인가요?", "long " * 900, "🙂 \x00"],
)
async def test_a_question_has_the_vector_that_a_batch_gives_it(embedder: Embedder, text: str) -> None:
    alone = await embedder.embed_query(text)
    (batched,) = await embedder.embed([text], purpose="query")
    assert (alone.dtype, alone.shape) == (batched.dtype, batched.shape)
    # Weights in float16 make up to 3e-4 of a coordinate's 0.05; a batch in bfloat16 is coarser.
    assert float(alone @ batched) == pytest.approx(1, abs=2e-4 if cpu_has_bfloat16() else 2e-6)


@pytest.mark.parametrize("has_bfloat16", [False, True])
async def test_a_question_goes_through_our_own_layers_whatever_batches_are_in(
    monkeypatch: pytest.MonkeyPatch, has_bfloat16: bool
) -> None:
    monkeypatch.setattr("retrieval.embedding.cpu_has_bfloat16", lambda: has_bfloat16)
    embedder = Embedder()
    await embedder.load()
    assert embedder._query_encoder is not None
    question, near, far = await embedder.embed(["How many days of leave?", "Leave is 25 days.", "The bus stops here."])
    own = await embedder.embed_query("How many days of leave?")
    assert float(own @ question) == pytest.approx(1, abs=2e-4)
    assert own @ near > own @ far
    embedder.close()


def test_the_packages_model_is_read_by_our_own_layers() -> None:
    model = SentenceTransformer(str(find_default_model()), device="cpu").eval()
    assert build_query_encoder(model) is not None
    # Its first token in place of the mean: another pooling than ours.
    model[1].pooling_mode = "cls"
    assert build_query_encoder(model) is None


def test_where_torch_packs_no_float16_weights_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    model = SentenceTransformer(str(find_default_model()), device="cpu").eval()
    question = "How many days of leave?"
    # What torch has on ARM.
    monkeypatch.setattr(torch.backends.quantized, "engine", "qnnpack")
    encoder = build_query_encoder(model)
    assert encoder
    with torch.inference_mode():
        (theirs,) = model(model.preprocess([question]))["sentence_embedding"]
        torch.testing.assert_close(encoder.encode(question), theirs, atol=2e-6, rtol=0)


async def test_a_model_of_another_kind_is_left_to_the_library(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "words", {"leave": [1, 0, 0], "coffee": [0, 1, 0]})
    assert build_query_encoder(SentenceTransformer(folder, device="cpu")) is None
    other = Embedder(folder)
    assert (await other.embed_query("coffee")).tolist() == [0, 1, 0]
    other.close()
