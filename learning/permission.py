"""Who may read a pair, and so which adapter it may train: everyone who is served must be let through everywhere."""

from collections.abc import Collection, Iterable, Sequence

from learning.pair_sources import PairSource

# Every employee holds both; `public` is what guests hold too.
EVERYONE, PUBLIC = "everyone", "public"


def lets_everyone_in(allow: Collection[str]) -> bool:
    """Whether every employee is among those that a document allows."""
    return EVERYONE in allow or PUBLIC in allow


def intersect_access(access: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The principals that every document lets through, sorted; empty where nobody gets through all by one name.

    A pair without documents may be read by everyone.
    """
    restricted = [set(allow) for allow in access if not lets_everyone_in(allow)]
    return tuple(sorted(set.intersection(*restricted))) if restricted else (EVERYONE,)


def may_train(access: Iterable[Sequence[str]], sources: Sequence[PairSource], audience: str = EVERYONE) -> bool:
    """Whether all of an audience may read what an answer or a pair was made from: when it was answered, and now.

    A document that denies anybody trains nobody: a group may hold the one who is denied.
    """
    if any(source.deny for source in sources):
        return False
    now = [source.allow for source in sources if source.state != "gone"]
    return all(lets_everyone_in(allow) or audience in allow for allow in (*access, *now))
