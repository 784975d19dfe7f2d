"""Files of a folder with their permissions; nothing is read at listing but names, sizes and access files."""

import asyncio
import os
import time
import unicodedata
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing
from pathlib import Path

from core.errors import InvalidInputError
from retrieval.dates import read_timestamp
from retrieval.formats.registry import get_format
from retrieval.sources.access_rules import AccessRule, find_rule, find_rule_above
from retrieval.sources.aside import list_aside
from retrieval.sources.source import Content, Entry, Failure, GoneError, Listed, Unread

# A file that was written a moment ago can be written again within the clock's grain: its version says nothing yet.
_SETTLED_SECONDS = 2.0
_ATTEMPTS = 3
_TOO_LARGE = "expected at most {:,} bytes, got {:,}; split the file"


class FolderSource:
    """Every readable document below a folder.

    Hidden files are passed over. Symbolic links are not followed but named: a link into a restricted folder
    would show its files under the permissions of the folder that the link lies in, and links can run in circles.
    A folder whose access file is malformed is left out with all below it.

    Args:
        default: who may read where no access file says so.
    """

    kind = "folder"

    def __init__(self, root: Path, *, name: str | None = None, default: AccessRule | None = None) -> None:
        self.root = root.resolve()
        self.name = name or self.root.as_posix()
        self._default = default or AccessRule()

    async def list_entries(self, cursor: str | None) -> AsyncGenerator[Listed]:
        """All files, each time: a file system tells of no changes.

        Raises:
            InvalidInputError: there is no such folder.
        """
        async with aclosing(list_aside(self._walk())) as listed:
            async for one in listed:
                yield one

    async def fetch(self, entry: Entry, *, stored_version: str | None, max_bytes: int) -> Content | None:
        """The file, read twice or thrice where it changes meanwhile.

        Raises:
            GoneError: it is gone, though its folder is there.
            InvalidInputError: too large, unreadable, or written to all the time.
        """
        file = os.fsdecode(entry.handle["file"].encode("latin-1"))
        return await asyncio.to_thread(_read, self.root / file, max_bytes)

    async def close(self) -> None:
        """Nothing is held."""

    def _walk(self) -> Generator[Listed]:
        if not self.root.is_dir():
            name = self.root.name
            raise InvalidInputError(f"expected a folder or file, but there is no {name!r}; is the share mounted")
        try:
            inherited = find_rule_above(self.root, self._default)
        except InvalidInputError as error:
            yield Failure("./", str(error))
            return
        yield from _walk(self.root, inherited)


class FileSource:
    """One file, as a part of its folder's source: what else the folder holds is left as it is."""

    kind = "file"

    def __init__(self, location: Path, *, name: str | None = None, default: AccessRule | None = None) -> None:
        self._folder = FolderSource(location.resolve().parent, name=name, default=default)
        self._location = location.resolve()
        self._default = default or AccessRule()
        self.name = self._folder.name

    async def list_entries(self, cursor: str | None) -> AsyncGenerator[Listed]:
        """The file.

        Raises:
            InvalidInputError: there is none, or the access file for it is malformed.
        """
        location = self._location
        if not location.is_file():
            raise InvalidInputError(f"expected a file, got {location.name!r}, which is none")
        rule = find_rule(location.parent, find_rule_above(location.parent, self._default))
        stat = await asyncio.to_thread(location.stat)
        yield _build_entry(location.name, _normalise(location.name), rule, stat)

    async def fetch(self, entry: Entry, *, stored_version: str | None, max_bytes: int) -> Content | None:
        """As of a folder."""
        return await self._folder.fetch(entry, stored_version=stored_version, max_bytes=max_bytes)

    async def close(self) -> None:
        """Nothing is held."""


def open_path(path: Path, *, name: str | None = None, default: AccessRule | None = None) -> FolderSource | FileSource:
    """The source that a path is."""
    kind = FileSource if path.is_file() else FolderSource
    return kind(path, name=name, default=default)


