"""`nightbake evaluate needle`: facts that no document holds, asked of the model server."""

from pathlib import Path

import pytest

from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer

GRID = ("--length", "600", "--length", "700", "--depth", "0", "--depth", "1")


@pytest.fixture(autouse=True)
def ingested(installation: FakeModelServer, documents: Path) -> FakeModelServer:
    """An installation whose documents everyone may read."""
    assert run_nightbake("ingest", str(documents)).code == 0
    return installation


def test_every_cell_is_asked_and_drawn(ingested: FakeModelServer, tmp_path: Path) -> None:
    picture = tmp_path / "needle.svg"
    ran = run_nightbake("evaluate", "needle", *GRID, "--repeats", "2", "--picture", str(picture), "--json")
    assert ran.code == 0, ran.err
    cells = [(one["length_tokens"], one["depth"]) for one in ran.json["probes"]]
    assert cells == [(length, depth) for length in (600, 700) for depth in (0, 0, 1, 1)]
    assert (ran.json["asked"], ran.json["found"], ran.json["adapter"]) == (8, 0, None)
    assert len(ingested.requests) == 10, "two more measure the tokenizer"
    assert picture.read_text().count('class="cell"') == 4


def test_people_see_a_table(ingested: FakeModelServer) -> None:
    ran = run_nightbake("evaluate", "needle", *GRID, "--language", "en")
    assert ran.code == 0, ran.err
    assert "600" in ran.out and "found 0 of 4, by the base model" in ran.out


def test_nothing_is_logged(ingested: FakeModelServer) -> None:
    assert run_nightbake("evaluate", "needle", *GRID, "--json").code == 0
    assert run_nightbake("gaps", "list", "--json").json == {"gaps": []}


def test_a_length_beyond_the_context_is_wrong_usage() -> None:
    ran = run_nightbake("evaluate", "needle", "--length", "100000")
    assert ran.code == 2
    assert "MODEL_CONTEXT_TOKENS" in ran.err


def test_without_documents_it_says_what_to_do() -> None:
    ran = run_nightbake("evaluate", "needle", "--language", "ko")
    assert ran.code == 2
    assert "nightbake ingest" in ran.err
