"""Reports: the same facts in two languages and two forms, whatever became of the night."""

import json
from datetime import date
from typing import Any

import pytest

from learning.report import FOLDER, build_facts, choose_examples, load_texts, render_html, render_markdown
from learning.runs import Run, RunPair
from tests.learning.making import NOON


def make_run(**changes: Any) -> Run:
    values: dict[str, Any] = {
        "id": 1, "night": date(2026, 11, 20), "requested_by": "schedule", "window_from": NOON, "window_to": NOON,
        "stage": "report", "state": "running", "attempts": 1, "counts": {}, "tickets": [], "evaluation": None,
        "proof": None, "gate": None, "seconds": {}, "adapter": None, "reason": None, "error": None,
        "started_at": NOON, "finished_at": None,
    }  # fmt: skip
    return Run(**(values | changes))


def render(run: Run, language: str, state: Any = "skipped", reason: str = "too_few_pairs", error: str | None = None):
    facts = build_facts(run, [], [], state=state, reason=reason, error=error)
    return render_markdown(facts, language), render_html(facts, language)


def key_paths(value: object, path: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {path}
    return {found for key, inner in value.items() for found in key_paths(inner, f"{path}.{key}")}


def test_both_catalogues_have_the_same_texts() -> None:
    assert key_paths(load_texts("en")) == key_paths(load_texts("ko"))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_night_without_votes_is_a_report(language: str) -> None:
    markdown, html = render(make_run(), language)
    headline = json.loads((FOLDER / f"report.{language}.json").read_text())["headlines"]["skipped"]
    assert headline in markdown and headline in html


def test_a_failed_night_says_what_went_wrong() -> None:
    markdown, html = render(make_run(), "en", "failed", "failed", "no space left to write the adapter")
    assert "no space left" in markdown and "no space left" in html


def test_peoples_text_is_shown_and_never_run() -> None:
    ticket = {"question": "<script>x</script>", "correction": "| a | **b**", "missing": ["1"], "titles": ["T"]}
    markdown, html = render(make_run(tickets=[ticket]), "en")
    assert "<script>" not in html and "&lt;script&gt;" in html
    assert "\\<script\\>" in markdown and "\\*\\*b\\*\\*" in markdown


def test_a_page_asks_nothing_of_the_network() -> None:
    html = render(make_run(counts={"votes": 0, "voters": 0, "pairs": 0, "trained": 0, "held_out": 0}), "en")[1]
    assert "http" not in html.replace('xmlns="http://www.w3.org/2000/svg"', "") and "<script" not in html


def test_examples_show_the_greatest_losses_too() -> None:
    pairs = [RunPair(str(n), [], "c", "r", f"q{n}", "en", ["a"], "correction", "held_out", None) for n in range(10)]
    examples = [
        {"sha256": str(n), "preferred": "c", "live": {"text": "", "f1": 0.5}, "candidate": {"text": "", "f1": n / 10}}
        for n in range(10)
    ]
    shown = choose_examples({"examples": examples}, pairs)
    assert [example["question"] for example in shown] == ["q9", "q8", "q7", "q6", "q1", "q0"]
