"""What this room wants from retrieval: the place of a passage in its document, for those who may read it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

FindPrincipals = Callable[[str], Awaitable[list[str]]]


class Place(Protocol):
    """A passage between what stands before and after it."""

    @property
    def title(self) -> str:
        """Of the document."""
        ...

    @property
    def path(self) -> str:
        """Where the document lies."""
        ...

    @property
    def changed_at(self) -> datetime:
        """When the document last changed."""
        ...

    @property
    def page(self) -> int | None:
        """From 1, where the format has pages."""
        ...

    @property
    def heading_path(self) -> str:
        """`Chapter > Section`; empty where there is none."""
        ...

    @property
    def text_before(self) -> str:
        """Text before the passage, some paragraphs at most."""
        ...

    @property
    def passage(self) -> str:
        """The passage itself."""
        ...

    @property
    def text_after(self) -> str:
        """Text after the passage, some paragraphs at most."""
        ...


class Places(Protocol):
    """Finds places behind the visibility filter."""

    async def get_place(self, chunk_id: int, principals: Sequence[str]) -> Place:
        """One place.

        Raises:
            NotFoundError: there is none, or these principals may not read it; nobody can tell which.
        """
        ...
