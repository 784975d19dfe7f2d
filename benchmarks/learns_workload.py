"""Employees who know the right answers and have hidden tastes, and the questions that they ask; deterministic."""

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bot.golden import GoldenQuestion, is_right, load_golden
from cli.house import SAMPLE
from core.prompt import detect_language
from core.records import Vote
from core.wording import strip_citations

Taste = Literal["brief", "sentence"]
PEOPLE = 40
BRIEF_SHARE = 0.75
BRIEF_WORDS, SENTENCE_WORDS = 8, (5, 30)
# Whose form is this far from the taste is disliked, right or not.
LEAST_TASTE = 0.6
CORRECTION_CHANCE = 0.5
_SENTENCE = re.compile(r"(?<=[.!?。])\s+|\n+")
_FILE_NAME = re.compile(r"[^\w-]+")


@dataclass(frozen=True, slots=True)
class Exercise:
    """A golden question with its right answer in both forms."""

    golden: GoldenQuestion
    brief: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Employee:
    """Who asks and votes; nobody but the benchmark knows the taste."""

    name: str
    taste: Taste


@dataclass(frozen=True, slots=True)
class Judged:
    """What an employee does with an answer."""

    value: Vote
    correction: str | None


def hire(seed: int) -> list[Employee]:
    """The company: three quarters like the answer alone, the others want a whole sentence."""
    chance = random.Random(seed)
    brief = round(PEOPLE * BRIEF_SHARE)
    tastes: list[Taste] = ["brief" if at < brief else "sentence" for at in range(PEOPLE)]
    chance.shuffle(tastes)
    return [Employee(f"user:employee-{at:02}", taste) for at, taste in enumerate(tastes)]


def measure_taste(answer: str, taste: Taste) -> float:
    """How well the form of an answer suits a taste, in [0, 1]; what it says does not count."""
    words = len(strip_citations(answer).split())
    if not words:
        return 0.0
    if taste == "brief":
        return min(1.0, BRIEF_WORDS / words)
    least, most = SENTENCE_WORDS
    return min(1.0, words / least, most / words)


def measure_tastes(answer: str, employees: Sequence[Employee]) -> float:
    """Mean over the company."""
    return sum(measure_taste(answer, one.taste) for one in employees) / len(employees)


def judge(
    answer: str, exercise: Exercise, employee: Employee, wrong: Exercise, *, noise: float, chance: random.Random
) -> Judged:
    """Like what is right and suits the taste, else dislike, half the time with a correction in the own form.

    Args:
        wrong: whose answer a mistaken correction takes.
        noise: chance of a thumb that is turned round, and of a correction that is wrong.
    """
    likes = is_right(answer, exercise.golden) and measure_taste(answer, employee.taste) >= LEAST_TASTE
    likes ^= chance.random() < noise
    if likes:
        return Judged(1, None)
    source = wrong if chance.random() < noise else exercise
    wants_words = chance.random() < CORRECTION_CHANCE
    correction = source.brief if employee.taste == "brief" else source.sentence
    return Judged(-1, correction if wants_words else None)


def open_corpus(
    dataset: Path | None, *, questions: int, documents: int, folder: Path, seed: int
) -> tuple[Path, list[Exercise]]:
    """The documents' folder and its questions: of the data set, whose documents go into `folder`, else the sample's."""
    if dataset is None:
        return SAMPLE / "handbook", load_sample(SAMPLE / "golden.jsonl")
    corpus = folder / "corpus"
    corpus.mkdir()
    return corpus, load_dataset(dataset, questions=questions, documents=documents, into=corpus, seed=seed)


def load_sample(file: Path) -> list[Exercise]:
    """The sample handbook's golden questions that everyone may ask and documents answer."""
    found = [one for one in load_golden(file) if one.accept and one.principals == ["everyone"]]
    return [Exercise(one, _end(one.accept[0]), one.answer) for one in found]


def load_dataset(folder: Path, *, questions: int, documents: int, into: Path, seed: int) -> list[Exercise]:
    """Questions with answers of `queries.jsonl`; the documents of `corpus.jsonl` are written as files, theirs first.

    Args:
        questions: at most so many, drawn by the seed.
        documents: at most so many, more only where the questions need more.
        into: an empty folder.
    """
    corpus = {row["id"]: row for row in _read_lines(folder / "corpus.jsonl")}
    asked = [row for row in _read_lines(folder / "queries.jsonl") if row["answers"] and row["relevant_ids"]]
    random.Random(seed).shuffle(asked)
    asked = asked[:questions]
    wanted = dict.fromkeys(name for row in asked for name in row["relevant_ids"])
    for name in corpus:
        if len(wanted) >= documents:
            break
        wanted[name] = None
    # Who asks is everyone.
    (into / ".access.json").write_text(json.dumps({"allow": ["everyone"]}))
    paths = {name: f"{at:05}-{_FILE_NAME.sub('-', name)[:60]}.md" for at, name in enumerate(wanted)}
    for name, path in paths.items():
        (into / path).write_text(f"# {corpus[name]['title']}\n\n{corpus[name]['text']}\n", encoding="utf-8")
    return [_to_exercise(row, corpus, paths) for row in asked]


def choose_pools(exercises: Sequence[Exercise], *, held_out: int, seed: int) -> tuple[list[Exercise], list[Exercise]]:
    """Questions that employees ask, and those that nobody ever does; no two of one document on both sides."""
    shuffled = list(exercises)
    random.Random(seed).shuffle(shuffled)
    kept = shuffled[:held_out]
    sources = {path for one in kept for path in one.golden.sources}
    asked = [one for one in shuffled[held_out:] if sources.isdisjoint(one.golden.sources)]
    return asked, kept


def _to_exercise(row: dict[str, Any], corpus: dict[str, Any], paths: dict[str, str]) -> Exercise:
    answers, sources = list(map(str, row["answers"])), [paths[name] for name in row["relevant_ids"]]
    golden = GoldenQuestion(
        id=str(row["id"]),
        language=detect_language(row["text"]),
        question=row["text"],
        answer=answers[0],
        accept=answers,
        sources=sources,
        principals=["everyone"],
        demo=False,
    )
    texts = " ".join(corpus[name]["text"] for name in row["relevant_ids"])
    sentence = next((part.strip() for part in _SENTENCE.split(texts) if answers[0] in part), answers[0])
    return Exercise(golden, _end(answers[0]), _end(sentence))


def _end(text: str) -> str:
    return text if text.endswith((".", "!", "?", "。")) else f"{text}."


def _read_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
