"""A handbook whose exam items are accepted, as they are after a day's review."""

import os
from pathlib import Path

import psycopg

from tests.cli.running import run_nightbake
from tests.learning.exercises.making import FERRY, GLOSSARY, REGIONS


def write_guides(folder: Path) -> Path:
    """A travel guide with a table and a page of definitions."""
    folder.mkdir()
    rows = [line.split(" | ") for line in REGIONS.split("\n")]
    table = [[cell.split(": ")[0] for cell in rows[0]], ["---"] * 3]
    table += [[cell.split(": ")[1] for cell in row] for row in rows]
    text = "\n".join("| " + " | ".join(row) + " |" for row in table)
    (folder / ".access.json").write_text('{"allow": ["everyone"]}')
    (folder / "travel.md").write_text(f"# Travel\n\n## Money\n\n{text}\n\n## Ferry\n\n{FERRY}\n")
    (folder / "words.md").write_text(f"# Words\n\n## People\n\n{GLOSSARY}\n")
    return folder


def make_items(folder: Path, count: int, *, purpose: str = "exam") -> None:
    """Make four-choice items of a folder and accept all of them."""
    arguments = ("--documents", str(folder), "--by", "structure", "--count", str(count), "--json")
    ran = run_nightbake("exercises", "make", "--kind", "four_choice", "--for", purpose, *arguments)
    assert (ran.code, ran.json["items"]) == (0, count), ran.err
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "INSERT INTO exercise_reviews (exercise_id, verdict, reviewer, seconds) "
            "SELECT id, 'accept', 'user:ann', 1 FROM exercises WHERE purpose = %s",
            [purpose],
        )
