"""How much one person, question, document or day may weigh: trust comes from many."""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from learning.pairs import Pair
from learning.raters import Raters


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that anything supplies of the pairs that are kept.

    Attributes:
        person_share: of one person, or of people who vote as one; see `choose_person_share` for few people.
        person_times: of one person, in multiples of what the median person stands behind, where many vote.
        person_minimum: pairs that anybody may stand behind, whatever the share.
        person_day: pairs of one person by votes of one day (UTC).
        cluster: pairs of one question.
        document_share, document_minimum: pairs that lean on one document.
    """

    person_share: float = 0.03
    person_times: float = 3
    person_minimum: int = 5
    person_day: int = 20
    cluster: int = 8
    document_share: float = 0.1
    document_minimum: int = 50


# From this many people on nobody needs more than the share; below, an equal share would be more.
PEOPLE_FOR_SHARE = 40
# So few cannot each stay within three tenths of what is kept: theirs are of what is offered.
MOST_SHARE, PEOPLE_FOR_MOST = 0.3, 4


def choose_person_share(people: int, caps: Caps) -> float:
    """The cap in share: where few people vote, twice an equal share, and at most three tenths."""
    return (
        caps.person_share if people >= PEOPLE_FOR_SHARE else max(caps.person_share, min(MOST_SHARE, 2 / max(1, people)))
    )


def cap_pairs(
    pairs: Sequence[Pair],
    *,
    caps: Caps,
    raters: Raters,
    clusters: Mapping[str, str],
    documents: Callable[[Pair], Collection[int]],
) -> tuple[list[Pair], list[tuple[Pair, str]]]:
    """Pairs that stay within every cap, and the others with the reason; the first ones given are kept.

    Args:
        clusters: of each pair's hash.
        documents: on which a pair leans.
    """
    dropped: list[tuple[Pair, str]] = []
    kept = _keep(pairs, lambda pair: {clusters[pair.sha256]}, caps.cluster, "cluster_cap", dropped)
    limit = max(caps.document_minimum, int(caps.document_share * len(kept)))
    kept = _keep(kept, documents, limit, "document_cap", dropped)
    kept = _keep(kept, lambda pair: _list_days(pair, raters), caps.person_day, "person_day_cap", dropped, by_most=True)
    limit = find_person_limit(kept, caps, raters)
    kept = _keep(kept, lambda pair: _list_teams(pair, raters), limit, "person_cap", dropped, by_most=True)
    return kept, dropped


def find_person_limit(pairs: Sequence[Pair], caps: Caps, raters: Raters) -> int:
    """The most pairs of one person: within the share of what is kept under it, and few times the median person's."""
    counts = Counter(team for pair in pairs for team in _list_teams(pair, raters))
    share = choose_person_share(len(counts), caps)
    if len(counts) < PEOPLE_FOR_MOST:
        return max(caps.person_minimum, int(share * len(pairs)))
    limit, kept = len(pairs), len(pairs)
    if len(counts) >= PEOPLE_FOR_SHARE:
        limit = max(caps.person_minimum, int(caps.person_times * median(counts.values())))
        kept = len(_keep(pairs, lambda pair: _list_teams(pair, raters), limit, "", [], by_most=True))
    while limit > caps.person_minimum and limit > share * kept:
        limit = max(caps.person_minimum, int(share * kept))
        kept = len(_keep(pairs, lambda pair: _list_teams(pair, raters), limit, "", [], by_most=True))
    return max(limit, caps.person_minimum)


def _keep(
    pairs: Sequence[Pair],
    keys: Callable[[Pair], Collection[Hashable]],
    limit: int,
    reason: str,
    dropped: list[tuple[Pair, str]],
    *,
    by_most: bool = False,
) -> list[Pair]:
    """Drop a pair where one of its keys has reached the limit; with `by_most`, unless most of them have not."""
    counts: Counter[Hashable] = Counter()
    kept: list[Pair] = []
    for pair in pairs:
        own = keys(pair)
        full = sum(counts[key] >= limit for key in own)
        if (2 * full >= len(own) if by_most else full) and own:
            dropped.append((pair, reason))
            continue
        counts.update(own)
        kept.append(pair)
    return kept


def _list_teams(pair: Pair, raters: Raters) -> set[str]:
    return {raters.get_team(person) for person in pair.voters}


def _list_days(pair: Pair, raters: Raters) -> set[tuple[str, str]]:
    return {(team, pair.given_at.date().isoformat()) for team in _list_teams(pair, raters)}
