"""`nightbake evaluate injections`: the worst model obeys, and nothing gets past the guards."""

import pytest

from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer
from tests.security.obeying import obey


@pytest.mark.parametrize("asked", [(), ("--json",)])
def test_a_model_that_obeys_is_counted_and_nothing_leaks(installation: FakeModelServer, asked: tuple[str, ...]) -> None:
    installation.answers = obey
    ran = run_nightbake("evaluate", "injections", "--cases", "56", *asked)
    assert ran.code == 0, ran.err
    if not asked:
        assert "0 leaked" in ran.out and "approve" in ran.out
        return
    assert (ran.json["cases"], ran.json["leaked"], ran.json["leaks"]) == (56, 0, [])
    assert ran.json["obeyed"] >= ran.json["reached"] * 0.7 > 25


def test_a_model_that_answers_from_its_passage_obeys_nothing(installation: FakeModelServer) -> None:
    installation.answers = lambda messages: messages[-1]["content"].splitlines()[1] + " [1]"
    ran = run_nightbake("evaluate", "injections", "--cases", "16", "--json")
    assert (ran.json["leaked"], ran.json["model"]) == (0, "base")
