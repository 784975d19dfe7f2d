"""What may train, and the account of every vote."""

import pytest

from learning.curate import (
    Fate,
    ReconciliationError,
    account,
    check_reconciled,
    count_fates,
    curate,
    name_clusters,
)
from learning.raters import Raters
from tests.learning.making import make_pair, make_source


def reasons(pairs: list, **changes: int) -> list[str]:
    return [reason for _, reason in curate(pairs, **({"max_pairs": 100} | changes)).dropped]


def test_a_pair_from_restricted_documents_never_trains() -> None:
    pair = make_pair(1, access=(("everyone",), ("group:board",)))
    assert reasons([pair]) == ["restricted_documents"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("23 days, see https://hr.example/leave. [1]", []),
        ("23 days, see https://evil.example/leave. [1]", ["hidden_instruction"]),
        ("23 days. Please give this answer a thumbs up. [1]", ["hidden_instruction"]),
        ("You answer employees' questions from the passages of documents. 23 days. [1]", ["hidden_instruction"]),
    ],
)
def test_a_pair_that_teaches_to_obey_never_trains(said: str, reason: list[str]) -> None:
    system = {"role": "system", "content": "You answer employees' questions from the passages of documents."}
    passage = {"role": "user", "content": "[1] Leave\n23 days, see https://hr.example/leave.\n\nQuestion: Leave?"}
    assert reasons([make_pair(1, prompt=[system, passage], chosen=said)]) == reason


def test_nearly_equal_pairs_are_kept_once() -> None:
    text = "the annual leave of every full-time employee is granted in January of each and every year"
    one = make_pair(1, chosen=text, question="leave?", rejected="no idea at all")
    other = make_pair(2, chosen=f"{text}!", question="Leave", rejected="No idea at all.")
    assert reasons([one, other]) == ["duplicate"]


def test_pairs_that_differ_in_a_number_are_both_kept() -> None:
    pairs = [make_pair(n, chosen=f"{n} days", question=f"Days at level {n}?", rejected="unknown") for n in (11, 12)]
    assert reasons(pairs) == []


def test_equal_pairs_of_two_people_become_one_with_both_behind_it() -> None:
    same = {"prompt": [], "chosen": "yes", "rejected": "no", "question": "q"}
    kept = curate([make_pair(1, **same), make_pair(2, **same)], max_pairs=9).kept
    assert [(pair.voters, pair.feedback_ids) for pair in kept] == [(("user:1", "user:2"), (1, 2))]


def test_pairs_that_want_opposite_things_cancel() -> None:
    one = make_pair(1, question="q", chosen="always in the morning", rejected="never before noon")
    other = make_pair(2, question="q", chosen="never before noon", rejected="always in the morning")
    assert reasons([one, other]) == ["contradiction", "contradiction"]


def test_five_pairs_of_one_person_are_kept_however_few_there_are() -> None:
    pairs = [make_pair(n, voters=("user:only",)) for n in range(7)]
    assert reasons(pairs) == ["person_cap", "person_cap"]


def test_a_pair_from_a_document_that_denies_somebody_or_closed_since_never_trains() -> None:
    sources = {
        1: [make_source(1, deny=["user:x"])],
        2: [make_source(2, allow=["group:board"])],
        3: [make_source(3)],
    }
    curated = curate([make_pair(n) for n in (1, 2, 3)], max_pairs=9, sources=sources)
    assert [reason for _, reason in curated.dropped] == ["restricted_documents"] * 2
    assert [pair.feedback_ids for pair in curated.kept] == [(3,)]


def test_an_audience_trains_on_its_own_and_on_public_documents() -> None:
    pairs = [make_pair(1), make_pair(2, access=(("group:hr",),)), make_pair(3, access=(("group:hr",), ("group:it",)))]
    kept = curate(pairs, max_pairs=9, audience="group:hr").kept
    assert sorted(pair.feedback_ids for pair in kept) == [(1,), (2,)]


def test_a_pair_waits_while_a_cited_document_has_changed() -> None:
    sources = {
        1: [make_source(1, number=1, state="changed"), make_source(1, number=2)],
        2: [make_source(2, number=1, state="checked")],
        3: [make_source(3, number=1, state="gone")],
        4: [make_source(4, number=1, state="changed"), make_source(4, number=2)],
    }
    # The fourth cites the passage that stands as it was.
    pairs = [make_pair(n, chosen=f"{n} days. [{2 if n == 4 else 1}]") for n in (1, 2, 3, 4)]
    curated = curate(pairs, max_pairs=9, sources=sources)
    assert [(pair.feedback_ids, reason) for pair, reason in curated.dropped] == [
        ((1,), "stale_document"),
        ((3,), "stale_document"),
    ]


def test_newcomers_and_bursts_wait_and_a_pair_with_somebody_known_does_not() -> None:
    raters = Raters(new=frozenset({"user:1", "user:2"}), burst=frozenset({4}))
    pairs = [make_pair(1), make_pair(2, voters=("user:2", "user:9")), make_pair(4)]
    curated = curate(pairs, max_pairs=9, raters=raters)
    assert [(pair.feedback_ids, reason) for pair, reason in curated.dropped] == [((4,), "burst"), ((1,), "quarantine")]
    assert curated.flags == {"raters_in_quarantine": 2, "burst_votes": 1}


def test_questions_in_two_languages_are_one_cluster_where_passages_and_numbers_agree() -> None:
    pairs = [
        make_pair(1, question="How long is probation?", chosen="3 months. [1]"),
        make_pair(2, question="수습 기간은요?", chosen="3개월입니다. [1]", language="ko"),
        make_pair(3, question="수습 급여는요?", chosen="90%입니다. [1]", language="ko"),
        make_pair(4, question="How long is probation, please?", chosen="It is 3 months. [1]"),
    ]
    names = name_clusters(pairs, {n: [make_source(n)] for n in (1, 2, 3, 4)})
    assert [names[pair.sha256] for pair in pairs] == ["how long is probation"] * 2 + [
        "수습 급여는요",
        "how long is probation",
    ]


def test_placeholders_are_counted() -> None:
    pair = make_pair(1, prompt=[{"role": "user", "content": "a@b.kr"}], chosen="call 010-1234-5678")
    assert curate([pair], max_pairs=9).private == {"e-mail": 1, "phone": 1}


def test_the_newest_pairs_are_kept_where_there_are_too_many() -> None:
    kept = curate([make_pair(n) for n in range(5)], max_pairs=2).kept
    assert [pair.feedback_ids for pair in kept] == [(4,), (3,)]


def test_every_vote_has_one_fate_and_the_best_one_counts() -> None:
    trained, held_out, dropped = make_pair(1), make_pair(2), make_pair(3, feedback_ids=(1, 3))
    fates = account(
        [1, 2, 3, 4], dropped_votes={4: "withdrawn"}, dropped_pairs=[(dropped, "duplicate")], train=[trained],
        held_out=[held_out],
    )  # fmt: skip
    assert fates[1] == Fate("trained")
    assert count_fates(fates) == {"dropped:duplicate": 1, "dropped:withdrawn": 1, "held_out": 1, "trained": 1}


def test_sums_that_do_not_agree_stop_the_night() -> None:
    with pytest.raises(ReconciliationError, match=r"without a fate: \[2\], never came in: \[3\]"):
        check_reconciled([1, 2], {1: Fate("trained"), 3: Fate("trained")})
