"""The harm test: what is compared, when it speaks, and how rarely it is wrong."""

import random

import pytest

from learning.harm import ENOUGH, Vote, compare, find_harm

UP, DOWN = True, False


def trial(liked: bool) -> Vote:
    return Vote(on_trial=True, liked=liked)


def other(liked: bool) -> Vote:
    return Vote(on_trial=False, liked=liked)


def test_each_vote_on_the_trial_is_held_against_the_mean_of_those_beside_it() -> None:
    votes = [other(UP), other(DOWN), trial(DOWN), trial(UP), other(UP), other(UP), trial(DOWN)]
    assert compare(votes) == [0.5, 0.0, 1.0]


def test_a_vote_without_others_waits() -> None:
    assert (compare([trial(DOWN), trial(DOWN)]), compare([trial(DOWN), trial(DOWN), other(UP)])) == ([], [1.0])


def test_no_vote_is_no_harm() -> None:
    harm = find_harm([])
    assert (harm.evidence, harm.is_harmful, harm.trial_votes, harm.other_votes) == (1.0, False, 0, 0)


def test_an_adapter_that_everybody_dislikes_is_found_by_a_few_votes() -> None:
    votes = [vote for _ in range(8) for vote in (other(UP), trial(DOWN))]
    harm = find_harm(votes)
    assert (harm.is_harmful, harm.compared, harm.trial_liked, harm.other_liked) == (True, 8, 0, 8)
    assert not find_harm(votes[:4]).is_harmful


def simulate(seed: int, *, trial_liked: float, other_liked: float, count: int = 400) -> int | None:
    """Votes on the trial until harm is found; None where it never is. One vote in five is on the trial."""
    draw = random.Random(seed)
    votes = [
        trial(draw.random() < trial_liked) if draw.random() < 0.2 else other(draw.random() < other_liked)
        for _ in range(count)
    ]
    if not find_harm(votes).is_harmful:
        return None
    # The largest evidence counts, so that it stays found: halve the interval.
    low, high = 0, len(votes)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if find_harm(votes[:middle]).is_harmful else (middle, high)
    return find_harm(votes[:high]).trial_votes


@pytest.mark.parametrize("liked", [0.5, 0.8])
def test_an_equal_adapter_is_taken_back_in_at_most_one_of_twenty_trials(liked: float) -> None:
    found = [simulate(seed, trial_liked=liked, other_liked=liked) for seed in range(300)]
    assert sum(one is not None for one in found) <= 300 / ENOUGH


def test_great_harm_is_found_by_thirty_votes_in_the_median() -> None:
    found = [simulate(seed, trial_liked=0.4, other_liked=0.8) for seed in range(60)]
    needed = sorted(one if one is not None else 1000 for one in found)
    assert needed[30] <= 30 and needed[54] < 1000
