"""How far each rater can be relied on, estimated from agreement with others."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

# A rater begins as one who was right in four of five votes.
PRIOR_RIGHT, PRIOR_VOTES = 4.0, 5.0
PRIOR = PRIOR_RIGHT / PRIOR_VOTES
# Nobody is believed blindly, and nobody's votes are turned round.
LOWEST, HIGHEST = 0.55, 0.95
ITERATIONS = 5


def estimate_reliability(votes: Iterable[tuple[int, str, int]], *, iterations: int = ITERATIONS) -> dict[str, float]:
    """The chance that a rater's vote is right, for each rater who judged an answer that others judged too.

    Dawid and Skene 1979 with one coin a rater, which falls the same way for good and bad answers, and a Beta(4, 1)
    prior on it. Answers are good or bad with equal chances. Where we differ from the paper: an answer with one vote
    is left out, since a rater always agrees with it, and the result is kept in [0.55, 0.95]. The same votes in any
    order give the same numbers.

    Args:
        votes: answer, rater, and 1 or -1; one a rater and answer.
    """
    by_answer: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for answer, rater, value in sorted(votes):
        by_answer[answer].append((rater, value))
    shared = [judged for judged in by_answer.values() if len(judged) > 1]
    reliability = {rater: PRIOR for judged in shared for rater, _ in judged}
    for _ in range(iterations):
        right: dict[str, list[float]] = defaultdict(list)
        for judged in shared:
            good = to_chance(sum(value * to_evidence(reliability[rater]) for rater, value in judged))
            for rater, value in judged:
                right[rater].append(good if value > 0 else 1 - good)
        reliability = {
            rater: _clamp((PRIOR_RIGHT + math.fsum(shares)) / (PRIOR_VOTES + len(shares)))
            for rater, shares in right.items()
        }
    return {rater: round(share, 6) for rater, share in reliability.items()}


def choose_weights(memberships: Iterable[tuple[str, str]], weights: Mapping[str, float]) -> dict[str, float]:
    """Each person's weight: the largest of the person's own and the groups'.

    Args:
        memberships: person and principal.
        weights: by person or principal; who is named by none weighs 1.
    """
    found = dict(weights)
    for person, principal in memberships:
        if principal in weights:
            found[person] = max(found.get(person, 0.0), weights[principal])
    return found


def to_evidence(chance: float) -> float:
    """Log-odds in nats: evidence of independent voters adds up."""
    return math.log(chance / (1 - chance))


def to_chance(evidence: float) -> float:
    """The chance of log-odds."""
    return 1 / (1 + math.exp(-evidence)) if evidence >= 0 else 1 - 1 / (1 + math.exp(evidence))


def _clamp(share: float) -> float:
    return min(HIGHEST, max(LOWEST, share))
