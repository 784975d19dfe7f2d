"""What the documents amount to, and what such an amount allows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from core.database import Database
from core.sql import load_queries
from learning.exercises.draft import CountTokens, Section
from learning.near_duplicates import TEXT_OVERLAP, build_text_shingles, group_similar

QUERIES = load_queries(__file__)

# A report of 68 pages; continued pretraining is worth its price from about ten thousand of them.
REPORT_TOKENS = 65_000
PRETRAINING_TOKENS = 10_000 * REPORT_TOKENS
# Below this, what the documents say fits into retrieval and a few examples, and a training learns little from it.
EXERCISE_TOKENS = 10_000

Use = Literal["retrieval", "exercises", "pretraining"]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Figures of the documents that were chosen.

    Attributes:
        pages: of documents that have pages; `without_pages` are the others.
        tokens: by the model's own tokenizer, or estimated where `is_estimated`.
        duplicates: sections that nearly repeat an earlier one.
        languages: language -> characters.
        use: the most that this amount allows.
    """

    documents: int
    pages: int
    without_pages: int
    sections: int
    characters: int
    tokens: int
    is_estimated: bool
    tokens_per_character: dict[str, float]
    duplicates: int
    languages: dict[str, int]
    reports: float
    pretraining_share: float
    use: Use


async def measure_corpus(
    database: Database, documents: Mapping[int, Sequence[Section]], *, count_tokens: CountTokens, is_estimated: bool
) -> Corpus:
    """Count pages in the tables, the rest in the sections."""
    pages = {
        row["document_id"]: row["pages"]
        for row in await database.fetch_dicts(QUERIES["count_pages"], {"ids": list(documents)})
    }
    sections = list(chain.from_iterable(documents.values()))
    characters, tokens = Counter[str](), Counter[str]()
    for section in sections:
        characters[section.language] += len(section.text)
        tokens[section.language] += count_tokens(section.text)
    groups = group_similar((build_text_shingles(section.text) for section in sections), overlap=TEXT_OVERLAP)
    total = tokens.total()
    return Corpus(
        documents=len(documents),
        pages=sum(pages.values()),
        without_pages=len(documents) - len(pages),
        sections=len(sections),
        characters=characters.total(),
        tokens=total,
        is_estimated=is_estimated,
        tokens_per_character={name: round(tokens[name] / count, 3) for name, count in sorted(characters.items())},
        duplicates=sum(first != at for at, first in enumerate(groups)),
        languages=dict(sorted(characters.items())),
        reports=round(total / REPORT_TOKENS, 2),
        pretraining_share=total / PRETRAINING_TOKENS,
        use=judge_amount(total),
    )


def judge_amount(tokens: int) -> Use:
    """The most that so many tokens of text allow."""
    if tokens >= PRETRAINING_TOKENS:
        return "pretraining"
    return "exercises" if tokens >= EXERCISE_TOKENS else "retrieval"
