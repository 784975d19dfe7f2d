"""The matrix, what each step costs and mends, and the one that is recommended; numbers worked out by hand."""

import json
import re
from typing import Any, get_args
from xml.etree import ElementTree

import pytest

from learning.advice.advise import LANGUAGES, TEMPLATES, build_advice, draw, load_texts, name_kind
from learning.advice.diagnosis import Behaviour, Context, Diagnosis, Run
from learning.advice.matrix import build_matrix
from learning.advice.steps import WORK, Prices, find_steps
from learning.break_even import Figures

# A wrong answer that becomes right is worth 20 + 40 + 1000 * 0.05 = 110; of 200 answers half are wrong.
PRICES = Prices(Figures(hour=2.0), answers=200, wrong_share=0.5, night_hours=3.0, person_hour=60.0)


def run(name: Any, *, is_right: bool, prompt: int = 100, adapter: str | None = None) -> Run:
    return Run(name, is_right, prompt, 10, 0.5, adapter)


def fail(key: str, context: Context | None, behaviour: Behaviour | None, *runs: Run) -> Diagnosis:
    return Diagnosis(key, False, context, behaviour, None, [run("now", is_right=False), *runs])


RIGHT = Diagnosis("golden:0", True, runs=[run("now", is_right=True)])
MIXED = [
    RIGHT,
    fail("golden:1", "retrieval", None, run("right_passage", is_right=True)),
    fail("golden:2", "retrieval", None, run("right_passage", is_right=True)),
    fail("golden:3", None, "examples", run("examples", is_right=True, prompt=160)),
    fail("golden:4", "missing", "examples", run("examples", is_right=True, prompt=140)),
    fail("golden:5", None, "memory"),
    fail("answer:6", "hidden", None),
]


def test_every_failed_question_stands_in_one_field() -> None:
    fields = {(field.row, field.column): field for field in build_matrix(MIXED)}
    assert {place: field.count for place, field in fields.items()} == {
        ("lacking", "as_is"): 3, ("lacking", "prompt"): 1, ("lacking", "weights"): 0,
        ("there", "as_is"): 0, ("there", "prompt"): 1, ("there", "weights"): 1,
    }  # fmt: skip
    assert fields["lacking", "as_is"].kinds == (("retrieval", None, 2), ("hidden", None, 1))


def test_a_step_costs_hours_and_tokens_and_is_worth_what_it_surely_mends() -> None:
    steps = {step.name: step for step in find_steps(MIXED, PRICES)}
    assert set(steps) == {"improve_search", "examples", "train", "grant"}
    search, examples, train = steps["improve_search"], steps["examples"], steps["train"]
    # Two of six, Wilson: 9.7 % to 70 %. 30 + 2 * 10 minutes at 60 an hour.
    assert (search.mends, search.of, round(search.low, 3), round(search.high, 3)) == (2, 6, 0.097, 0.7)
    assert (search.minutes, search.price, search.tokens_each) == (50, 50.0, 0.0)
    assert search.worth == pytest.approx(0.09677 * 100 * 110 - 50, abs=0.1)
    # The one whose document is missing too needs two steps, and is none of the examples' alone.
    assert (examples.mends, examples.tokens_each) == (1, 60.0)
    assert (train.low, train.is_tried, train.machine_hours, train.price) == (0.0, False, 3.0, 40 + 3 * 2.0)
    # One of six, 3 % at least, of which a training is taken to mend a quarter.
    assert train.worth == pytest.approx(0.0301 * 0.25 * 100 * 110 - 46, abs=1)


def test_what_was_seen_to_mend_most_comes_first_and_a_permission_last() -> None:
    assert [step.name for step in find_steps(MIXED, PRICES)] == ["improve_search", "examples", "train", "grant"]
    costly = Prices(Figures(), answers=0, wrong_share=0.02, person_hour=600.0)
    assert find_steps(MIXED, costly)[0].name == "examples", "where little is at stake, the cheaper one"
    learnt = [fail(f"golden:{at}", None, "memory") for at in range(10, 30)]
    assert find_steps([*MIXED, *learnt], PRICES)[0].name == "train", "where nearly nothing else helps"


def test_a_larger_budget_counts_where_it_was_tried() -> None:
    found = fail(
        "golden:1", "retrieval", None, run("right_passage", is_right=True), run("more_passages", is_right=True)
    )
    assert {step.name for step in find_steps([found], PRICES)} == {"improve_search", "more_passages"}


def test_advice_names_its_targets_and_no_question() -> None:
    advice = build_advice(MIXED, PRICES, more=9)
    assert (advice.asked, advice.right, advice.targets) == (7, 1, ["golden:1", "golden:2"])
    assert "2 of 6" in advice.said["en"] and "10 % to 70 %" in advice.said["en"] and "USD 50" in advice.said["en"]
    assert "6개 가운데 최대 2개" in advice.said["ko"]
    assert json.loads(json.dumps(advice.to_json()))["recommended"] == "improve_search"


def test_where_nothing_failed_there_is_nothing_to_do() -> None:
    advice = build_advice([RIGHT], PRICES, more=9)
    assert (advice.steps, advice.recommended, advice.change) == ([], None, {})
    assert "No question failed" in advice.said["en"]
    assert ElementTree.fromstring(draw(advice, "en")) is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_picture_shows_every_kind_with_its_cost_and_needs_nothing_else(language: Any) -> None:
    advice = build_advice(MIXED, PRICES, more=9)
    svg = draw(advice, language)
    texts = ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("}text")]
    assert f"{name_kind('retrieval', None, language)} 2" in texts
    assert any("50" in text for text in texts)
    assert svg.count('class="first"') == 1
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|<script", svg)


def find_paths(value: Any, path: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {path}
    return {found for key, inner in value.items() for found in find_paths(inner, f"{path}.{key}")}


def test_both_languages_have_every_word() -> None:
    english, korean = (json.loads((TEMPLATES / f"advice.{language}.json").read_text()) for language in LANGUAGES)
    assert find_paths(english) == find_paths(korean)
    texts = load_texts("en")
    assert set(texts["contexts"]) == set(get_args(Context)) and set(texts["behaviours"]) == set(get_args(Behaviour))
    assert set(texts["steps"]) == set(WORK)
