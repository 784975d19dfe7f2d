"""Where people want different facts for one question, the many are believed, and the loud count less."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import permutations

from core.wording import find_numbers
from learning.pairs import Pair
from learning.raters import Raters

Fact = frozenset[str]
# Of a voice: sums of fractions are not exact.
NO_DIFFERENCE = 1e-9


def find_outvoted(
    pairs: Sequence[Pair], clusters: Mapping[str, str], raters: Raters, passages: Callable[[Pair], Collection[int]]
) -> set[str]:
    """Hashes of the pairs whose preferred answer holds only other numbers than one with at least as many voices.

    One person has one voice, divided by the number of pairs that this person stands behind: who is everywhere is not
    believed everywhere. People who vote as one have one voice. Answers that share a number, other than those of their
    question, do not differ: one may only say more. Nor do answers from different passages. Voices that are even silence
    both.

    Args:
        clusters: the question of each pair's hash.
        passages: ids of what a pair's prompt showed.
    """
    loudness = Counter(team for pair in pairs for team in _list_teams(pair, raters))
    asked: dict[str, list[tuple[Fact, Pair]]] = defaultdict(list)
    for pair in pairs:
        if fact := frozenset(find_numbers(pair.chosen) - find_numbers(pair.question)):
            asked[clusters[pair.sha256]].append((fact, pair))
    outvoted: set[str] = set()
    for answers in asked.values():
        teams: dict[Fact, set[str]] = defaultdict(set)
        shown: dict[Fact, set[int]] = defaultdict(set)
        for fact, pair in answers:
            teams[fact] |= _list_teams(pair, raters)
            shown[fact].update(passages(pair))
        voices = {fact: sum(1 / loudness[team] for team in sorted(group)) for fact, group in teams.items()}
        lost = {
            fact
            for fact, other in permutations(voices, 2)
            if not fact & other and shown[fact] & shown[other] and voices[other] >= voices[fact] - NO_DIFFERENCE
        }
        outvoted |= {pair.sha256 for fact, pair in answers if fact in lost}
    return outvoted


def _list_teams(pair: Pair, raters: Raters) -> set[str]:
    return {raters.get_team(person) for person in pair.voters}
