"""Who gets through several fences, against membership written out."""

import itertools

import pytest

from retrieval.sources.principals import group, intersect, user

MEMBERS = {"group:a": {"user:1@x", "user:2@x"}, "group:b": {"user:2@x", "user:3@x"}}
FENCES = [
    frozenset(one)
    for size in range(3)
    for one in itertools.combinations(["everyone", "group:a", "group:b", "user:1@x", "user:3@x"], size)
]


async def expand(principal: str) -> frozenset[str]:
    return frozenset(MEMBERS[principal])


def gets_through(person: str, fence: frozenset[str]) -> bool:
    groups = {name for name, people in MEMBERS.items() if person in people}
    return bool(fence & {"everyone", person, *groups})


async def test_exactly_those_get_through_whom_every_fence_lets_through() -> None:
    for fences in itertools.product(FENCES, FENCES):
        allowed = await intersect(fences, expand)
        for person in ("user:1@x", "user:2@x", "user:3@x", "user:4@x"):
            assert gets_through(person, allowed) == all(gets_through(person, one) for one in fences), (fences, person)


async def test_a_group_stays_a_group_where_all_fences_name_it() -> None:
    assert await intersect([frozenset({"group:a"}), frozenset({"everyone"})], expand) == {"group:a"}


async def test_no_fence_lets_nobody_through() -> None:
    assert await intersect([], expand) == frozenset()


@pytest.mark.parametrize(
    ("name", "principals"),
    [(" Kim@Example.COM ", ["user:kim@example.com"]), ("", []), (None, []), ("everyone", []), ("S-1-5-21", [])],
)
def test_only_an_address_is_a_person(name: str | None, principals: list[str]) -> None:
    assert user(name) == principals


def test_a_groups_name_is_one_line() -> None:
    assert (group(" HR \n team "), group(None)) == (["group:HR team"], [])
