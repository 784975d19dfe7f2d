"""Sentences of a passage, Korean and English, with list items and table rows as sentences of their own."""

import re

# A full stop ends a sentence before a space and a capital, Hangul, digit or quotation mark, but not after `e.g.`.
# The mark that closes a quotation or bracket stays with its sentence.
_END = re.compile(
    r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bNo\.)(?:(?<=[.!?。])|(?<=[.!?。][\"'”’)]))\s+(?=[\"'“‘(\[]?[A-Z가-힣0-9])"
)


def split_sentences(text: str) -> list[str]:
    """Sentences in order, without their surrounding space; lines are never joined."""
    return [piece.strip() for line in text.splitlines() for piece in _END.split(line) if piece.strip()]
