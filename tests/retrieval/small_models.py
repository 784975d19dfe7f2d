"""Real embedding models of a few words, made in a moment: each word has a vector, a text has the mean of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers


def save_model(folder: Path, vectors: Mapping[str, Sequence[float]]) -> str:
    """A model in a folder, as EMBEDDING_MODEL names one; other words than these mean nothing to it."""
    words = {"[UNK]": 0} | {word: number for number, word in enumerate(vectors, start=1)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = np.array([[0.0] * len(next(iter(vectors.values()))), *vectors.values()], np.float32)
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)], device="cpu").save(str(folder))
    return str(folder)
