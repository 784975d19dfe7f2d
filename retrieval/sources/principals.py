"""Who may read, in the words of the search: names of sources become principals, and several fences become one."""

import unicodedata
from collections.abc import Awaitable, Callable, Sequence

EVERYONE = "everyone"

Expand = Callable[[str], Awaitable[frozenset[str]]]


def user(email: str | None) -> list[str]:
    """`user:kim@example.com`; nobody where the source does not give the address."""
    address = (email or "").strip().lower()
    return [f"user:{address}"] if address and "@" in address else []


def group(name: str | None) -> list[str]:
    """`group:people`; nobody where the group has no name."""
    cleaned = " ".join(unicodedata.normalize("NFC", name or "").split())
    return [f"group:{cleaned}"] if cleaned else []


async def intersect(fences: Sequence[frozenset[str]], expand: Expand) -> frozenset[str]:
    """Whom every fence lets through, e.g. that of a space and those of a page and the pages above it.

    A group stays a group where all fences name it or let everyone through. Where one fence names a group and another
    a person, the group's members are looked up; two different groups become the people who are in both.

    Args:
        expand: members of a group, as principals of users.
    """
    closed = list(dict.fromkeys(fence for fence in fences if EVERYONE not in fence))
    if not closed:
        return frozenset({EVERYONE}) if fences else frozenset()
    common = closed[0].intersection(*closed[1:])
    if all(fence == common for fence in closed):
        return common
    people = [await _find_people(fence, expand) for fence in closed]
    return common | people[0].intersection(*people[1:])


async def _find_people(fence: frozenset[str], expand: Expand) -> frozenset[str]:
    people = {principal for principal in fence if principal.startswith("user:")}
    for principal in sorted(fence):
        if principal.startswith("group:"):
            people |= await expand(principal)
    return frozenset(people)
