"""Fit passages into the model's context: the lowest ranked go first, the question is never cut."""

from collections.abc import Sequence

from core.prompt import Message, PromptPassage, build_messages
from core.records import Passage

# Chat markers, roles and separators of one prompt, at most.
FRAME_TOKENS = 40


def estimate_tokens(text: str) -> int:
    """Tokens of a text, at most: two for five Latin characters and three for a Hangul syllable.

    Measured for SmolLM2's tokenizer, which has no Korean words and falls back to bytes; others need fewer.
    """
    ascii_characters = sum(character.isascii() for character in text)
    return ascii_characters * 2 // 5 + (len(text) - ascii_characters) * 3 + 1


def fit(question: str, passages: Sequence[Passage], *, context_tokens: int, answer_tokens: int) -> list[Passage]:
    """The passages that fit beside question and answer; none where the question leaves no room for the best one."""
    budget = context_tokens - answer_tokens - FRAME_TOKENS
    kept = list(passages)
    while kept and count_tokens(to_messages(question, kept)) > budget:
        kept.pop()
    return kept


def to_messages(question: str, passages: Sequence[Passage]) -> list[Message]:
    """The messages that are sent and logged."""
    shown = [PromptPassage(passage.title, passage.heading_path, passage.text) for passage in passages]
    return build_messages(question, shown)


def count_tokens(messages: Sequence[Message]) -> int:
    """Estimated tokens of a prompt."""
    return sum(estimate_tokens(message["content"]) for message in messages)
