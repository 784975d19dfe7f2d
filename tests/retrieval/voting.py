"""Answers in the log that cite stored passages, and what people think of them."""

from collections.abc import Sequence

from core.database import Database
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.records import Feedback, Mode, Outcome, Passage, Question, Vote
from retrieval.candidates import Candidates
from retrieval.examples import WRONG_DOCUMENT, teach
from retrieval.lexical import find_terms

EVERYONE = ["everyone"]


async def find_chunk(database: Database, path: str) -> int:
    """Id of a document's first chunk."""
    rows = await database.fetch_dicts(
        b"SELECT chunks.id FROM chunks JOIN documents ON documents.id = document_id WHERE path = %s AND ordinal = 0",
        [path],
    )
    return rows[0]["id"]


async def answer(
    database: Database,
    question: str,
    shown: Sequence[str],
    *,
    citing: Sequence[int] = (1,),
    mode: Mode = "generated",
    standalone: str | None = None,
) -> int:
    """A finished answer from the first chunks of some documents; its number.

    Args:
        citing: numbers of the passages that it cites, from 1.
    """
    interactions = Interactions(database)
    begun = await interactions.begin(Question("web", "web:c", "user:ann", EVERYONE, question, "en"))
    passages = [await _read_passage(database, number, path) for number, path in enumerate(shown, start=1)]
    await interactions.finish(
        Outcome(begun.id, "…", mode, passages=passages, citations=list(citing), standalone_question=standalone)
    )
    return begun.id


async def vote(
    database: Database, interaction_id: int, person: str, value: Vote, *, blaming: bool = False, correction: str = ""
) -> None:
    """One judgement, not yet learnt from."""
    reason = WRONG_DOCUMENT if blaming else None
    await FeedbackLog(database).record(Feedback(interaction_id, person, value, "web", correction or None, reason))


async def like(database: Database, question: str, path: str, *people: str) -> int:
    """A liked answer from one document, and what it teaches; its number."""
    interaction_id = await answer(database, question, [path])
    for person in people or ("user:ann",):
        await vote(database, interaction_id, person, 1)
    await teach(database)
    return interaction_id


async def score(database: Database, question: str, principals: Sequence[str] = EVERYONE) -> dict[str, float]:
    """BM25 with votes of each document's best chunk, best first."""
    found = await Candidates(database).find(find_terms(question), None, None, principals, limit_per_side=1000)
    rows = await database.fetch_dicts(
        b"SELECT chunks.id, path FROM chunks JOIN documents ON documents.id = document_id"
    )
    paths = {row["id"]: row["path"] for row in rows}
    best: dict[str, float] = {}
    for one in sorted(found, key=lambda one: (-one.lexical_score, one.chunk_id)):
        best.setdefault(paths[one.chunk_id], one.lexical_score)
    return best


async def _read_passage(database: Database, number: int, path: str) -> Passage:
    rows = await database.fetch_dicts(
        b"SELECT chunks.id, document_id, chunks.text FROM chunks JOIN documents ON documents.id = document_id "
        b"WHERE path = %s AND ordinal = 0",
        [path],
    )
    (row,) = rows
    return Passage(
        number, row["id"], row["document_id"], 1, path, "", path, None, 0, 1, row["text"], "en", 0.9, 0.9, 0.9, EVERYONE
    )
