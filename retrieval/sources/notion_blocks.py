"""Notion's blocks as Markdown; pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_HEADINGS = {"heading_1": "#", "heading_2": "##", "heading_3": "###"}
_LEADS = {"bulleted_list_item": "- ", "numbered_list_item": "1. ", "toggle": "- "}
_QUOTES = frozenset({"quote", "callout"})
_MARKS = re.compile(r"^(#{1,6}\s|[-+*]\s|\d+[.)]\s|>|```|~~~)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A block's kind, its content under that kind's name, and what is below it."""

    kind: str
    content: Mapping[str, Any]
    below: "Sequence[Block]" = ()


def find_text(rich_text: Sequence[Mapping[str, Any]]) -> str:
    """What rich text says, without its looks."""
    return "".join(str(part.get("plain_text", "")) for part in rich_text)


def render_blocks(blocks: Sequence[Block]) -> str:
    """Headings, paragraphs, lists, to-dos, quotes, code, tables; of pictures the captions, of the rest the text."""
    return "\n\n".join(part for block in blocks if (part := _render(block)))


def _render(block: Block) -> str:
    kind, below = block.kind, render_blocks(block.below)
    rich: list[dict[str, Any]] = block.content.get("rich_text") or block.content.get("caption") or []
    text = find_text(rich)
    if kind in _WHOLE:
        return _WHOLE[kind](block, text)
    if kind in _HEADINGS:
        return _join(f"{_HEADINGS[kind]} {_to_line(text)}" if text.strip() else "", below)
    written = _join(_escape(text), below)
    if kind in _LEADS or kind == "to_do":
        mark = "x" if block.content.get("checked") else " "
        return _indent(written, _LEADS.get(kind) or f"- [{mark}] ")
    return "\n".join(f"> {line}" for line in written.splitlines()) if kind in _QUOTES else written


def _render_code(block: Block, text: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence}{block.content.get('language', '')}\n{text}\n{fence}"


def _render_equation(block: Block, _: str) -> str:
    return str(block.content.get("expression", ""))


def _render_table(block: Block, _: str) -> str:
    rows = [[_to_cell(find_text(cell)) for cell in row.content.get("cells", [])] for row in block.below]
    if not rows:
        return ""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


_WHOLE: dict[str, Callable[[Block, str], str]] = {
    "table": _render_table,
    "code": _render_code,
    "equation": _render_equation,
}


def _to_cell(text: str) -> str:
    return _to_line(text).replace("|", "\\|")


def _to_line(text: str) -> str:
    return " ".join(text.split())


def _escape(text: str) -> str:
    """What would be a heading, list or fence at the beginning of a line is meant as text."""
    return _MARKS.sub(lambda match: "\\" + match[0], text)


def _join(text: str, below: str) -> str:
    return "\n\n".join(part for part in (text, below) if part)


def _indent(text: str, lead: str) -> str:
    first, *rest = text.split("\n")
    return "\n".join([lead + first, *(" " * len(lead) + line if line else line for line in rest)])