def _walk(root: Path, inherited: AccessRule) -> Iterator[Listed]:
    """Folder by folder with a stack of one's own: folders may lie deeper than calls can."""
    waiting = [("", "", inherited)]
    while waiting:
        below, prefix, above = waiting.pop()
        try:
            # Before the access file: that of a folder that cannot be opened is not malformed.
            with os.scandir(root / below) as entries:
                yield from _walk_folder(entries, root, below, prefix, above, waiting)
        except OSError as error:
            yield Failure(prefix or "./", f"cannot list the folder: {error.strerror}")
            yield Unread(prefix)


def _walk_folder(
    entries: Iterator[os.DirEntry[str]],
    root: Path,
    below: str,
    prefix: str,
    above: AccessRule,
    waiting: list[tuple[str, str, AccessRule]],
) -> Iterator[Listed]:
    try:
        rule = find_rule(root / below, above)
    except InvalidInputError as error:
        yield Failure(prefix or "./", f"folder left out: {error}")
        return
    is_bare = True
    for entry in entries:
        is_bare = False
        if entry.name.startswith((".", "~$")):
            continue
        path = prefix + _normalise(entry.name)
        if entry.is_dir(follow_symlinks=False):
            waiting.append((os.path.join(below, entry.name), f"{path}/", rule))  # noqa: PTH118
        elif (listed := _look_at(entry, below, path, rule)) is not None:
            yield listed
    if is_bare and not below:
        # What a share leaves behind that is not mounted.
        yield Failure("./", "the folder is bare; mount its share, or leave an .access.json in it if it is empty")
        yield Unread("")


def _look_at(entry: os.DirEntry[str], below: str, path: str, rule: AccessRule) -> Listed | None:
    if entry.is_symlink():
        return Failure(path, "a symbolic link; ingest what it points to instead")
    if not entry.is_file():
        return None
    try:
        get_format(path)
        stat = entry.stat()
    except InvalidInputError as error:
        return Failure(path, str(error))
    except FileNotFoundError:
        return None
    return _build_entry(os.path.join(below, entry.name), path, rule, stat)  # noqa: PTH118


def _build_entry(file: str, path: str, rule: AccessRule, stat: os.stat_result) -> Entry:
    seen = _version_of(stat)
    version = seen if time.time() - stat.st_mtime > _SETTLED_SECONDS else None
    # A name's bytes one by one as characters: they need not be text, and two names may be one in NFC.
    key = os.fsencode(file).decode("latin-1")
    return Entry(
        key,
        path,
        rule,
        version=version,
        size_bytes=stat.st_size,
        handle={"file": key, "seen": seen},
        changed_at=read_timestamp(stat.st_mtime),
    )


def _version_of(stat: os.stat_result) -> str:
    return f"{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}:{stat.st_ino}"


def _read(location: Path, max_bytes: int) -> Content:
    for _ in range(_ATTEMPTS):
        try:
            before = location.stat()
            if before.st_size > max_bytes:
                raise InvalidInputError(_TOO_LARGE.format(max_bytes, before.st_size))
            with location.open("rb") as file:
                content = file.read(max_bytes + 1)
            after = location.stat()
        except FileNotFoundError as error:
            if location.parent.is_dir():
                raise GoneError(f"no file {location.name!r} any more") from error
            raise InvalidInputError("cannot read the file: its folder is gone") from error
        except OSError as error:
            raise InvalidInputError(f"cannot read the file: {error.strerror}") from error
        if _version_of(before) == _version_of(after) and len(content) == after.st_size:
            settled = time.time() - after.st_mtime > _SETTLED_SECONDS
            version = _version_of(after) if settled else None
            return Content(content, version=version, changed_at=read_timestamp(after.st_mtime))
    raise InvalidInputError("the file changes while it is read; it is read again at the next ingest")


def _normalise(name: str) -> str:
    """File names of macOS come decomposed, and may hold bytes that are no text."""
    return unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
