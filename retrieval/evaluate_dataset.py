"""A data set from its folder: documents, questions, and which documents answer each, however they are written.

`corpus.jsonl` {id, title, text} and `queries.jsonl` {id, text, relevant_ids}; the BEIR form (`_id`, grades in
`qrels/test.tsv` or `qrels.tsv`) is read too. Pure but for the reading.
"""

import csv
import json
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from core.errors import InvalidInputError
from core.text import clean_text

Object = dict[str, Any]
Grades = dict[str, float]

_ID_KEYS = ("id", "_id", "doc_id", "corpus_id", "corpus-id", "document_id")
_GRADE_KEYS = ("grade", "score", "relevance", "label")
_JUDGED_KEYS = ("relevant_ids", "qrels", "relevant", "grades")
_QRELS_FILES = ("qrels.tsv", "qrels/test.tsv", "qrels/dev.tsv", "qrels.jsonl")


@dataclass(frozen=True, slots=True)
class Entry:
    """One document; never without text: a title alone stands for it."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Query:
    """A question, and how well each document answers it: grades above 0 by the document's id, at least one."""

    id: str
    text: str
    grades: Grades

    @property
    def relevant_ids(self) -> list[str]:
        """Documents that answer it, of whatever grade."""
        return list(self.grades)


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a folder holds.

    Attributes:
        skipped_entries: documents without any text, or with the id of one before.
        skipped_queries: questions without text or without an answering document.
    """

    name: str
    corpus: list[Entry]
    queries: list[Query]
    skipped_entries: int
    skipped_queries: int


def read_dataset(folder: Path) -> Dataset:
    """Everything in the folder, ids as text.

    Raises:
        InvalidInputError: it holds no data set, or one without a question that has an answer.
    """
    lines, asked = read_lines(folder / "corpus.jsonl"), read_lines(folder / "queries.jsonl")
    entries: dict[str, Entry] = {}
    for entry in (_read_entry(line) for line in lines):
        if entry.text:
            entries.setdefault(entry.id, entry)
    judged = _read_qrels(folder)
    queries = [_read_query(line, judged) for line in asked]
    usable = [query for query in queries if query.text and query.grades]
    if not entries or not usable:
        raise InvalidInputError(
            f"expected documents and questions with relevant_ids in {str(folder)!r}, got {len(entries)} documents and "
            f"{len(usable)} such questions; shared/data shows the form"
        )
    corpus = list(entries.values())
    return Dataset(folder.resolve().name, corpus, usable, len(lines) - len(corpus), len(queries) - len(usable))


def draw(queries: list[Query], count: int | None, seed: int = 0) -> list[Query]:
    """`count` questions drawn with the seed; all of them, in order, where it is None or there are no more."""
    return queries if count is None or count >= len(queries) else random.Random(seed).sample(queries, count)


def read_lines(path: Path) -> list[Object]:
    """Objects of a JSON Lines file.

    Raises:
        InvalidInputError: it is not one.
    """
    try:
        # Not splitlines: U+2028 and its like may stand inside a JSON string.
        lines = [line for line in path.read_text("utf-8-sig").split("\n") if line.strip()]
        found = [json.loads(line) for line in lines]
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"expected a data set with {path.name}, one JSON object a line; {error}") from error
    if not all(isinstance(one, dict) for one in found):
        raise InvalidInputError(f"expected one JSON object a line in {path.name}, got something else")
    return found


def _read_entry(line: Object) -> Entry:
    title, text = _read_text(line.get("title")), _read_text(line.get("text"))
    return Entry(_read_id(line), title if text else "", text or title)


def _read_query(line: Object, judged: Mapping[str, Grades]) -> Query:
    name = _read_id(line)
    text = _read_text(line.get("text", line.get("query", line.get("question"))))
    grades = dict(judged.get(name, {}))
    for key in _JUDGED_KEYS:
        grades |= dict(_read_grades(line.get(key)))
    return Query(name, text, {document: grade for document, grade in grades.items() if grade > 0})


def _read_grades(value: Any) -> Iterator[tuple[str, float]]:
    """`["a", 7]`, `[{"id": "a", "grade": 2}]` or `{"a": 2}`; a grade that is not given is 1."""
    if isinstance(value, dict):
        yield from ((str(name), _to_number(grade)) for name, grade in cast(Object, value).items())
    elif isinstance(value, list):
        for one in cast(list[Any], value):
            if isinstance(one, dict):
                graded = cast(Object, one)
                yield _read_id(graded), _to_number(_find(graded, _GRADE_KEYS))
            elif one is not None:
                yield str(one), 1.0
    elif value is not None:
        yield str(value), 1.0


def _read_qrels(folder: Path) -> dict[str, Grades]:
    path = next((folder / name for name in _QRELS_FILES if (folder / name).is_file()), None)
    judged: dict[str, Grades] = {}
    if path is None:
        return judged
    for query, document, grade in _read_judgements(path):
        judged.setdefault(query, {})[document] = grade
    return judged


def _read_judgements(path: Path) -> Iterable[tuple[str, str, float]]:
    if path.suffix == ".jsonl":
        for line in read_lines(path):
            query = _find(line, ("query_id", "query-id"))
            yield (
                str(query),
                _read_id({**line, "id": line.get("corpus_id", line.get("doc_id"))}),
                _to_number(_find(line, _GRADE_KEYS)),
            )
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file, delimiter="\t"):
            if len(row) >= 3 and row[-1].replace(".", "", 1).lstrip("-").isdigit():
                yield row[0], row[-2], float(row[-1])


def _find(line: Object, keys: Iterable[str]) -> Any:
    return next((line[key] for key in keys if line.get(key) is not None), None)


def _read_id(line: Object) -> str:
    found = _find(line, _ID_KEYS)
    if found is None:
        raise InvalidInputError(f"expected an id in every line of a data set, got only {sorted(line)!r}")
    return str(found)


def _read_text(value: Any) -> str:
    if isinstance(value, list):
        return "\n\n".join(_read_text(one) for one in cast(list[Any], value))
    return "" if value is None else clean_text(str(value)).strip()


def _to_number(value: Any) -> float:
    """A grade; 1 where it is not a number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return 1.0
