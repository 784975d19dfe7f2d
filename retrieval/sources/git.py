"""A Git repository at a branch, tag or commit, through the `git` command; only changed files are read again."""

import asyncio
import base64
import logging
import os
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

from core.errors import InvalidInputError
from retrieval.dates import read_timestamp
from retrieval.formats.registry import get_format
from retrieval.sources.access_rules import FILE_NAME, AccessRule, parse_rule
from retrieval.sources.source import Content, Cursor, CursorError, Entry, Failure, Listed, SourceAwayError

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 600
_PIECE_BYTES = 65_536
_MAX_NAME_BYTES = 100_000
_LINK, _SUBMODULE = "120000", "160000"
_LFS = b"version https://git-lfs.github.com/spec/"
_OURS = "refs/nightbake/head"
_COMMIT = b"\x01"
# Whatever the machine's or a repository's settings say: no questions, no hooks, no transport that runs commands.
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}


class GitSource:
    """Files of one commit. `.access.json` files in the repository say who may read, as in a folder.

    Args:
        location: a folder with a clone, which is only read, or an address to fetch from.
        ref: branch, tag or commit.
        cache: folder for what is fetched from an address; its history, for the dates, lies beside it.
        default: who may read where no access file says so: the service that hosts the repository is not asked.
        token: for https, as the password of a user that the host does not look at.
    """

    kind = "git"

    def __init__(
        self, name: str, location: str, *, ref: str, cache: Path, default: AccessRule, token: str | None = None
    ) -> None:
        self.name = name
        self._location = location
        self._ref = ref
        self._is_local = Path(location).is_dir()
        self._repository = Path(location).resolve() if self._is_local else cache
        self._history = self._repository if self._is_local else cache.with_name(f"{cache.name}.history")
        self._default = default
        self._token = token

    async def list_entries(self, cursor: str | None) -> AsyncGenerator[Listed]:
        """Files of the commit that the ref names now; nothing where it is that of the cursor.

        Raises:
            SourceAwayError: the address cannot be reached, or has no such ref.
            CursorError: the ref names another commit now.
        """
        commit = await self._find_commit()
        if commit == cursor:
            yield Cursor(commit)
            return
        if cursor is not None:
            # In full, which git does in a second: a file's version is its blob, so only what changed is read.
            raise CursorError("the commit is another one")
        rules, dates = await self._read_rules(commit), await self._find_dates(commit)
        async with aclosing(self._list_tree(commit)) as found:
            async for mode, blob, size, path in found:
                for listed in _look_at(mode, blob, size, path, rules, self._default):
                    yield replace(listed, changed_at=dates.get(path)) if isinstance(listed, Entry) else listed
        for folder, rule in rules.items():
            if isinstance(rule, str):
                yield Failure(f"{folder}/" if folder else "./", f"folder left out: {rule}")
        yield Cursor(commit)

    async def fetch(self, entry: Entry, *, stored_version: str | None, max_bytes: int) -> Content | None:
        """One file's content.

        Raises:
            InvalidInputError: it lies in Git LFS, or is too large.
        """
        content = await self._run("cat-file", "blob", entry.handle["blob"], max_bytes=max_bytes)
        if content.startswith(_LFS):
            raise InvalidInputError("lies in Git LFS, which is not fetched; put the folder of a full checkout instead")
        return Content(content, version=entry.version)

    async def close(self) -> None:
        """Nothing is held."""

    async def _find_commit(self) -> str:
        if self._is_local:
            return (
                (await self._run("rev-parse", "--verify", "--end-of-options", f"{self._ref}^{{commit}}"))
                .decode()
                .strip()
            )
        # One commit without its history; blobs that we have already do not come again.
        await self._fetch_into(self._repository, "--depth=1")
        return (await self._run("rev-parse", "--verify", f"{_OURS}^{{commit}}")).decode().strip()

    async def _fetch_into(self, repository: Path, extent: str) -> None:
        if not (repository / "HEAD").exists():
            await asyncio.to_thread(repository.mkdir, parents=True, exist_ok=True)
            await self._run("init", "--quiet", "--bare", repository=repository)
        await self._run(
            "fetch", "--quiet", extent, "--no-tags", "--force", "--end-of-options",
            self._location, f"{self._ref}:{_OURS}",
            repository=repository,
        )  # fmt: skip

    async def _find_dates(self, commit: str) -> dict[str, datetime | None]:
        """Of each file, when the last commit or merge that changed it came; as far as the history goes."""
        wanted: set[str] = set()
        async with aclosing(self._list_tree(commit)) as found:
            async for _, _, _, path in found:
                wanted.add(path)
        dates: dict[str, datetime | None] = {}
        try:
            if not self._is_local:
                # Commits and folders, no contents: where the host cannot leave those out, they come as well.
                await self._fetch_into(self._history, "--filter=blob:none")
            async with aclosing(self._list_changes(commit)) as changes:
                async for changed_at, path in changes:
                    if path in wanted:
                        wanted.remove(path)
                        dates[path] = changed_at
                    if not wanted:
                        break
        except (SourceAwayError, InvalidInputError) as error:
            log.warning("dates of files unknown", extra={"source": self.name, "reason": str(error)})
        return dates

    async def _list_changes(self, commit: str) -> AsyncGenerator[tuple[datetime | None, str]]:
        """Dates of commits with the files that they changed, the newest first."""
        arguments = ("--first-parent", "-m", "--no-renames", "--name-only", "-z", "--format=%x01%ct", commit)
        # A cut history's first commit seems to have made every file.
        said = self._stream("log", *arguments, "--not", *await self._find_ends(), repository=self._history)
        changed_at = None
        async with aclosing(said) as lines:
            async for line in lines:
                if line.startswith(_COMMIT) and line[1:].isdigit():
                    changed_at = read_timestamp(int(line[1:]))
                else:
                    yield changed_at, line.removeprefix(b"\n").decode("utf-8", "replace")

    async def _find_ends(self) -> list[str]:
        said = await self._run("rev-parse", "--git-path", "shallow", repository=self._history)
        shallow = self._history / os.fsdecode(said.rstrip(b"\n"))
        return (await asyncio.to_thread(shallow.read_text)).split() if shallow.exists() else []

    async def _read_rules(self, commit: str) -> dict[str, AccessRule | str]:
        """Access files by folder (empty is the root); of a malformed one, what is wrong."""
        rules: dict[str, AccessRule | str] = {}
        async with aclosing(self._list_tree(commit)) as found:
            async for mode, blob, _, path in found:
                if PurePosixPath(path).name == FILE_NAME and mode not in (_LINK, _SUBMODULE):
                    folder = path[: -len(FILE_NAME)].rstrip("/")
                    try:
                        rules[folder] = parse_rule(await self._run("cat-file", "blob", blob))
                    except InvalidInputError as error:
                        rules[folder] = str(error)
        return rules

    async def _list_tree(self, commit: str) -> AsyncGenerator[tuple[str, str, int, str]]:
        """Mode, blob, size in bytes and path of each file, as they come out of git."""
        async with aclosing(self._stream("ls-tree", "-r", "-z", "-l", "--full-tree", commit)) as lines:
            async for line in lines:
                head, _, name = line.partition(b"\t")
                mode, _, blob, size = head.decode().split()
                yield mode, blob, int(size) if size.isdigit() else 0, name.decode("utf-8", "replace")

    async def _stream(self, *arguments: str, repository: Path | None = None) -> AsyncGenerator[bytes]:
        """Records that end in a zero byte."""
        rest = b""
        async with self._start(arguments, repository) as (process, said, errors):
            while piece := await said.read(_PIECE_BYTES):
                *records, rest = (rest + piece).split(b"\0")
                for record in records:
                    yield record
                if len(rest) > _MAX_NAME_BYTES:
                    raise SourceAwayError("expected names of files from git, got one without an end")
            await self._check(await process.wait(), arguments, errors)

    async def _run(self, *arguments: str, max_bytes: int = 10_000_000, repository: Path | None = None) -> bytes:
        pieces: list[bytes] = []
        size = 0
        try:
            async with (
                asyncio.timeout(_TIMEOUT_SECONDS),
                self._start(arguments, repository) as (process, said, errors),
            ):
                while piece := await said.read(_PIECE_BYTES):
                    size += len(piece)
                    if size > max_bytes:
                        raise InvalidInputError(f"expected at most {max_bytes:,} bytes, got more; split the file")
                    pieces.append(piece)
                await self._check(await process.wait(), arguments, errors)
        except TimeoutError as error:
            raise SourceAwayError(f"git {arguments[0]} took more than {_TIMEOUT_SECONDS} s") from error
        return b"".join(pieces)

    @asynccontextmanager
    async def _start(
        self, arguments: tuple[str, ...], repository: Path | None
    ) -> AsyncGenerator[tuple[asyncio.subprocess.Process, asyncio.StreamReader, IO[bytes]]]:
        """Git at work, its output and its complaints; killed when the block is left before its end."""
        # To a file: a pipe that nobody reads would stop a git with much to complain about.
        with tempfile.TemporaryFile() as errors:
            try:
                process = await asyncio.create_subprocess_exec(
                    "git",
                    "-c",
                    "core.hooksPath=/dev/null",
                    *arguments,
                    cwd=repository or self._repository,
                    env={**os.environ, **_ENVIRONMENT, **_authorise(self._token)},
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=errors,
                )
            except FileNotFoundError as error:
                raise SourceAwayError("expected the git command, found none; install git") from error
            assert process.stdout is not None
            try:
                yield process, process.stdout, errors
            finally:
                if process.returncode is None:
                    process.kill()
                    # A pipe is closed by its end being read.
                    while await process.stdout.read(_PIECE_BYTES):
                        pass
                    await process.wait()

    async def _check(self, code: int | None, arguments: tuple[str, ...], errors: IO[bytes]) -> None:
        if code == 0:
            return
        errors.seek(0)
        said = errors.read(2000).decode("utf-8", "replace").strip().splitlines()
        raise SourceAwayError(f"git {arguments[0]} failed: {said[-1] if said else f'code {code}'}")


