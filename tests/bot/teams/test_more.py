"""More that only the asker may see: told in their own chat, judged there, and shared as far as it may be."""

from typing import Any

import pytest

from bot.more import SHARE
from core.feedback import FeedbackLog
from core.interactions import Interactions
from tests.bot.secret import SECRET_TEXT, TwoDocuments, store_documents
from tests.bot.teams.conftest import Tenant, load
from tests.bot.teams.screens import check_screen
from tests.fakes.model_server import FakeModelServer
from tests.fakes.teams import PEOPLE, TENANT

ANN = f"teams:{TENANT}:{PEOPLE[0]['objectId']}"
CHAT = "a:chat-29:1ann"


async def ask(tenant: Tenant, chat_model: FakeModelServer, *steps: str | dict[str, Any]) -> list[Any]:
    """A mention in a channel, then further activities."""
    tenant.search = TwoDocuments(ANN)
    chat_model.answer = f"{SECRET_TEXT} [1]" if not chat_model.answer.startswith("No") else chat_model.answer
    await store_documents(tenant.database, ANN)
    return await tenant.play(chat_model, "message_channel_mention", *steps)


def find_told(tenant: Tenant) -> dict[str, Any]:
    (told,) = [message for key, message in tenant.teams.said.items() if key.startswith(f"{CHAT}|")]
    return told


def click_share(number: int = 2) -> dict[str, Any]:
    """A click on the button in the chat of Ann."""
    activity = load("execute_again")
    activity["conversation"] = {"id": CHAT, "conversationType": "personal", "tenantId": TENANT}
    activity["value"]["action"] |= {"verb": SHARE, "data": {"verb": SHARE, "interaction_id": number}}
    return activity


def read_room(tenant: Tenant) -> list[str]:
    return [message["text"] for key, message in tenant.teams.said.items() if key.startswith("19:hr")]


async def test_the_asker_is_told_in_their_own_chat_what_the_room_may_not_read(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    await ask(tenant, chat_model)
    told = find_told(tenant)
    assert "Directors have 40 days" in told["text"]
    assert "Directors" not in "".join(read_room(tenant))
    assert tenant.teams.buttons[-1]["verb"] == SHARE
    shown = [one for key, one in tenant.teams.messages.items() if key.startswith(f"{CHAT}|")]
    check_screen("more_en", [{name: value for name, value in one.items() if name != "serviceUrl"} for one in shown])


async def test_a_vote_on_what_was_told_alone_counts(tenant: Tenant, chat_model: FakeModelServer) -> None:
    like = load("reaction_like") | {"conversation": {"id": CHAT, "conversationType": "personal", "tenantId": TENANT}}
    await ask(tenant, chat_model)
    key = next(key for key in tenant.teams.messages if key.startswith(CHAT))
    await tenant.play(chat_model, like | {"replyToId": key.rpartition("|")[2]})
    stored = await Interactions(tenant.database).find_by_reply("teams", key)
    assert stored and await FeedbackLog(tenant.database).get_value(stored.id, ANN) == 1


async def test_who_cannot_be_written_to_is_not_told(tenant: Tenant, chat_model: FakeModelServer) -> None:
    tenant.teams.chat_status = 403
    await ask(tenant, chat_model)
    assert [key.partition("|")[0] for key in tenant.teams.said] == ["19:hr@thread.tacv2;messageid=1690000000001"]


@pytest.mark.parametrize("is_open", [False, True])
async def test_what_is_shared_is_what_everyone_there_may_read(
    tenant: Tenant, chat_model: FakeModelServer, is_open: bool
) -> None:
    await ask(tenant, chat_model)
    if is_open:
        await tenant.database.execute(b"UPDATE documents SET allow = '{everyone}'")
    await tenant.play(chat_model, click_share(), click_share())
    _, *shared = read_room(tenant)
    assert len(shared) == 1
    assert ("Directors" in shared[0]) == is_open
    assert "<at>Ann</at>" in shared[0]


async def test_nobody_else_can_share_it(tenant: Tenant, chat_model: FakeModelServer) -> None:
    eve = {"id": "29:1eve", "name": "Eve", "aadObjectId": PEOPLE[2]["objectId"]}
    *_, told = await ask(tenant, chat_model, click_share() | {"from": eve})
    assert told["value"] == "This answer is not known any more."
    assert len(read_room(tenant)) == 1


async def test_in_a_chat_with_us_nobody_is_told_twice(tenant: Tenant, chat_model: FakeModelServer) -> None:
    tenant.search = TwoDocuments(ANN)
    await store_documents(tenant.database, ANN)
    await tenant.play(chat_model, "message_personal")
    assert len(tenant.teams.messages) == 1


async def test_what_was_understood_alone_does_not_lead_the_room(tenant: Tenant, chat_model: FakeModelServer) -> None:
    await ask(tenant, chat_model, "message_channel_follow_up")
    rows = await tenant.database.fetch_dicts(
        b"SELECT standalone_question FROM interactions WHERE conversation_key NOT LIKE %s",
        [f"%{PEOPLE[0]['objectId']}"],
    )
    assert len(rows) == 2
    assert "directors" not in str(rows)
