"""Votes by Teams' own thumbs and by reactions, the form as a card and as a dialog, "Try again"."""

import json
from typing import Any

import pytest

from core.feedback import FeedbackLog
from core.records import Feedback
from tests.bot.teams.conftest import Tenant, load
from tests.fakes.model_server import FakeModelServer
from tests.fakes.teams import TENANT, read_actions

ANN = f"teams:{TENANT}:33333333-cccc-4444-8888-000000000003"
THREAD = "19:hr@thread.tacv2;messageid=1690000000001"
BOB = {"id": "29:1bob", "name": "Bob", "aadObjectId": "33333333-cccc-4444-8888-000000000004"}


async def find_standing(tenant: Tenant, person: str = ANN) -> Feedback:
    found = await FeedbackLog(tenant.database).find_standing(1, person)
    assert found
    return found


def dislike(**changes: Any) -> dict[str, Any]:
    """A bare thumb down in the personal chat."""
    activity = load("feedback_dislike") | {"conversation": load("message_personal")["conversation"]}
    activity["value"]["actionValue"]["feedback"] = "{}"
    return activity | changes


@pytest.mark.parametrize(
    ("feedback", "comment"),
    [('{"feedbackText": "too short"}', "too short"), ('{"feedbackText": ""}', None), ("plain", "plain"), (None, None)],
)
async def test_a_comment_is_kept_as_the_reason(
    tenant: Tenant, chat_model: FakeModelServer, feedback: str | None, comment: str | None
) -> None:
    activity = load("feedback_dislike")
    activity["value"]["actionValue"]["feedback"] = feedback
    await tenant.play(chat_model, "message_channel_mention", activity)
    stored = await find_standing(tenant)
    assert (stored.value, stored.source, stored.reason) == (-1, "teams_feedback", comment)


