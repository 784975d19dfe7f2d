"""The pure side of an answer: what counts as a question, how passages fit, and which sentences carry what."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.citations import settle, support
from bot.conversation import is_follow_up, make_standalone
from bot.prompt import fit, to_messages
from bot.questions import LONGEST_QUESTION_CHARACTERS, check_question
from bot.quote import quote
from bot.sentences import split_sentences
from core.errors import InvalidInputError
from core.fitting import FRAME_TOKENS, count_tokens, estimate_tokens
from core.interactions import Turn
from tests.bot.assistant import LEAVE
from tests.bot.recorded import TRAVEL

BOTH = [LEAVE, TRAVEL]


@pytest.mark.parametrize("text", ["", "   ", "?!…", "\x00\x01\x02", "\ud800", "👍", "\n" * 50])
def test_what_holds_no_word_is_no_question(text: str) -> None:
    with pytest.raises(InvalidInputError, match="could not find a question"):
        check_question(text)


def test_a_question_may_have_four_thousand_characters_and_no_more() -> None:
    assert len(check_question("x" * LONGEST_QUESTION_CHARACTERS)) == 4000
    with pytest.raises(InvalidInputError, match="4,001 characters; please ask in at most 4,000"):
        check_question("x" * 4001)


def test_a_file_pasted_by_mistake_is_declined() -> None:
    with pytest.raises(InvalidInputError, match="at most 4,000"):
        check_question(bytes(range(256)).decode("latin-1") * 400)


def test_control_characters_do_not_count() -> None:
    assert check_question("\x1b[31m How\x00 many?\r\n\x07") == "[31m How many?"


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_is_taken_or_declined_with_words(text: str) -> None:
    try:
        assert check_question(text)
    except InvalidInputError as error:
        assert "Please" in str(error) or "please" in str(error)


@pytest.mark.parametrize(
    ("answer", "settled", "numbers"),
    [
        # Carried by the passage it cites.
        ("Employees have 23 days. [1]", "Employees have 23 days. [1]", [1]),
        # No passage 7.
        ("Employees have 23 days. [7]", "Employees have 23 days. [1]", [1]),
        # The other passage is cited.
        ("Employees have 23 days. [2]", "Employees have 23 days. [1]", [1]),
        # Both are cited, one carries it.
        ("Employees have 23 days. [2] [1]", "Employees have 23 days. [1]", [1]),
        # Nothing is cited.
        ("The team lead approves travel expenses.", "The team lead approves travel expenses. [2]", [2]),
        # No passage has the number, whatever the words.
        ("Employees have 24 days. [1]", "Employees have 24 days.", []),
        # Nothing is said.
        ("[1]", "", []),
        ("", "", []),
    ],
)
def test_citations_are_settled(answer: str, settled: str, numbers: list[int]) -> None:
    assert settle(answer, BOTH) == (settled, numbers)


def test_without_passages_nothing_is_carried() -> None:
    assert settle("Employees have 23 days. [1]", []) == ("Employees have 23 days.", [])


def test_support_is_the_share_of_terms_that_the_passage_holds() -> None:
    # emplo, annua and leave stand in the passage, unlim and forev do not: 3 of 5.
    assert support("Employees: unlimited annual leave forever", LEAVE) == pytest.approx(3 / 5)


def test_the_closest_sentence_is_quoted_with_its_citation() -> None:
    assert quote("Who approves travel expenses?", BOTH) == ("The team lead approves travel expenses. [2]", [2])


def test_korean_is_quoted_by_its_words_without_their_endings() -> None:
    korean = replace(LEAVE, title="규정", heading_path="", text="재택근무는 주 2일입니다. 연차휴가는 15일입니다.")
    assert quote("연차휴가를 며칠 쓸 수 있나요?", [korean]) == ("연차휴가는 15일입니다. [1]", [1])


def test_of_equal_sentences_the_higher_ranked_is_quoted() -> None:
    assert quote("annual leave", [LEAVE, replace(LEAVE, number=2)])[1] == [1]


def test_three_sentences_are_quoted_at_most_and_in_reading_order() -> None:
    text, numbers = quote("days leave portal team lead travel receipts", [*BOTH, replace(LEAVE, number=3)])
    marks = [int(mark) for mark in re.findall(r"\[(\d)\]", text)]
    assert (marks, numbers) == (sorted(marks), sorted(set(marks)))
    assert len(marks) <= 3


def test_without_passages_there_is_nothing_to_quote() -> None:
    assert quote("Why?", []) == ("", [])


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ("연차는 15일입니다. 병가는 따로 있습니다.", ["연차는 15일입니다.", "병가는 따로 있습니다."]),
        ("Costs 3.5 crowns a day.", ["Costs 3.5 crowns a day."]),
        ("Bring papers, e.g. Passports. Then wait.", ["Bring papers, e.g. Passports.", "Then wait."]),
        ("- first item\n- second item", ["- first item", "- second item"]),
        ('He said "No." Then he left.', ['He said "No."', "Then he left."]),
        ("", []),
    ],
)
def test_sentences_are_split(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    "question",
    [
        *("And for interns?", "what about contractors?", "Why?", "It also?", "인턴은요?", "그럼 인턴은 며칠인가요?"),
        *("for interns?", "In Busan?", "Who approves it?", "Does it expire?", "And who approves?", "How long?"),
        *("그럼 인턴은?", "그건 누가 승인하나요?", "누가 그걸 승인하나요?", "인턴의 경우는?", "언제까지?", "얼마나요?"),
    ],
)
def test_a_question_that_leans_on_the_last_is_a_follow_up(question: str) -> None:
    assert is_follow_up(question)


@pytest.mark.parametrize(
    "question",
    [
        *("How many days of leave?", "Android phones: who pays?", "Italy: travel rules?", "연차는 며칠인가요?"),
        *("Why does the VPN not work on Fridays in the Busan office?", "How long is parental leave?"),
        *("So where do I find the address of the accounting office?", "Another question: who pays for taxis?"),
        *("왜 금요일에는 VPN을 쓸 수 없나요?", "다른 질문인데 그건 식대 한도예요", "그룹 보험은 어떻게 되나요?"),
        *("언제 급여가 들어오나요?", "For how long must receipts of business trips be kept by the office?"),
    ],
)
def test_a_question_of_its_own_is_no_follow_up(question: str) -> None:
    assert not is_follow_up(question)


def test_a_chain_of_follow_ups_keeps_its_root() -> None:
    turns = [
        Turn("And for interns?", "How many days of leave? — And for interns?", "10 days."),
        Turn("How many days of leave?", "How many days of leave?", "23 days."),
    ]
    assert make_standalone("What about contractors?", turns) == "How many days of leave? — What about contractors?"


def test_without_earlier_turns_a_question_stands_as_it_is() -> None:
    assert make_standalone("And for interns?", []) == "And for interns?"


def test_tokens_are_estimated_by_script() -> None:
    # 10 Latin characters: 4 tokens; 2 Hangul syllables: 6; and one for rounding.
    assert (estimate_tokens("abcdefghij"), estimate_tokens("휴가")) == (5, 7)


def test_passages_that_fit_all_stay() -> None:
    assert fit("Why?", BOTH, context_tokens=2048, answer_tokens=128) == BOTH


def test_the_lowest_ranked_passages_go_first() -> None:
    passages = [replace(LEAVE, number=number) for number in (1, 2, 3)]
    two = count_tokens(to_messages("Why?", passages[:2]))
    context = two + FRAME_TOKENS + 100
    assert fit("Why?", passages, context_tokens=context, answer_tokens=100) == passages[:2]
    assert fit("Why?", passages, context_tokens=context - 1, answer_tokens=100) == passages[:1]


def test_a_question_that_leaves_no_room_gets_no_passage() -> None:
    question = "x" * 400
    context = count_tokens(to_messages(question, [LEAVE])) + FRAME_TOKENS + 100
    assert fit(question, BOTH, context_tokens=context, answer_tokens=100) == [LEAVE]
    assert fit(question, BOTH, context_tokens=context - 1, answer_tokens=100) == []
