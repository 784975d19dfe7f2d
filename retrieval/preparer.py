"""The parent's side of reading and cutting in a child process."""

import hashlib
from collections.abc import Generator
from contextlib import closing
from typing import Any, Self, cast

from core.errors import InvalidInputError
from core.prompt import Language
from core.text import clean_text
from retrieval.chunking import Chunk
from retrieval.dates import read_date
from retrieval.embedding import Embedder
from retrieval.formats.blocks import LeftOut
from retrieval.formats.reader import Reader
from retrieval.formats.registry import get_format
from retrieval.lexical import find_whole
from retrieval.prepare import PreparedChunk, PreparedDocument, build_chunk

# Of address space: the Korean analyser reserves 1.4 GB, beside which a parser has what `reader.py` grants.
MEMORY_BYTES = 4_500_000_000


class Preparer:
    """Prepares files one at a time; as a context manager, it ends its child.

    Args:
        max_tokens: longest chunk, in tokens of the embedding model.
    """

    def __init__(self, embedder: Embedder, *, max_tokens: int, memory_bytes: int = MEMORY_BYTES) -> None:
        self._embedder = embedder
        self._max_tokens = max_tokens
        self._memory_bytes = memory_bytes
        self._reader: Reader | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._reader:
            self._reader.__exit__(*error)

    def prepare(self, content: bytes, path: str) -> tuple[PreparedDocument, list[LeftOut]]:
        """A file, and what of it could not be read. Blocks; not for several threads at once. Loads the model at first.

        Raises:
            InvalidInputError: unknown format, broken, encrypted, binary, empty, over a limit of size, memory or time.
        """
        format_name = get_format(path)
        with closing(self._get_reader().ask(content, path)) as answer:
            try:
                return _build(answer, format_name, hashlib.sha256(content).hexdigest())
            # Not what the child sends, as long as no file has taken it over.
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise InvalidInputError("broke its parser; open it in its program and save it again") from error

    def _get_reader(self) -> Reader:
        if self._reader is None:
            own = {"max_tokens": self._max_tokens, "words": find_whole()}
            greeting = {**self._embedder.describe_tokens(), **own}
            self._reader = Reader(child="retrieval.prepare_child", greeting=greeting, memory_bytes=self._memory_bytes)
        return self._reader


def _build(answer: Generator[dict[str, Any]], format_name: str, sha256: str) -> tuple[PreparedDocument, list[LeftOut]]:
    head = next(answer)
    title, text = str(head["title"]), str(head["text"])
    document = PreparedDocument(
        title=title,
        format=format_name,
        language=cast(Language, str(head["language"])),
        sha256=sha256,
        recipe=str(head["recipe"]),
        text=text,
        chunks=[_build_chunk(title, text, part) for part in answer],
        sensitivity=clean_text(str(head["sensitivity"])),
        changed_at=read_date(head["changed_at"]),
    )
    return document, [LeftOut(str(name), str(reason)) for name, reason in head["left_out"]]


def _build_chunk(title: str, text: str, part: dict[str, Any]) -> PreparedChunk:
    heading_path, page, start, end = part["place"]
    chunk = Chunk(str(heading_path), page, start, end, text[start:end])
    return build_chunk(title, chunk, cast(Language, str(part["language"])), part["terms"])
