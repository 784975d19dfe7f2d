"""What is read out of a question without a database: keyboards, spellings, parts, filters."""

from datetime import date

import pytest

from retrieval.query_filters import read_filters
from retrieval.query_keyboard import type_as_english, type_as_korean
from retrieval.query_parts import split_question
from retrieval.query_spelling import measure_distance, vary_korean, vary_latin

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("gbrk", "휴가"), ("duscksms", "연차는"), ("rkqt", "값"), ("Rhc", "꽃"), ("dhlqn", "외부"), ("vacation", None)],
)
def test_english_letters_of_a_korean_word(typed: str, meant: str | None) -> None:
    assert type_as_korean(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"), [("ㅗ디ㅣㅐ", "hello"), ("ㅍㅁㅊㅁ샤ㅐㅜ", "vacation"), ("휴가!", None), ("", None)]
)
def test_korean_letters_of_an_english_word(typed: str, meant: str | None) -> None:
    assert type_as_english(typed) == meant


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("vacatoin", "vacation", 1),
        ("vaction", "vacation", 1),
        ("휴갸", "휴가", 1),
        ("leave", "leave", 0),
        ("a", "bcd", 3),
    ],
)
def test_distance_counts_edits(one: str, other: str, distance: int) -> None:
    assert measure_distance(one, other, most=2) == distance


def test_variants_hold_what_was_meant_and_not_what_was_typed() -> None:
    assert "vacation" in vary_latin("vacatoin") and "vacatoin" not in vary_latin("vacatoin")
    assert "휴가" in vary_korean("휴갸") and "휴갸" not in vary_korean("휴갸")


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "How many days of leave do I get, and who approves it?",
            ["How many days of leave do I get", "How many days of leave do I get who approves it?"],
        ),
        ("식대 한도는 얼마인가요? 급여일은 언제인가요?", ["식대 한도는 얼마인가요?", "급여일은 언제인가요?"]),
        ("연차는 며칠이고 누가 승인하나요?", ["연차는 며칠", "연차는 며칠 누가 승인하나요?"]),
        ("What is the research and development policy?", ["What is the research and development policy?"]),
        ("?? ? ?", ["?? ? ?"]),
    ],
)
def test_a_message_is_split_into_its_questions(question: str, parts: list[str]) -> None:
    assert split_question(question) == parts


@pytest.mark.parametrize(
    ("question", "since", "until", "owner", "rest"),
    [
        ("Which policy changed since March 2026?", date(2026, 3, 1), None, None, "Which policy ?"),
        ("travel rules updated in the last 30 days", date(2026, 10, 22), None, None, "travel rules"),
        ("rules changed in 2026-02", date(2026, 2, 1), date(2026, 3, 1), None, "rules"),
        ("작년에 바뀐 휴가 규정", date(2025, 1, 1), date(2026, 1, 1), None, "휴가 규정"),
        ("2026년 3월 이후 변경된 규정", date(2026, 3, 1), None, None, "규정"),
        ("지난달 바뀐 규정", date(2026, 10, 1), date(2026, 11, 1), None, "규정"),
        ("Which policy changed since May?", date(2026, 5, 1), None, None, "Which policy ?"),
        ("rules updated in December", date(2025, 12, 1), date(2026, 1, 1), None, "rules"),
        ("What was changed recently in leave?", date(2026, 10, 22), None, None, "What in leave?"),
        ("최근 변경된 휴가 규정", date(2026, 10, 22), None, None, "휴가 규정"),
        ("최근에 바뀐 규정", date(2026, 10, 22), None, None, "규정"),
        ("최근 3개월간 바뀐 규정", date(2026, 8, 23), None, None, "규정"),
        ("5월 이후 바뀐 규정", date(2026, 5, 1), None, None, "규정"),
        ("What recently happened in May?", None, None, None, "What recently happened in May?"),
        ("최근에 바뀐 휴가 규정", date(2026, 10, 22), None, None, "휴가 규정"),
        ("어제 올라온 공지", date(2026, 11, 20), date(2026, 11, 21), None, "공지"),
        ("지난 주에 새로 나온 양식", date(2026, 11, 9), date(2026, 11, 16), None, "양식"),
        ("recently updated travel rules", date(2026, 10, 22), None, None, "travel rules"),
        ("What changed today about travel?", date(2026, 11, 21), None, None, "What about travel?"),
        ("작년에 나온 성과급은 얼마인가요?", None, None, None, "작년에 나온 성과급은 얼마인가요?"),
        ("documents by Kim on leave", None, None, "Kim", "documents leave"),
        ("Are documents by department sorted?", None, None, None, "Are documents by department sorted?"),
        ("documents owned by Kim about leave", None, None, "Kim", "documents leave"),
        ("김민수가 소유한 문서의 휴가", None, None, "김민수", "문서의 휴가"),
        ("When did the 1973 oil crisis begin?", None, None, None, "When did the 1973 oil crisis begin?"),
        ("rules changed since 2026-02-30", None, None, None, "rules changed since 2026-02-30"),
    ],
)
def test_filters_are_read_where_they_are_clearly_meant(
    question: str, since: date | None, until: date | None, owner: str | None, rest: str
) -> None:
    found = read_filters(question, TODAY)
    assert (found.changed_from, found.changed_until, found.owner, found.rest) == (since, until, owner, rest)
