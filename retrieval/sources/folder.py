"""Files of a folder with their permissions; nothing is read but names, sizes and access files."""

import os
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InvalidInputError
from retrieval.formats.registry import get_format
from retrieval.sources.access_rules import AccessRule, find_rule, find_rule_above


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read.

    Attributes:
        path: below the source, with forward slashes, NFC.
        location: where it lies.
    """

    path: str
    location: Path
    rule: AccessRule


@dataclass(frozen=True, slots=True)
class Failure:
    """A file or folder that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds now.

    Attributes:
        root: the folder; that of the file where one file was asked for.
        unread: folders, ending in `/`, that could not be listed: whether their files are gone is not known.
    """

    root: Path
    files: list[SourceFile] = field(default_factory=list[SourceFile])
    failures: list[Failure] = field(default_factory=list[Failure])
    unread: list[str] = field(default_factory=list[str])


def list_path(path: Path, default: AccessRule) -> Listing:
    """Documents of a folder, or one file.

    Raises:
        InvalidInputError: neither, or the access file of a single file is malformed.
    """
    return list_file(path, default) if path.is_file() else list_folder(path, default)


def list_folder(root: Path, default: AccessRule) -> Listing:
    """Every readable document below a folder, in order of its path.

    Hidden files are passed over. Symbolic links are not followed but named: a link into a restricted folder
    would show its files under the permissions of the folder that the link lies in, and links can run in circles.
    A folder whose access file is malformed is left out with all below it.

    Raises:
        InvalidInputError: there is no such folder.
    """
    if not root.is_dir():
        raise InvalidInputError(f"expected a folder or file, but there is no {root.name!r}; is the share mounted")
    listing = Listing(root)
    try:
        _list(root, "", find_rule_above(root, default), listing)
    except InvalidInputError as error:
        listing.failures.append(Failure("./", str(error)))
    listing.files.sort(key=lambda file: file.path)
    return listing


def list_file(location: Path, default: AccessRule) -> Listing:
    """One file as a source of its folder.

    Raises:
        InvalidInputError: there is no such file, or its access file is malformed.
    """
    if not location.is_file():
        raise InvalidInputError(f"expected a file, got {location.name!r}, which is none")
    rule = find_rule(location.parent, find_rule_above(location.parent, default))
    return Listing(location.parent, [SourceFile(_normalise(location.name), location, rule)])


def _list(folder: Path, prefix: str, inherited: AccessRule, listing: Listing) -> None:
    try:
        rule = find_rule(folder, inherited)
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except InvalidInputError as error:
        listing.failures.append(Failure(prefix or "./", f"folder left out: {error}"))
        return
    except OSError as error:
        listing.failures.append(Failure(prefix or "./", f"cannot list the folder: {error.strerror}"))
        listing.unread.append(prefix)
        return
    for entry in entries:
        if not entry.name.startswith((".", "~$")):
            _list_entry(entry, prefix, rule, listing)


def _list_entry(entry: os.DirEntry[str], prefix: str, rule: AccessRule, listing: Listing) -> None:
    path = prefix + _normalise(entry.name)
    if entry.is_symlink():
        listing.failures.append(Failure(path, "a symbolic link; ingest what it points to instead"))
    elif entry.is_dir():
        _list(Path(entry.path), f"{path}/", rule, listing)
    elif entry.is_file():
        try:
            get_format(path)
        except InvalidInputError as error:
            listing.failures.append(Failure(path, str(error)))
            return
        listing.files.append(SourceFile(path, Path(entry.path), rule))


def _normalise(name: str) -> str:
    """File names of macOS come decomposed, and may hold bytes that are no text."""
    return unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
