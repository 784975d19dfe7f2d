"""Zip archives of documents: every member as a section under its name, bounded against archives made to burst."""

import io
import zipfile
import zlib
from dataclasses import replace
from datetime import datetime
from pathlib import PurePosixPath

from core.errors import InvalidInputError
from retrieval.dates import check_date
from retrieval.formats.blocks import Extracted, build_extracted
from retrieval.formats.budget import Budget
from retrieval.formats.nested import Nested
from retrieval.formats.package import check_unpacked

_ACCESS_FILE = ".access.json"
_UTF8_NAMES = 0x800
# What packers write that keep no date.
_NO_DATE = (1980, 1, 1)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError, RuntimeError)


def extract_zip(content: bytes, file_name: str, budget: Budget) -> Extracted:
    """Read an archive; nothing is written to disk, and a member that cannot be read is named.

    Raises:
        InvalidInputError: broken, holds permissions of its own, unpacks to too much, or no member could be read.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except _BROKEN as error:
        raise InvalidInputError("expected a zip archive, got a broken one; pack it again") from error
    nested = Nested()
    with archive:
        entries = [(entry, _find_name(entry)) for entry in archive.infolist() if not entry.is_dir()]
        if any(PurePosixPath(name).name == _ACCESS_FILE for _, name in entries):
            raise InvalidInputError(f"{_ACCESS_FILE} is not applied inside an archive; unpack it into the folder")
        check_unpacked(sum(entry.file_size for entry, _ in entries), len(content))
        for entry, name in entries:
            if not _is_hidden(name):
                _read_member(archive, entry, name, nested, budget)
    if not nested.blocks:
        reasons = "; ".join(f"{part.name}: {part.reason}" for part in nested.left_out[:3])
        raise InvalidInputError(f"no document in the archive could be read{reasons and ': '}{reasons}")
    title = PurePosixPath(file_name).stem
    extracted = build_extracted(nested.blocks, file_name=file_name, title=title)
    return replace(extracted, left_out=nested.left_out, needs_ocr=nested.needs_ocr, changed_at=nested.changed_at)


def _find_name(entry: zipfile.ZipInfo) -> str:
    """Names without the UTF-8 mark are CP949 where Korean Windows packed them; the module reads them as CP437."""
    if entry.flag_bits & _UTF8_NAMES:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        pass
    try:
        return entry.filename.encode("cp437").decode("cp949").replace("\\", "/")
    except UnicodeError:
        return entry.filename


def _is_hidden(name: str) -> bool:
    parts = [part for part in PurePosixPath(name).parts if part != ".."]
    return any(part.startswith((".", "~$", "__MACOSX")) for part in parts)


def _read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, nested: Nested, budget: Budget) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        nested.leave_out(name, "expected a path inside the archive, got one that leads out of it; pack it again")
        return
    if entry.flag_bits & 1:
        nested.leave_out(name, "is encrypted; pack it without a password")
        return
    budget.take(entry.file_size)
    try:
        content = archive.read(entry)
    except _BROKEN:
        nested.leave_out(name, "is broken inside the archive; pack it again")
        return
    nested.read(content, name, budget, changed_at=_find_date(entry))


def _find_date(entry: zipfile.ZipInfo) -> datetime | None:
    """Of the packing machine's clock, taken as UTC: an archive does not say its zone."""
    try:
        return check_date(datetime(*entry.date_time)) if entry.date_time[:3] > _NO_DATE else None
    except ValueError:
        return None
