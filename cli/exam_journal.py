"""Golden questions as they are answered, a line each, so that a round that was stopped can go on."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.exam import Graded
from bot.golden import GoldenQuestion


class Journal:
    """Rows by their keys, a line each, as they come; a line that was cut short is none.

    Args:
        file: its folder is made where it is missing.
        resume: go on with what is there; else the first row replaces it.
    """

    def __init__(self, file: Path, *, resume: bool) -> None:
        self.file = file
        self._goes_on = resume

    def read(self) -> dict[str, dict[str, Any]]:
        """What is there, whether it is gone on with or not."""
        rows: dict[str, dict[str, Any]] = {}
        if self.file.exists():
            for line in self.file.read_text(encoding="utf-8").splitlines():
                with suppress(ValueError):
                    row = json.loads(line)
                    rows[row["key"]] = row
        return rows

    def add(self, key: str, row: Mapping[str, Any]) -> None:
        """Store one."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a" if self._goes_on else "w", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, **row}) + "\n")
        self._goes_on = True

    def end(self) -> None:
        """The round is over and stored elsewhere."""
        self.file.unlink(missing_ok=True)


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
        name = hash_value([str(golden.resolve()), adapter])
        self._journal = Journal(folder / f"answers-{name[:16]}.jsonl", resume=resume)
        self.file = self._journal.file

    def read(self, questions: Sequence[GoldenQuestion]) -> tuple[list[Graded], list[GoldenQuestion]]:
        """What is answered of these questions, and those that are left; a line that was cut short is none."""
        rows = self._journal.read()
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
            "cell": graded.cell,
            "mode": graded.mode,
            "answer": graded.answer,
            "cites_source": graded.cites_source,
        }
        self._journal.add(_hash_question(graded.golden), row)

    def end(self) -> None:
        """The round is over and stored elsewhere."""
        self._journal.end()


def _hash_question(question: GoldenQuestion) -> str:
    return hash_value(asdict(question))


def hash_value(value: object) -> str:
    """Equal for equal values that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
