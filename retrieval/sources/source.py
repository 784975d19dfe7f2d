"""What every source of documents can do: say what it holds, who may read it, and what changed since."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from core.errors import NightbakeError
from retrieval.sources.access_rules import AccessRule


class SourceAwayError(NightbakeError):
    """A source does not answer or refuses us; whatever it holds is taken to be there still."""


class GoneError(NightbakeError):
    """A document that was listed is no longer there."""


class CursorError(NightbakeError):
    """The source cannot say what changed since this cursor; it is to be listed in full."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of a source, before it is read.

    Attributes:
        key: the source's own id of it; the same after it was renamed.
        path: below the source, with forward slashes, NFC, unique in the source; its suffix names the format.
        rule: who may read it, never wider than the source says.
        version: changes when the content does; None where only reading can tell.
        size_bytes: None where the source does not say.
        handle: what `fetch` needs besides; kept as JSON until then.
        changed_at: when its content last changed; None where the source does not say. It is stored at once, and a new
            one alone makes nothing be read.
    """

    key: str
    path: str
    rule: AccessRule
    version: str | None = None
    size_bytes: int | None = None
    handle: Mapping[str, Any] = field(default_factory=dict[str, Any])
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A file or folder that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A folder, ending in `/` (empty is all), that could not be listed: whether its files are gone is not known."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Removed:
    """An entry that is gone, in a listing of changes; of a full one it goes without saying."""

    key: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next listing may go on, once all before it is stored; the last thing that a listing says."""

    value: str


Listed = Entry | Failure | Unread | Removed | Cursor


@dataclass(frozen=True, slots=True)
class Content:
    """A document as read.

    Attributes:
        version: what to remember it by, mostly the entry's; None reads it again at the next run.
        file_name: to read it by, where the entry's path has not the suffix of its format.
        sensitivity: name of the label that the source gives it; empty where the file's own counts.
        changed_at: as of the entry, where reading tells it or tells it better.
    """

    content: bytes
    version: str | None = None
    file_name: str | None = None
    sensitivity: str = ""
    changed_at: datetime | None = None


class Source(Protocol):
    """A place that documents come from.

    Permissions travel with the entries: principals are `user:<email>`, `group:<name>` and `everyone`; whom the source
    names in another way is left out, so that nobody reads more than the source lets them.

    Attributes:
        name: of its documents in the database; another name is another source.
        kind: `folder`, `git`, …
    """

    name: str
    kind: str

    def list_entries(self, cursor: str | None) -> AsyncGenerator[Listed]:
        """What the source holds, one by one, never all in memory; after a cursor only what changed since.

        A source that can only tell whether something changed gives nothing but the cursor where nothing did, and
        raises CursorError otherwise. A full listing (no cursor) that ends without an error is complete: what it did
        not name is gone.

        Raises:
            SourceAwayError: it does not answer, now or half-way; nothing counts as gone.
            CursorError: the cursor is too old.
            InvalidInputError: what is configured does not exist there.
        """
        ...

    async def fetch(self, entry: Entry, *, stored_version: str | None, max_bytes: int) -> Content | None:
        """One document; None where it is still as `stored_version` says.

        Raises:
            GoneError: it is no longer there.
            SourceAwayError: the source does not answer.
            InvalidInputError: it cannot be read, or is larger than `max_bytes`.
        """
        ...

    async def close(self) -> None:
        """Let go of connections; the source can be used again."""
        ...
