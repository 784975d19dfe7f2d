"""The parent's side of reading in a child process."""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from core.errors import InvalidInputError
from retrieval.formats.blocks import MAX_TEXT_CHARACTERS, Extracted
from retrieval.formats.child import decode

log = logging.getLogger(__name__)

PROJECT = Path(__file__).parents[2]
MEMORY_BYTES = 3_000_000_000
CPU_SECONDS = 300
# Text recognition of 500 pages takes half an hour, in processes of its own.
_FILE_SECONDS = 3600
# No answer is longer: six bytes for a character that JSON escapes, and as much again for what is around the text.
_MAX_ANSWER_BYTES = MAX_TEXT_CHARACTERS * 12


class Reader:
    """Reads files one at a time in a child process, started when first needed and again after a file that ended it.

    Args:
        child: module that answers; see `child.py`.
        greeting: what the child is told first, as a line of JSON.
        memory_bytes: of address space, the libraries' own included; held on Linux only.
        cpu_seconds: of computing for one file.
    """

    def __init__(
        self,
        *,
        child: str = "retrieval.formats.child",
        greeting: Mapping[str, Any] | None = None,
        memory_bytes: int = MEMORY_BYTES,
        cpu_seconds: int = CPU_SECONDS,
    ) -> None:
        self._child = child
        self._greeting = b"" if greeting is None else json.dumps(greeting).encode() + b"\n"
        self._limits = (memory_bytes, cpu_seconds)
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A thread that is between two files must not start another child.
        self._ended = True
        self.close()

    def read(self, content: bytes, path: str) -> Extracted:
        """Blocks until the file is read; not for several threads at once.

        Raises:
            InvalidInputError: unknown format, the file is broken, encrypted or binary, or its parser crashed or went
                over its limits of memory and time.
        """
        with closing(self.ask(content, path)) as answer:
            return decode(next(answer))

    def ask(self, content: bytes, path: str) -> Generator[dict[str, Any]]:
        """The child's answer, line by line as it comes; a taker that stops half-way ends the child.

        Raises:
            InvalidInputError: as for `read`.
        """
        process = self._start()
        assert process.stdin and process.stdout
        timer = threading.Timer(_FILE_SECONDS, process.kill)
        timer.start()
        more = 1
        try:
            self._send(process, content, path)
            while more:
                answer = self._receive(process, path)
                more += int(answer.get("more", 0)) - 1
                yield answer
        except InvalidInputError:
            more = 0
            raise
        finally:
            timer.cancel()
            if more:
                self.close()

    def _send(self, process: subprocess.Popen[bytes], content: bytes, path: str) -> None:
        assert process.stdin
        # A child that ended is met again where its answer is read.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps({"path": path, "bytes": len(content)}).encode() + b"\n" + content)
            process.stdin.flush()

    def _receive(self, process: subprocess.Popen[bytes], path: str) -> dict[str, Any]:
        assert process.stdout
        line = process.stdout.readline(_MAX_ANSWER_BYTES)
        if not line.endswith(b"\n"):
            raise InvalidInputError(self._bury(path))
        answer = json.loads(line)
        if "error" in answer:
            raise InvalidInputError(answer["error"])
        if "failure" in answer:
            log.error("a parser failed", extra={"path": path, "error": answer["failure"], "where": answer["where"]})
            raise InvalidInputError(f"cannot be read as {path.rsplit('.', 1)[-1]}: {answer['failure']}")
        return answer

    def close(self) -> None:
        """End the child, at whatever it is."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    if pipe:
                        pipe.close()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            if self._ended:
                raise InvalidInputError("was not read: the reader has ended; ingest again")
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._child, *map(str, self._limits)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])},
            )
            assert self._process.stdin
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(self._greeting)
        return self._process

    def _bury(self, path: str) -> str:
        """Why the child ended, in words."""
        process = self._process
        self.close()
        code = process.returncode if process else None
        log.error("a parser ended its process", extra={"path": path, "code": code})
        if code == -signal.SIGXCPU:
            return f"takes more than {self._limits[1]} s of computing to read; split the file"
        return f"broke its parser (code {code}); open it in its program and save it again"