async def test_a_thumb_that_names_no_message_is_for_the_newest_answer_to_that_person(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    second = load("message_channel_mention") | {"id": "1690000000005"}
    other = load("message_channel_mention") | {"id": "1690000000006", "from": BOB}
    thumb = load("feedback_like")
    del thumb["replyToId"]
    await tenant.play(chat_model, "message_channel_mention", second, other, thumb)
    rows = await tenant.database.fetch_dicts(b"SELECT interaction_id, person, value FROM feedback")
    assert rows == [{"interaction_id": 2, "person": ANN, "value": 1}]


async def test_a_thumb_in_a_conversation_without_an_answer_is_dropped(tenant: Tenant) -> None:
    thumb = load("feedback_like")
    del thumb["replyToId"]
    assert (await tenant.deliver(thumb), await tenant.count("inbox")) == ((200, "{}"), 0)


@pytest.mark.parametrize("value", [None, {}, {"actionName": "feedback", "actionValue": {"reaction": "meh"}}])
async def test_a_thumb_that_is_none_is_dropped(tenant: Tenant, value: Any) -> None:
    assert (await tenant.deliver("feedback_like", value=value), await tenant.count("inbox")) == ((200, "{}"), 0)


async def test_a_person_has_one_vote_and_a_reaction_takes_back_only_itself(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    down = load("reaction_like") | {"id": "f:0011", "reactionsAdded": [{"type": "1f44e_thumbsdown-tone2"}]}
    await tenant.play(chat_model, "message_channel_mention", "reaction_like", down, "reaction_like_removed")
    assert (await find_standing(tenant)).value == -1
    undone = load("reaction_like_removed") | {"id": "f:0012", "reactionsRemoved": [{"type": "1f44e_thumbsdown-tone2"}]}
    await tenant.play(chat_model, undone)
    assert (await find_standing(tenant)).value == 0
    assert await FeedbackLog(tenant.database).find_current(1) == []


async def test_after_a_bare_thumb_down_the_form_is_offered_in_a_personal_chat(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    await tenant.play(chat_model, "message_personal", dislike(), dislike(id="f:0020", replyToId=None))
    _, form, *_ = tenant.teams.messages.values()
    assert [action["verb"] for action in read_actions(form)] == ["judge"]
    assert [field["id"] for field in form["attachments"][0]["content"]["body"][1:]] == [
        "reason",
        "correction",
        "chosen",
        "named",
    ]


async def test_nothing_is_said_in_a_channel_nor_after_a_comment_nor_after_a_thumb_up(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    commented = load("feedback_dislike") | {"conversation": load("message_personal")["conversation"], "id": "f:21"}
    up = load("feedback_like") | {"conversation": load("message_personal")["conversation"], "id": "f:22"}
    await tenant.play(chat_model, "message_channel_mention", "feedback_dislike")
    await tenant.play(chat_model, "message_personal", commented | {"replyToId": "1700000000003"}, up)
    assert len(tenant.teams.said) == 2


async def test_a_form_that_cannot_be_offered_loses_no_vote(tenant: Tenant, chat_model: FakeModelServer) -> None:
    await tenant.play(chat_model, "message_personal")
    tenant.teams.statuses = [403]
    await tenant.play(chat_model, dislike())
    assert ((await find_standing(tenant)).value, len(tenant.teams.messages)) == (-1, 1)


async def test_a_sent_form_is_one_judgement_and_gives_way_to_thanks(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    told = await tenant.play(chat_model, "message_personal", dislike(), "execute_form", "execute_form")
    stored = await find_standing(tenant)
    assert (stored.value, stored.source, stored.reason) == (-1, "teams_form", "wrong_document")
    assert (stored.correction, stored.right_chunk_id) == ("Employees have 25 days of annual leave.", 7)
    assert await tenant.count("feedback") == 2
    assert (told[2]["statusCode"], told[2]["type"]) == (200, "application/vnd.microsoft.card.adaptive")
    assert "Thank you" in str(told[2]["value"])


async def test_the_button_opens_the_form_in_a_dialog_and_a_link_names_the_passage(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    told = await tenant.play(chat_model, "message_channel_mention", "dialog_fetch", "dialog_submit", "dialog_fetch")
    shown = told[1]["task"]["value"]
    assert (told[1]["task"]["type"], shown["title"]) == ("continue", "What was wrong?")
    assert shown["card"]["content"]["actions"][0]["type"] == "Action.Submit"
    assert told[2] == {"task": {"type": "message", "value": told[2]["task"]["value"]}}
    stored = await find_standing(tenant)
    assert (stored.correction, stored.reason, stored.right_chunk_id) == ("25 days.", "wrong", 7)
    assert "'value': '25 days.'" in str(told[3])
    (message,) = tenant.teams.said
    assert message.startswith(THREAD)


async def test_try_again_is_a_second_answer_once(tenant: Tenant, chat_model: FakeModelServer) -> None:
    told = await tenant.play(chat_model, "message_channel_mention", "execute_again", "execute_again")
    assert told[1]["value"] == "I am trying again."
    rows = await tenant.database.fetch_dicts(b"SELECT again_of FROM interactions ORDER BY id")
    assert [row["again_of"] for row in rows] == [None, 1]
    assert [key.rpartition("|")[0] for key in tenant.teams.said] == [THREAD, THREAD]


async def test_a_plain_submit_counts_where_a_client_knows_no_other(tenant: Tenant, chat_model: FakeModelServer) -> None:
    await tenant.play(chat_model, "message_personal", "message_submit")
    assert (await tenant.count("interactions"), len(tenant.teams.messages)) == (2, 2)


@pytest.mark.parametrize("number", [None, "1", True, 0, -1, 4711, 2**63, [1]])
async def test_a_click_that_names_no_answer_of_ours_is_told_so(
    tenant: Tenant, chat_model: FakeModelServer, number: Any
) -> None:
    click, dialog = load("execute_again"), load("dialog_fetch")
    click["value"]["action"]["data"]["interaction_id"] = number
    dialog["value"]["data"]["interaction_id"] = number
    told = await tenant.play(chat_model, "message_channel_mention", click, dialog)
    assert told[1]["value"] == told[2]["task"]["value"] == "This answer is not known any more."
    assert await tenant.count("inbox") == 1


async def test_an_answer_cannot_be_reached_from_another_room(tenant: Tenant, chat_model: FakeModelServer) -> None:
    dialog = load("dialog_fetch") | {"conversation": load("message_personal")["conversation"]}
    told = await tenant.play(chat_model, "message_channel_mention", dialog)
    assert "Leave policy" not in json.dumps(told)


@pytest.mark.parametrize("value", [None, {}, {"action": {"verb": "other", "data": None}}, {"action": {"data": {}}}])
async def test_an_action_that_is_none_of_ours_is_a_fault_of_the_card(tenant: Tenant, value: Any) -> None:
    status, body = await tenant.deliver("execute_again", value=value)
    assert (status, json.loads(body)["statusCode"]) == (200, 400)
