"""`nightbake exercises`: made from a folder, listed, shown, counted and paid."""

import asyncio
import os
from pathlib import Path

import pytest

from core.database import Database
from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer
from tests.learning.exercises.making import FERRY, GLOSSARY, REGIONS


@pytest.fixture
def folder(tmp_path: Path, installation: FakeModelServer) -> Path:
    """A folder of two documents, and a model that knows nothing."""
    installation.answer = "I do not know."
    folder = tmp_path / "guides"
    folder.mkdir()
    rows = [line.split(" | ") for line in REGIONS.split("\n")]
    names = [cell.split(": ")[0] for cell in rows[0]]
    table = [names, ["---"] * 3, *([cell.split(": ")[1] for cell in row] for row in rows)]
    text = "\n".join("| " + " | ".join(row) + " |" for row in table)
    (folder / "travel.md").write_text(f"# Travel\n\n## Money\n\n{text}\n\n## Ferry\n\n{FERRY}\n")
    (folder / "words.md").write_text(f"# Words\n\n## People\n\n{GLOSSARY}\n")
    return folder


def test_a_folder_becomes_exercises_that_are_listed_and_shown(folder: Path) -> None:
    arguments = ("--documents", str(folder), "--allow", "everyone", "--by", "structure", "--count", "12", "--json")
    ran = run_nightbake("exercises", "make", "--kind", "definition", "--kind", "four_choice", *arguments)
    assert ran.code == 0, ran.err
    made = ran.json
    assert (made["items"], sum(kind["items"] for kind in made["kinds"].values())) == (12, 12)
    assert made["tries"] == made["items"] + sum(made["dropped"].values())
    assert made["cost"]["spent"]["requests"] > 0, "the model was asked what it knows"
    listed = run_nightbake("exercises", "list", "--kind", "definition", "--json").json["exercises"]
    assert {one["answer"] for one in listed} >= {"the person who leads an incident for some hours."}
    shown = run_nightbake("exercises", "show", str(listed[0]["id"]))
    assert (shown.code, listed[0]["answer"] in shown.out, "closed book: wrong" in shown.out) == (0, True, True)
    assert run_nightbake("exercises", "list", "--as", "user:bo", "--json").json["exercises"] != []
    assert "12 exercises" in run_nightbake("exercises", "figures").out


def test_figures_tell_of_documents_costs_and_agreement(folder: Path) -> None:
    arguments = ("--documents", str(folder), "--allow", "everyone", "--json")
    figures = run_nightbake("exercises", "figures", *arguments, NIGHT_HOUR_COST="2").json
    assert (figures["corpus"]["documents"], figures["corpus"]["is_estimated"]) == (2, True)
    assert figures["corpus"]["use"] == "retrieval"
    assert (figures["cost"]["machine"], figures["agreement"]["items"]) == (0.0, 0)


def test_the_queue_says_how_many_wait_and_where(folder: Path) -> None:
    run_nightbake("ingest", str(folder), "--allow", "everyone")
    made = run_nightbake("exercises", "make", "--kind", "summary", "--for", "exam", "--json")
    assert (made.code, made.json["items"]) == (0, 0)
    run_nightbake("exercises", "make", "--kind", "definition", "--by", "structure", "--for", "exam", "--count", "3")
    ran = run_nightbake("exercises", "review", "--json")
    assert (ran.json["waiting"], "/console/exercises?token=" in ran.json["address"]) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("make", "--documents", "no/such/folder"), "expected a folder"),
        (("make", "--documents", "no such words"), "found none"),
        (("evolve",), "nightbake exercises make"),
    ],
)
def test_what_cannot_be_made_says_what_to_do(
    installation: FakeModelServer, arguments: tuple[str, ...], words: str
) -> None:
    ran = run_nightbake("exercises", *arguments)
    assert (ran.code, words in ran.err) == (2, True)


def test_an_exercise_that_is_not_there_is_not_found(installation: FakeModelServer) -> None:
    assert run_nightbake("exercises", "show", "7").code == 1


def test_a_server_that_goes_away_leaves_what_was_made(folder: Path, installation: FakeModelServer) -> None:
    run_nightbake("ingest", str(folder), "--allow", "everyone")
    installation.behaviour = "error"
    ran = run_nightbake("exercises", "make", "--kind", "four_choice", "--count", "3")
    assert ran.code == 3
    installation.behaviour = "answer"
    ran = run_nightbake("exercises", "make", "--kind", "four_choice", "--count", "3", "--json")
    assert (ran.code, ran.json["items"]) == (0, 3)

    async def count() -> int:
        async with Database(os.environ["DATABASE_URL"]) as database:
            return (await database.fetch_tuples(b"SELECT count(*) FROM exercise_makes"))[0][0]

    assert asyncio.run(count()) == 1
