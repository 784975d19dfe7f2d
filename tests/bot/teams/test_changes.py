"""Questions that are stopped, edited or deleted while they are answered, their activities in any order and number."""

import asyncio
import random
from typing import Any

import pytest

from core.interactions import Interactions
from tests.bot.assistant import eventually
from tests.bot.teams.conftest import Tenant, load, open_tenant
from tests.fakes.model_server import FakeModelServer
from tests.fakes.teams import STOPPED

KEY = "a:1personal|1700000000001"
ASKED, EDITED = "How many days of annual leave do I have?", "How many days of leave?"


async def wait_for_words(tenant: Tenant) -> None:
    """Until the person sees the first words."""

    async def is_shown() -> bool:
        return "Employees" in tenant.teams.messages.get(KEY, {}).get("text", "")

    await eventually(is_shown)


async def find_modes(tenant: Tenant) -> list[tuple[str, str]]:
    rows = await tenant.database.fetch_dicts(b"SELECT question, mode FROM interactions ORDER BY id")
    return [(row["question"], row["mode"]) for row in rows]


async def test_teams_stop_button_ends_the_answer_and_keeps_what_was_said(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    chat_model.gate = asyncio.Semaphore(4)
    async with tenant.at_work(chat_model):
        await tenant.deliver("message_personal")
        await wait_for_words(tenant)
        tenant.teams.end_streams(STOPPED)
        # The next word is what tells us that nobody wants it.
        chat_model.gate.release()
        await tenant.settle()
    assert await find_modes(tenant) == [(ASKED, "stopped")]
    assert tenant.teams.messages[KEY]["text"].startswith("*Stopped.*\n\nEmployees have")


@pytest.mark.parametrize(("sender", "stops"), [("29:1eve", False), (None, True)])
async def test_the_card_and_the_command_stop_the_askers_own_question(
    tenant: Tenant, sender: str | None, stops: bool
) -> None:
    other = {"from": {"id": sender, "aadObjectId": "e"}} if sender else {}
    stop: dict[str, Any] = load("message_personal") | {"id": "1690000000030", "text": "Stop!"}
    for activity in (stop, load("execute_stop")):
        await tenant.database.execute(b"DELETE FROM inbox")
        await tenant.deliver("message_personal")
        rows = await tenant.database.fetch_dicts(b"SELECT id FROM inbox")
        if "value" in activity:
            activity["value"]["action"]["data"]["inbox_id"] = rows[0]["id"]
        assert (await tenant.deliver(activity, **other))[0] == 200
        found = await tenant.database.fetch_dicts(b"SELECT id FROM inbox WHERE payload ? 'stop_requested'")
        assert bool(found) is stops
        assert await tenant.count("inbox") == 1


async def test_a_late_stop_leaves_what_was_asked_since(tenant: Tenant) -> None:
    await tenant.deliver("message_personal", timestamp="2026-11-20T09:00:05.000Z")
    await tenant.deliver("message_personal", id="1690000000030", text="중지")
    assert await tenant.database.fetch_dicts(b"SELECT id FROM inbox WHERE payload ? 'stop_requested'") == []


async def test_an_edit_replaces_the_answer_under_way(tenant: Tenant, chat_model: FakeModelServer) -> None:
    chat_model.gate = asyncio.Semaphore(4)
    async with tenant.at_work(chat_model):
        await tenant.deliver("message_personal")
        await wait_for_words(tenant)
        await tenant.deliver("message_personal_edited")

        async def is_over() -> bool:
            return chat_model.disconnects == 1

        await eventually(is_over)
        for _ in range(50):
            chat_model.gate.release()
        await tenant.settle()
    assert list(tenant.teams.said) == [KEY]
    assert "23 days of annual leave" in tenant.teams.messages[KEY]["text"]
    assert await find_modes(tenant) == [(ASKED, "stopped"), (EDITED, "generated")]
    found = await Interactions(tenant.database).find_by_reply("teams", KEY)
    assert found and found.question == EDITED


async def test_an_edit_after_a_channels_answer_replaces_words_and_buttons(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    mention = load("message_channel_mention")
    edited = mention | {
        "type": "messageUpdate",
        "timestamp": "2023-07-22T04:26:50.000Z",
        "text": "<at>Nightbake</at> How many days of leave?",
        "channelData": mention["channelData"] | {"eventType": "editMessage"},
    }
    await tenant.play(chat_model, "message_channel_mention")
    words, buttons = tenant.teams.messages
    await tenant.play(chat_model, edited)
    assert [question for question, _ in await find_modes(tenant)] == [ASKED, EDITED]
    assert len(tenant.teams.messages) == 2
    assert words in tenant.teams.messages and buttons not in tenant.teams.messages


async def test_wordings_in_any_order_are_answered_once_by_the_last(tenant: Tenant, chat_model: FakeModelServer) -> None:
    names = ["message_personal_edited", "message_personal", "message_personal_edited", "message_personal"]
    for name in names:
        assert (await tenant.deliver(name))[0] == 200
    await tenant.play(chat_model)
    assert await find_modes(tenant) == [(EDITED, "generated")]


@pytest.mark.parametrize(
    "change",
    [
        {"timestamp": "2023-07-22T04:27:42.000Z"},
        {"timestamp": "yesterday"},
        {"id": "b2c0-local"},
        {"channelData": {"eventType": "undeleteMessage", "tenant": load("message_personal")["channelData"]["tenant"]}},
        {"from": load("message_personal")["recipient"]},
    ],
)
async def test_what_is_no_edit_of_a_question_is_dropped(tenant: Tenant, change: dict[str, Any]) -> None:
    status, _ = await tenant.deliver("message_personal_edited", **change)
    assert (status, await tenant.count("inbox")) == (200, 0)


async def test_what_people_edit_and_delete_among_themselves_is_not_stored(tenant: Tenant) -> None:
    channel = {"conversation": load("message_channel_mention")["conversation"]}
    for name in ("message_personal_edited", "message_personal_deleted"):
        assert (await tenant.deliver(name, **channel))[0] == 200
    assert await tenant.count("inbox") == 0


async def test_a_deleted_question_takes_its_answer_along(tenant: Tenant, chat_model: FakeModelServer) -> None:
    chat_model.gate = asyncio.Semaphore(4)
    async with tenant.at_work(chat_model):
        await tenant.deliver("message_personal")
        await wait_for_words(tenant)
        await tenant.deliver("message_personal_deleted")
        await tenant.settle()
    assert tenant.teams.messages == {}
    assert await find_modes(tenant) == [(ASKED, "stopped")]


async def test_a_question_that_comes_after_its_deletion_is_not_answered(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    await tenant.play(chat_model, "message_personal_deleted", "message_personal")
    assert (tenant.teams.messages, await tenant.count("interactions")) == ({}, 0)


async def test_an_edited_question_asked_again_keeps_the_first_answer(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    again = load("message_submit")
    again["value"]["interaction_id"] = 1
    await tenant.play(chat_model, "message_personal_edited", again)
    assert len(tenant.teams.messages) == 2


async def test_two_replicas_that_are_sent_everything_five_times_answer_once(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    names = ["message_channel_mention", "message_personal", "message_personal_edited", "feedback_like"] * 5
    random.Random(5).shuffle(names)
    replica = open_tenant(tenant.database, tenant.teams)
    async with replica as other, tenant.at_work(chat_model), other.at_work(chat_model):
        told = await asyncio.gather(*((tenant, other)[number % 2].deliver(name) for number, name in enumerate(names)))
        await tenant.settle()
    assert {status for status, _ in told} == {200}
    assert await tenant.count("inbox") == 4
    assert [message["text"].count("23 days") for message in tenant.teams.said.values()] == [1, 1]
