"""What is personal or secret becomes a typed placeholder; what only looks so stays."""

from collections import Counter

import pytest

from learning.private_data import find_private, redact, redact_pair
from learning.private_numbers import (
    has_birth_date,
    passes_business_check,
    passes_iban_check,
    passes_luhn,
    passes_resident_check,
)
from tests.learning.making import make_pair
from tests.learning.private_sentences import Sentence, make_sentences


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("write to ann.lee@acme.co.kr now", "write to (e-mail) now"),
        ("call 010-1234-5678 or +82 10 1234 5678", "call (phone) or (phone)"),
        (
            "담당자 번호는 01012345678이고 사무실은 (02) 555-1234입니다",
            "담당자 번호는 (phone)이고 사무실은 (phone)입니다",
        ),
        ("ID 900101-1234567 is hers", "ID (resident number) is hers"),
        ("외국인등록번호 850315-5123456", "외국인등록번호 (foreigner number)"),
        ("세금계산서는 124-81-00998로", "세금계산서는 (business number)로"),
        ("국민은행 123456-01-234567로 입금", "국민은행 (account)로 입금"),
        ("집은 서울특별시 강남구 테헤란로 152, 3층입니다", "집은 (address)입니다"),
        ("여권번호 M123A4567, 면허 11-12-345678-90", "여권번호 (passport), 면허 (driver's licence)"),
        ("The token ghp_" + "aB3dE6gH9j" * 3 + "aB3dE6 is mine", "The token (key) is mine"),
        ("비밀번호: hunter2!x", "비밀번호: (key)"),
        ("postgresql://bot:s3cr3tpw@db/night", "postgresql://bot:(key)@db/night"),
        ("on 2026-11-20 it cost 1,500,000 won, see 3.2", "on 2026-11-20 it cost 1,500,000 won, see 3.2"),
        ("비밀번호는 8자 이상이며 90일마다 바꿉니다", "비밀번호는 8자 이상이며 90일마다 바꿉니다"),
    ],
)
def test_personal_data_and_secrets_become_placeholders_and_dates_and_amounts_stay(text: str, clean: str) -> None:
    assert redact(text) == clean


def test_a_private_key_goes_with_all_of_its_lines() -> None:
    text = "before\n-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAbc\n-----END RSA PRIVATE KEY-----\nafter"
    assert redact(text) == "before\n(key)\nafter"


def test_what_was_found_is_counted_by_kind_also_where_a_line_comes_again() -> None:
    counts: Counter[str] = Counter()
    redact("call 010-1234-5678\ncall 010-1234-5678\na@b.kr", counts)
    assert counts == {"phone": 2, "e-mail": 1}


def test_all_texts_of_a_pair_get_the_same_placeholders() -> None:
    number = "010-1234-5678"
    pair = redact_pair(
        make_pair(1, prompt=[{"role": "user", "content": f"tel {number}"}], chosen=number, rejected=f"no {number}")
    )
    assert (pair.prompt[0]["content"], pair.chosen, pair.rejected) == ("tel (phone)", "(phone)", "no (phone)")


@pytest.mark.parametrize(
    ("number", "passes"),
    [
        # 9*2+0*3+0*4+1*5+0*6+1*7+1*8+2*9+3*2+4*3+5*4+6*5 = 124, 124 mod 11 = 3, 11 - 3 = 8
        ("900101-1234568", True),
        ("900101-1234567", False),
        # 8*2+5*3+0*4+3*5+1*6+5*7+5*8+1*9+2*2+3*3+4*4+5*5 = 190, 190 mod 11 = 3, 13 - 3 = 10, its last digit 0
        ("850315-5123450", True),
    ],
)
def test_the_check_digit_of_resident_and_foreigner_numbers(number: str, passes: bool) -> None:
    assert passes_resident_check(number) is passes


def test_the_check_digit_of_business_numbers() -> None:
    # 1*1+2*3+4*7+8*1+1*3+0*7+0*1+9*3+9*5 = 118, and 9*5 div 10 = 4: 122, 10 - 2 = 8
    assert passes_business_check("124-81-00998")
    assert not passes_business_check("124-81-00997")


def test_a_birth_date_has_to_be_a_day() -> None:
    assert has_birth_date("000229-3000000")  # 2000 was a leap year
    assert not has_birth_date("010229-3000000")
    assert not has_birth_date("901301-1000000")


def test_cards_and_international_accounts() -> None:
    assert passes_luhn("4111 1111 1111 1111")
    assert not passes_luhn("4111 1111 1111 1112")
    assert passes_iban_check("DE89 3704 0044 0532 0130 00")
    assert not passes_iban_check("DE88 3704 0044 0532 0130 00")


def test_order_numbers_that_fail_the_check_stay() -> None:
    assert redact("주문번호 124-81-00997, 9001011234567") == "주문번호 124-81-00997, 9001011234567"


@pytest.fixture(scope="module")
def sentences() -> list[Sentence]:
    return make_sentences(2000, seed=2026)


def test_recall_and_precision_on_two_thousand_generated_sentences(sentences: list[Sentence]) -> None:
    """Exact span and kind. The figures are upper bounds: the same people wrote the sentences and the patterns."""
    hits, wrong = 0, 0
    for sentence in sentences:
        found = find_private(sentence.text)
        right = [one for one in found if (one.kind, sentence.text[one.start : one.end]) == _expected(sentence)]
        hits += bool(right)
        wrong += len(found) - len(right)
    held = sum(1 for sentence in sentences if sentence.kind)
    assert held == 1200
    assert hits / held >= 0.99
    assert hits / (hits + wrong) >= 0.99


def test_redacting_twice_changes_nothing_more(sentences: list[Sentence]) -> None:
    once = [redact(sentence.text) for sentence in sentences]
    assert [redact(text) for text in once] == once


def _expected(sentence: Sentence) -> tuple[str, str]:
    return sentence.kind, sentence.private


@pytest.mark.parametrize(
    "text", ["공일공 일이삼사 오육칠팔로 전화 주세요", "홍길동 과장님 연봉은 오천만 원", "ann at acme dot com"]
)
def test_what_is_spelled_out_and_names_are_not_found(text: str) -> None:
    assert redact(text) == text
