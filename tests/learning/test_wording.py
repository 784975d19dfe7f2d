"""Texts compared by hand-made examples in both languages."""

import pytest

from core.wording import find_citations, find_numbers, measure_support, normalise_text
from learning.wording import find_missing_facts, find_names, find_supporting

LEAVE = "Annual leave: 23 working days a year. Carry-over until 31 March needs approval by HR."
LEAVE_KO = "연차휴가는 1년에 15일이며 3월 31일까지 이월할 수 있습니다."


def test_case_punctuation_and_citations_do_not_make_a_difference() -> None:
    assert normalise_text("How many DAYS?  [1]") == normalise_text("how many days") == "how many days"


def test_numbers_lose_thousands_separators_and_small_words_become_digits() -> None:
    assert find_numbers("It costs 1,500 won for three people. [2]") == {"1500", "3"}


def test_names_are_capitals_inside_sentences_and_codes() -> None:
    assert find_names("Ask Miller in Berlin. The form is HR-7.") == {"miller", "berlin", "hr-7"}


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("You get 23 days.", []),
        ("You get 25 days.", ["25"]),
        ("Approval comes from Miller.", ["miller"]),
        ("Until 31 March, with approval by HR.", []),
    ],
)
def test_facts_that_no_source_holds_are_found(text: str, missing: list[str]) -> None:
    assert find_missing_facts(text, [LEAVE]) == missing


def test_korean_words_match_without_their_endings() -> None:
    assert measure_support("연차휴가가 15일 있습니다", [LEAVE_KO]) == 1.0


def test_half_of_the_parts_supported_is_a_half() -> None:
    # leave, working | pizza, party
    assert measure_support("leave working pizza party", [LEAVE]) == 0.5


def test_support_is_the_fewest_passages_that_hold_the_numbers() -> None:
    passages = [
        {"number": 1, "text": "Parking is free."},
        {"number": 2, "text": "Annual leave: 23 days."},
        {"number": 3, "text": "Sick leave: 10 days."},
    ]
    assert find_supporting("23 days of annual leave", passages) == [2]
    assert find_supporting("23 days of annual leave and 10 sick days", passages) == [2, 3]
    assert find_supporting("zebra", passages) == []


def test_citations_come_once_each_in_order() -> None:
    assert find_citations("a [2] b [1][2]") == [2, 1]