def _look_at(
    mode: str, blob: str, size: int, path: str, rules: Mapping[str, AccessRule | str], default: AccessRule
) -> list[Listed]:
    if any(part.startswith((".", "~$")) for part in path.split("/")):
        return []
    if mode in (_LINK, _SUBMODULE):
        return [Failure(path, "a symbolic link" if mode == _LINK else "a submodule; make it a source of its own")]
    rule = _find_rule(path, rules, default)
    if rule is None:
        return []
    try:
        get_format(path)
    except InvalidInputError as error:
        return [Failure(path, str(error))]
    return [Entry(path, path, rule, version=blob, size_bytes=size, handle={"blob": blob})]


def _find_rule(path: str, rules: Mapping[str, AccessRule | str], default: AccessRule) -> AccessRule | None:
    """The nearest access file's; None below a malformed one, which hides its folder whatever lies deeper."""
    folders = ["", *("/".join(path.split("/")[:depth]) for depth in range(1, path.count("/") + 1))]
    nearest = default
    for folder in folders:
        rule = rules.get(folder)
        if isinstance(rule, str):
            return None
        nearest = rule or nearest
    return nearest


def _authorise(token: str | None) -> dict[str, str]:
    """By the environment: what stands on a command line, every user of the machine can read."""
    if not token:
        return {}
    encoded = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {encoded}",
    }
