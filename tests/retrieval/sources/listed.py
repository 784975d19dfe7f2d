"""A source that holds what a test says, and fails where the test wants it to."""

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field

from retrieval.sources.access_rules import AccessRule
from retrieval.sources.source import Content, Entry, GoneError, Listed, SourceAwayError

EVERYONE = AccessRule(["everyone"])


def page(name: str, version: str = "1", rule: AccessRule = EVERYONE) -> Entry:
    """An entry `NAME.md`; its text is made of its name and version."""
    return Entry(name, f"{name}.md", rule, version=version)


@dataclass
class ListedSource:
    """Attributes:
    listed: what the next listing says; an exception among it is raised there.
    away: keys that cannot be fetched, because the source does not answer.
    """

    listed: Iterable[Listed | Exception]
    name: str = "service"
    kind: str = "test"
    away: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    cursors: list[str | None] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    async def list_entries(self, cursor: str | None) -> AsyncGenerator[Listed]:
        self.cursors.append(cursor)
        for one in self.listed:
            if isinstance(one, Exception):
                raise one
            yield one

    async def fetch(self, entry: Entry, *, stored_version: str | None, max_bytes: int) -> Content | None:
        self.fetched.append(entry.key)
        if entry.key in self.gone:
            raise GoneError("gone")
        if entry.key in self.away:
            raise SourceAwayError("no answer")
        return Content(f"# {entry.key}\n\nSite {entry.key}, version {entry.version}.\n".encode(), entry.version)

    async def close(self) -> None:
        """Nothing is held."""
