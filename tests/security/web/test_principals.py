"""What a person who signed in may read: as on Slack by the same address, and never more than that."""

from dataclasses import dataclass

import pytest

from bot.web.principals import Principals
from core.database import Database
from core.errors import ProcessError
from retrieval.access import Access
from tests.bot.web.site import Site
from tests.fakes.openid import FakeOpenId
from tests.security.web.signing_in import sign_in

SLACK_NAME = "slack:T:U1"


@dataclass
class Directory:
    """Slack's word on one person, put into the tables as the bot does."""

    database: Database

    async def put(self, kind: str = "member", *, email: str = "ann@example.com", age: str = "0 s") -> None:
        await self.database.execute(
            b"INSERT INTO people (person, kind, email, changed_at, fetched_at) "
            b"VALUES (%s, %s, %s, now(), now() - %s::interval)",
            [SLACK_NAME, kind, email, age],
        )

    async def put_group(self, *, age: str | None = "0 s") -> None:
        await self.database.execute(b"INSERT INTO directory_groups VALUES ('slack:T:S1', %s, 'slack:T')", [SLACK_NAME])
        await self.database.execute(
            b"INSERT INTO directory_lists (name, fetched_at) VALUES ('slack:T', now() - %s::interval)", [age]
        )


@pytest.fixture
def slack(database: Database) -> Directory:
    return Directory(database)


async def find(site: Site) -> set[str]:
    """What Ann holds, without her own name."""
    (row,) = await site.database.fetch_dicts(b"SELECT person FROM people WHERE person LIKE 'user:oidc-%'")
    principals = await Principals(site.database, Access(site.database).find_principals, {}).find(row["person"])
    return set(principals) - {row["person"]}


async def test_claims_and_the_same_address_on_slack_count(guarded: Site, openid: FakeOpenId, slack: Directory) -> None:
    await slack.put()
    await slack.put_group()
    await guarded.database.execute(b"INSERT INTO memberships VALUES (%s, 'group:hr')", [SLACK_NAME])
    await sign_in(guarded, openid, groups=["sales", "0E5E8A4C-0000-4000-8000-000000000001"])
    assert await find(guarded) == {
        "everyone",
        "user:ann@example.com",
        "oidc:sales",
        "oidc:0E5E8A4C-0000-4000-8000-000000000001",
        "group:0e5e8a4c-0000-4000-8000-000000000001",
        SLACK_NAME,
        "slack:T:S1",
        "group:hr",
    }


@pytest.mark.parametrize(
    ("claims", "held"),
    [
        ({"email_verified": False}, {"everyone"}),
        ({"email": "bob@example.com"}, {"everyone", "user:bob@example.com"}),
        ({"email": ["ann@example.com"]}, {"everyone"}),
        ({"email": "ann@example.com\u0000"}, {"everyone"}),
        ({"email": None}, {"everyone"}),
        ({"email": "ANN@example.com "}, {"everyone", "user:ann@example.com", SLACK_NAME}),
    ],
)
async def test_only_an_address_that_the_service_vouches_for_joins(
    guarded: Site, openid: FakeOpenId, slack: Directory, claims: dict[str, object], held: set[str]
) -> None:
    await slack.put()
    await sign_in(guarded, openid, **claims)
    assert await find(guarded) == held


@pytest.mark.parametrize(
    ("kind", "everyone"), [("guest", "public"), ("external", "public"), ("gone", "everyone"), ("bot", "everyone")]
)
async def test_an_account_that_is_no_employees_grants_nothing_and_denies(
    guarded: Site, openid: FakeOpenId, slack: Directory, kind: str, everyone: str
) -> None:
    await slack.put(kind)
    await slack.put_group()
    await sign_in(guarded, openid)
    denying = set() if kind == "bot" else {f"!{SLACK_NAME}", "!slack:T:S1"}
    assert await find(guarded) == {everyone, "user:ann@example.com"} | denying


async def test_what_slack_took_back_counts_no_more(guarded: Site, openid: FakeOpenId, slack: Directory) -> None:
    """A list that Slack told a change of is unknown until it is read again."""
    await slack.put()
    await slack.put_group(age=None)
    await sign_in(guarded, openid)
    assert {"!slack:T:S1", SLACK_NAME} <= await find(guarded)


async def test_what_was_read_long_ago_is_read_again_and_else_grants_nothing(
    guarded: Site, openid: FakeOpenId, slack: Directory
) -> None:
    await slack.put(age="2 days")
    await sign_in(guarded, openid)
    asked: list[str] = []

    async def learn(person: str) -> None:
        asked.append(person)
        raise ProcessError("Slack is away")

    (row,) = await guarded.database.fetch_dicts(b"SELECT person FROM people WHERE person LIKE 'user:oidc-%'")
    found = await Principals(guarded.database, Access(guarded.database).find_principals, {"slack": learn}).find(
        row["person"]
    )
    assert (asked, f"!{SLACK_NAME}" in found, SLACK_NAME in found) == ([SLACK_NAME], True, False)


async def test_groups_go_with_the_next_sign_in(guarded: Site, openid: FakeOpenId) -> None:
    await sign_in(guarded, openid, groups=["sales", "everyone", "group:hr", "!sales", "audience:1", "source:hr"])
    named = {"oidc:everyone", "oidc:group:hr", "oidc:!sales", "oidc:audience:1", "oidc:source:hr", "oidc:sales"}
    assert await find(guarded) == {"everyone", "user:ann@example.com", *named}
    await sign_in(guarded, openid, groups=[])
    assert await find(guarded) == {"everyone", "user:ann@example.com"}
