"""What may train, and the account of every vote."""

import pytest

from learning.curate import Fate, ReconciliationError, account, check_reconciled, count_fates, curate
from learning.split import is_held_out, split_pairs
from tests.learning.making import make_pair


def reasons(pairs: list, **changes: int) -> list[str]:
    return [reason for _, reason in curate(pairs, **({"max_pairs": 100} | changes)).dropped]


def test_a_pair_from_restricted_documents_never_trains() -> None:
    pair = make_pair(1, access=(("everyone",), ("group:board",)))
    assert reasons([pair]) == ["restricted_documents"]


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


def test_one_person_has_a_say_in_at_most_thirty_percent_of_the_pairs() -> None:
    pairs = [make_pair(n, voters=("user:loud",)) for n in range(20)] + [make_pair(n) for n in range(20, 40)]
    assert reasons(pairs) == ["person_cap"] * 8  # 40 pairs, 12 are 30 percent


def test_five_pairs_of_one_person_are_kept_however_few_there_are() -> None:
    pairs = [make_pair(n, voters=("user:only",)) for n in range(7)]
    assert reasons(pairs) == ["person_cap", "person_cap"]


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


def test_one_question_is_on_one_side_only() -> None:
    pairs = [make_pair(n, question=f"question {n % 10}?") for n in range(60)]
    split = split_pairs(pairs, seed=0)
    assert not {pair.cluster for pair in split.train} & {pair.cluster for pair in split.held_out}
    assert len(split.train) + len(split.held_out) == 60


def test_the_side_of_a_question_depends_on_nothing_but_it_and_the_seed() -> None:
    few = split_pairs([make_pair(n) for n in range(5)], seed=3).held_out
    many = split_pairs([make_pair(n) for n in range(50)], seed=3).held_out
    assert {pair.sha256 for pair in few} <= {pair.sha256 for pair in many}


def test_about_a_quarter_is_held_out() -> None:
    held = sum(is_held_out(f"question {n}", seed=0) for n in range(2000))
    assert 440 < held < 560  # 500, three standard deviations of 19.4
