"""Reading in a child process: the same result, and what ends the child costs one file."""

import os
import signal
from collections.abc import Iterator

import pytest

from core.errors import InvalidInputError
from retrieval.formats.reader import Reader
from retrieval.formats.registry import extract
from tests.retrieval.formats.test_zip import pack

SLOW = b"- *a* [b](c) `d`\n\n" * 200_000


@pytest.fixture
def reader() -> Iterator[Reader]:
    with Reader() as reader:
        yield reader


def test_the_child_reads_what_the_parent_would(reader: Reader) -> None:
    content = pack({"휴가.md": "# 휴가\n\n연차 \ud83d는 15일".encode("utf-8", "replace"), "logo.svg": b""})
    assert reader.read(content, "a.zip") == extract(content, "a.zip")


def test_an_error_of_a_file_is_the_same_error_here(reader: Reader) -> None:
    with pytest.raises(InvalidInputError, match="expected text, got a binary file"):
        reader.read(b"\x00", "a.txt")
    assert reader.read(b"words", "b.txt").title == "b"


def test_a_file_that_computes_too_long_is_ended_and_the_next_is_read() -> None:
    with Reader(cpu_seconds=1) as reader:
        with pytest.raises(InvalidInputError, match="more than 1 s of computing to read; split the file"):
            reader.read(SLOW, "slow.md")
        assert reader.read(b"words", "b.txt").title == "b"


def test_a_file_that_takes_too_much_memory_is_named_and_the_next_is_read() -> None:
    with Reader(memory_bytes=250_000_000) as reader:
        with pytest.raises(InvalidInputError, match=r"too much memory|broke its parser"):
            reader.read(SLOW, "large.md")
        assert reader.read(b"words", "b.txt").title == "b"


def test_a_child_that_was_killed_is_started_again(reader: Reader) -> None:
    reader.read(b"words", "a.txt")
    process = reader._process
    assert process
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert reader.read(b"words", "b.txt").title == "b"
