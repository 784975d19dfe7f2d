"""How far a long command is: a bar on a terminal, and a line now and then where there is none."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.progress import Progress

from cli.output import notes, say

LINE_SECONDS = 15.0


@contextmanager
def count_progress(
    what: str, total: int, *, quiet: bool, line_seconds: float = LINE_SECONDS
) -> Generator[Callable[[], None]]:
    """Call what it gives after each of `total` steps.

    Args:
        line_seconds: at least so long between two lines.
    """
    done, said_at = 0, time.monotonic()
    with Progress(console=notes, disable=quiet or not notes.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total)

        def advance() -> None:
            nonlocal done, said_at
            done += 1
            bar.advance(task)
            if not notes.is_terminal and time.monotonic() >= said_at + line_seconds:
                said_at = time.monotonic()
                say(f"{what}: {done} of {total}", quiet=quiet)

        yield advance
