"""Golden questions, that is, questions with known right answers, and how an answer is judged against them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInputError
from core.interactions import Interaction
from core.prompt import Language, detect_language


@dataclass(frozen=True, slots=True)
class GoldenQuestion:
    """A question with its right answer.

    Attributes:
        accept: texts of which a right answer holds at least one.
        sources: documents that answer it, by path; empty where none does.
        principals: who asks, that is, what may be read.
    """

    id: str
    language: str
    question: str
    answer: str
    accept: list[str]
    sources: list[str]
    principals: list[str]
    demo: bool


def load_golden(file: Path) -> list[GoldenQuestion]:
    """Every golden question of a JSON Lines file, in order.

    A line holds `question`, and `accept` and `sources` where documents answer it; the rest may be left out.

    Raises:
        InvalidInputError: the file cannot be read, or a line is no such question.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"expected golden questions as JSON Lines in {file}: {error}") from error
    questions = [_read(line, f"{file.name}:{number}") for number, line in enumerate(lines, start=1) if line.strip()]
    if not questions:
        raise InvalidInputError(f"expected golden questions in {file}, found none")
    return questions


def _read(line: str, place: str) -> GoldenQuestion:
    try:
        row = json.loads(line)
        question = str(row["question"]).strip()
        accept, sources = list(map(str, row.get("accept", []))), list(map(str, row.get("sources", [])))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInputError(
            f"{place}: expected an object with `question`, `accept`, `sources`, got {line[:80]!r}"
        ) from error
    if not question or bool(accept) != bool(sources):
        raise InvalidInputError(f"{place}: expected a question, with both `accept` and `sources` or neither")
    return GoldenQuestion(
        id=str(row.get("id", place)),
        language=detect_language(question),
        question=question,
        answer=str(row.get("answer", "")),
        accept=accept,
        sources=sources,
        principals=list(map(str, row.get("principals", ["everyone"]))),
        demo=bool(row.get("demo", False)),
    )


def choose_suggestions(golden: Sequence[GoldenQuestion], count: int = 4) -> dict[Language, list[str]]:
    """The first demo questions of each language, for an empty chat page."""
    shown = [one for one in golden if one.demo]
    return {language: [one.question for one in shown if one.language == language][:count] for language in ("en", "ko")}


def is_right(answer: str, golden: GoldenQuestion) -> bool:
    """Whether an answer holds one of the accepted texts; case, spaces and thousands separators do not count."""
    said = _normalise(answer)
    return any(_holds(said, _normalise(text)) for text in golden.accept)


def has_right_source(interaction: Interaction, golden: GoldenQuestion) -> bool:
    """Whether the answer cites a document that answers the question."""
    cited = set(interaction.citations or [])
    paths = {passage["path"] for passage in interaction.passages or [] if passage["number"] in cited}
    return bool(paths & set(golden.sources))


def _holds(said: str, accepted: str) -> bool:
    """Whether a text stands in another, its numbers as whole ones: 15 days do not hold 5 days."""
    before = r"(?<!\d)" if accepted[:1].isdigit() else ""
    after = r"(?!\d)" if accepted[-1:].isdigit() else ""
    return bool(re.search(f"{before}{re.escape(accepted)}{after}", said))


def _normalise(text: str) -> str:
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text.lower())
    return re.sub(r"\s+", "", text)
