"""General chats that keep a trained model from forgetting: our own small set, and any local JSON Lines in chat form."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InvalidInputError
from core.prompt import Language, Message, detect_language

OWN = Path(__file__).with_suffix(".jsonl")
ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class GeneralChat:
    """One chat; the last turn is the assistant's and is learnt."""

    prompt: list[Message]
    answer: str
    language: Language


def read_general(files: Sequence[Path] = ()) -> list[GeneralChat]:
    """Our own chats, then those of each file.

    A line is an object with `messages`, or with `prompt` and `completion` (texts, or messages), as TRL takes them; the
    last turn must be the assistant's.

    Raises:
        InvalidInputError: a file cannot be read, or a line is no such chat; it names the line.
    """
    return [chat for file in (OWN, *files) for chat in _read_file(file)]


def _read_file(file: Path) -> Iterator[GeneralChat]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"expected general chats as JSON Lines in UTF-8 in {str(file)!r}: {error}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield _read_chat(json.loads(line))
            except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
                raise InvalidInputError(
                    f"{file.name}:{number}: expected `messages`, or `prompt` and `completion`, that end with the "
                    f"assistant's turn, got {line[:80]!r}"
                ) from error


def _read_chat(row: dict[str, Any]) -> GeneralChat:
    turns = (
        row["messages"]
        if "messages" in row
        else _as_turns(row["prompt"], "user") + _as_turns(row["completion"], "assistant")
    )
    messages: list[Message] = [{"role": turn["role"], "content": turn["content"].strip()} for turn in turns]
    *prompt, last = messages
    is_chat = all(one["content"] and one["role"] in ROLES for one in messages)
    if not (is_chat and prompt and prompt[-1]["role"] == "user" and last["role"] == "assistant"):
        raise ValueError
    return GeneralChat(prompt, last["content"], detect_language(last["content"]))


def _as_turns(side: Any, role: str) -> list[Any]:
    return [{"role": role, "content": side}] if isinstance(side, str) else list(side)
