"""ROUGE and BLEU by hand, in English and Korean."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu import corpus_bleu

from learning.exams.bootstrap import NothingMeasuredError
from learning.exams.overlap import (
    Rouge,
    cut_units,
    measure_bleu,
    measure_longest,
    measure_rouge,
    measure_sentence_bleu,
)


def test_english_counts_words_and_korean_counts_syllables() -> None:
    assert cut_units("Annual leave: 23일 [1], VPN을") == ["annual", "leave", "23", "일", "vpn", "을"]


def test_rouge_of_an_english_answer() -> None:
    # police killed the gunman / police kill the gunman: 3 of 4 words, 1 of 3 pairs, 3 in order.
    assert measure_rouge("Police killed the gunman. [1]", "police kill the gunman") == Rouge(3 / 4, 1 / 3, 3 / 4)
    # In another order all the words are there, only two of them in order.
    assert measure_rouge("the gunman police kill", "police kill the gunman") == Rouge(1.0, 2 / 3, 2 / 4)


def test_korean_endings_and_spaces_cost_little() -> None:
    found = measure_rouge("연차 휴가는 23일", "연차휴가 23일")
    # 연 차 휴 가 는 23 일 against 연 차 휴 가 23 일: 6 of 7 and 6; pairs 4 of 6 and 5.
    assert found == Rouge(12 / 13, 8 / 11, 12 / 13)


@pytest.mark.parametrize("answer", ["", "…", "[1]", "전혀 다름"])
def test_nothing_in_common_is_nothing(answer: str) -> None:
    assert measure_rouge(answer, "annual leave") == Rouge(0.0, 0.0, 0.0)


@given(st.text("abc", max_size=12), st.text("abcd", max_size=12))
def test_the_longest_subsequence_is_that_of_the_table(one: str, other: str) -> None:
    lengths = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, letter in enumerate(one):
        for j, beside in enumerate(other):
            same = lengths[i][j] + 1 if letter == beside else 0
            lengths[i + 1][j + 1] = max(same, lengths[i][j + 1], lengths[i + 1][j])
    assert measure_longest(one, other) == lengths[-1][-1]


def test_bleu_by_hand() -> None:
    # `the cat sat on a mat` / `the cat sat on the mat`: 5 of 6, 3 of 5, 2 of 4, 1 of 3; same length, no penalty.
    by_hand = (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25
    found = measure_sentence_bleu("the cat sat on a mat [2]", "the cat sat on the mat", "en")
    assert found == pytest.approx(by_hand)


def test_korean_bleu_counts_characters() -> None:
    # 휴 가 는 2 3 일 / 휴 가 가 2 3 일: 5 of 6, 3 of 5, 1 of 4, and 0 of 3, smoothed to a half of one.
    by_hand = (5 / 6 * 3 / 5 * 1 / 4 * (1 / 2) / 3) ** 0.25
    assert measure_sentence_bleu("휴가는 23일", "휴가가 23일", "ko") == pytest.approx(by_hand)
    # English tokenisation sees two words, of which one is right, and no pair.
    assert measure_sentence_bleu("휴가는 23일", "휴가가 23일", "en") == pytest.approx(math.sqrt(1 / 2 * 1 / 2))


def test_bleu_of_an_exam_is_sacrebleus_and_has_an_interval_around_it(caplog: pytest.LogCaptureFixture) -> None:
    answers = ["you get 23 days of annual leave", "the desk is on floor four", "ask the help desk by mail"] * 4
    references = ["you get 24 days of annual leave", "the desk is on floor five now", "call the help desk"] * 4
    found = measure_bleu(answers, references, "en")
    assert found.score.value == pytest.approx(corpus_bleu(answers, [references]).score)
    assert 0 < found.score.low < found.score.value < found.score.high < 100
    assert "tok:13a" in found.signature and "version:" in found.signature
    assert "tok:char" in measure_bleu(["23일"], ["23일"], "ko").signature
    assert not caplog.records
    assert measure_bleu([f"{answer} [1]" for answer in answers], references, "en").score == found.score


def test_bleu_of_nothing_is_no_number() -> None:
    with pytest.raises(NothingMeasuredError):
        measure_bleu([], [], "en")
