"""Random companies: people, groups within groups, denials and documents; and who may read what, written out plainly.

The rule here is Python over sets and knows nothing of the statements that it judges.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from core.directory import PersonKind

DOCUMENTS = 6
TEAM = "slack:T1"
# The last is of the web, whom no directory knows.
EVE = "user:eve"
PEOPLE = (*(f"{TEAM}:{name}" for name in ("UANN", "UBOB", 'U"{CHO}', "U'강'")), EVE)
# Names of groups that try to be something else.
GROUPS = ("group:hr", "group:board", f"{TEAM}:S1", "group:a,b", 'group:{"x"}', "group:모두", "group:!hr")
KINDS: tuple[PersonKind | None, ...] = ("member", "member", "member", "guest", "external", "gone", "bot", None)
NAMES = (*GROUPS, *PEOPLE, "everyone", "public", "group:nobody", "everyone ", "Everyone", "", "audience:1", "!*")


@dataclass(frozen=True)
class Someone:
    """A person: `kind` as the directory says, None where it does not know them; groups that an administrator gave."""

    name: str
    kind: PersonKind | None
    given: frozenset[str]
    joined: frozenset[str]


@dataclass(frozen=True)
class Rule:
    """Of a document."""

    allow: tuple[str, ...]
    deny: tuple[str, ...]
    is_removed: bool


@dataclass(frozen=True)
class World:
    """A company at one moment.

    Attributes:
        inside: of each group the groups that it lies in; a group may lie in itself.
    """

    people: tuple[Someone, ...]
    inside: dict[str, frozenset[str]]
    documents: tuple[Rule, ...]
    rooms: tuple[tuple[str, ...], ...]

    def find_groups(self, someone: Someone) -> set[str]:
        """Those that the directory says: joined, and all around them."""
        found: set[str] = set()
        waiting = list(someone.joined)
        while waiting:
            group = waiting.pop()
            if group not in found:
                found.add(group)
                waiting += self.inside[group]
        return found

    def may_read(self, name: str, document: int) -> bool:
        """One person, one document."""
        rule = self.documents[document]
        someone = next(one for one in self.people if one.name == name)
        own = {name} | someone.given | self.find_groups(someone)
        employee = someone.kind in ("member", None)
        held = own | {"everyone", "public"} if employee else {"public"}
        answers_to = own | held
        return not rule.is_removed and bool(held & set(rule.allow)) and not answers_to & set(rule.deny)

    def find_readable(self, names: Iterable[str]) -> set[int]:
        """What all of them may read; bots and who has left do not count, and nobody reads nothing."""
        kinds = {one.name: one.kind for one in self.people}
        counted = [name for name in names if kinds[name] not in ("bot", "gone")]
        return {
            number
            for number in range(len(self.documents))
            if counted and all(self.may_read(name, number) for name in counted)
        }

    def list_groups(self) -> dict[str, list[str]]:
        """As a directory tells of them: flat."""
        return {group: [one.name for one in self.people if group in self.find_groups(one)] for group in GROUPS}


def _some(names: Sequence[str], most: int) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(names), max_size=most) if names else st.just(frozenset[str]())


def _names(most: int) -> st.SearchStrategy[tuple[str, ...]]:
    likely = st.sampled_from((*GROUPS[:3], "everyone", "public", *PEOPLE[:2]))
    return st.lists(likely | st.sampled_from(NAMES), max_size=most).map(tuple)


def _rules() -> st.SearchStrategy[Rule]:
    deny = st.one_of(st.just(()), st.just(()), _names(2))
    return st.builds(Rule, allow=_names(3), deny=deny, is_removed=st.sampled_from((False, False, False, True)))


def _someone(name: str) -> st.SearchStrategy[Someone]:
    known = name != EVE
    kinds, joined = (KINDS, GROUPS) if known else ((None,), ())
    given = _some(GROUPS, 2)
    return st.builds(
        Someone, name=st.just(name), kind=st.sampled_from(kinds), given=given, joined=_some(joined, 2 if known else 0)
    )


def worlds() -> st.SearchStrategy[World]:
    """Companies of five people, seven groups and six documents, with two rooms beside everybody's own."""
    rooms = st.lists(st.lists(st.sampled_from(PEOPLE), min_size=2, max_size=4, unique=True).map(tuple), max_size=2)
    return st.builds(
        World,
        people=st.tuples(*(_someone(name) for name in PEOPLE)),
        inside=st.fixed_dictionaries({group: _some(GROUPS, 2) for group in GROUPS}),
        documents=st.tuples(*(_rules() for _ in range(DOCUMENTS))),
        rooms=rooms.map(lambda found: (*((name,) for name in PEOPLE), *found)),
    )
