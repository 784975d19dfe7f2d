"""Whose fault a disliked answer was."""

from dataclasses import replace
from typing import Any

import pytest

from learning.blame import JudgedQuery, blame_writing, split_blame
from learning.labels import Answer, VoteRow
from learning.library import DocumentNow, Holder, Library
from tests.learning.making import judge, make_answer, make_vote

PASSAGE = {
    "number": 1, "chunk_id": 7, "document_id": 3, "document_version": 2, "title": "Leave", "heading_path": "",
    "path": "people/leave.md", "text": "Annual leave is 23 days a year.", "allow": ["everyone"],
}  # fmt: skip
SHOWN = DocumentNow(3, "Leave", "people/leave.md", 2, "user:olga", ["everyone"], [], is_there=True)
OTHER = DocumentNow(4, "Interns", "people/interns.md", 1, "user:ida", ["everyone"], [], is_there=True)
ADDED = "Interns have 11 days."


def wrong(number: int = 1, text: str = "It depends.", **changes: Any) -> Answer:
    return make_answer(
        number, text, **({"passages": [PASSAGE], "principals": ("everyone",), "citations": ()} | changes)
    )


def library(*documents: DocumentNow, chunks: dict[int, int] | None = None, holders: int | None = None) -> Library:
    held = {ADDED: [Holder(9, holders, 1.0)]} if holders else {}
    return Library({one.id: one for one in (SHOWN, *documents)}, chunks or {}, held)


def dislike(**changes: Any) -> VoteRow:
    return replace(make_vote(1, 1, "a", -1), **changes)


def test_a_right_passage_that_was_not_shown_is_the_search_s_fault_and_a_judged_query() -> None:
    judgement = judge(wrong(), dislike(right_chunk_id=9))
    split = split_blame([judgement], library(OTHER, chunks={9: 4}))
    assert (split.judgements, split.search) == ([], {1: "right_source"})
    # A new rater's 0.8 through 0.92 is 0.752, times the signal's 0.92.
    assert split.queries == [
        JudgedQuery(1, "How many days of leave?", "en", 9, 1, "right_source", round(0.752 * 0.92, 4), (1,))
    ]


@pytest.mark.parametrize(
    ("changes", "cites", "blamed"),
    [
        ({"right_chunk_id": 9}, (1,), [(7, -1), (9, 1)]),
        ({"right_chunk_id": 9}, (), [(9, 1)]),
        ({"right_chunk_id": 9, "reason": "wrong_document"}, (), [(7, -1), (9, 1)]),
        ({"right_source": "the interns' page"}, (1,), [(7, -1)]),
    ],
)
def test_who_names_another_source_blames_what_the_answer_leant_on(
    changes: dict[str, Any], cites: tuple[int, ...], blamed: list[tuple[int, int]]
) -> None:
    judgement = judge(wrong(citations=cites), dislike(**changes))
    queries = split_blame([judgement], library(OTHER, chunks={9: 4})).queries
    assert sorted((query.chunk_id, query.value) for query in queries) == blamed


def test_a_right_passage_that_was_shown_leaves_the_fault_with_the_model() -> None:
    split = split_blame([judge(wrong(), dislike(right_chunk_id=7))], library())
    assert ([one.answer.id for one in split.judgements], split.queries) == ([1], [])


def test_a_right_passage_that_the_asker_may_not_read_is_a_ticket_for_its_owner() -> None:
    secret = replace(OTHER, allow=["group:hr"])
    split = split_blame([judge(wrong(), dislike(right_chunk_id=9))], library(secret, chunks={9: 4}))
    assert split.documents == {1: "not_visible"}
    assert [(one.kind, one.titles, one.owners) for one in split.tickets] == [("not_visible", ["Interns"], ["user:ida"])]


def test_a_right_passage_that_is_gone_says_that_the_document_changed() -> None:
    assert split_blame([judge(wrong(), dislike(right_chunk_id=9))], library()).documents == {1: "stale"}


@pytest.mark.parametrize(
    ("documents", "fault"),
    [
        ([OTHER], {"search": {1: "correction"}, "documents": {}}),
        ([replace(OTHER, deny=["everyone"])], {"search": {}, "documents": {1: "not_visible"}}),
        ([], {"search": {}, "documents": {1: "missing"}}),
    ],
)
def test_a_correction_that_adds_facts_is_the_search_s_fault_only_where_the_asker_may_read_them(
    documents: list[DocumentNow], fault: dict[str, Any]
) -> None:
    split = split_blame([judge(wrong(), dislike(correction=ADDED))], library(*documents, holders=4))
    assert (split.search, split.documents, split.judgements) == (fault["search"], fault["documents"], [])


def test_facts_that_stand_in_a_newer_version_of_what_was_shown_were_stale() -> None:
    newer = replace(SHOWN, version=3)
    split = split_blame([judge(wrong(), dislike(correction=ADDED))], library(newer, holders=3))
    assert (split.documents, split.tickets[0].missing) == ({1: "stale"}, ["11"])


