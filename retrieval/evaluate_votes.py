"""How much liked questions help others like them, and what they cost the rest.

`python -m retrieval.evaluate_votes --dataset FOLDER --database URL` prints JSON. A share of the documents that several
questions are about is taught: of each, some questions are kept unseen and up to 0, 1, 2, 4, 8 and 16 of the others are
liked, each by another person, on an answer that cites the document's best passage. After each step the unseen questions
are asked, and questions about documents that were taught nothing. Everything goes the way that votes go, and is taken
back before the next share.
"""

import argparse
import asyncio
import json
import os
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby
from pathlib import Path
from typing import Any

from core.database import Database
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.prompt import detect_language
from core.records import Feedback, Outcome, Passage, Question
from retrieval.embedding import Embedder, Vectors
from retrieval.evaluate import count_corpus
from retrieval.evaluate_dataset import Dataset, Entry, Query, draw, read_dataset
from retrieval.evaluate_load import READER, load_corpus, open_schema
from retrieval.examples import teach
from retrieval.fusion_calibration import calibrate_fusion
from retrieval.measures import ndcg, recall
from retrieval.search import Search

COUNTS = (0, 1, 2, 4, 8, 16)
SHARES = (0.1, 0.5)
# Kept unseen of each taught document, where it has more than so many.
_UNSEEN = 2
_PASSAGES = 100
_LEAST_WORDS, _MOST_WORDS, _VARIANTS = 7, 20, 18


@dataclass(frozen=True, slots=True)
class Split:
    """Which questions are liked and asked.

    Attributes:
        liked: of each taught document, in the order in which they are liked.
        unseen: about taught documents.
        elsewhere: about the others.
    """

    liked: dict[str, list[Query]]
    unseen: list[Query]
    elsewhere: list[Query]


def join_entries(dataset: Dataset, size: int) -> Dataset:
    """The data set with so many documents in a row of one title made one: a set with more questions a document."""
    names: dict[str, str] = {}
    joined: list[Entry] = []
    for _, same in groupby(dataset.corpus, key=lambda entry: entry.title):
        entries = list(same)
        for start in range(0, len(entries), size):
            part = entries[start : start + size]
            names |= {entry.id: part[0].id for entry in part}
            joined.append(replace(part[0], text="\n\n".join(entry.text for entry in part)))
    queries = [
        replace(query, grades={names[name]: grade for name, grade in query.grades.items() if name in names})
        for query in dataset.queries
    ]
    return replace(dataset, corpus=joined, queries=[query for query in queries if query.grades])


