"""Open reading sets in one form: texts in sentences, and questions with the sentence that supports their answer."""

import json
import random
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

from core.prompt import Language, detect_language

Judge = Literal["contains", "overlap"]

MAX_ANSWER_CHARACTERS: dict[Language, int] = {"en": 260, "ko": 62}
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”')\]]*\s+(?=[\"“'(\[]?[A-Z0-9가-힣])|(?<=[다요]\.)\s+|\n{2,}")
_ABBREVIATION = re.compile(r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|No|Inc|Co|Ltd|e\.g|i\.e|U\.S|c|ca|approx)\.)$")
_WORD = re.compile(r"[a-z0-9]+|[가-힣]")
_COMMON = frozenset(
    "the a an of in on at to for and or is are was were be been did do does what which who whom when where why how "
    "many much that this it its by with from as has have had".split()
)


class DataSetError(Exception):
    """A folder of training data cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a reading set with the sentence that supports its answer."""

    question: str
    sentence: str
    gold: tuple[str, ...]
    judge: Judge


@dataclass(frozen=True, slots=True)
class Reading:
    """One text of a reading set; `part` is what is split by: all texts of a part train, or none."""

    part: str
    title: str
    heading_path: str
    sentences: tuple[str, ...]
    items: tuple[Item, ...]
    language: Language


def read_set(folder: Path) -> list[Reading]:
    """Read `corpus.jsonl` and `queries.jsonl` of one folder.

    Three forms are told apart by their answers: short answers (SQuAD), TRUE and FALSE (BoolQ), none (headings).

    Raises:
        DataSetError: a file is missing or a line lacks a field.
    """
    corpus, queries = (_read_lines(folder / name) for name in ("corpus.jsonl", "queries.jsonl"))
    asked: dict[str, list[dict]] = defaultdict(list)
    for query in queries:
        for identifier in query["relevant_ids"]:
            asked[identifier].append(query)
    readings = [_read_text(text, asked[text["id"]]) for text in corpus]
    return [reading for reading in readings if reading.sentences]


def split_readings(
    readings: Sequence[Reading], held_out_share: float, seed: int
) -> tuple[list[Reading], list[Reading]]:
    """Split by part (article, page or text), so that no text of a held-out part is ever trained on."""
    parts = sorted({reading.part for reading in readings})
    random.Random(seed).shuffle(parts)
    held_out = set(parts[: max(1, round(len(parts) * held_out_share))])
    train = [reading for reading in readings if reading.part not in held_out]
    return train, [reading for reading in readings if reading.part in held_out]


def split_sentences(text: str) -> list[str]:
    """Sentences of English or Korean prose, white space folded; lines of lists stay with their sentence."""
    sentences: list[str] = []
    for piece in _SENTENCE_END.split(text):
        piece = " ".join(piece.split()) if piece else ""
        if sentences and _ABBREVIATION.search(sentences[-1]):
            sentences[-1] = f"{sentences[-1]} {piece}"
        elif piece:
            sentences.append(piece)
    return sentences


def find_supporting(question: str, sentences: Sequence[str]) -> tuple[int, float]:
    """The sentence that shares most content with the question. Returns its place and the share covered, 0 to 1."""
    wanted = content(question)
    covered = [len(wanted & content(sentence)) / max(1, len(wanted)) for sentence in sentences]
    best = max(range(len(sentences)), key=covered.__getitem__)
    return best, covered[best]


def content(text: str) -> set[str]:
    """Content words of English; pairs of neighbouring syllables of Korean, whose words change their endings."""
    words = _WORD.findall(text.lower())
    pairs = {first + second for first, second in pairwise(words) if not (first + second).isascii()}
    return pairs | {word for word in words if word.isascii() and word not in _COMMON}


def as_question(statement: str) -> str:
    """A Korean statement in -다 as a question; anything else is returned as it is."""
    text = statement.strip()
    if not text.endswith("다."):
        return text
    stem = text[:-2]
    if stem.endswith("이"):
        return stem[:-1] + "인가요?"
    final = (ord(stem[-1]) - 0xAC00) % 28 if "가" <= stem[-1] <= "힣" else 0
    if stem.endswith("는"):
        return stem[:-1] + "나요?"
    if final == 4:
        return stem[:-1] + chr(ord(stem[-1]) - 4) + "나요?"
    if final == 20 or stem[-1] in "있없":
        return stem + "나요?"
    return text[:-1] + ", 맞나요?"


def _read_lines(path: Path) -> list[dict]:
    if not path.is_file():
        raise DataSetError(
            f"expected the file {str(path)!r}, got none; --data takes a folder with corpus.jsonl and queries.jsonl"
        )
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except ValueError as error:
        raise DataSetError(f"expected one JSON object a line in {str(path)!r}, got {error}; mend that line") from None


def _read_text(text: dict, queries: Sequence[dict]) -> Reading:
    sentences = tuple(split_sentences(text["text"]))
    items = [_read_item(query, sentences) for query in queries] if sentences else []
    heading = next((query["text"] for query in queries if not query.get("answers")), "")
    return Reading(
        part=text["title"] or text["id"],
        title=text["title"],
        heading_path=heading,
        sentences=sentences,
        items=tuple(item for item in items if item),
        language=detect_language(text["text"]),
    )


def _read_item(query: dict, sentences: Sequence[str]) -> Item | None:
    answers: tuple[str, ...] = tuple(query.get("answers") or ())
    if not answers:
        return _heading_item(query["text"], sentences)
    if set(answers) <= {"TRUE", "FALSE"}:
        place, covered = find_supporting(query["text"], sentences)
        question, least = as_question(query["text"]), 0.3
        gold, judge = (sentences[place],), "overlap"
    else:
        holding = [sentence for sentence in sentences if any(answer in sentence for answer in answers)]
        if not holding:
            return None
        best, covered = find_supporting(query["text"], holding)
        place, question, least = sentences.index(holding[best]), query["text"].strip(), 0.0
        gold, judge = answers, "contains"
    return Item(question, sentences[place], gold, judge) if covered >= least and _fits(sentences[place]) else None


def _heading_item(heading: str, sentences: Sequence[str]) -> Item | None:
    first = sentences[0]
    if (
        len(first) < 30
        or first[-1] not in ".!"
        or first.startswith(("-", "*", "[", "#", "|", "1."))
        or not _fits(first)
    ):
        return None
    if " - " in first or "TODO" in first or "  " in first:
        return None
    if not heading.endswith("?") and not 2 <= len(content(heading)) <= 8:
        return None
    question = heading if heading.endswith("?") else f"What do the documents say about {heading}?"
    return Item(question, first, (first,), "overlap")


def _fits(sentence: str) -> bool:
    return 12 <= len(sentence) <= MAX_ANSWER_CHARACTERS[detect_language(sentence)]
