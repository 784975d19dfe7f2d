"""The reply protocol against the Connector: pace, failures, crashes, deleted messages."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.inbox import Claimed
from bot.reply import FinishedAnswer
from bot.teams.activities import to_event
from bot.teams.connector import TeamsConnector, TeamsError
from bot.teams.reply import EDIT_PAUSE_SECONDS, TeamsReply
from core.database import Database
from core.interactions import Interactions
from core.records import Question
from tests.bot.assistant import BASE_URL
from tests.bot.teams.conftest import Credentials, Tenant, load
from tests.fakes.teams import APP_ID, FakeTeams

ANSWER = FinishedAnswer(1, "en", "23 days. [1]", "generated")


def make_claimed(service_url: str, inbox_id: int = 1) -> Claimed:
    event = to_event(load("message_personal", service_url))
    assert event
    return Claimed(inbox_id, "teams", event.conversation_key, "question", event.payload, 1, datetime.now(UTC), "worker")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def make_reply(teams_url: str, connector: TeamsConnector, clock: Clock | None = None) -> TeamsReply:
    """A first reply on a closed database: nothing here needs one."""
    return TeamsReply(
        connector=connector,
        interactions=Interactions(Database("postgresql://closed")),
        base_url=BASE_URL,
        clock=clock or Clock(),
        claimed=make_claimed(teams_url),
        reply_key=None,
    )


async def test_edits_keep_the_pace_and_the_latest_text_wins(teams: FakeTeams, connector: TeamsConnector) -> None:
    clock = Clock()
    reply = make_reply(teams.service_url, connector, clock)
    await reply.open(1, "en")
    for number in range(100):
        await reply.show(f"piece {number}")
        clock.now += EDIT_PAUSE_SECONDS / 49.9
    assert [call.activity["text"] for call in teams.calls if call.method == "PUT"] == ["piece 0", "piece 50"]


async def test_a_failed_edit_does_not_end_the_answer(teams: FakeTeams, connector: TeamsConnector) -> None:
    reply = make_reply(teams.service_url, connector)
    await reply.open(1, "en")
    teams.statuses = [403]
    await reply.show("23")
    await reply.close(ANSWER)
    assert [message["text"] for message in teams.messages.values()] == ["23 days. [1]\n\n*Answer 1*"]


async def test_a_long_answer_is_split_and_never_cut(teams: FakeTeams, connector: TeamsConnector) -> None:
    reply = make_reply(teams.service_url, connector)
    await reply.open(1, "en")
    words = [f"word{number}" for number in range(3_000)]
    await reply.close(replace(ANSWER, text=" ".join(words)))
    shown = " ".join(message["text"] for message in teams.messages.values())
    assert shown.removesuffix("\n\n*Answer 1*").split() == words


async def test_a_refusal_is_an_error_of_ours(teams: FakeTeams, connector: TeamsConnector) -> None:
    teams.statuses = [403]
    with pytest.raises(TeamsError, match="Teams answered 403"):
        await make_reply(teams.service_url, connector).open(1, "en")


async def test_a_login_that_fails_is_an_error_of_ours(teams: FakeTeams) -> None:
    class Refused(Credentials):
        def get_access_token(self, force_refresh: bool = False) -> str:
            raise PermissionError("invalid_client")

    connector = TeamsConnector(app_id=APP_ID, credentials=Refused(APP_ID))
    with pytest.raises(TeamsError, match=r"Teams is away \(PermissionError\)"):
        await make_reply(teams.service_url, connector).open(1, "en")


async def test_concurrent_replies_share_a_connection(teams: FakeTeams, connector: TeamsConnector) -> None:
    replies = [make_reply(teams.service_url, connector) for _ in range(8)]
    keys = await asyncio.gather(*(reply.open(1, "ko") for reply in replies))
    assert len(set(keys)) == 8


async def test_after_a_crash_the_same_message_is_used(tenant: Tenant) -> None:
    event = to_event(load("message_personal", tenant.teams.service_url))
    assert event
    interactions = Interactions(tenant.database)
    claimed = make_claimed(tenant.teams.service_url, (await tenant.inbox.receive(event)).id)
    begun = await interactions.begin(Question("teams", "c", "p", ["everyone"], "q?", "en", claimed.id))
    first_reply = await tenant.platform.reply_to(claimed)
    assert first_reply
    first = await first_reply.open(begun.id, "en")
    await interactions.set_reply_key(begun.id, first)
    again = await tenant.platform.reply_to(claimed)
    assert again
    assert await again.open(begun.id, "en") == first
    await again.decline("Something went wrong")
    assert [message["text"] for message in tenant.teams.messages.values()] == ["Something went wrong"]


async def test_a_deleted_message_is_sent_anew_and_takes_the_votes(tenant: Tenant) -> None:
    interactions = Interactions(tenant.database)
    begun = await interactions.begin(Question("teams", "c", "p", ["everyone"], "q?", "en"))
    reply = await tenant.platform.reply_to(make_claimed(tenant.teams.service_url))
    assert reply
    del tenant.teams.messages[await reply.open(begun.id, "en")]
    await reply.close(replace(ANSWER, interaction_id=begun.id))
    assert [(await interactions.get(begun.id)).reply_key] == list(tenant.teams.messages)
