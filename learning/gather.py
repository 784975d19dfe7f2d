"""From judgements to pairs, tickets and judged queries: a few questions at a time, so that prompts never pile up."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from core.database import Database
from learning.blame import BlameSplit, JudgedQuery, SearchFault, find_to_look_up, split_blame
from learning.labels import ANSWERED_MODES, Answer, Judgement, find_answers
from learning.library import Holder, Library, find_chunks, find_documents, find_holders
from learning.pair_sources import find_shown
from learning.pairs import Pair, PairsBuilt, build_pairs, group_by_question
from learning.permission import EVERYONE, may_train
from learning.tickets import Ticket, TicketKind

# Answers held in full at once: each is a prompt of some kilobytes and its passages.
ANSWERS_AT_ONCE = 200
# Candidates that later steps choose from.
MOST_LIKED = 500

Told = Callable[[int, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Single:
    """A judgement that found no other side; `is_open` where all who are served may read what it was answered from."""

    interaction_id: int
    value: Literal[-1, 0, 1]
    weight: float
    feedback_ids: tuple[int, ...]
    is_open: bool


@dataclass(slots=True)
class Gathered:
    """What the judgements of a window came to; every vote behind them is in one of these.

    Attributes:
        liked, disliked: singles with their answers in full, the surest ones only, to make pairs of.
        dropped: reason of each vote that makes no pair, `unpaired` for those of singles.
        search, documents: the fault that each vote blames them for.
    """

    pairs: list[Pair] = field(default_factory=list[Pair])
    singles: list[Single] = field(default_factory=list[Single])
    liked: list[Judgement] = field(default_factory=list[Judgement])
    disliked: list[Judgement] = field(default_factory=list[Judgement])
    tickets: list[Ticket] = field(default_factory=list[Ticket])
    queries: list[JudgedQuery] = field(default_factory=list[JudgedQuery])
    dropped: dict[int, str] = field(default_factory=dict[int, str])
    search: dict[int, SearchFault] = field(default_factory=dict[int, SearchFault])
    documents: dict[int, TicketKind] = field(default_factory=dict[int, TicketKind])


async def gather(
    database: Database,
    judgements: Sequence[Judgement],
    *,
    most_disliked: int = 0,
    audience: str = EVERYONE,
    tell: Told | None = None,
) -> Gathered:
    """Blame and pair the judgements, whose answers are outlines.

    Args:
        most_disliked: disliked singles that are kept in full.
        audience: the principal that everyone who will be served has.
        tell: hears how many answers of how many are done.
    """
    clusters = [cluster for cluster in group_by_question(judgements) if any(one.votes for one in cluster)]
    clusters.sort(key=lambda cluster: min(one.answer.id for one in cluster))
    holders = await _look_up_corrections(database, clusters)
    gathered, done, total = Gathered(), 0, sum(map(len, clusters))
    for batch in _batch(clusters):
        filled, first_tries = await _fill(database, batch)
        library = await _read_library(database, filled, holders)
        singles: list[tuple[Judgement, tuple[int, ...]]] = []
        for cluster in filled:
            split = split_blame(cluster, library)
            built = build_pairs(split.judgements, faults=split.faults, first_tries=first_tries)
            _add(gathered, split, built)
            singles += [(one, _list_unpaired(one, built)) for one in built.singles]
        gathered.singles += await _build_singles(database, singles, audience)
        _keep_candidates(gathered, most_disliked)
        done += sum(map(len, batch))
        if tell:
            await tell(done, total)
    return gathered


def _add(gathered: Gathered, split: BlameSplit, built: PairsBuilt) -> None:
    gathered.pairs += built.pairs
    gathered.tickets += [*split.tickets, *built.tickets]
    gathered.queries += split.queries
    gathered.search |= split.search
    gathered.documents |= split.documents
    gathered.dropped |= built.dropped
    gathered.liked += [one for one in built.singles if one.value > 0]
    gathered.disliked += [one for one in built.singles if one.value < 0 and one.votes]


async def _build_singles(
    database: Database, singles: Sequence[tuple[Judgement, tuple[int, ...]]], audience: str
) -> list[Single]:
    """Each judgement with its unpaired votes, beside what its documents are today."""
    shown = await find_shown(database, (one.answer.id for one, _ in singles))
    return [
        Single(
            one.answer.id,
            one.value,
            one.weight,
            votes,
            may_train(one.answer.access, shown.get(one.answer.id, ()), audience),
        )
        for one, votes in singles
    ]


def _list_unpaired(judgement: Judgement, built: PairsBuilt) -> tuple[int, ...]:
    return tuple(vote.feedback_id for vote in judgement.votes if built.dropped.get(vote.feedback_id) == "unpaired")


def _keep_candidates(gathered: Gathered, most_disliked: int) -> None:
    """The surest and newest; the rest would only take memory."""
    for kept, most in ((gathered.liked, MOST_LIKED), (gathered.disliked, most_disliked)):
        kept.sort(key=lambda one: (-one.weight, -one.answer.id))
        del kept[most:]


async def _look_up_corrections(database: Database, clusters: Sequence[Sequence[Judgement]]) -> dict[str, list[Holder]]:
    corrected = [one for cluster in clusters for one in cluster if any(vote.correction for vote in one.votes)]
    texts: set[str] = set()
    for at in range(0, len(corrected), ANSWERS_AT_ONCE):
        part = corrected[at : at + ANSWERS_AT_ONCE]
        answers = await find_answers(database, [one.answer.id for one in part])
        texts.update(text for one in part for text in find_to_look_up(answers[one.answer.id], one.votes))
    return await find_holders(database, texts)


async def _fill(
    database: Database, batch: Sequence[Sequence[Judgement]]
) -> tuple[list[list[Judgement]], dict[int, Answer]]:
    """The judgements with their answers in full, and the first tries of liked answers that have no judgement."""
    judged = {one.answer.id for cluster in batch for one in cluster}
    tried = {one.answer.again_of for cluster in batch for one in cluster if one.value > 0 and one.answer.again_of}
    answers = await find_answers(database, sorted(judged | tried))
    filled = [[replace(one, answer=answers[one.answer.id]) for one in cluster] for cluster in batch]
    first_tries = {id_: answers[id_] for id_ in tried - judged if id_ in answers}
    # Half an answer, which somebody stopped, is no side of a pair.
    return filled, {id_: one for id_, one in first_tries.items() if one.mode in ANSWERED_MODES}


async def _read_library(
    database: Database, clusters: Sequence[Sequence[Judgement]], holders: dict[str, list[Holder]]
) -> Library:
    disliked = [one for cluster in clusters for one in cluster if one.value < 0]
    votes = [vote for one in disliked for vote in one.votes]
    chunks = await find_chunks(database, [vote.right_chunk_id for vote in votes if vote.right_chunk_id is not None])
    needed = {text: holders[text] for vote in votes if (text := vote.correction) in holders and text}
    shown = (passage.get("document_id") for one in disliked for passage in one.answer.passages or [])
    held = (holder.document_id for found in needed.values() for holder in found)
    ids = {id_ for ids in (shown, held, chunks.values()) for id_ in ids if id_ is not None}
    return Library(await find_documents(database, ids), chunks, needed)


def _batch(clusters: Iterable[list[Judgement]]) -> Iterator[list[list[Judgement]]]:
    """Whole clusters, together about as many answers as are held at once."""
    batch: list[list[Judgement]] = []
    for cluster in clusters:
        if batch and sum(map(len, batch)) + len(cluster) > ANSWERS_AT_ONCE:
            yield batch
            batch = []
        batch.append(cluster)
    if batch:
        yield batch
