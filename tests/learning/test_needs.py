"""What tomorrow needs: of every end that a night can have, and nothing that nobody can do."""

import inspect
import re
from typing import Any

import pytest

from learning import gate
from learning.break_even import Accuracy, Figures, judge
from learning.needs import find_needs
from learning.report_pages import LANGUAGES, load_texts


def need(reason: str | None, **changes: Any) -> dict[str, dict[str, Any]]:
    values: dict[str, Any] = {
        "counts": {}, "why": {}, "min_pairs": 6, "tickets": 0, "gaps": 0, "has_golden": True,
        "break_even": judge(None, Figures()),
    }  # fmt: skip
    return {one.name: dict(one.numbers) for one in find_needs(reason=reason, **(values | changes))}


def test_too_few_pairs_say_how_many_are_missing() -> None:
    assert need("too_few_pairs", counts={"pairs": 2}) == {"pairs": {"count": 4}}
    assert need("too_few_pairs", counts={"pairs": 7}) == {"other_questions": {}}


def test_too_little_evidence_says_how_much_more() -> None:
    found = need("not_enough_evidence", why={"wins": 18, "losses": 12})
    assert found == {"evidence": {"count": 80, "pairs": 320}, "decide": {}}


@pytest.mark.parametrize(
    ("reason", "name"),
    [("awaits_approval", "approve"), ("not_served", "model_server"), ("paused", "resume"), ("failed", "doctor")],
)
def test_each_trouble_names_what_ends_it(reason: str, name: str) -> None:
    assert need(reason) == {name: {}}


def test_a_good_night_needs_nothing() -> None:
    assert need("better", break_even=judge(Accuracy(99, 100, "golden"), Figures())) == {}


def test_people_are_asked_for_reviews_documents_and_golden_questions() -> None:
    counts = {"awaiting_review": 4, "flags": {"pushed_names": 2, "canary_pairs": 1, "burst_votes": 50}}
    found = need("better", counts=counts, tickets=3, gaps=2, has_golden=False)
    assert found == {
        "reviews": {"count": 4}, "tickets": {"count": 3}, "gaps": {"count": 2}, "flags": {"count": 3}, "golden": {},
    }  # fmt: skip


def test_more_golden_questions_are_asked_for_only_where_a_few_would_tell() -> None:
    assert "more_golden" in need("better", break_even=judge(Accuracy(37, 40, "golden"), Figures()))
    assert need("better", break_even=judge(Accuracy(41, 50, "golden"), Figures())) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_need_and_every_end_of_a_night_has_words(language: str) -> None:
    source = inspect.getsource(gate._judge)
    reasons = [*re.findall(r'"(?:refuse|abstain|promote)", "(\w+)"', source), "awaits_approval", "paused", "failed"]
    texts = load_texts(language)["needs"]
    for reason in [*reasons, "too_few_pairs"]:
        for name, numbers in need(reason).items():
            assert texts[name].format(**numbers)
