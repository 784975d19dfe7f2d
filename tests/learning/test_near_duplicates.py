"""Which texts and questions are near each other."""

import pytest

from learning.near_duplicates import (
    QUESTION_OVERLAP,
    TEXT_OVERLAP,
    build_question_shingles,
    build_text_shingles,
    group_questions,
    group_similar,
    link_by_facts,
)
from learning.wording import measure_overlap
from tests.learning.question_pairs import OTHER, SAME, UNSEEN_OTHER, UNSEEN_SAME


def count_linked(pairs: tuple[tuple[str, str], ...]) -> int:
    return sum(group_questions(pair) == [0, 0] for pair in pairs)


def test_recall_and_precision_on_labelled_questions() -> None:
    """29 of 30 equal questions, no unequal one; of 24 unseen pairs 10 of 12, and none wrong."""
    assert (count_linked(SAME), count_linked(OTHER)) == (29, 0)
    assert (count_linked(UNSEEN_SAME), count_linked(UNSEEN_OTHER)) == (10, 0)


def test_what_the_hashing_misses_of_the_exact_answer() -> None:
    """All questions against each other: the groups are those of comparing every two."""
    questions = [question for pair in SAME + OTHER for question in pair]
    sets = [build_question_shingles(question) for question in questions]
    near = {
        (one, at)
        for at in range(len(sets))
        for one in range(at)
        if measure_overlap(sets[one], sets[at]) >= QUESTION_OVERLAP
    }
    found = group_questions(questions)
    assert near
    assert [pair for pair in near if found[pair[0]] != found[pair[1]]] == []


def test_shingles_of_words_in_english_and_of_letters_in_korean() -> None:
    assert build_text_shingles("Ask your lead.") == {
        f"\t{one}" for one in ("ask", "your", "lead", "ask your", "your lead")
    }
    assert build_text_shingles("팀장 에게") == {"\t팀장에", "\t장에게"}
    assert build_question_shingles("연차는 언제인가요?") == {f"\t{one}" for one in ("연", "차", "연차")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "You may carry over 5 days of leave into the next year.",
            "You may carry over 6 days of leave into the next year.",
        ),
        (
            "You may carry over days of leave into the next year.",
            "You may not carry over days of leave into the next year.",
        ),
        ("남은 연차는 다음 해로 넘길 수 있습니다.", "남은 연차는 다음 해로 넘길 수 없습니다."),
    ],
)
def test_a_number_or_a_negation_apart_is_not_near(one: str, other: str) -> None:
    assert not build_text_shingles(one) & build_text_shingles(other)


def test_groups_are_chains_and_are_known_by_their_first() -> None:
    def letters(text: str) -> frozenset[str]:
        return frozenset(text)

    # abcd-bcde share 3 of 5, bcde-cdef too, abcd-cdef 2 of 6.
    sets = [letters("abcd"), letters("xyz"), letters("cdef"), letters("bcde"), letters("abcd")]
    assert group_similar(sets, overlap=0.6) == [0, 1, 0, 0, 0]


def test_questions_in_two_languages_are_one_where_their_facts_say_so() -> None:
    questions = ["How long is probation?", "수습 기간은 얼마나 되나요?", "Where is the canteen?"]
    links = link_by_facts({0: ("7", "3"), 1: ("7", "3"), 2: ("8",)}, lambda one, at: True)
    assert links == [(0, 1)]
    assert group_questions(questions, links) == [0, 0, 2]


def test_long_texts_with_one_other_word_of_thirty_are_near() -> None:
    words = [f"word{chr(97 + at)}" for at in range(26)] + ["omega", "kappa", "sigma", "theta"]
    changed = [*words[:29], "lambda"]
    # 29 words and 28 pairs of 30 + 29 + 1 + 1: 57/61 = 0.93
    sets = [build_text_shingles(" ".join(text)) for text in (words, changed)]
    assert measure_overlap(*sets) == pytest.approx(57 / 61)
    assert group_similar(sets, overlap=TEXT_OVERLAP) == [0, 0]
