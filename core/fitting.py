"""How many passages fit into the model's context: the lowest ranked go first, the question is never cut.

`bot` asks before it sends a prompt, and `learning` before it trains on one.
"""

from collections.abc import Sequence

from core.prompt import Message, PromptPassage, build_messages

# Chat markers, roles and separators of one prompt, at most.
FRAME_TOKENS = 40


def estimate_tokens(text: str) -> int:
    """Tokens of a text, at most: two for five Latin characters and three for a Hangul syllable.

    Measured for SmolLM2's tokenizer, which has no Korean words and falls back to bytes; others need fewer.
    """
    ascii_characters = sum(character.isascii() for character in text)
    return ascii_characters * 2 // 5 + (len(text) - ascii_characters) * 3 + 1


def count_tokens(messages: Sequence[Message]) -> int:
    """Estimated tokens of a prompt."""
    return sum(estimate_tokens(message["content"]) for message in messages)


def fits(messages: Sequence[Message], *, context_tokens: int, answer_tokens: int) -> bool:
    """Whether prompt and answer have room together."""
    return count_tokens(messages) + FRAME_TOKENS + answer_tokens <= context_tokens


def count_fitting(question: str, passages: Sequence[PromptPassage], *, context_tokens: int, answer_tokens: int) -> int:
    """How many of the passages, the best first, fit beside question and answer; 0 where there is no room for one."""
    limits = {"context_tokens": context_tokens, "answer_tokens": answer_tokens}
    kept = len(passages)
    while kept and not fits(build_messages(question, passages[:kept]), **limits):
        kept -= 1
    return kept
