"""A way to PostgreSQL that can be cut, hang or be slow, as a network is; bytes go through it unread."""

import asyncio
import contextlib
from pathlib import Path
from typing import Self

CHUNK_BYTES = 64 * 1024


class Proxy:
    """Listens on loopback and passes everything on to a server's socket.

    Attributes:
        port: where it listens.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._open = asyncio.Event()
        self._open.set()
        self._delay_seconds = 0.0
        self._is_cut = False
        self._ways: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self.cut()

    async def cut(self, seconds: float = 0.0) -> None:
        """End every connection, and let none in for a while."""
        self._is_cut = True
        ways = list(self._ways)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await asyncio.sleep(seconds)
        self._is_cut = False

    async def hang(self, seconds: float) -> None:
        """Say nothing for a while; what was said meanwhile arrives afterwards."""
        self._open.clear()
        await asyncio.sleep(seconds)
        self._open.set()

    async def slow(self, seconds: float, *, delay_seconds: float = 0.05) -> None:
        """Let everything take longer, for a while."""
        self._delay_seconds = delay_seconds
        await asyncio.sleep(seconds)
        self._delay_seconds = 0.0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        way = asyncio.current_task()
        assert way
        self._ways.add(way)
        try:
            if not self._is_cut:
                await self._join(reader, writer)
        except (OSError, asyncio.CancelledError, ExceptionGroup):
            pass
        finally:
            self._ways.discard(way)
            # At once: a cut way does not say goodbye.
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(str(self._socket))
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, far_writer))
                both.create_task(self._pump(far_reader, writer))
        finally:
            far_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            await self._open.wait()
            if self._delay_seconds:
                await asyncio.sleep(self._delay_seconds)
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()
        raise ConnectionResetError