def shorten_queries(dataset: Dataset, count: int, seed: int = 0) -> Dataset:
    """So many long questions, each 18 times in another third of its words: how people ask for the same thing.

    Of questions with 7 to 20 words: shorter ones have too few thirds, longer ones too many to draw from.
    """
    chance = random.Random(seed)
    long = [query for query in dataset.queries if len(query.text.split()) in range(_LEAST_WORDS, _MOST_WORDS + 1)]
    shortened: list[Query] = []
    for query in draw(long, count, seed):
        words = query.text.split()
        thirds = list(combinations(range(len(words)), len(words) // 3))
        for number, kept in enumerate(chance.sample(thirds, min(_VARIANTS, len(thirds)))):
            text = " ".join(words[place] for place in kept)
            shortened.append(Query(f"{query.id}-{number}", text, query.grades))
    return replace(dataset, queries=shortened)


def split_queries(queries: Sequence[Query], *, share: float, most: int, seed: int) -> Split:
    """Teach a share of the documents that two questions or more are about; at most `most` questions of each side.

    Questions that several documents answer are left out.
    """
    chance = random.Random(seed)
    about: dict[str, list[Query]] = defaultdict(list)
    for query in queries:
        if len(query.grades) == 1:
            about[query.relevant_ids[0]].append(query)
    names = [name for name, own in about.items() if len(own) > 1]
    chance.shuffle(names)
    liked: dict[str, list[Query]] = {}
    unseen: list[Query] = []
    for name in names[: round(len(names) * share)]:
        own = draw(about[name], len(about[name]), 0)
        chance.shuffle(own)
        kept = min(_UNSEEN, len(own) - 1)
        unseen += own[:kept]
        liked[name] = own[kept:]
    elsewhere = [query for name, own in about.items() if name not in liked for query in own]
    return Split(liked, draw(unseen, most, seed), draw(elsewhere, most, seed))


class Measuring:
    """A loaded corpus that questions are liked in, step by step."""

    def __init__(self, database: Database, embedder: Embedder, dataset: Dataset) -> None:
        self._database = database
        self._search = Search(database, embedder)
        self._dataset = dataset
        self._vectors: dict[str, Vectors | None] = {}
        self._given: dict[int, str] = {}

    async def like(self, query: Query) -> bool:
        """Somebody likes an answer to it that cites its document; False where the search did not find that."""
        found = (one for one in await self._rank(query) if self._name(one) in query.grades)
        passage = next(found, None)
        if passage is None:
            return False
        person = f"user:{query.id}"
        interactions = Interactions(self._database)
        asked = Question("cli", person, person, [READER], query.text, detect_language(query.text))
        begun = await interactions.begin(asked)
        shown = [replace(passage, number=1)]
        await interactions.finish(Outcome(begun.id, "", "generated", passages=shown, citations=[1]))
        await FeedbackLog(self._database).record(Feedback(begun.id, person, 1, "cli"))
        self._given[begun.id] = person
        return True

    async def take_back(self) -> None:
        """Every like."""
        feedback = FeedbackLog(self._database)
        votes = [Feedback(interaction_id, person, 0, "cli") for interaction_id, person in self._given.items()]
        await asyncio.gather(*(feedback.record(vote) for vote in votes))
        self._given.clear()

    async def measure(self, queries: Sequence[Query]) -> dict[str, float]:
        """Means of nDCG@10 and recall@1."""
        await self._embed(queries)
        free = asyncio.Semaphore(os.cpu_count() or 1)

        async def ask(query: Query) -> list[str]:
            async with free:
                return list(dict.fromkeys(self._name(one) for one in await self._rank(query)))

        ranked = await asyncio.gather(*(ask(query) for query in queries))
        pairs = list(zip(ranked, queries, strict=True))
        return {
            "ndcg_at_10": sum(ndcg(names, query.grades) for names, query in pairs) / len(pairs),
            "recall_at_1": sum(recall(names, query.relevant_ids, at=1) for names, query in pairs) / len(pairs),
        }

    async def _rank(self, query: Query) -> list[Passage]:
        await self._embed([query])
        return await self._search.rank(query.text, [READER], limit=_PASSAGES, vector=self._vectors[query.id])

    async def _embed(self, queries: Sequence[Query]) -> None:
        """Once each: a question is asked after every step."""
        new = [query for query in queries if query.id not in self._vectors]
        vectors = await self._search.embed([query.text for query in new])
        self._vectors |= dict(zip((query.id for query in new), vectors, strict=True))

    def _name(self, passage: Passage) -> str:
        return self._dataset.corpus[int(passage.path)].id


async def evaluate_votes(
    database_url: str,
    embedder: Embedder,
    dataset: Dataset,
    *,
    counts: Sequence[int] = COUNTS,
    shares: Sequence[float] = SHARES,
    most: int = 600,
    seed: int = 0,
) -> dict[str, Any]:
    """For each share of taught documents a row for each number of liked questions a document.

    Raises:
        DatabaseError: the database stayed away.
    """
    await embedder.load()
    async with open_schema(database_url) as database:
        await load_corpus(database, embedder, dataset.corpus)
        await calibrate_fusion(database, embedder)
        measuring, parts = Measuring(database, embedder, dataset), list[dict[str, Any]]()
        for share in shares:
            split = split_queries(dataset.queries, share=share, most=most, seed=seed)
            sizes = {
                "taught_documents": len(split.liked),
                "unseen": len(split.unseen),
                "elsewhere": len(split.elsewhere),
            }
            rows = [row async for row in _measure_steps(database, measuring, split, counts)]
            parts.append({"share": share, **sizes, "rows": rows})
            await measuring.take_back()
            await teach(database)
        corpus = await count_corpus(database)
    return {"dataset": dataset.name, "documents": corpus.documents, "chunks": corpus.chunks, "shares": parts}


async def _measure_steps(
    database: Database, measuring: Measuring, split: Split, counts: Sequence[int]
) -> AsyncIterator[dict[str, Any]]:
    liked = 0
    for before, count in zip((0, *counts), counts, strict=False):
        for query in [query for own in split.liked.values() for query in own[before:count]]:
            liked += await measuring.like(query)
        await teach(database)
        sides = {"unseen": split.unseen, "elsewhere": split.elsewhere}
        measured = {name: await measuring.measure(queries) for name, queries in sides.items() if queries}
        yield {"liked_at_most": count, "liked_mean": liked / max(1, len(split.liked)), **measured}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.evaluate_votes", description="what liked questions do")
    parser.add_argument("--dataset", type=Path, required=True, help="corpus.jsonl and queries.jsonl")
    parser.add_argument("--database", required=True, help="postgresql://…; a schema of its own is made and dropped")
    parser.add_argument("--join", type=int, default=1, help="make so many documents in a row of one title one document")
    parser.add_argument("--shorten", type=int, help="ask so many of its questions only, each in 18 shorter forms")
    parser.add_argument("--share", type=float, action="append", help="of the documents that are taught")
    parser.add_argument("--queries", type=int, default=600, help="at most so many questions of each side")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    dataset = join_entries(read_dataset(given.dataset), given.join)
    if given.shorten:
        dataset = shorten_queries(dataset, given.shorten, given.seed)
    embedder = Embedder()
    found = asyncio.run(
        evaluate_votes(
            given.database,
            embedder,
            dataset,
            shares=given.share or SHARES,
            most=given.queries,
            seed=given.seed,
        )
    )
    embedder.close()
    rounded = json.loads(json.dumps(found), parse_float=lambda number: round(float(number), 4))
    print(json.dumps(rounded, indent=2))


if __name__ == "__main__":
    main()
