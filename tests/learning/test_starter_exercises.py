"""Our own exercises: everything asked can be read off the passages, and nothing refused can."""

from itertools import islice

import pytest

from core.prompt import REFUSALS, detect_language
from learning.starter_exercises import build_exercises, fit_particles
from learning.starter_families import FAMILIES, split_families

GROUPS = {
    language: list(islice(build_exercises(split_families()[0], language, seed=2), 300)) for language in ("en", "ko")
}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_questions_and_answers_are_in_one_language(language):
    for group in GROUPS[language]:
        for branch in group.branches:
            assert branch.language == detect_language(branch.question) == detect_language(branch.answer)
            assert branch.language == language


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_number_of_an_answer_stands_in_the_passage_it_cites(language):
    checked = 0
    for group in GROUPS[language]:
        for branch in group.branches:
            passage = group.passages[(branch.passage or 1) - 1]
            if branch.passage and detect_language(passage.text) == language:
                checked += 1
                assert branch.gold[0] in passage.text
                assert branch.answer.endswith(f" [{branch.passage}]")
    assert checked > 500


@pytest.mark.parametrize("language", ["en", "ko"])
def test_about_one_in_seven_is_refused(language):
    branches = [branch for group in GROUPS[language] for branch in group.branches]
    refused = [branch for branch in branches if branch.passage is None]

    assert 0.10 < len(refused) / len(branches) < 0.20
    assert {branch.answer for branch in refused} == {REFUSALS[language]}


def test_some_korean_questions_are_asked_over_english_pages():
    crossed = [group for group in GROUPS["ko"] if detect_language(group.passages[0].text) == "en"]

    assert 0.08 < len(crossed) / len(GROUPS["ko"]) < 0.25


def test_held_out_families_are_apart():
    train, held_out = split_families()

    assert len(held_out) == 2
    assert len(train) + len(held_out) == len(FAMILIES)
    assert not {group.source for group in GROUPS["en"]} & {f"own-{family.name}" for family in held_out}


@pytest.mark.parametrize(
    ("stem", "written", "fitted"),
    [
        ("연차", "연차는 며칠", "연차는 며칠"),
        ("식당", "식당는 몇 시", "식당은 몇 시"),
        ("식비", "식비을 낸다", "식비를 낸다"),
        ("3", "3는 크다", "3은 크다"),
        ("a@b.example", "a@b.example으로 보낸다", "a@b.example로 보낸다"),
    ],
)
def test_particles_follow_the_last_sound(stem, written, fitted):
    assert fit_particles(written, stem) == fitted
