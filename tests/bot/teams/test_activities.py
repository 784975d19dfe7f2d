"""Activities in our words, without a server."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.inbox import Claimed
from bot.teams.activities import find_audience, make_reply_key, read_text, to_event
from tests.bot.teams.conftest import load
from tests.fakes.teams import TENANT

OWN = {"id": "28:11111111-aaaa-4444-8888-000000000001", "name": "Nightbake"}


def mention(name: str, text: str) -> dict[str, Any]:
    return {"type": "mention", "mentioned": {"id": OWN["id"] if name == "own" else name}, "text": text}


@pytest.mark.parametrize(
    ("text", "entities", "read"),
    [
        ("<at>Nightbake</at>&nbsp;hello", [mention("own", "<at>Nightbake</at>")], "hello"),
        ("ask <at>Bob</at> now", [mention("29:bob", "<at>Bob</at>")], "ask Bob now"),
        ('<at id="0">Nightbake</at> a &lt; b', [mention("own", '<at id="0">Nightbake</at>')], "a < b"),
        ("연차는\xa0며칠인가요?", [], "연차는 며칠인가요?"),
    ],
)
def test_a_message_is_read_as_it_was_typed(text: str, entities: list[dict[str, Any]], read: str) -> None:
    assert read_text({"text": text, "entities": entities, "recipient": OWN}) == read


@pytest.mark.parametrize(
    "name", ["message_own_echo", "message_channel_no_mention", "reaction_heart", "invoke_other", "conversation_update"]
)
def test_what_is_not_for_us_is_no_event(name: str) -> None:
    assert to_event(load(name)) is None


def test_a_like_that_is_taken_back_names_the_vote() -> None:
    event = to_event(load("reaction_like_removed"))
    assert event
    assert (event.payload["value"], event.payload["withdraws"]) == (0, 1)


def test_feedback_without_a_message_is_dropped() -> None:
    activity = load("feedback_like")
    del activity["replyToId"]
    assert to_event(activity) is None


@pytest.mark.parametrize(
    ("feedback", "comment"),
    [('{"feedbackText": "too short"}', "too short"), ('{"feedbackText": ""}', None), ("plain", "plain"), (None, None)],
)
def test_a_comment_is_kept_as_the_reason(feedback: str | None, comment: str | None) -> None:
    activity = load("feedback_dislike")
    activity["value"]["actionValue"]["feedback"] = feedback
    event = to_event(activity)
    assert event
    assert (event.payload["value"], event.payload["reason"]) == (-1, comment)


def test_a_reaction_names_the_answer_with_or_without_its_thread() -> None:
    keys = {make_reply_key(conversation, "17") for conversation in ("19:a@thread", "19:a@thread;messageid=16")}
    assert keys == {"19:a@thread|17"}


@pytest.mark.parametrize(
    ("name", "audience"),
    [
        ("message_personal", ["everyone", f"teams:{TENANT}:33333333-cccc-4444-8888-000000000003"]),
        ("message_channel_mention", ["everyone"]),
    ],
)
async def test_the_audience_is_the_person_or_everyone(name: str, audience: list[str]) -> None:
    assert await find_audience(claim(load(name))) == audience


async def test_a_sender_whom_the_directory_does_not_know_may_read_nothing() -> None:
    activity = load("message_personal")
    del activity["from"]["aadObjectId"]
    assert await find_audience(claim(activity)) == []


def claim(activity: dict[str, Any]) -> Claimed:
    event = to_event(activity)
    assert event
    return Claimed(1, "teams", event.conversation_key, event.kind, event.payload, 1, datetime.now(UTC), "worker")
