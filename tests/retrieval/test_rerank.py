"""The cross-encoder orders, or stays out of the way."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import SettingsError
from retrieval.rerank import Reranker
from tests.retrieval.test_search import PASSAGE

PASSAGES = [replace(PASSAGE, chunk_id=number, text="word " * number) for number in range(1, 40)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a tiny cross-encoder with random weights."""
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("cross-encoder")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "word", "leave", "days"]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    config.num_labels = 1
    BertForSequenceClassification(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def reranker(model: str) -> Iterator[Reranker]:
    reranker = Reranker(model, timeout_seconds=60)
    yield reranker
    reranker.close()


async def test_every_passage_stays_and_the_order_is_the_models(reranker: Reranker) -> None:
    first = await reranker.rerank("days of leave", PASSAGES)
    again = await reranker.rerank("days of leave", list(reversed(PASSAGES)))
    assert sorted(one.chunk_id for one in first) == [one.chunk_id for one in PASSAGES]
    assert first[0] == again[0]


async def test_out_of_time_the_order_stays(model: str) -> None:
    reranker = Reranker(model, timeout_seconds=0)
    assert await reranker.rerank("days of leave", PASSAGES) == PASSAGES
    reranker.close()


async def test_an_unknown_model_is_a_setting_to_mend(tmp_path: Path) -> None:
    reranker = Reranker(str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match="RERANK_MODEL"):
        await reranker.load()
    reranker.close()
