"""Which judgements make pairs, with which sides."""

from dataclasses import replace

import pytest

from core.records import Vote
from learning.labels import Judgement
from learning.pairs import build_pairs
from tests.learning.making import judge, make_answer, make_vote

WRONG = make_answer(1, "It depends on many things.")


def test_a_correction_is_chosen_and_gets_the_citation_that_supports_it() -> None:
    built = build_pairs([judge(WRONG, make_vote(1, 1, "a", -1, "You get 23 days a year."))])
    pair = built.pairs[0]
    assert (pair.chosen, pair.rejected) == ("You get 23 days a year. [1]", "It depends on many things.")


def test_a_correction_with_a_fact_that_no_passage_holds_is_a_document_ticket() -> None:
    built = build_pairs([judge(WRONG, make_vote(1, 1, "a", -1, "You get 25 days a year."))])
    assert (built.pairs, built.dropped) == ([], {1: "document_ticket"})
    assert (built.tickets[0].missing, built.tickets[0].titles) == (["25"], ["Leave"])


def test_a_correction_that_says_the_same_is_no_pair() -> None:
    right = make_answer(1, "You get 23 days a year. [1]")
    built = build_pairs([judge(right, make_vote(1, 1, "a", -1, "you get 23 days a year"))])
    assert (built.pairs, built.dropped) == ([], {1: "same_text"})


def test_the_rejected_side_of_a_quoted_answer_is_what_the_model_had_generated() -> None:
    quoted = make_answer(1, "Annual leave is 23 days a year. [1]", mode="quoted", generated="Forty days!")
    built = build_pairs([judge(quoted, make_vote(1, 1, "a", -1, "You get 23 days a year."))])
    assert built.pairs[0].rejected == "Forty days!"


def test_a_liked_quotation_is_preferred_to_the_unsupported_text_it_replaced() -> None:
    quoted = make_answer(
        1, "Annual leave is 23 days a year. [1]", mode="quoted", mode_reason="quoted_unsupported", generated="Forty!"
    )
    pair = build_pairs([judge(quoted, make_vote(1, 1, "a", 1))]).pairs[0]
    assert (pair.origin, pair.chosen, pair.rejected) == ("quotation", "Annual leave is 23 days a year. [1]", "Forty!")


def test_the_same_question_liked_and_disliked_is_a_pair_in_the_liked_answers_prompt() -> None:
    up = make_answer(
        2, "Leave is 23 days. [1]", question="how many days of leave", messages=[{"role": "user", "content": "u"}]
    )
    built = build_pairs([judge(WRONG, make_vote(1, 1, "a", -1)), judge(up, make_vote(2, 2, "b", 1))])
    pair = built.pairs[0]
    assert (pair.chosen, pair.rejected, pair.interaction_ids) == (up.answer, WRONG.answer, (2, 1))
    assert (pair.prompt, pair.voters, built.dropped) == (up.messages, ("a", "b"), {})


def test_an_answer_tried_again_is_held_against_its_own_first_try() -> None:
    other = make_answer(2, "Nobody knows.", messages=[])
    retried = make_answer(3, "Leave is 23 days. [1]", question="How many days of leaves?", again_of=1)
    judged: dict[int, Vote] = {1: -1, 2: -1, 3: 1}
    votes = [make_vote(number, number, "a", value) for number, value in judged.items()]
    answers = [WRONG, other, retried]
    built = build_pairs([judge(answer, vote) for answer, vote in zip(answers, votes, strict=True)])
    assert [(pair.origin, pair.interaction_ids) for pair in built.pairs] == [
        ("try_again", (3, 1)),
        ("same_question", (3, 2)),
    ]


def test_a_chain_of_tries_is_one_question() -> None:
    tries = [
        make_answer(
            n, f"Leave is 23 days{'!' * n} {'[1]' * (n == 3)}", question=f"q{n}", again_of=n - 1 if n > 1 else None
        )
        for n in (1, 2, 3)
    ]
    values: dict[int, Vote] = {1: -1, 2: -1, 3: 1}
    built = build_pairs([judge(answer, make_vote(answer.id, answer.id, "a", values[answer.id])) for answer in tries])
    assert [pair.interaction_ids for pair in built.pairs] == [(3, 2), (3, 1)]


