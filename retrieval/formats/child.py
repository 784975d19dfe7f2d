"""Reading files in a child process: a parser that crashes, hangs or swallows memory takes one file with it.

The child reads from stdin a line of JSON (`path`, `bytes`) and that many bytes, answers with a line of JSON and as
many more as its `more` says, and ends with its stdin. It answers in JSON and not by pickle, so that a hostile file that
takes it over gains nothing here.
"""

import contextlib
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from core.errors import InvalidInputError
from retrieval.dates import read_date
from retrieval.formats.blocks import MAX_TEXT_CHARACTERS, Block, Extracted, LeftOut
from retrieval.formats.registry import extract

Answer = Iterator[dict[str, Any]]


def serve(answer: Callable[[bytes, str], Answer], memory_bytes: int, cpu_seconds: int) -> None:
    """Answer until stdin ends, with that much memory, and that much computing for each file."""
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # Several threads on one page are slower than one where cores are few, and slow the service's answers.
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    while line := sys.stdin.buffer.readline():
        allow_seconds(cpu_seconds)
        asked = json.loads(line)
        for part in _catch(answer, sys.stdin.buffer.read(asked["bytes"]), asked["path"]):
            answers.write(json.dumps(part).encode() + b"\n")
        answers.flush()


def _catch(answer: Callable[[bytes, str], Answer], content: bytes, path: str) -> Answer:
    """The answer, or as far as it comes and why not further."""
    try:
        yield from answer(content, path)
    except InvalidInputError as error:
        yield {"error": str(error)}
    except MemoryError:
        yield {"error": "takes too much memory to read; split the file"}
    # One file can break its parser in ways nobody listed; it must not take the others with it.
    except (Exception, RecursionError) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        yield {"failure": type(error).__name__, "where": f"{where.filename}:{where.lineno}"}


def _read(content: bytes, path: str) -> Answer:
    yield encode(extract(content, path))


def allow_seconds(seconds: int) -> None:
    """Let the system end this process after that much more computing."""
    # Not by getrusage, which counts the memory's pages too: a millisecond or two.
    limit = int(time.process_time()) + seconds + 1
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def encode(extracted: Extracted) -> dict[str, Any]:
    """What was read, as JSON has it.

    Raises:
        InvalidInputError: it is more text than a document has.
    """
    characters = sum(len(block.text) for block in extracted.blocks)
    if characters > MAX_TEXT_CHARACTERS:
        raise InvalidInputError(f"expected at most {MAX_TEXT_CHARACTERS:,} characters, got {characters:,}; split it")
    return {
        "title": extracted.title,
        "blocks": [[block.kind, block.text, block.level, block.page] for block in extracted.blocks],
        "left_out": [[part.name, part.reason] for part in extracted.left_out],
        "needs_ocr": extracted.needs_ocr,
        "sensitivity": extracted.sensitivity,
        "changed_at": extracted.changed_at and extracted.changed_at.isoformat(),
    }


def decode(answer: dict[str, Any]) -> Extracted:
    """The other way."""
    return Extracted(
        str(answer["title"]),
        [Block(*block) for block in answer["blocks"]],
        [LeftOut(*part) for part in answer["left_out"]],
        bool(answer["needs_ocr"]),
        str(answer["sensitivity"]),
        read_date(answer["changed_at"]),
    )


if __name__ == "__main__":
    serve(_read, int(sys.argv[1]), int(sys.argv[2]))
