"""How an answer is judged against a golden one."""

import pytest

from bot.golden import GoldenQuestion, is_right


def make_golden(*accept: str) -> GoldenQuestion:
    return GoldenQuestion("g1", "en", "How much?", "1,200 won", list(accept), [], ["everyone"], False)


@pytest.mark.parametrize(
    ("answer", "accepted", "right"),
    [
        ("It costs 1200 won. [1]", "1,200 won", True),
        ("It costs 1,200 WON. [1]", "1200 won", True),
        ("연차는 15 일입니다.", "15일", True),
        ("It costs 1,300 won.", "1,200 won", False),
        ("1, 2, 3", "123", False),
        ("", "23", False),
        ("Employees have 15 days.", "5 days", False),
        ("Room 230.", "23", False),
        ("It is on floor 3.", "floor 3", True),
    ],
)
def test_case_spaces_and_thousands_separators_do_not_count(answer: str, accepted: str, right: bool) -> None:
    assert is_right(answer, make_golden(accepted)) is right


def test_one_accepted_text_is_enough() -> None:
    assert is_right("After 30 days.", make_golden("a month", "30 days"))
