"""Who may see what in Teams: the list that documents are filtered by, for every kind of place and person."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.teams.directory import to_person
from bot.teams.graph import build_graph
from bot.teams.groups_file import GroupsFile, load_groups
from core.database import Database
from core.directory import Directory
from core.errors import InvalidInputError
from tests.bot.teams.conftest import Tenant, load, open_tenant
from tests.eventually import eventually
from tests.fakes.entra import FakeEntra
from tests.fakes.model_server import FakeModelServer
from tests.fakes.teams import PEOPLE, TENANT, FakeTeams, make_member

ANN_ID, BOB_ID = PEOPLE[0]["objectId"], PEOPLE[1]["objectId"]
ANN, BOB = f"teams:{TENANT}:{ANN_ID}", f"teams:{TENANT}:{BOB_ID}"
CHANNEL = "19:hr@thread.tacv2"
TEAM, TEAM_GROUP = "19:team@thread.tacv2", "99999999-dddd-4444-8888-000000000009"
HR, IT = "aaaaaaaa-0000-4444-8888-000000000001", "aaaaaaaa-0000-4444-8888-000000000002"
ANYBODY, OUTSIDE = ["everyone", "public", "!*"], ["public", "!*"]
GUEST = {"userRole": "guest"}


def say(kind: str | None = None, *, number: int = 1, **changes: Any) -> dict[str, Any]:
    """A mention in a channel of this kind."""
    activity = load("message_channel_mention") | {"id": f"16900000000{number:02}"} | changes
    activity["channelData"]["channel"] |= {"type": kind} if kind else {}
    activity["channelData"]["team"]["aadGroupId"] = TEAM_GROUP
    return activity


def say_in_chat() -> dict[str, Any]:
    """A mention in a group chat."""
    chat = {"id": "19:chat@thread.v2", "conversationType": "groupChat", "isGroup": True, "tenantId": TENANT}
    return say(number=50, conversation=chat) | {"channelData": {"tenant": {"id": TENANT}}}


def happen(kind: str = "teamMemberAdded") -> dict[str, Any]:
    """A change of the team."""
    channel_data = {**load("message_channel_mention")["channelData"], "eventType": kind}
    channel_data["channel"] = {"id": CHANNEL, "type": "standard"}
    return load("conversation_update") | {
        "conversation": {"id": TEAM, "conversationType": "channel", "isGroup": True, "tenantId": TENANT},
        "channelData": channel_data,
        "membersAdded": [{"id": "29:1new"}],
    }


async def ask(tenant: Tenant, chat_model: FakeModelServer, *activities: dict[str, Any]) -> list[list[str]]:
    """What was searched for each question, one after the other."""
    async with tenant.at_work(chat_model):
        for activity in activities:
            status, _ = await tenant.deliver(activity)
            assert status == 200
            await tenant.settle()
    return tenant.search.asked


@pytest.fixture
async def entra() -> AsyncIterator[FakeEntra]:
    async with FakeEntra(authorization="Bearer none yet") as fake:
        fake.add(ANN_ID, HR, mail="Ann@Example.com")
        fake.add(BOB_ID, HR, IT)
        fake.teams[TEAM_GROUP] = "Private"
        yield fake


@pytest.fixture
async def knowing(database: Database, teams: FakeTeams, entra: FakeEntra) -> AsyncIterator[Tenant]:
    """A tenant whose admin lets us look into the directory; Ann and Bob are everywhere."""
    teams.rosters = {CHANNEL: PEOPLE[:2], TEAM: PEOPLE[:2]}
    graph = build_graph(entra.cloud, tenant=TENANT, app_id="app", password="secret-1")
    async with open_tenant(database, teams, graph=graph) as tenant:
        yield tenant


async def test_a_chat_gets_what_the_person_and_their_groups_may_read(
    knowing: Tenant, chat_model: FakeModelServer
) -> None:
    own = [f"group:{HR}", "public", ANN, "user:ann@example.com"]
    assert await ask(knowing, chat_model, load("message_personal")) == [["everyone", *own]]


async def test_a_private_channel_gets_what_all_its_people_hold(knowing: Tenant, chat_model: FakeModelServer) -> None:
    assert await ask(knowing, chat_model, say("private")) == [["everyone", f"group:{HR}", "public"]]
    assert knowing.teams.roster_requests == [CHANNEL]


async def test_a_channel_of_a_closed_team_gets_what_the_team_s_people_hold(
    knowing: Tenant, chat_model: FakeModelServer
) -> None:
    assert await ask(knowing, chat_model, say("standard")) == [["everyone", f"group:{HR}", "public"]]
    assert knowing.teams.roster_requests == [TEAM]


@pytest.mark.parametrize("visibility", ["Public", None])
async def test_a_channel_that_anybody_may_enter_gets_what_any_employee_may_read(
    knowing: Tenant, entra: FakeEntra, chat_model: FakeModelServer, visibility: str | None
) -> None:
    entra.teams = {TEAM_GROUP: visibility} if visibility else {}
    assert await ask(knowing, chat_model, say("standard")) == [ANYBODY]


async def test_without_the_directory_a_channel_gets_what_any_employee_may_read(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    assert await ask(tenant, chat_model, say("standard")) == [ANYBODY]


async def test_a_group_chat_gets_what_all_its_people_hold(
    database: Database, teams: FakeTeams, chat_model: FakeModelServer
) -> None:
    teams.rosters["19:chat@thread.v2"] = PEOPLE[:2]
    groups = GroupsFile({"ann@example.com": ["group:hr", "group:it"], BOB_ID: ["group:hr"]})
    async with open_tenant(database, teams, groups=groups) as tenant:
        assert await ask(tenant, chat_model, say_in_chat()) == [["everyone", "group:hr", "public"]]


@pytest.mark.parametrize("member", [GUEST, {"userPrincipalName": "ann_home.example#EXT#@contoso.example"}])
async def test_with_a_guest_among_the_readers_only_what_is_public(
    tenant: Tenant, chat_model: FakeModelServer, member: dict[str, Any]
) -> None:
    people = [PEOPLE[0], make_member("Gil", 6, **member)]
    tenant.teams.rosters |= {CHANNEL: people, "19:chat@thread.v2": people}
    channel, private = await ask(tenant, chat_model, say(), say_in_chat())
    assert (channel, private) == (OUTSIDE, ["public"])


async def test_a_guest_in_a_chat_gets_what_is_public(knowing: Tenant, entra: FakeEntra, chat_model: FakeModelServer):
    entra.add(ANN_ID, userType="Guest", mail="ann@example.com")
    assert await ask(knowing, chat_model, load("message_personal")) == [["public"]]


@pytest.mark.parametrize("member", [{"tenantId": "another"}, {"objectId": None, "userRole": "anonymous"}])
async def test_a_channel_shared_with_another_company_gets_what_is_public(
    knowing: Tenant, chat_model: FakeModelServer, member: dict[str, Any]
) -> None:
    knowing.teams.rosters[CHANNEL] = [PEOPLE[0], make_member("Zoe", 7, **member)]
    assert await ask(knowing, chat_model, say("shared")) == [OUTSIDE]


@pytest.mark.parametrize(("account", "readers"), [(PEOPLE[0]["objectId"], ["everyone", "public", ANN]), ("other", [])])
async def test_a_client_that_knows_people_by_its_own_ids_only_is_asked_by_them(
    tenant: Tenant, chat_model: FakeModelServer, account: str, readers: list[str]
) -> None:
    """And believed only where it names the same account."""
    tenant.teams.knows_accounts = False
    tenant.teams.rosters = {"a:1personal": [{**PEOPLE[0], "objectId": account}]}
    assert await ask(tenant, chat_model, load("message_personal")) == [readers]


@pytest.mark.parametrize("status", [403, 404])
async def test_members_that_teams_does_not_tell_are_unknown(
    tenant: Tenant, chat_model: FakeModelServer, status: int
) -> None:
    conversation = load("message_personal")["conversation"]["id"]
    tenant.teams.rosters = {CHANNEL: status, conversation: status}
    assert await ask(tenant, chat_model, say(), load("message_personal")) == [[], []]


async def test_groups_that_graph_does_not_tell_make_people_unknown(
    knowing: Tenant, entra: FakeEntra, chat_model: FakeModelServer
) -> None:
    entra.outages["getMemberGroups"] = [403] * 9
    assert await ask(knowing, chat_model, load("message_personal")) == [[]]


async def test_a_sender_whom_the_directory_does_not_know_may_read_nothing(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    activity = load("message_personal")
    del activity["from"]["aadObjectId"]
    assert await ask(tenant, chat_model, activity) == [[]]


async def test_graph_s_limits_are_obeyed_and_a_refused_token_is_renewed(
    knowing: Tenant, entra: FakeEntra, chat_model: FakeModelServer
) -> None:
    entra.limits = ["0", "0"]
    first = await ask(knowing, chat_model, load("message_personal"))
    entra.authorization = "Bearer revoked"
    await Directory(knowing.database).forget_lists("groups:")
    second = await ask(knowing, chat_model, load("message_personal") | {"id": "1690000000099"})
    assert first[0] == second[1] and f"group:{HR}" in first[0]
    assert entra.tokens == 2


async def test_people_and_groups_are_asked_for_once(
    knowing: Tenant, entra: FakeEntra, chat_model: FakeModelServer
) -> None:
    await ask(knowing, chat_model, *(say("private", number=number) for number in (1, 2, 3)))
    assert (knowing.teams.roster_requests, entra.count("getMemberGroups")) == ([CHANNEL], 2)


async def test_who_is_taken_out_of_a_group_reads_nothing_of_it_within_a_minute(
    knowing: Tenant, entra: FakeEntra, chat_model: FakeModelServer
) -> None:
    first = await ask(knowing, chat_model, load("message_personal"))
    assert f"group:{HR}" in first[0]
    entra.member_of[ANN_ID] = []
    await knowing.database.execute(b"UPDATE directory_lists SET fetched_at = fetched_at - interval '50 seconds'")
    asked = await ask(knowing, chat_model, load("message_personal") | {"id": "1690000000099"})
    assert f"group:{HR}" not in asked[1]


async def test_who_comes_into_a_team_counts_from_the_next_question_on(
    knowing: Tenant, entra: FakeEntra, chat_model: FakeModelServer
) -> None:
    before = list(await ask(knowing, chat_model, say("standard")))
    knowing.teams.rosters[TEAM] = PEOPLE
    entra.add(PEOPLE[2]["objectId"])
    assert [*before, ["everyone", "public"]] == await ask(knowing, chat_model, happen(), say("standard", number=2))


async def test_members_are_read_to_the_last_page(tenant: Tenant, chat_model: FakeModelServer) -> None:
    tenant.teams.page_size = 1
    tenant.teams.rosters[CHANNEL] = [*PEOPLE, make_member("Gil", 6, **GUEST)]
    assert await ask(tenant, chat_model, say()) == [OUTSIDE]


async def test_while_teams_is_away_the_question_waits(tenant: Tenant, chat_model: FakeModelServer) -> None:
    tenant.teams.rosters[CHANNEL] = 500
    async with tenant.at_work(chat_model):
        await tenant.deliver(say())
        await eventually(tenant.teams.was_asked_for_members)
        tenant.teams.rosters[CHANNEL] = PEOPLE
        await tenant.settle()
    assert tenant.search.asked == [ANYBODY]


def test_a_person_of_another_tenant_that_is_served_is_an_employee() -> None:
    member = make_member("Ann", 3, tenantId="other")
    assert to_person(TENANT, member, {TENANT, "other"}).kind == "member"
    assert to_person(TENANT, member, {TENANT}).kind == "external"
    assert to_person(TENANT, member, {TENANT}).person == ANN


def test_a_file_names_groups_of_people(tmp_path: Path) -> None:
    toml, json_file = tmp_path / "groups.toml", tmp_path / "groups.json"
    toml.write_text(f'[groups]\n"Ann@Example.com" = ["hr", "slack:T1:S1"]\n"{HR}" = ["people"]\n')
    json_file.write_text('{"groups": {"ann@example.com": ["hr"]}}')
    read, other = load_groups(toml), load_groups(json_file)
    assert read and read.find(["ann@example.com", HR, None]) == ["group:hr", "slack:T1:S1", "group:people"]
    assert other and other.find(["ANN@example.com"]) == ["group:hr"]
    assert load_groups(None) is None


@pytest.mark.parametrize("text", ["", "[groups]\nann = 'hr'\n", "groups = [", "[groups]\nann = ['']\n"])
def test_a_file_that_says_something_else_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "groups.toml"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=r"TEAMS_GROUPS_FILE: .*groups\.toml"):
        load_groups(path)
