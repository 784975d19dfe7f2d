"""What a whole room may read, against the rule written out person by person, on random people, groups and documents."""

import random
from dataclasses import dataclass

import pytest

from core.database import Database
from retrieval.access import ANYBODY_DENIED, EVERYONE, PUBLIC, SOURCE, Access
from retrieval.documents import Documents
from retrieval.embedding import Embedder
from retrieval.sources.access_rules import AccessRule
from tests.retrieval.made_documents import Made, store

GROUPS = ["group:a", "group:b", "group:c", "slack:T:S1"]
EMPLOYEES = [f"slack:T:U{number}" for number in range(6)]
OTHERS = {"slack:T:U6": "guest", "slack:T:U7": "external", "slack:T:U8": "bot", "slack:T:U9": "gone"}
NAMES = [EVERYONE, PUBLIC, *GROUPS, *EMPLOYEES, *OTHERS]
# What looks like a room's own words must grant nothing where a document names it.
STRANGE = ["!group:a", "audience:1", "source:made", ANYBODY_DENIED]


@dataclass(frozen=True)
class Company:
    """Who holds which names, as a person would write it down."""

    groups: dict[str, list[str]]

    def may_read(self, person: str, rule: AccessRule) -> bool:
        held = {EVERYONE, PUBLIC, person, *self.groups[person]}
        allowing = held if person in EMPLOYEES else {PUBLIC}
        if OTHERS.get(person) in ("guest", "external"):
            held -= {EVERYONE}
        return bool(allowing & set(rule.allow)) and not held & set(rule.deny)


async def hire(database: Database, chance: random.Random) -> Company:
    groups = {person: chance.sample(GROUPS, chance.randint(0, 3)) for person in [*EMPLOYEES, *OTHERS]}
    for person, kind in (dict.fromkeys(EMPLOYEES, "member") | OTHERS).items():
        await database.execute(b"INSERT INTO people (person, kind, changed_at) VALUES (%s, %s, now())", [person, kind])
    for person, held in groups.items():
        for group in held:
            if group.startswith("group:"):
                await database.execute(b"INSERT INTO memberships VALUES (%s, %s)", [person, group])
            else:
                await database.execute(b"INSERT INTO directory_groups VALUES (%s, %s, 'slack:T')", [group, person])
    return Company(groups)


@pytest.mark.parametrize("seed", range(4))
async def test_a_room_reads_exactly_what_each_of_its_people_may_read(
    database: Database, embedder: Embedder, seed: int
) -> None:
    chance = random.Random(seed)
    company = await hire(database, chance)
    rules = {
        f"{number}.txt": AccessRule(
            chance.sample(NAMES, chance.randint(0, 4)) + chance.sample(STRANGE, chance.choice([0, 0, 1])),
            chance.sample(NAMES, chance.choice([0, 0, 0, 1, 2])),
        )
        for number in range(60)
    }
    await store(database, embedder, [Made(path, [f"leave w{path}"], rule) for path, rule in rules.items()])
    access, documents = Access(database), Documents(database)
    shown = 0
    for _ in range(25):
        room = chance.sample([*EMPLOYEES, *OTHERS], chance.randint(1, 5))
        people = [person for person in room if OTHERS.get(person) not in ("bot", "gone")]
        expected = {path for path, rule in rules.items() if people and all(company.may_read(p, rule) for p in people)}
        common = await access.find_common_principals(room)
        assert {document.path for document in await documents.find(common)} == expected
        assert (await access.find_visible_chunks(common)).count == len(expected)
        shown += len(expected)
    assert shown > 25


async def test_one_person_of_a_room_of_one_reads_what_the_person_reads(database: Database) -> None:
    access = Access(database)
    await access.set_memberships("teams:T:ann", ["group:a"])
    assert await access.find_common_principals(["teams:T:ann"]) == [EVERYONE, "group:a", PUBLIC, "teams:T:ann"]
    assert await access.find_common_principals([]) == []


async def test_whom_a_document_denies_may_be_among_people_nobody_knows(database: Database, embedder: Embedder) -> None:
    rules = [AccessRule([EVERYONE]), AccessRule([EVERYONE], ["group:a"]), AccessRule([PUBLIC])]
    await store(database, embedder, [Made(f"{n}.txt", [f"w{n}"], rule) for n, rule in enumerate(rules)])
    documents = Documents(database)

    async def read(*principals: str) -> list[str]:
        return [document.path for document in await documents.find(principals)]

    assert await read(EVERYONE) == ["0.txt", "1.txt", "2.txt"]
    assert await read(EVERYONE, ANYBODY_DENIED) == ["0.txt", "2.txt"]
    assert await read(PUBLIC, ANYBODY_DENIED) == ["2.txt"]
    assert await read(ANYBODY_DENIED) == []


async def test_a_list_may_leave_out_sources(database: Database, embedder: Embedder) -> None:
    await store(database, embedder, [Made("0.txt", ["leave"], AccessRule([EVERYONE]))])
    access, documents = Access(database), Documents(database)
    for sources, count in (([], 1), (["made"], 1), (["other"], 0), (["other", "made"], 1)):
        principals = [EVERYONE, *(SOURCE + source for source in sources)]
        assert len(await documents.find(principals)) == count
        assert (await access.find_visible_chunks(principals)).count == count
    assert await documents.find([f"{SOURCE}made"]) == []
