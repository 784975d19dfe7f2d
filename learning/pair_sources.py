"""What the documents behind a pair are today: still there, still the same, and for whom."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.database import Database
from core.sql import load_queries
from core.wording import find_citations
from learning.pairs import Pair

QUERIES = load_queries(__file__)
ANSWERS_A_QUERY = 1000


@dataclass(frozen=True, slots=True)
class PairSource:
    """A passage of a pair's prompt beside the document that it was cut from.

    Attributes:
        number: how the answer cites it.
        state: `same` also where the document changed and the passage's text still stands in it; `checked` where
            somebody looked after it had changed.
        allow, deny: of today.
    """

    interaction_id: int
    number: int
    chunk_id: int
    document_id: int
    state: Literal["same", "checked", "changed", "gone"]
    allow: list[str]
    deny: list[str]


Sources = Mapping[int, Sequence[PairSource]]


async def find_sources(database: Database, pairs: Iterable[Pair]) -> dict[int, list[PairSource]]:
    """The sources of each pair's own prompt, by the interaction that it came from."""
    return await find_shown(database, (pair.interaction_ids[0] for pair in pairs if pair.interaction_ids))


async def find_shown(database: Database, interaction_ids: Iterable[int]) -> dict[int, list[PairSource]]:
    """The passages that answers were given from, by interaction."""
    ids = sorted(set(interaction_ids))
    found: dict[int, list[PairSource]] = defaultdict(list)
    for at in range(0, len(ids), ANSWERS_A_QUERY):
        some = {"ids": ids[at : at + ANSWERS_A_QUERY]}
        for source in await database.fetch_all(QUERIES["find_sources"], some, PairSource):
            found[source.interaction_id].append(source)
    return found


async def find_restricted(database: Database, interaction_ids: Iterable[int]) -> set[int]:
    """Those of the answers whose words not everyone may read: what is told of them is not for a report."""
    ids = {"ids": sorted(set(interaction_ids))}
    return {row["interaction_id"] for row in await database.fetch_dicts(QUERIES["find_restricted"], ids)}


async def check_document(database: Database, document_id: int, *, by: str) -> bool:
    """Say that what was said of a document's earlier versions holds in today's; false where there is none."""
    values = {"document_id": document_id, "by": by}
    return bool(await database.fetch_dicts(QUERIES["check_document"], values))


def get_sources(pair: Pair, sources: Sources) -> Sequence[PairSource]:
    """The sources of one pair's prompt; empty where it had none."""
    return sources.get(pair.interaction_ids[0], ()) if pair.interaction_ids else ()


def find_cited(pair: Pair, sources: Sources) -> list[PairSource]:
    """Those that the preferred answer cites; all where it cites none, as a refusal does."""
    known = get_sources(pair, sources)
    numbers = set(find_citations(pair.chosen))
    return [source for source in known if source.number in numbers] or list(known)


def is_stale(pair: Pair, sources: Sources) -> bool:
    """Whether a cited document went, or changed and was not checked since."""
    return any(source.state in ("changed", "gone") for source in find_cited(pair, sources))
