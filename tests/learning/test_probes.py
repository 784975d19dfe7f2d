"""The questions that nobody's votes are about: they are fair, in both languages, and counted by kind."""

from collections import Counter

import pytest

from core.prompt import REFUSALS
from learning.gate import FEWER_ALLOWED, Tally
from learning.probes import Probe, count_right, load_probes

PROBES = load_probes()


def test_each_kind_is_asked_in_both_languages_and_has_a_limit() -> None:
    languages = Counter((probe.kind, any("가" <= letter <= "힣" for letter in _question(probe))) for probe in PROBES)
    kinds = {probe.kind for probe in PROBES}
    assert all(languages[kind, korean] for kind in kinds for korean in (True, False))
    assert kinds <= set(FEWER_ALLOWED)
    assert len({probe.id for probe in PROBES}) == len(PROBES)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.id)
def test_a_probe_tells_right_from_wrong(probe: Probe) -> None:
    right = REFUSALS["ko"] if probe.refuse else (probe.accept or ("11:30",))[0]
    wrong = probe.forbid[0] if probe.forbid else "no idea at all"
    assert probe.is_right(f"It is {right}. [1]")
    assert not probe.is_right(f"It is {wrong}. [1]")


@pytest.mark.parametrize("probe", [probe for probe in PROBES if not probe.refuse], ids=lambda probe: probe.id)
def test_what_is_asked_for_stands_beside_it(probe: Probe) -> None:
    if probe.kind != "forgetting":
        shown = probe.messages[-1]["content"]
        assert all(text in shown for text in probe.forbid)
        assert not probe.accept or any(text in shown for text in probe.accept)


def test_only_what_both_were_asked_is_counted() -> None:
    names = [probe for probe in PROBES if probe.kind == "names"][:3]
    right = {probe.id: probe.accept[0] for probe in names}
    live = {names[0].id: "?", names[1].id: right[names[1].id]}
    assert count_right(names, live, right) == [Tally("names", candidate=2, live=1, count=2)]


def _question(probe: Probe) -> str:
    return probe.messages[-1]["content"].partition("Question: ")[2] or probe.messages[-1]["content"]
