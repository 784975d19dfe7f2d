"""The parent's side of reading in a child process."""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

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
        memory_bytes: of address space, the libraries' own included; held on Linux only.
        cpu_seconds: of computing for one file.
    """

    def __init__(self, *, memory_bytes: int = MEMORY_BYTES, cpu_seconds: int = CPU_SECONDS) -> None:
        self._limits = (memory_bytes, cpu_seconds)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, content: bytes, path: str) -> Extracted:
        """Blocks until the file is read; not for several threads at once.

        Raises:
            InvalidInputError: unknown format, the file is broken, encrypted or binary, or its parser crashed or went
                over its limits of memory and time.
        """
        process = self._start()
        assert process.stdin and process.stdout
        timer = threading.Timer(_FILE_SECONDS, process.kill)
        timer.start()
        try:
            process.stdin.write(json.dumps({"path": path, "bytes": len(content)}).encode() + b"\n" + content)
            process.stdin.flush()
            line = process.stdout.readline(_MAX_ANSWER_BYTES)
        except BrokenPipeError:
            line = b""
        finally:
            timer.cancel()
        if not line.endswith(b"\n"):
            raise InvalidInputError(self._bury(path))
        answer = json.loads(line)
        if "error" in answer:
            raise InvalidInputError(answer["error"])
        if "failure" in answer:
            log.error("a parser failed", extra={"path": path, "error": answer["failure"], "where": answer["where"]})
            raise InvalidInputError(f"cannot be read as {path.rsplit('.', 1)[-1]}: {answer['failure']}")
        return decode(answer)

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
            self._process = subprocess.Popen(
                [sys.executable, "-m", "retrieval.formats.child", *map(str, self._limits)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])},
            )
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
