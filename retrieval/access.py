"""Who may read what: the one door to documents, and the principals of a person."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from core.database import Database
from core.errors import InvalidInputError
from core.sql import load_queries
from retrieval.visible import VisibleChunks, read_visible

QUERIES = load_queries(__file__)

EVERYONE, PUBLIC = "everyone", "public"
# Before the name of a source: only its documents. Whoever is denied by name: people nobody knows may be meant.
SOURCE, ANYBODY_DENIED = "source:", "!*"
# Combinations of principals whose masks are held, a byte a chunk each.
_MOST_HELD = 64
_FILTERS = (b"visible_documents(%(principals)s::text[])", b"visible_audiences(%(principals)s::text[])")

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class _Membership:
    principal: str


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


class Access:
    """Reads documents behind the visibility filter.

    A document is seen by principals of which one is in its `allow` and none in its `deny`. No principals see
    nothing, and so does a principal nobody has heard of.

    Args:
        index: reads the masks, which hold numbers and no text; default: `database`.
    """

    def __init__(self, database: Database, index: Database | None = None) -> None:
        self._database = database
        self._index = index or database
        self._held: OrderedDict[frozenset[str], VisibleChunks] = OrderedDict()

    async def fetch_visible(
        self, query: bytes, principals: Sequence[str], parameters: Mapping[str, Any], record: type[Record]
    ) -> list[Record]:
        """Rows of a statement that reads documents through the filter, and beneath it through the row-level security.

        Raises:
            ValueError: the statement does not name the filter.
        """
        if not any(rule in query for rule in _FILTERS):
            raise ValueError("expected a statement that reads from visible_documents, got one without the filter")
        bound = {**parameters, "principals": list(principals)}
        return await self._database.fetch_for(principals, query, bound, record)

    async def find_visible_chunks(self, principals: Sequence[str]) -> VisibleChunks:
        """What a scan of postings or vectors may give; as of now, and to be asked for each question anew.

        What was read for the same principals holds until the index changed, which one number in the database tells.
        """
        key = frozenset(principals)
        ((version,),) = await self._index.fetch_tuples(QUERIES["find_index_version"])
        held = self._held.get(key)
        if held is None or held.version != version:
            held = await self._read_visible_chunks(principals, version)
            self._held[key] = held
        self._held.move_to_end(key)
        if len(self._held) > _MOST_HELD:
            self._held.popitem(last=False)
        return held

    async def _read_visible_chunks(self, principals: Sequence[str], version: int) -> VisibleChunks:
        has_sources = any(name.startswith(SOURCE) for name in principals)
        query = QUERIES["find_visible_chunks_of_sources" if has_sources else "find_visible_chunks"]
        rows = await self._index.fetch_tuples(query, {"principals": list(principals)})
        # Of one snapshot. Where nothing is visible an earlier version stands for it, and is asked again the sooner.
        return read_visible([row[1:] for row in rows], rows[0][0] if rows else version)

    async def find_principals(self, person: str) -> list[str]:
        """Everyone, the person, then the person's groups.

        Raises:
            InvalidInputError: the name is that of a group, which would grant what the group may read.
        """
        _check_person(person)
        found = await self._database.fetch_all(QUERIES["find_memberships"], {"person": person}, _Membership)
        return list(dict.fromkeys([EVERYONE, person, *(membership.principal for membership in found)]))

    async def find_common_principals(self, people: Sequence[str]) -> list[str]:
        """What every one of these people may read, exactly, as of now; of nobody, nothing.

        A list for the filter like a person's, and longer: names that all of them hold, names that only deny, and
        combinations of allow and deny that let each of them through by another name (see migration 0013). People who
        are no employees read what is `public`. Bots and people without an account do not count.
        """
        found = await self._database.fetch_all(QUERIES["find_common"], {"people": list(people)}, _Membership)
        return [membership.principal for membership in found]

    async def find_visible(self, document_ids: Sequence[int], principals: Sequence[str]) -> set[int]:
        """Those of the documents that these principals may read."""
        rows = await self.fetch_visible(QUERIES["find_visible_ids"], principals, {"ids": list(document_ids)}, _Id)
        return {row.id for row in rows}

    async def read_more(self, principals: Sequence[str], others: Sequence[str]) -> bool:
        """Whether there is a combination of allow and deny that lets `principals` through and not `others`."""
        parameters = {"principals": list(principals), "others": list(others)}
        return bool(await self._database.fetch_all(QUERIES["find_further_audience"], parameters, _Id))

    async def set_memberships(self, person: str, principals: Sequence[str]) -> None:
        """Replace a person's groups; counts from the next search on.

        Raises:
            InvalidInputError: the name is that of a group.
        """
        _check_person(person)
        await self._database.execute(QUERIES["set_memberships"], {"person": person, "principals": list(principals)})


def _check_person(person: str) -> None:
    if not person or person == EVERYONE or person.startswith("group:"):
        raise InvalidInputError(f"expected a person such as 'slack:T1:U1', got {person!r}")
