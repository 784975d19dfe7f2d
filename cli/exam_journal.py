"""Golden questions as they are answered, a line each, so that a round that was stopped can go on."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.exam import Graded
from bot.golden import GoldenQuestion


class ExamJournal:
    """The answers of one round that is not over, in a file of the state folder.

    A round is known by its adapter and by its file of questions, and a question by all that it holds: one that was
    changed meanwhile is asked again.

    Args:
        folder: made where it is missing.
        golden: file of the questions.
        adapter: None is the base model.
        resume: go on with what is there.
    """

    def __init__(self, folder: Path, golden: Path, adapter: str | None, *, resume: bool) -> None:
        name = _hash([str(golden.resolve()), adapter])
        self._goes_on = resume
        self.file = folder / f"answers-{name[:16]}.jsonl"

    def read(self, questions: Sequence[GoldenQuestion]) -> tuple[list[Graded], list[GoldenQuestion]]:
        """What is answered of these questions, and those that are left; a line that was cut short is none."""
        rows = self._read_rows()
        answered: list[Graded] = []
        left: list[GoldenQuestion] = []
        for question in questions:
            row = rows.get(_hash_question(question))
            if row:
                answered.append(Graded(question, row["cell"], row["mode"], row["answer"], row["cites_source"]))
            else:
                left.append(question)
        return answered, left

    def add(self, graded: Graded) -> None:
        """Store one answer; the first one of a round that goes on with no other replaces what that left."""
        row = {
            "question": _hash_question(graded.golden),
            "cell": graded.cell,
            "mode": graded.mode,
            "answer": graded.answer,
            "cites_source": graded.cites_source,
        }
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a" if self._goes_on else "w", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self._goes_on = True

    def end(self) -> None:
        """The round is over and stored elsewhere."""
        self.file.unlink(missing_ok=True)

    def _read_rows(self) -> dict[str, dict[str, Any]]:
        """Answers by the hash of their question."""
        rows: dict[str, dict[str, Any]] = {}
        if self.file.exists():
            for line in self.file.read_text(encoding="utf-8").splitlines():
                with suppress(ValueError):
                    row = json.loads(line)
                    rows[row["question"]] = row
        return rows


def _hash_question(question: GoldenQuestion) -> str:
    return _hash(asdict(question))


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
