"""Counting tokens: word by word where the tokenizer never joins two words, so that a word seen before is a look-up."""

import json
from collections.abc import Collection, Sequence
from typing import Any, Protocol, cast

from core.prompt import detect_language

# Pre-tokenizers that cut at white space, so that the tokens of a text are those of its words. A byte-level one is not
# among them: with a space before it, a word may take other tokens.
_CUTS_AT_SPACES = frozenset({"BertPreTokenizer", "Whitespace", "WhitespaceSplit"})
# A tokenizer trained on Korean takes about this many tokens a character; one that is not says nothing of the length.
_TOKENS_PER_CHARACTER = 0.6
_MAX_REMEMBERED_BYTES = 16_000_000
_BYTES_PER_ENTRY = 100


class _Tokenizer(Protocol):
    def encode_batch_fast(self, input: list[str], add_special_tokens: bool) -> list[list[int]]: ...  # noqa: A002


class TokenCounter:
    """Counts with a tokenizer's own copy: it neither truncates nor pads, so any thread may use it.

    Remembers the words it met, up to about 16 MB, then begins anew.

    Args:
        tokenizer: a `tokenizers.Tokenizer` as JSON.
        languages: those that the tokenizer knows; of a text in another one the length is estimated.
    """

    def __init__(self, tokenizer: str, languages: Collection[str]) -> None:
        from tokenizers import Tokenizer  # noqa: PLC0415

        own = Tokenizer.from_str(tokenizer)
        own.no_truncation()
        own.no_padding()
        self._tokenizer = cast(_Tokenizer, own)
        self._by_word = _cuts_at_spaces(json.loads(tokenizer)["pre_tokenizer"])
        self._languages = frozenset(languages)
        self._counts: dict[str, int] = {}
        self._remembered_bytes = 0

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special ones."""
        known = [detect_language(text) in self._languages for text in texts]
        counts = iter(self._count_known([text for text, is_known in zip(texts, known, strict=True) if is_known]))
        return [
            next(counts) if is_known else round(len(text) * _TOKENS_PER_CHARACTER)
            for text, is_known in zip(texts, known, strict=True)
        ]

    def _count_known(self, texts: Sequence[str]) -> list[int]:
        if not self._by_word:
            return self._encode(texts)
        if self._remembered_bytes > _MAX_REMEMBERED_BYTES:
            # A new one and not cleared: another thread may be looking up in the old one.
            self._counts, self._remembered_bytes = {}, 0
        counts = self._counts
        texts_words = [text.split() for text in texts]
        unknown = list({word for words in texts_words for word in words if word not in counts})
        if unknown:
            counts.update(zip(unknown, self._encode(unknown), strict=True))
            self._remembered_bytes += sum(map(len, unknown)) + _BYTES_PER_ENTRY * len(unknown)
        return [sum(map(counts.__getitem__, words)) for words in texts_words]

    def _encode(self, texts: Sequence[str]) -> list[int]:
        return [len(tokens) for tokens in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


def _cuts_at_spaces(pre_tokenizer: dict[str, Any] | None) -> bool:
    if not pre_tokenizer:
        return False
    first = pre_tokenizer["pretokenizers"][0] if pre_tokenizer["type"] == "Sequence" else pre_tokenizer
    return first["type"] in _CUTS_AT_SPACES
