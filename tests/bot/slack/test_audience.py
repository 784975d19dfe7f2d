"""Who may see what in Slack: the list that documents are filtered by, for every kind of place and person."""

import asyncio
from typing import Any

import pytest

from core.directory import Directory
from tests.bot.slack.conftest import Workspace, load
from tests.fakes.model_server import FakeModelServer

ANN, BOB, GUEST = "slack:T0HOME:U0ANN", "slack:T0HOME:U0BOB", "slack:T0HOME:U0GUEST"
PUBLIC_ROOM = ["everyone", "public", "!*"]
OUTSIDE = ["public", "!*"]


def say(channel: str = "C0HR", *, user: str = "U0ANN", number: int = 1, **changes: Any) -> dict[str, Any]:
    """A mention in a channel."""
    event = load("app_mention")
    event["event"] |= {"channel": channel, "user": user, "ts": f"1700000{number:03}.000100"}
    return event | {"event_id": f"Ev{number}"} | changes


async def ask(workspace: Workspace, chat_model: FakeModelServer, *events: dict[str, Any]) -> list[list[str]]:
    """What was searched for each event, one after the other."""
    async with workspace.at_work(chat_model):
        for event in events:
            assert await workspace.deliver(event) == 200
            await workspace.settle()
    return workspace.search.asked


def happen(kind: str, **event: Any) -> dict[str, Any]:
    """An event of the directory, in the frame that all events have."""
    return load("app_mention") | {"event_id": f"Ev{kind}{sorted(event)}", "event": {"type": kind, **event}}


