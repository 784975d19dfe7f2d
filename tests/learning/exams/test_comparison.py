"""The table of ways: who is better, who cannot be told apart, and what it looks like."""

import re
from xml.etree import ElementTree

import pytest

from learning.exams.bootstrap import NothingMeasuredError
from learning.exams.comparison import Scores, compare_ways, draw, render_comparison

SVG = "{http://www.w3.org/2000/svg}"


def answer(right: int, *, first: int = 0, count: int = 40) -> Scores:
    """Right from question `first` on."""
    return {f"q{at:02}": float(first <= at < first + right) for at in range(count)}


WAYS = {"sft": answer(11), "rag": answer(30), "base": answer(10), "few_shot": answer(4)}


def test_each_way_is_held_against_the_base_on_the_same_questions() -> None:
    found = compare_ways("exam", WAYS)
    assert [row.way for row in found.rows] == ["base", "few_shot", "rag", "sft"]
    assert [row.verdict for row in found.rows] == ["against", "worse", "better", "unclear"]
    assert [row.gain and row.gain.value for row in found.rows] == [None, *map(pytest.approx, (-0.15, 0.5, 0.025))]
    assert found.rows[2].score.value == 0.75
    assert (found.questions, found.left_out) == (40, 0)


def test_equal_scores_on_other_questions_are_no_equal_answers() -> None:
    same = compare_ways("exam", {"base": answer(10), "rag": answer(10)}).rows[1].gain
    other = compare_ways("exam", {"base": answer(10), "rag": answer(10, first=20)}).rows[1].gain
    assert same is not None and other is not None
    assert same.value == other.value == 0.0
    assert other.high - other.low > 2 * (same.high - same.low)


def test_a_question_that_one_way_did_not_answer_counts_for_none() -> None:
    found = compare_ways("exam", {"base": answer(10), "rag": answer(30, count=30)})
    assert (found.questions, found.left_out) == (30, 10)
    assert [row.score.value for row in found.rows] == [pytest.approx(1 / 3), 1.0]
    assert "10 that one of them did not answer are left out" in render_comparison(found, "en")


def test_any_way_can_be_the_one_to_beat() -> None:
    found = compare_ways("exam", WAYS, against="rag")
    assert [row.verdict for row in found.rows] == ["worse", "worse", "against", "worse"]
    assert "points above RAG" in render_comparison(found, "en")


def test_questions_of_one_document_count_together() -> None:
    groups = {f"q{at:02}": f"document {at // 20}" for at in range(40)}
    found = compare_ways("exam", WAYS, groups=groups)
    assert {row.score.count for row in found.rows} == {2}
    assert {row.gain.count for row in found.rows if row.gain} == {2}


def test_nothing_is_compared_with_what_was_not_measured() -> None:
    with pytest.raises(NothingMeasuredError, match="'base'"):
        compare_ways("exam", {"rag": answer(3)})
    with pytest.raises(NothingMeasuredError, match="all of"):
        compare_ways("exam", {"base": {"one": 1.0}, "rag": {"other": 1.0}})


def test_the_table_says_in_words_what_it_may() -> None:
    lines = render_comparison(compare_ways("Exam", WAYS), "en").splitlines()
    assert lines[0] == "| Exam | score, of 100 | points above base |  |"
    assert re.fullmatch(r"\| base \| 25\.0 \(\d+\.\d to \d+\.\d\) \|  \|  \|", lines[2])
    assert re.fullmatch(r"\| RAG \| 75\.0 \(.+\) \| \+50\.0 \(\+\d+\.\d to \+\d+\.\d\) \| better \|", lines[4])
    assert lines[5].endswith("| cannot tell |")
    assert lines[-1] == "40 questions, 95 % intervals, paired by question."
    korean = render_comparison(compare_ways("시험", WAYS), "ko")
    assert "기본 모델 대비 차이(점)" in korean and "| 나음 |" in korean and "질문 40개" in korean


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_plot_shows_every_way_within_its_frame_and_asks_for_nothing(language) -> None:
    plot = draw(compare_ways("<exam> & more", WAYS), language)
    root = ElementTree.fromstring(plot)
    assert not re.search(r"href|src|url\(|script|@import", plot)
    assert root.find(f"{SVG}style") is not None
    bars, dots = list(root.iter(f"{SVG}rect")), list(root.iter(f"{SVG}circle"))
    assert [bar.get("class") for bar in bars] == ["neutral", "bad", "good", "neutral"]
    assert [float(bar.get("width", 0)) for bar in bars] == [37.5, 15.0, 112.5, 41.2]
    assert [dot.get("class") for dot in dots] == ["bad", "good", "neutral"]
    zero = next(path for path in root.iter(f"{SVG}path") if path.get("class") == "zero")
    middle = float(re.findall(r"[\d.]+", zero.get("d", ""))[0])
    places = [float(dot.get("cx", 0)) for dot in dots]
    assert places[0] < middle < places[2] < places[1] < 640
    assert "<exam> & more" in [text.text for text in root.iter(f"{SVG}text")]
