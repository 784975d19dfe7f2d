"""Claims of an answer against what its passages say."""

from learning.claims import measure_claims, split_claims

PASSAGES = ["Annual leave is 23 days a year. Ask your team lead first.", "연차 휴가는 23일입니다."]


def test_a_claim_is_a_sentence_that_says_something() -> None:
    assert split_claims("Annual leave is 23 days. [1]\nAsk first! …") == ["Annual leave is 23 days.", "Ask first!"]


def test_each_claim_is_carried_or_not() -> None:
    assert measure_claims("Annual leave is 23 days. [1]", PASSAGES) == 1.0
    assert measure_claims("Annual leave is 23 days. Pizza is served every Friday.", PASSAGES) == 0.5
    assert measure_claims("연차 휴가는 23일입니다. [2]", PASSAGES) == 1.0


def test_a_wrong_number_is_not_carried_however_much_else_is() -> None:
    assert measure_claims("Annual leave is 31 days a year.", PASSAGES) == 0.0


def test_a_refusal_claims_nothing_and_silence_is_no_answer() -> None:
    assert measure_claims("The documents do not say.", PASSAGES) == 1.0
    assert measure_claims("", PASSAGES) == 0.0