def test_answers_from_different_passages_are_no_pair() -> None:
    passages = [dict(WRONG.passages[0], chunk_id=8)]  # type: ignore[index]
    up = make_answer(2, "23 days. [1]", passages=passages)
    built = build_pairs([judge(WRONG, make_vote(1, 1, "a", -1)), judge(up, make_vote(2, 2, "b", 1))])
    assert (built.pairs, built.dropped) == ([], {1: "other_passages", 2: "other_passages"})


def test_a_single_vote_is_kept_unpaired() -> None:
    assert build_pairs([judge(WRONG, make_vote(1, 1, "a", -1))]).dropped == {1: "unpaired"}


def test_a_silent_dislike_stands_behind_anothers_correction() -> None:
    votes = [make_vote(1, 1, "a", -1, "You get 23 days a year."), make_vote(2, 1, "b", -1)]
    built = build_pairs([judge(WRONG, *votes)])
    assert (built.pairs[0].voters, built.pairs[0].feedback_ids, built.dropped) == (("a", "b"), (1, 2), {})


def test_a_correction_to_a_refusal_needs_no_citation() -> None:
    built = build_pairs([judge(WRONG, make_vote(1, 1, "a", -1, "The documents do not say."))])
    assert built.pairs[0].chosen == "The documents do not say."


def test_a_liked_second_try_is_chosen_over_a_first_without_a_vote() -> None:
    retried = make_answer(2, "Leave is 23 days. [1]", again_of=1)
    built = build_pairs([judge(retried, make_vote(5, 2, "a", 1))], first_tries={1: WRONG})
    pair = built.pairs[0]
    assert (pair.origin, pair.chosen, pair.rejected) == ("try_again", retried.answer, WRONG.answer)
    assert (pair.feedback_ids, built.dropped, built.singles) == ((5,), {}, [])
    assert pair.confidence == pytest.approx(0.74 * 0.97)


def test_a_choice_between_two_tries_by_two_people_is_no_choice_of_one() -> None:
    retried = make_answer(2, "Leave is 23 days. [1]", again_of=1)
    built = build_pairs([judge(WRONG, make_vote(1, 1, "a", -1)), judge(retried, make_vote(2, 2, "b", 1))])
    assert [pair.origin for pair in built.pairs] == ["same_question"]


def test_a_liked_answer_with_facts_that_its_passages_lack_is_no_chosen_side() -> None:
    up = make_answer(2, "Leave is 24 days. [1]")
    built = build_pairs([judge(WRONG, make_vote(1, 1, "a", -1)), judge(up, make_vote(2, 2, "b", 1))])
    assert (built.pairs, set(built.dropped.values())) == ([], {"unsupported_facts"})


def test_what_somebody_let_slip_can_be_rejected_and_nobody_stands_behind_it() -> None:
    up = make_answer(2, "Leave is 23 days. [1]")
    slipped = Judgement(WRONG, -1, 0.6, ())
    built = build_pairs([slipped, judge(up, make_vote(2, 2, "b", 1))])
    assert [(pair.rejected, pair.voters, pair.weight) for pair in built.pairs] == [(WRONG.answer, ("b",), 0.6)]


def test_a_pair_says_why_it_is_one_and_from_which_documents() -> None:
    passages = [dict(WRONG.passages[0], document_id=4, document_version=3)]  # type: ignore[index]
    wrong = replace(WRONG, passages=passages)
    judgement = judge(wrong, make_vote(1, 1, "a", -1, "You get 23 days a year."))
    pair = build_pairs([judgement], faults={1: "tone"}).pairs[0]
    assert pair.why == ("checked:supported", "fault:tone", "signal:correction")
    assert pair.documents == ((4, 3),)
