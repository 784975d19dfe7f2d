"""From passages of the search to the messages that are sent, and what of those is for the reader."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.fitting import count_fitting
from core.prompt import SYSTEM, Message, PromptExample, PromptPassage, build_messages
from core.records import Passage


def fit(question: str, passages: Sequence[Passage], *, context_tokens: int, answer_tokens: int) -> list[Passage]:
    """The passages that fit beside question and answer; none where the question leaves no room for the best one."""
    limits = {"context_tokens": context_tokens, "answer_tokens": answer_tokens}
    return list(passages[: count_fitting(question, show(passages), **limits)])


def to_messages(
    question: str, passages: Sequence[Passage], examples: Sequence[PromptExample] = (), *, is_baked: bool = False
) -> list[Message]:
    """The messages that are sent and logged; `is_baked` as in `build_messages`."""
    return build_messages(question, show(passages), examples, is_baked=is_baked)


def show(passages: Sequence[Passage]) -> list[PromptPassage]:
    """What the model sees of passages."""
    return [PromptPassage(passage.title, passage.heading_path, passage.text) for passage in passages]


def list_sources(passages: Sequence[Passage], question: str | None) -> list[str]:
    """What an answer may repeat: the passages and the question, as the model saw them."""
    return [f"{one.title} {one.heading_path}\n{one.text}" for one in show(passages)] + [question or ""]


def list_hidden(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """What an answer must not repeat: the standing prompt, in weights or not, and what other people asked."""
    standing = [message["content"] for message in messages if message["role"] == "system"]
    asked = [message["content"] for message in messages[:-1] if message["role"] == "user"]
    return list(dict.fromkeys([SYSTEM, *standing, *(text.removeprefix("Question: ") for text in asked)]))
