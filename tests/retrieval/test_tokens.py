"""Counting by words gives the tokenizer's own counts."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from retrieval import tokens
from retrieval.embedding import find_default_model
from retrieval.tokens import TokenCounter

TEXTS = [
    "Employees get 23 days (see HR-2024-07) of unprecedented leave.",
    "  Don't  re-read\tthe\nnaïve café; e.g. 3.5%!\u00a0ok ",
    "연차 휴가는 15일입니다",
    "",
]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(find_default_model() / "tokenizer.json"))


def count_whole(tokenizer: Tokenizer) -> list[int]:
    plain = Tokenizer.from_str(tokenizer.to_str())
    plain.no_truncation()
    plain.no_padding()
    return [len(plain.encode(text, add_special_tokens=False)) for text in TEXTS]


def test_words_add_up_to_the_text(tokenizer: Tokenizer) -> None:
    counter = TokenCounter(tokenizer.to_str(), ["en", "ko"])
    assert counter.count(TEXTS) == count_whole(tokenizer)
    assert counter.count(TEXTS) == count_whole(tokenizer)


def test_forgetting_changes_no_count(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_MAX_REMEMBERED_BYTES", 0)
    counter = TokenCounter(tokenizer.to_str(), ["en", "ko"])
    assert [counter.count([text])[0] for text in TEXTS] == count_whole(tokenizer)


def test_a_tokenizer_that_joins_words_sees_whole_texts() -> None:
    # One token spans the space: word by word there would be two.
    tokenizer = Tokenizer(models.BPE(unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("\n", "removed")
    tokenizer.train_from_iterator(["a b"] * 10, trainers.BpeTrainer(special_tokens=["?"]))
    assert TokenCounter(tokenizer.to_str(), ["en", "ko"]).count(["a b"]) == [1]