def test_a_correction_that_its_passages_carry_is_the_model_s_fault() -> None:
    judgement = judge(wrong(), dislike(correction="You get 23 days a year."))
    split = split_blame([judgement], library())
    assert (split.judgements, split.search, split.documents) == ([judgement], {}, {})


def test_an_answer_liked_later_from_other_passages_blames_the_search() -> None:
    better = wrong(2, "Interns have 11 days. [1]", passages=[{**PASSAGE, "chunk_id": 9}], citations=(1,))
    liked = judge(better, make_vote(2, 2, "b", 1))
    split = split_blame([judge(wrong(), dislike()), liked], library())
    assert ([query.chunk_id for query in split.queries], split.search) == ([9], {1: "later_answer"})
    assert split.judgements == [liked]


def test_an_answer_liked_earlier_says_nothing_of_a_later_search() -> None:
    better = wrong(1, "Interns have 11 days. [1]", passages=[{**PASSAGE, "chunk_id": 9}], citations=(1,))
    worse = judge(wrong(2), replace(dislike(), interaction_id=2))
    split = split_blame([judge(better, make_vote(2, 1, "b", 1)), worse], library())
    assert (len(split.judgements), split.search) == (2, {})


def test_a_reason_blames_the_document_or_the_search_that_found_it() -> None:
    cited = wrong(text="23 days. [1]", citations=(1,))
    stale = split_blame([judge(cited, dislike(reason="outdated"))], library())
    assert (stale.documents, stale.tickets[0].owners) == ({1: "stale"}, ["user:olga"])
    mistaken = split_blame([judge(cited, dislike(reason="wrong_document"))], library())
    assert [(query.chunk_id, query.value) for query in mistaken.queries] == [(7, -1)]


@pytest.mark.parametrize(
    ("source", "search"), [("leave.md", {}), ("see [1]", {}), ("the interns' page", {1: "right_source"})]
)
def test_a_source_in_words_blames_the_search_where_it_was_not_shown(source: str, search: dict[int, str]) -> None:
    assert split_blame([judge(wrong(), dislike(right_source=source))], library()).search == search


def test_a_refusal_without_passages_is_a_document_that_is_missing() -> None:
    refused = wrong(text="The documents do not say.", mode="refused", passages=[])
    assert split_blame([judge(refused, dislike())], library()).documents == {1: "missing"}


def test_the_silent_go_with_the_surest_evidence_and_everyone_else_stands_by_their_own() -> None:
    votes = [
        make_vote(1, 1, "a", -1, "You get 23 days a year."),
        make_vote(2, 1, "b", -1),
        replace(make_vote(3, 1, "c", -1), reason="outdated"),
    ]
    split = split_blame([judge(wrong(), *votes)], library())
    assert [vote.feedback_id for vote in split.judgements[0].votes] == [1, 2]
    assert split.documents == {3: "stale"}


@pytest.mark.parametrize(
    ("text", "reason", "fault"),
    [
        ("Annual leave is 24 days a year.", None, "contradiction"),
        ("Annual leave is 23 days a year.", None, "wording"),
        ("Annual leave is 23 days a year.", "rude tone", "tone"),
        ("Annual leave is 23 days a year, I believe.", None, "tone"),
        ("Annual leave is 23 days a year.", "incomplete", "length"),
        ("Annual leave is 23 days a year. " * 14, None, "length"),  # 98 words
        ("Leave 연차 휴가 23", None, "language"),
        ("The documents do not say.", None, "wording"),
    ],
)
def test_what_is_wrong_with_the_model_s_words(text: str, reason: str | None, fault: str) -> None:
    assert blame_writing(wrong(text=text), [dislike(reason=reason)]) == fault


KOREAN = {**PASSAGE, "title": "휴가 규정", "text": "정규직 연차휴가는 1년에 23일입니다."}


@pytest.mark.parametrize(
    ("correction", "who"),
    [("연차휴가는 23일이에요.", "model"), ("인턴 연차휴가는 11일입니다.", "documents")],
)
def test_korean_corrections_are_split_as_english_ones_are(correction: str, who: str) -> None:
    answer = wrong(text="여러 사정에 따라 다릅니다.", passages=[KOREAN], question="연차는 며칠?", language="ko")
    split = split_blame([judge(answer, dislike(correction=correction))], library())
    assert (bool(split.judgements), split.documents) == ((True, {}) if who == "model" else (False, {1: "missing"}))


@pytest.mark.parametrize(
    ("text", "reason", "fault"),
    [
        ("연차휴가는 1년에 24일입니다.", None, "contradiction"),
        ("Annual leave 23 days 1", None, "contradiction"),
        ("연차휴가는 1년에 23일입니다.", "말투가 무례해요", "tone"),
        ("죄송하지만 연차휴가는 1년에 23일입니다.", None, "tone"),
        ("연차휴가는 1년에 23일입니다.", None, "wording"),
    ],
)
def test_what_is_wrong_with_korean_words(text: str, reason: str | None, fault: str) -> None:
    answer = wrong(text=text, passages=[KOREAN], question="연차는 며칠?", language="ko")
    assert blame_writing(answer, [dislike(reason=reason)]) == fault
