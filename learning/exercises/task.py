"""What a model is asked to write of a section: instructions, a worked example, and the form of its answer. Pure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.prompt import Language, Message, neutralise
from learning.exercises.draft import Draft, Section

Written = Mapping[str, Any]
"""The JSON object that a model wrote; nothing of it is certain."""


@dataclass(frozen=True, slots=True)
class Task:
    """How one kind is written by a model.

    Attributes:
        schema: JSON schema of what is asked for, as the model server's structured output takes it.
        examples: a passage with what is to be written of it, by language.
        read: the draft that was written; None where the form is not met.
    """

    instructions: Mapping[Language, str]
    schema: Mapping[str, Any]
    examples: Mapping[Language, tuple[str, Written]]
    read: Callable[[Written, Section], Draft | None]

    def build_messages(self, section: Section) -> list[Message]:
        """The instructions, the example as a turn that went well, then the section; its text cannot leave its turn."""
        passage, written = self.examples[section.language]
        return [
            {"role": "system", "content": self.instructions[section.language]},
            {"role": "user", "content": passage},
            {"role": "assistant", "content": json.dumps(written, ensure_ascii=False)},
            {"role": "user", "content": show_section(section)},
        ]


def show_section(section: Section) -> str:
    """Title and headings, then the text."""
    heading = " > ".join(part for part in (section.title, section.heading_path) if part)
    return neutralise(f"{heading}\n\n{section.text.strip()}")


def build_schema(**properties: Mapping[str, Any]) -> dict[str, Any]:
    """An object with just these properties, all of them required."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": 600}


def get_text(written: Written, name: str) -> str:
    """A text of what was written, in one line; empty where it is none."""
    value = written.get(name)
    return " ".join(value.split()) if isinstance(value, str) else ""
