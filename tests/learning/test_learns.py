"""The employees of `benchmarks/learns.py`: what they like and write, and that nobody asks what is held out."""

import json
import random
from pathlib import Path

import click
import pytest

from benchmarks.learns import read_cells
from benchmarks.learns_figures import Cell, Night, Quality, build_figures, draw, find_regressions
from benchmarks.learns_workload import (
    PEOPLE,
    Employee,
    Exercise,
    choose_pools,
    hire,
    judge,
    load_dataset,
    load_sample,
    measure_taste,
    measure_tastes,
)
from bot.golden import GoldenQuestion
from cli.house import SAMPLE

BRIEF, SENTENCE = Employee("user:a", "brief"), Employee("user:b", "sentence")


def make_exercise(at: int = 0) -> Exercise:
    golden = GoldenQuestion(
        str(at), "en", f"How many {at}?", f"{at} days", [f"{at} days"], [f"{at}.md"], ["everyone"], False
    )
    return Exercise(golden, f"{at} days.", f"The company grants everybody {at} days.")


def say(answer: str, employee: Employee, *, noise: float = 0, seed: int = 1):
    return judge(answer, make_exercise(7), employee, make_exercise(9), noise=noise, chance=random.Random(seed))


def test_three_quarters_like_it_brief() -> None:
    employees = hire(3)
    assert (len(employees), sum(one.taste == "brief" for one in employees)) == (PEOPLE, 30)
    assert hire(3) == employees != hire(4)
    # 30 of 40 are wholly content, ten see two words of five.
    assert measure_tastes("7 days.", employees) == pytest.approx(0.75 + 0.25 * 2 / 5)


def test_a_citation_is_no_word_and_silence_suits_nobody() -> None:
    assert measure_taste("a b c d e f g h [1]", "brief") == 1.0
    assert measure_taste("a b c d e f g h i j k l m n o p", "brief") == 0.5
    assert measure_taste("", "brief") == measure_taste("[1]", "sentence") == 0.0


def test_right_in_the_wrong_form_is_disliked() -> None:
    wordy = "As far as I can tell from what I was given to read, it should be 7 days, I believe."
    assert say("7 days. [1]", BRIEF).value == 1
    assert say(wordy, BRIEF).value == -1
    assert say(wordy, SENTENCE).value == 1
    assert say("9 days. [1]", BRIEF).value == -1


def test_corrections_are_right_and_in_the_own_form() -> None:
    corrections = {
        (one.taste, say("No.", one, seed=seed).correction) for one in (BRIEF, SENTENCE) for seed in range(20)
    }
    assert corrections == {
        ("brief", None), ("brief", "7 days."), ("sentence", None), ("sentence", "The company grants everybody 7 days."),
    }  # fmt: skip


def test_noise_turns_thumbs_round_and_makes_corrections_wrong() -> None:
    votes = [say("7 days.", BRIEF, noise=0.3, seed=seed) for seed in range(1000)]
    assert 250 < sum(vote.value == -1 for vote in votes) < 350
    wrong = [vote.correction for vote in votes if vote.correction]
    assert 0 < sum(text == "9 days." for text in wrong) < len(wrong)


def test_nobody_asks_what_is_held_out_nor_of_its_documents() -> None:
    exercises = [make_exercise(at) for at in range(20)]
    shared = Exercise(exercises[0].golden, "other", "other")
    asked, kept = choose_pools([*exercises, shared], held_out=8, seed=2)
    sources = {path for one in kept for path in one.golden.sources}
    assert len(kept) == 8 and asked
    assert all(sources.isdisjoint(one.golden.sources) for one in asked)


def test_a_data_set_becomes_documents_and_questions(tmp_path: Path) -> None:
    folder, into = tmp_path / "set", tmp_path / "into"
    folder.mkdir()
    into.mkdir()
    text = "Oil was dear. The crisis began in 1973 and lasted. It ended."
    corpus = [{"id": f"a/{at}", "title": "Oil", "text": text} for at in range(5)]
    queries = [
        {"id": "q1", "text": "When?", "answers": ["1973"], "relevant_ids": ["a/3"]},
        {"id": "q2", "text": "Which heading?", "answers": [], "relevant_ids": ["a/1"]},
    ]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (found,) = load_dataset(folder, questions=9, documents=3, into=into, seed=1)
    assert (found.brief, found.sentence) == ("1973.", "The crisis began in 1973 and lasted.")
    assert len(list(into.glob("*.md"))) == 3
    assert text in (into / found.golden.sources[0]).read_text()


def test_the_sample_has_questions_in_both_languages() -> None:
    assert {one.golden.language for one in load_sample(SAMPLE / "golden.jsonl")} == {"en", "ko"}


@pytest.mark.parametrize("text", ["", "0.3", "2:0", "0:0", "0.3:1", "a:b"])
def test_a_cell_is_a_rate_and_its_noise(text: str) -> None:
    assert read_cells("0.03:0.1,1:0") == [Cell(0.03, 0.1), Cell(1, 0)]
    with pytest.raises(click.BadParameter):
        read_cells(text)


def make_night(number: int, right: int, *, switched: bool) -> Night:
    rights = tuple(at < right for at in range(20))
    quality = Quality(right / 20, 0.5, 0.5, rights)
    return Night(number, quality, 9, 9, "promote", switched, {"day": 1.0, "night": 2.0, "examine": 0.5})


def test_only_what_was_served_and_is_surely_worse_is_a_regression() -> None:
    lived = [make_night(0, 15, switched=False), make_night(1, 14, switched=True), make_night(2, 5, switched=False),
             make_night(3, 5, switched=True)]  # fmt: skip
    assert find_regressions(lived) == []
    assert find_regressions([lived[0], make_night(1, 8, switched=True)]) == [1]


def test_the_figures_hold_a_curve_a_cell_and_a_plot_a_line() -> None:
    lived = [make_night(0, 10, switched=False), make_night(1, 12, switched=True)]
    cells = [(Cell(0.3, 0.1), lived), (Cell(0.03, 0.0), lived)]
    figures = build_figures(cells)
    assert figures["cells"][0]["right"] == [0.5, 0.6]
    assert (figures["promotions"], figures["promoted_regressions"], figures["least_change_of_a_promotion"]) == (
        2,
        0,
        0.1,
    )
    plot = draw(cells)
    assert plot.count('class="line ') == 6 and "30% vote, 10% noise" in plot
