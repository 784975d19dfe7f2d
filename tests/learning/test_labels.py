"""Votes of several people as one judgement."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.database import Database
from core.directory import Directory, Person
from core.feedback import FeedbackLog
from core.records import Vote
from learning.labels import (
    MOST_WEIGHT,
    Hint,
    VoteWeights,
    build_labels,
    combine_votes,
    find_hints,
    find_rater_weights,
    find_votes,
    rate,
)
from learning.raters import QUERIES as RATERS
from tests.learning.log import log_answer, make_passage, vote
from tests.learning.making import NOON, make_answer, make_vote

FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
ANSWER = make_answer(1, "23 days. [1]")


@pytest.mark.parametrize(
    ("values", "value", "weight"),
    [
        ([1], 1, 0.74),  # a new rater's 0.8 through a thumb's 0.9: 0.8 * 0.9 + 0.2 * 0.1
        ([-1, -1], -1, 0.74**2 / (0.74**2 + 0.26**2)),
        ([1, 1, 1, -1], 1, 0.74**2 / (0.74**2 + 0.26**2)),
    ],
)
def test_a_majority_of_three_quarters_is_a_judgement(values: list[int], value: int, weight: float) -> None:
    votes = [make_vote(at, 1, f"p{at}", one) for at, one in enumerate(values)]  # type: ignore[arg-type]
    judgement, _ = combine_votes(ANSWER, votes)
    assert judgement and (judgement.value, judgement.weight) == (value, pytest.approx(weight))


def test_two_against_one_is_no_judgement() -> None:
    votes = [make_vote(1, 1, "a", 1), make_vote(2, 1, "b", 1), make_vote(3, 1, "c", -1)]
    labels = build_labels(votes, {1: ANSWER})
    assert (labels.judgements, labels.dropped) == ([], dict.fromkeys((1, 2, 3), "disagreement"))


def test_the_outvoted_are_dropped_and_not_behind_the_judgement() -> None:
    votes = [make_vote(at, 1, f"p{at}", 1) for at in (1, 2, 3)] + [make_vote(4, 1, "d", -1)]
    labels = build_labels(votes, {1: ANSWER})
    assert [vote.feedback_id for vote in labels.judgements[0].votes] == [1, 2, 3]
    assert labels.dropped == {4: "disagreement"}


def test_a_taken_back_vote_and_an_unanswered_question_are_dropped_with_their_reason() -> None:
    labels = build_labels([make_vote(1, 1, "a", 0), make_vote(2, 2, "a", 1)], {1: ANSWER})
    assert labels.dropped == {1: "withdrawn", 2: "no_answer"}


def test_an_expert_of_weight_three_outvotes_one_person() -> None:
    votes = [make_vote(1, 1, "expert", -1, "23 days."), make_vote(2, 1, "a", 1)]
    assert combine_votes(ANSWER, votes)[0] is None
    # Evidence in nats: the correction 3 * ln(0.77 / 0.23) = 3.62, the thumb ln(0.74 / 0.26) = 1.05; 3.62 is 78 %.
    judgement, minority = combine_votes(ANSWER, votes, VoteWeights(weights={"expert": 3.0}))
    assert judgement and (judgement.value, [vote.person for vote in minority]) == (-1, ["a"])
    assert judgement.weight == pytest.approx(0.9295, abs=1e-4)  # 1 / (1 + exp(1.046 - 3.625))


def test_a_rater_who_is_rarely_agreed_with_carries_less() -> None:
    votes = [make_vote(1, 1, "a", 1)]
    weight = {share: combine_votes(ANSWER, votes, VoteWeights({"a": share}))[0] for share in (0.6, 0.9)}
    assert weight[0.6] and weight[0.6].weight == pytest.approx(0.6 * 0.9 + 0.4 * 0.1)
    assert weight[0.9] and weight[0.9].weight == pytest.approx(0.9 * 0.9 + 0.1 * 0.1)


def test_only_current_votes_say_how_far_a_rater_carries() -> None:
    old = replace(make_vote(1, 1, "a", -1), is_current=False)
    votes = [old, make_vote(2, 1, "a", 1), make_vote(3, 1, "b", 1)]
    assert rate(votes, {}).reliability["a"] == rate(votes[1:], {}).reliability["a"] > 0.8


def test_what_people_let_slip_counts_only_where_nobody_said_anything() -> None:
    hints = [Hint(1, "objection", 0.8), Hint(2, "objection", 0.8), Hint(3, "reask", 0.8)]
    other = make_answer(2, "24 days. [1]")
    labels = build_labels([make_vote(1, 1, "a", 1)], {1: ANSWER, 2: other}, hints=hints)
    assert [(one.answer.id, one.value, len(one.votes)) for one in labels.judgements] == [(1, 1, 1), (2, -1, 0)]
    assert labels.judgements[1].weight == pytest.approx(0.66)  # 0.5 + (0.7 - 0.5) * 0.8


async def test_the_last_vote_is_current_and_knows_how_many_came_before(database: Database) -> None:
    answer = await log_answer(database, "Parking?", [make_passage("parking", 3)], "3 days. [1]")
    for value in (1, -1, 0):
        await vote(database, answer, "user:ann", value)  # type: ignore[arg-type]
    votes = await find_votes(database, window_from=NOON - timedelta(days=9999), window_to=FOREVER)
    assert [(one.value, one.is_current, one.earlier) for one in votes] == [(1, False, 0), (-1, False, 1), (0, True, 2)]


async def test_hints_of_an_answer_that_somebody_judged_are_not_read(database: Database) -> None:
    judged, silent, later = [
        await log_answer(database, question, [make_passage("parking", 3)], "3 days. [1]") for question in "abc"
    ]
    await vote(database, judged, "user:ann", 0)
    for at, interaction_id in enumerate((judged, silent)):
        next_id = later if at else await log_answer(database, "d", [], "")
        await database.execute(
            b"INSERT INTO signals (interaction_id, next_id, kind, confidence) VALUES (%s, %s, 'reask', 0.5)",
            (interaction_id, next_id),
        )
    hints = await find_hints(database, window_from=NOON - timedelta(days=9999), window_to=FOREVER)
    assert hints == [Hint(silent, "reask", 0.5)]


async def test_a_group_s_weight_is_its_members_weight(database: Database) -> None:
    await database.execute(b"INSERT INTO memberships VALUES ('user:ann', 'group:hr'), ('user:bo', 'group:it')")
    weights = await find_rater_weights(database, {"group:hr": 3.0, "user:cho": 2.0})
    assert (weights["user:ann"], weights["user:cho"], "user:bo" in weights) == (3.0, 2.0, False)


async def test_one_person_on_two_platforms_is_one_voter(database: Database) -> None:
    slack, teams = "slack:T0:U0ANN", "teams:t1:ann"
    said = datetime(2026, 11, 20, tzinfo=UTC)
    people = [Person(name, "member", said, email="ann@example.com") for name in (teams, slack)]
    answer = await log_answer(database, "Parking?", [make_passage("parking", 3)], "3 days. [1]")
    await vote(database, answer, slack, 1)
    await vote(database, answer, teams, -1)
    both = {"window_from": NOON - timedelta(days=9999), "window_to": FOREVER}
    assert [one.is_current for one in await find_votes(database, **both)] == [True, True]
    await Directory(database).put_people(people)
    votes = await find_votes(database, **both)
    assert [(one.person, one.value, one.is_current) for one in votes] == [(slack, 1, False), (slack, -1, True)]
    (standing,) = await FeedbackLog(database).find_current(answer)
    assert standing.value == -1
    assert await find_rater_weights(database, {teams: 2.0}) == {teams: 2.0, slack: 2.0}
    raters = await database.fetch_tuples(RATERS["find_raters"], {**both, "new_since": NOON, "old_before": NOON})
    assert [person for person, _ in raters] == [slack]


@pytest.mark.parametrize(
    ("value", "behind", "dropped"),
    [
        (1, [1], {2: "settled_otherwise"}),
        (-1, [2], {1: "settled_otherwise"}),
        (0, None, {1: "disagreement", 2: "disagreement"}),
    ],
)
def test_an_administrator_settles_what_voters_could_not(
    value: Vote, behind: list[int] | None, dropped: dict[int, str]
) -> None:
    votes = [make_vote(1, 1, "a", 1), make_vote(2, 1, "b", -1)]
    labels = build_labels(votes, {1: ANSWER}, settled={1: value})
    stands = [(one.value, one.weight, [vote.feedback_id for vote in one.votes]) for one in labels.judgements]
    assert (stands, labels.dropped) == ([(value, MOST_WEIGHT, behind)] if behind else [], dropped)


def test_a_settled_answer_whose_side_nobody_takes_any_more_is_no_judgement() -> None:
    labels = build_labels([make_vote(1, 1, "a", 1)], {1: ANSWER}, settled={1: -1})
    assert (labels.judgements, labels.dropped) == ([], {1: "settled_otherwise"})
