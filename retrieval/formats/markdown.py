"""Markdown (CommonMark with tables), by markdown-it-py."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from retrieval.dates import read_date
from retrieval.formats.blocks import Block, Extracted, build_extracted, build_rows
from retrieval.formats.encoding import decode_text
from retrieval.formats.html import extract_fragment
from retrieval.formats.sensitivity import clean_label

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_SENSITIVITY = re.compile(r"^sensitivity:[ \t]*['\"]?(.+?)['\"]?[ \t]*$", re.MULTILINE)
_TITLE = re.compile(r"^title:[ \t]*['\"]?(.+?)['\"]?[ \t]*$", re.MULTILINE)
_DATE = re.compile(r"^([\w-]+):[ \t]*['\"]?(\d.*?)['\"]?[ \t]*(?:#.*)?$", re.MULTILINE)
# The first of these that is there: what a page calls its date is mostly that of its first publication.
_DATE_NAMES = ("updated", "last_updated", "last_modified", "lastmod", "modified", "date")


def extract_markdown(content: bytes, file_name: str) -> Extracted:
    """Read a markdown file; front matter gives a title, a date and a label and is not text.

    Raises:
        InvalidInputError: the bytes are no text.
    """
    text = decode_text(content).replace("\r\n", "\n").replace("\r", "\n")
    front = _FRONT_MATTER.match(text)
    named = _TITLE.search(front[1]) if front else None
    tokens = _get_parser().parse(text[front.end() :] if front else text)
    title, changed_at = named[1] if named else "", _find_date(front[1]) if front else None
    label = _SENSITIVITY.search(front[1]) if front else None
    read = build_extracted(list(_read_blocks(tokens)), file_name=file_name, title=title, changed_at=changed_at)
    return replace(read, sensitivity=clean_label(label[1]) if label else "")


def _find_date(front_matter: str) -> datetime | None:
    written = {name.lower().replace("-", "_"): value for name, value in _DATE.findall(front_matter)}
    return next((found for name in _DATE_NAMES if (found := read_date(written.get(name)))), None)


@lru_cache(maxsize=1)
def _get_parser() -> MarkdownIt:
    # Making one takes as long as reading a page; it holds nothing of what it reads.
    return MarkdownIt("commonmark").enable("table")


def _read_blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    markers: list[str] = []
    table: list[list[str]] = []
    for place, token in enumerate(tokens):
        match token.type:
            case "list_item_open":
                markers.append(f"{token.info}{token.markup}" if token.info else "-")
            case "list_item_close":
                markers.pop()
            case "tr_open":
                table.append([])
            case "table_close":
                yield from build_rows(table)
                table = []
            case "fence" | "code_block":
                yield Block("code", token.content.strip("\n"))
            case "html_block":
                yield from extract_fragment(token.content)
            case "inline":
                text, opener = _read_inline(token), tokens[place - 1]
                if opener.type in ("th_open", "td_open"):
                    table[-1].append(text)
                else:
                    yield _make_block(opener, text, markers)
            case _:
                pass


def _make_block(opener: Token, text: str, markers: Sequence[str]) -> Block:
    if opener.type == "heading_open":
        return Block("heading", text, level=int(opener.tag[1:]))
    if markers:
        return Block("item", f"{markers[-1]} {text}", level=len(markers) - 1)
    return Block("paragraph", text)


def _read_inline(token: Token) -> str:
    """Text as a reader sees it: link text without its address, an image by its description."""
    parts: list[str] = []
    for child in token.children or []:
        match child.type:
            case "text" | "code_inline" | "image":
                parts.append(child.content)
            case "softbreak" | "hardbreak":
                parts.append("\n")
            case _:
                pass
    return "".join(parts).strip()
