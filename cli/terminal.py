"""Lines that a person types, so that Ctrl-C ends the waiting for one."""

import asyncio
import sys


async def read_line() -> str:
    """The next line with its end; empty at the end of the input."""
    if sys.stdin.isatty():
        await _wait_for_terminal()
    return await asyncio.to_thread(sys.stdin.readline)


async def _wait_for_terminal() -> None:
    """Until a line can be read. A thread that reads a terminal cannot be cancelled: Ctrl-C would wait for Enter."""
    arrived = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(sys.stdin)
