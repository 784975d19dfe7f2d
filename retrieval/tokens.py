"""Counting tokens: word by word where the tokenizer never joins two words, so that a word seen before is a look-up."""

import json
from collections.abc import Sequence
from typing import Any, Protocol, cast

# Pre-tokenizers that cut at white space, so that the tokens of a text are those of its words. A byte-level one is not
# among them: with a space before it, a word may take other tokens.
_CUTS_AT_SPACES = frozenset({"BertPreTokenizer", "Whitespace", "WhitespaceSplit"})
_MAX_REMEMBERED_BYTES = 16_000_000
_BYTES_PER_ENTRY = 100


class _Tokenizer(Protocol):
    def encode_batch_fast(self, input: list[str], add_special_tokens: bool) -> list[list[int]]: ...  # noqa: A002


class TokenCounter:
    """Counts with a tokenizer's own copy: it neither truncates nor pads, so any thread may use it.

    Remembers the words it met, up to about 16 MB, then begins anew.

    Args:
        serialised: a `tokenizers.Tokenizer` as JSON.
    """

    def __init__(self, serialised: str) -> None:
        from tokenizers import Tokenizer  # noqa: PLC0415

        tokenizer = Tokenizer.from_str(serialised)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = cast(_Tokenizer, tokenizer)
        self._by_word = _cuts_at_spaces(json.loads(serialised)["pre_tokenizer"])
        self._counts: dict[str, int] = {}
        self._remembered_bytes = 0

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special ones."""
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
