"""How far a long command is: a bar on a terminal, and a line now and then where there is none."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.progress import Progress

from cli.output import notes, say

LINE_SECONDS = 15.0


class ProgressLines:
    """Lines on standard error where it is no terminal, at least so many seconds from one to the next."""

    def __init__(self, *, quiet: bool, line_seconds: float = LINE_SECONDS) -> None:
        self._is_silent = quiet or notes.is_terminal
        self._line_seconds = line_seconds
        self._said_at = time.monotonic()

    def tell(self, what: str, done: int, total: int) -> None:
        """Say how far it is, unless that was said just now."""
        if not self._is_silent and time.monotonic() >= self._said_at + self._line_seconds:
            self._said_at = time.monotonic()
            say(f"{what}: {done} of {total}")


@contextmanager
def count_progress(
    what: str, total: int, *, quiet: bool, line_seconds: float = LINE_SECONDS
) -> Generator[Callable[[], None]]:
    """Call what it gives after each of `total` steps.

    Args:
        line_seconds: at least so long between two lines.
    """
    done, lines = 0, ProgressLines(quiet=quiet, line_seconds=line_seconds)
    with Progress(console=notes, disable=quiet or not notes.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total)

        def advance() -> None:
            nonlocal done
            done += 1
            bar.advance(task)
            lines.tell(what, done, total)

        yield advance
