"""`nightbake worth`: the company's figures, and what is known of the answers."""

import os

import psycopg
import pytest

from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer


def test_it_is_judged_by_golden_questions_with_the_companys_figures(
    installation: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = run_nightbake("worth", "--json").json
    assert (empty["state"], empty["share"], round(empty["needed"], 4)) == ("unknown", None, 0.8182)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        cells = '{"en": {"found_right": 95, "found_wrong": 5}}'
        connection.execute("INSERT INTO exams (asked_by, cells, failed) VALUES ('user:ann', %s, '[]')", [cells])
    found = run_nightbake("worth", "--json").json
    assert (found["state"], found["share"], found["source"]) == ("good", 0.95, "golden")
    assert round(found["value"], 2) == 0.95 * 20 - 0.05 * 90
    human = run_nightbake("worth").out
    assert "Good enough" in human and "81.8% right" in human and "USD 14.50" in human
    monkeypatch.setenv("LOST_TRUST_COST", "100000")
    monkeypatch.setenv("CURRENCY", "EUR")
    assert run_nightbake("worth", "--json").json["state"] == "not_yet"
    assert "EUR" in run_nightbake("worth").out


def test_a_figure_that_is_no_chance_is_refused(installation: FakeModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOST_TRUST_CHANCE", "5")
    result = run_nightbake("worth")
    assert result.code == 2 and "LOST_TRUST_CHANCE" in result.err