async def test_a_public_channel_gets_what_any_employee_may_read(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    assert await ask(workspace, chat_model, say()) == [PUBLIC_ROOM]


@pytest.mark.parametrize(
    "user",
    [
        {"is_restricted": True},
        {"is_ultra_restricted": True, "is_restricted": True},
        {"is_stranger": True},
        {"team_id": "T0OTHER"},
        {"is_restricted": None},
    ],
)
async def test_with_a_guest_among_the_readers_only_what_is_public(
    workspace: Workspace, chat_model: FakeModelServer, user: dict[str, Any]
) -> None:
    workspace.slack.users["U0BOB"] = user
    workspace.slack.rooms["G0"] = {"members": ["U0ANN", "U0BOB"]}
    room, group = await ask(workspace, chat_model, say(), say("G0", number=2))
    assert (room, group) == (OUTSIDE, ["public"])


async def test_a_person_of_another_workspace_of_the_grid_is_an_employee(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    workspace.slack.users["U0BOB"] = {"team_id": "T0OTHER", "enterprise_user": {"teams": ["T0OTHER", "T0HOME"]}}
    assert await ask(workspace, chat_model, say()) == [PUBLIC_ROOM]


@pytest.mark.parametrize("place", ["event", "channel"])
async def test_a_channel_shared_with_another_company_gets_what_is_public(
    workspace: Workspace, chat_model: FakeModelServer, place: str
) -> None:
    if place == "channel":
        workspace.slack.rooms["C0HR"] = {"is_ext_shared": True}
    assert await ask(workspace, chat_model, say(is_ext_shared_channel=place == "event")) == [OUTSIDE]


async def test_a_private_channel_gets_what_all_its_people_hold(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    workspace.slack.groups = [{"id": "S1", "users": ["U0ANN", "U0BOB"]}, {"id": "S2", "users": ["U0ANN"]}]
    workspace.slack.groups += [{"id": "S3", "users": ["U0ANN", "U0BOB"], "date_delete": 1700000000}]
    workspace.slack.rooms["C0HR"] = {"is_private": True}
    assert await ask(workspace, chat_model, say()) == [["everyone", "public", "slack:T0HOME:S1"]]


async def test_a_guest_in_a_direct_message_gets_what_is_public(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    workspace.slack.users["U0ANN"] = {"is_restricted": True}
    await ask(workspace, chat_model, load("message_im"))
    assert workspace.search.asked == [["public"]]


@pytest.mark.parametrize("method", ["conversations.info", "conversations.members", "users.info"])
async def test_what_slack_does_not_tell_makes_people_unknown(
    workspace: Workspace, chat_model: FakeModelServer, method: str
) -> None:
    workspace.slack.errors[method] = ["missing_scope"] * 9
    assert await ask(workspace, chat_model, say()) == [[]]


async def test_a_member_whom_slack_does_not_know_is_unknown(workspace: Workspace, chat_model: FakeModelServer) -> None:
    workspace.slack.errors["users.info"] = ["user_not_found"]
    assert await ask(workspace, chat_model, say()) == [[]]


async def test_a_channel_without_people_is_unknown(workspace: Workspace, chat_model: FakeModelServer) -> None:
    workspace.slack.rooms["C0HR"] = {"members": []}
    assert await ask(workspace, chat_model, say()) == [[]]


async def test_while_slack_is_away_the_question_waits(workspace: Workspace, chat_model: FakeModelServer) -> None:
    workspace.slack.errors["conversations.members"] = ["internal_error"]
    assert await ask(workspace, chat_model, say()) == [PUBLIC_ROOM]


async def test_groups_that_slack_does_not_tell_are_nobody_s(workspace: Workspace, chat_model: FakeModelServer) -> None:
    workspace.slack.errors["usergroups.list"] = ["missing_scope"]
    assert await ask(workspace, chat_model, say()) == [PUBLIC_ROOM]


async def test_what_is_known_is_not_asked_for_again(workspace: Workspace, chat_model: FakeModelServer) -> None:
    await ask(workspace, chat_model, say(), say(number=2))
    for method in ("conversations.info", "conversations.members", "usergroups.list"):
        assert len(workspace.slack.find_calls(method)) == 1
    assert len(workspace.slack.find_calls("users.info")) == 3


@pytest.mark.parametrize("kind", ["member_joined_channel", "channel_shared", "channel_archive"])
async def test_a_change_of_the_channel_counts_with_the_next_question(
    workspace: Workspace, chat_model: FakeModelServer, kind: str
) -> None:
    await ask(workspace, chat_model, say())
    workspace.slack.users["U0GUEST"] = {"is_restricted": True}
    workspace.slack.rooms["C0HR"] = {"members": ["U0ANN", "U0GUEST"]}
    await ask(workspace, chat_model, happen(kind, channel="C0HR"), say(number=2))
    assert workspace.search.asked == [PUBLIC_ROOM, OUTSIDE]


async def test_a_person_who_becomes_a_guest_is_one_at_once(workspace: Workspace, chat_model: FakeModelServer) -> None:
    guest = workspace.slack.build_user("U0BOB") | {"is_restricted": True, "updated": 1700000500}
    former = workspace.slack.build_user("U0BOB") | {"updated": 1700000400}
    changes = [happen("user_change", user=guest), happen("user_change", user=former, cache_ts=1)]
    await ask(workspace, chat_model, say(), *changes, say(number=2))
    assert workspace.search.asked == [PUBLIC_ROOM, OUTSIDE]


async def test_a_group_that_changes_is_read_anew(workspace: Workspace, chat_model: FakeModelServer) -> None:
    await ask(workspace, chat_model, load("message_im"))
    workspace.slack.groups = [{"id": "S1", "users": ["U0ANN"]}]
    again = load("message_im")
    again["event"]["ts"] = "1700000300.000100"
    await ask(workspace, chat_model, happen("subteam_updated", subteam={"id": "S1"}), again)
    assert workspace.search.asked[1] == ["everyone", "public", "slack:T0HOME:S1", ANN]


async def test_many_unknown_people_are_read_by_the_page(workspace: Workspace, chat_model: FakeModelServer) -> None:
    members = ["U0ANN", *(f"U{number}" for number in range(1, 1200))]
    workspace.slack.users = {user: {} for user in members}
    workspace.slack.rooms["C0HR"] = {"members": members}
    assert await ask(workspace, chat_model, say()) == [PUBLIC_ROOM]
    called = [len(workspace.slack.find_calls(method)) for method in ("users.list", "conversations.members")]
    assert (called, workspace.slack.find_calls("users.info")) == ([3, 3], [])


async def test_a_person_has_one_address_in_lower_case(workspace: Workspace, chat_model: FakeModelServer) -> None:
    await ask(workspace, chat_model, say())
    person = await Directory(workspace.database).find_person(BOB)
    assert person
    assert person.email == "u0bob@home.example"


async def test_what_changes_while_it_is_read_is_not_believed(workspace: Workspace) -> None:
    """The version that was read before the change is refused, whichever is stored first."""
    directory = Directory(workspace.database)
    before = await directory.find_state("slack:T0HOME")
    await directory.forget_list("slack:T0HOME")
    assert not await directory.put_groups("slack:T0HOME", {"slack:T0HOME:S1": [ANN]}, before.version)
    assert not (await directory.find_state("slack:T0HOME")).is_known
    now = await directory.find_state("slack:T0HOME")
    stored = await asyncio.gather(
        *(directory.put_groups("slack:T0HOME", {"slack:T0HOME:S1": [BOB]}, now.version) for _ in range(4))
    )
    assert (all(stored), (await directory.find_state("slack:T0HOME")).is_known) == (True, True)
    assert await workspace.count("directory_groups") == 1
