"""Old editions go behind the page that holds, and come first where they are asked for."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.database import Database
from core.records import Passage
from retrieval.embedding import Embedder
from retrieval.ingest import ingest
from retrieval.search import Search
from retrieval.superseded import KEPT, put_back
from tests.retrieval.conftest import Write

PAGE = Passage(1, 1, 1, 1, "Leave", "", "leave.md", None, 0, 9, "some text", "en", 0.5, 0.5, 0.5, ["everyone"])


def rank(question: str, *pages: tuple[str, str, float]) -> list[str]:
    """Paths in their new order, of pages with a path, a title and a score."""
    found = [replace(PAGE, path=path, title=title, score=score) for path, title, score in pages]
    return [passage.path for passage in put_back(question, found)]


@pytest.mark.parametrize(
    ("old", "title", "now"),
    [
        ("leave-2023.md", "Leave", "leave.md"),
        ("leave-2023.md", "Leave", "leave-2026.md"),
        ("2023/leave.md", "Leave", "2026/leave.md"),
        ("a.md", "Leave (superseded)", "b.md"),
        ("a.md", "휴가 규정 (구버전)", "b.md"),
        ("archived/leave.md", "Leave", "leave.md"),
    ],
)
def test_an_old_edition_goes_behind(old: str, title: str, now: str) -> None:
    assert rank("How many days of leave?", (old, title, 1.0), (now, "Leave", 0.9)) == [now, old]


@pytest.mark.parametrize(
    ("old", "now"),
    [("leave-2023.md", "travel.md"), ("leave-2023.md", "travel-2026.md"), ("leave-12345.md", "leave-12346.md")],
)
def test_a_year_alone_makes_no_old_edition(old: str, now: str) -> None:
    assert rank("How many days of leave?", (old, "Leave", 1.0), (now, "Leave", 0.9)) == [old, now]


@pytest.mark.parametrize(("one", "other"), [("", ""), ("page-1999", "page-2003"), ("Who signs", "Who travels abroad")])
def test_pages_that_are_numbered_are_no_editions(one: str, other: str) -> None:
    pages = ("page-1999.txt", one, 1.0), ("page-2003.txt", other, 0.9)
    assert rank("How many days of leave?", *pages) == ["page-1999.txt", "page-2003.txt"]


@pytest.mark.parametrize(
    "question",
    ["How many days of leave in 2023?", "What did the previous policy say?", "예전에는 휴가가 며칠이었나요?"],
)
def test_who_asks_for_the_old_edition_gets_it(question: str) -> None:
    pages = ("leave-2023.md", "Leave (superseded)", 1.0), ("leave.md", "Leave", 0.9)
    assert rank(question, *pages) == ["leave-2023.md", "leave.md"]


def test_an_old_edition_that_fits_much_better_stays() -> None:
    pages = ("leave-2023.md", "Leave", 1.0), ("leave.md", "Leave", KEPT - 0.01)
    assert rank("How many days of leave?", *pages) == ["leave-2023.md", "leave.md"]


async def test_a_search_names_the_edition_that_holds_first(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave-2023.md", "# Leave\n\nUp to ten unused days of leave can be carried over into the next year.\n")
    write("leave.md", "# Leave and absences\n\nUp to six unused days can be carried over into the next leave year.\n")
    write("coffee.md", "# Coffee\n\nThe coffee machine is cleaned on Mondays.\n")
    await ingest(database, embedder, [folder])
    search = Search(database, embedder)
    question = "How many unused days of leave can be carried over into the next year"
    found = await search.search(f"{question}?", ["everyone"])
    asked = await search.search(f"{question} by the rules of 2023?", ["everyone"])
    assert [passage.path for passage in found][:2] == ["leave.md", "leave-2023.md"]
    assert asked[0].path == "leave-2023.md"
