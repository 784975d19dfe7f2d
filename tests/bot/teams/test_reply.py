"""The reply protocol against the Connector: streams and edits, pace, failures, crashes, deleted messages."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.changes import Changes
from bot.inbox import Claimed, Inbox
from bot.reply import FinishedAnswer
from bot.stops import Stops
from bot.teams.connector import TeamsConnector, TeamsError
from bot.teams.limits import Limits
from bot.teams.posts import to_question
from bot.teams.render import render_stop
from bot.teams.reply import PAUSE_SECONDS, Means, TeamsReply
from bot.teams.stream import STREAM_SECONDS
from core.database import Database
from core.interactions import Interactions
from core.records import Question
from tests.bot.assistant import BASE_URL
from tests.bot.teams.conftest import Credentials, Tenant, load
from tests.fakes.teams import APP_ID, STOPPED, TIMED_OUT, FakeTeams, read_actions

ANSWER = FinishedAnswer(1, "en", "23 days. [1]", "generated")
SHOWN = "23 days. [1]\n\n*Answer 1*"
PERSONAL, CHANNEL = "message_personal", "message_channel_mention"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def make_claimed(service_url: str, name: str = PERSONAL, inbox_id: int = 1) -> Claimed:
    event = to_question(load(name, service_url))
    assert event
    return Claimed(inbox_id, "teams", event.conversation_key, "question", event.payload, 1, datetime.now(UTC), "worker")


class Stage:
    """Replies on a real Connector, with a clock of their own."""

    def __init__(self, database: Database, teams: FakeTeams, connector: TeamsConnector) -> None:
        self.clock = Clock()
        self.teams = teams
        self.database = database
        self.interactions = Interactions(database)
        self.means = Means(
            connector=connector,
            interactions=self.interactions,
            changes=Changes("teams", inbox=Inbox(database), database=database),
            stops=Stops(database),
            base_url=BASE_URL,
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    def reply(self, name: str = PERSONAL, reply_key: str | None = None) -> TeamsReply:
        claimed = make_claimed(self.teams.service_url, name)
        return TeamsReply(self.means, claimed, claimed.payload["reference"], reply_key)

    async def begin(self) -> None:
        """Store the question of answer number 1."""
        await self.interactions.begin(Question("teams", "c", "p", ["everyone"], "q?", "en"))

    async def open(self, reply: TeamsReply) -> str:
        """Show the status, and let the time of the next piece come."""
        key = await reply.open(1, "en")
        self.clock.now += PAUSE_SECONDS + 0.01
        return key

    async def say(self, reply: TeamsReply, *texts: str) -> None:
        for text in texts:
            await reply.show(text)
            self.clock.now += PAUSE_SECONDS + 0.01

    @property
    def texts(self) -> list[str]:
        return [call.activity["text"] for call in self.teams.calls if "text" in call.activity]

    @property
    def kinds(self) -> list[str]:
        """What was sent: pieces of a stream by their kind, other messages with words by their method."""
        said = [call for call in self.teams.calls if "attachments" not in call.activity or "text" in call.activity]
        return [_find_kind(call.activity) or call.method for call in said]


def _find_kind(activity: dict[str, Any]) -> str | None:
    return next((one["streamType"] for one in activity.get("entities", []) if one["type"] == "streaminfo"), None)


@pytest.fixture
def stage(database: Database, teams: FakeTeams, connector: TeamsConnector) -> Stage:
    return Stage(database, teams, connector)


async def test_a_personal_chat_is_streamed_from_status_to_answer(stage: Stage) -> None:
    reply = stage.reply()
    await stage.open(reply)
    await stage.say(reply, "23 da", "23 days. [", "23 days. [1] Als")
    await reply.close(ANSWER)
    assert stage.kinds == ["informative", "streaming", "streaming", "streaming", "final"]
    assert stage.texts == ["Reading the documents…", "23", "23 days.", "23 days. [1]", SHOWN]
    sequences = [call.activity["entities"][0].get("streamSequence") for call in stage.teams.calls]
    assert sequences == [1, 2, 3, 4, None]
    (message,) = stage.teams.said.values()
    assert message["channelData"] == {"feedbackLoop": {"type": "default"}}
    assert [action["title"] for action in read_actions(message)] == ["Say what was wrong", "Try again"]


@pytest.mark.parametrize("name", [PERSONAL, CHANNEL])
async def test_pieces_keep_the_pace_and_the_latest_text_wins(stage: Stage, name: str) -> None:
    reply = stage.reply(name)
    await stage.open(reply)
    for number in range(100):
        await reply.show("word " * (number + 1) + "x")
        stage.clock.now += PAUSE_SECONDS / 49.9
    shown = [len(text.split()) for text in stage.texts[1:]]
    assert len(shown) == 2
    assert shown[1] - shown[0] in (50, 51)


async def test_the_last_piece_waits_for_its_turn_too(stage: Stage) -> None:
    reply = stage.reply()
    await reply.open(1, "en")
    await reply.close(ANSWER)
    assert stage.clock.slept == [pytest.approx(PAUSE_SECONDS)]


async def test_an_answer_in_other_words_than_the_stream_replaces_it(stage: Stage) -> None:
    reply = stage.reply()
    await stage.open(reply)
    await stage.say(reply, "The documents do not say so. ")
    await reply.close(ANSWER)
    assert stage.kinds == ["informative", "streaming", "final", "PUT"]
    assert [message["text"] for message in stage.teams.said.values()] == [SHOWN]


@pytest.mark.parametrize("why", [STOPPED, TIMED_OUT, "Content stream is not allowed"])
async def test_a_stream_that_is_over_is_finished_by_an_edit(stage: Stage, why: str) -> None:
    reply = stage.reply()
    await stage.open(reply)
    await stage.say(reply, "23 days")
    stage.teams.end_streams(why)
    await stage.say(reply, "23 days of annual leave")
    await reply.close(ANSWER)
    assert [message["text"] for message in stage.teams.said.values()] == [SHOWN]


async def test_a_stream_that_ends_with_the_answer_is_finished_by_an_edit(stage: Stage) -> None:
    reply = stage.reply()
    await stage.open(reply)
    stage.teams.end_streams(TIMED_OUT)
    await reply.close(ANSWER)
    assert [message["text"] for message in stage.teams.said.values()] == [SHOWN]


async def test_where_the_edit_is_refused_too_the_answer_is_a_new_message(stage: Stage) -> None:
    await stage.begin()
    reply = stage.reply()
    await stage.open(reply)
    await stage.say(reply, "23 days")
    stage.teams.statuses = [403, 403]
    await reply.close(ANSWER)
    _, (key, message) = stage.teams.said.items()
    assert message["text"] == SHOWN
    assert (await stage.interactions.get(1)).reply_key == key


async def test_before_the_two_minutes_are_over_edits_take_the_streams_place(stage: Stage) -> None:
    reply = stage.reply()
    await stage.open(reply)
    await stage.say(reply, "23 days of")
    stage.clock.now += STREAM_SECONDS
    await stage.say(reply, "23 days of annual", "23 days of annual leave")
    await reply.close(ANSWER)
    assert stage.kinds == ["informative", "streaming", "final", "PUT", "PUT"]
    assert [message["text"] for message in stage.teams.said.values()] == [SHOWN]


async def test_a_stream_that_may_not_begin_is_a_message(stage: Stage) -> None:
    stage.teams.statuses = [403]
    reply = stage.reply()
    await stage.open(reply)
    await stage.say(reply, "23 days")
    await reply.close(ANSWER)
    assert stage.kinds == ["informative", "POST", "PUT", "PUT"]


async def test_a_channel_has_one_message_that_is_edited_in_its_thread(stage: Stage) -> None:
    reply = stage.reply(CHANNEL)
    key = await stage.open(reply)
    await stage.say(reply, "23 days")
    assert [action["verb"] for action in stage.teams.buttons] == ["stop"]
    await reply.close(ANSWER)
    assert stage.kinds == ["POST", "PUT", "PUT"]
    assert [action["title"] for action in stage.teams.buttons] == ["Say what was wrong", "Try again"]
    assert len(stage.teams.messages) == 2
    assert list(stage.teams.said) == ["19:hr@thread.tacv2;messageid=1690000000001|1700000000001"]
    assert key == "19:hr@thread.tacv2|1700000000001"


@pytest.mark.parametrize("name", [PERSONAL, CHANNEL])
async def test_a_failed_edit_does_not_end_the_answer(stage: Stage, name: str) -> None:
    reply = stage.reply(name)
    await stage.open(reply)
    stage.teams.statuses = [500]
    await stage.say(reply, "23 days")
    await reply.close(ANSWER)
    assert [message["text"] for message in stage.teams.said.values()] == [SHOWN]


@pytest.mark.parametrize("name", [PERSONAL, CHANNEL])
async def test_a_long_answer_is_split_never_cut_and_all_of_it_takes_votes(stage: Stage, name: str) -> None:
    await stage.begin()
    reply = stage.reply(name)
    await stage.interactions.set_reply_key(1, await stage.open(reply))
    words = [f"word{number}" for number in range(12_000)]
    await reply.close(replace(ANSWER, text=" ".join(words)))
    assert len(stage.teams.messages) > 10
    shown = " ".join(message["text"] for message in stage.teams.said.values())
    assert shown.removesuffix("\n\n*Answer 1*").split() == words
    for key in stage.teams.messages:
        room, _, number = key.rpartition("|")
        found = await stage.interactions.find_by_reply("teams", f"{room.partition(';')[0]}|{number}")
        assert found and found.id == 1


async def test_a_refusal_is_an_error_of_ours(stage: Stage) -> None:
    stage.teams.statuses = [403, 403]
    with pytest.raises(TeamsError, match="Teams answered 403"):
        await stage.reply().open(1, "en")


async def test_a_login_that_fails_is_an_error_of_ours(stage: Stage) -> None:
    class Refused(Credentials):
        def get_access_token(self, force_refresh: bool = False) -> str:
            raise PermissionError("invalid_client")

    stage.means = replace(stage.means, connector=TeamsConnector(app_id=APP_ID, credentials=Refused(APP_ID)))
    with pytest.raises(TeamsError, match=r"Teams is away \(PermissionError\)"):
        await stage.reply().open(1, "en")


async def test_concurrent_replies_share_a_connection(stage: Stage) -> None:
    keys = await asyncio.gather(*(stage.reply().open(1, "ko") for _ in range(8)))
    assert len(set(keys)) == 8


@pytest.mark.parametrize(("status", "waited"), [((429, 7), [7.0]), ((412, 3), [3.0]), (429, [1.0]), (503, [1.0])])
async def test_what_teams_asks_to_wait_is_waited(
    stage: Stage, status: int | tuple[int, int], waited: list[float]
) -> None:
    limits = Limits(clock=stage.clock, sleep=stage.clock.sleep)
    connector = TeamsConnector(app_id=APP_ID, credentials=Credentials(APP_ID), limits=limits)
    stage.teams.statuses = [status]
    claimed = make_claimed(stage.teams.service_url)
    assert await connector.send(claimed.payload["reference"], {"text": "23 days"})
    await connector.close()
    assert stage.clock.slept == waited


async def test_a_busy_conversation_holds_up_no_other_and_no_piece_waits_in_it(stage: Stage) -> None:
    limits = Limits(clock=stage.clock, sleep=stage.clock.sleep)
    connector = TeamsConnector(app_id=APP_ID, credentials=Credentials(APP_ID), limits=limits)
    busy, other = (make_claimed(stage.teams.service_url, name).payload["reference"] for name in (PERSONAL, CHANNEL))
    stage.teams.statuses = [(429, 20)]
    for _ in range(2):
        with pytest.raises(TeamsError, match=r"429|asked to wait"):
            await connector.send(busy, {"type": "typing"}, patient=False)
    await connector.send(other, {"text": "there"})
    assert (stage.clock.slept, len(stage.teams.calls)) == ([], 2)
    await connector.send(busy, {"text": "here"})
    await connector.close()
    assert stage.clock.slept == [20.0]


async def test_teams_that_stays_busy_is_an_error(stage: Stage) -> None:
    limits = Limits(clock=stage.clock, sleep=stage.clock.sleep)
    connector = TeamsConnector(app_id=APP_ID, credentials=Credentials(APP_ID), limits=limits)
    stage.teams.statuses = [429] * 4
    with pytest.raises(TeamsError, match="429"):
        await connector.send(make_claimed(stage.teams.service_url).payload["reference"], {"text": "23 days"})
    await connector.close()
    assert stage.clock.slept == [1.0, 2.0, 4.0]


async def test_after_a_crash_the_same_message_is_used(tenant: Tenant) -> None:
    event = to_question(load("message_channel_mention", tenant.teams.service_url))
    assert event
    interactions = Interactions(tenant.database)
    inbox_id = (await tenant.inbox.receive(event)).id
    claimed = make_claimed(tenant.teams.service_url, CHANNEL, inbox_id)
    begun = await interactions.begin(Question("teams", "c", "p", ["everyone"], "q?", "en", claimed.id))
    first_reply = await tenant.platform.reply_to(claimed)
    assert first_reply
    first = await first_reply.open(begun.id, "en")
    await interactions.set_reply_key(begun.id, first)
    again = await tenant.platform.reply_to(claimed)
    assert again
    assert await again.open(begun.id, "en") == first
    await again.decline("Something went wrong")
    assert [message["text"] for message in tenant.teams.said.values()] == ["Something went wrong"]
    assert len(tenant.teams.typing) == 1


@pytest.mark.parametrize(("name", "stands"), [(PERSONAL, True), (PERSONAL, False), (CHANNEL, False)])
async def test_after_a_crash_an_apology_ends_the_message_or_is_a_new_one(stage: Stage, name: str, stands: bool) -> None:
    key = await stage.open(stage.reply(name))
    if not stands:
        stage.teams.messages.clear()
        stage.teams.streams.clear()
    await stage.reply(name, reply_key=key).decline("Something went wrong")
    assert [message["text"] for message in stage.teams.said.values()] == ["Something went wrong"]
    assert (key in stage.teams.messages) is stands


async def test_a_deleted_message_is_sent_anew_and_takes_the_votes(stage: Stage) -> None:
    await stage.begin()
    reply = stage.reply(CHANNEL)
    key = await stage.open(reply)
    stage.teams.messages.clear()
    await reply.close(ANSWER)
    assert (await stage.interactions.get(1)).reply_key == "19:hr@thread.tacv2|1700000000003" != key


@pytest.mark.parametrize(("said", "messages"), [([], 1), (["23 da"], 1), (["25 da"], 2)])
async def test_a_stream_that_an_attempt_left_when_it_died_ends_with_the_answer(
    stage: Stage, said: list[str], messages: int
) -> None:
    """Unless its words are others: then the answer is a new message."""
    await stage.begin()
    dead = stage.reply()
    key = await stage.open(dead)
    await stage.say(dead, *said)
    reply = stage.reply(reply_key=key)
    await stage.open(reply)
    await stage.say(reply, "23 days")
    await reply.close(ANSWER)
    shown = list(stage.teams.said.items())
    assert (len(shown), shown[-1][1]["text"]) == (messages, SHOWN)
    assert (await stage.interactions.get(1)).reply_key in (None, shown[-1][0])


async def test_text_and_cards_go_as_messages_of_their_own(stage: Stage) -> None:
    """Teams would split them, and tell the id of none."""
    both = {"text": "23 days", "attachments": [*render_stop(1, "en")["attachments"] * 2]}
    reference = make_claimed(stage.teams.service_url).payload["reference"]
    sent = await stage.means.connector.send(reference, both)
    shown = [(key.rpartition("|")[2], bool(one.get("text"))) for key, one in stage.teams.messages.items()]
    assert shown == [(sent, True), ("1700000000002", False), ("1700000000003", False)]


async def test_after_a_crash_in_a_channel_the_buttons_take_the_place_of_stop(stage: Stage) -> None:
    await stage.begin()
    key = await stage.open(stage.reply(CHANNEL))
    reply = stage.reply(CHANNEL, reply_key=key)
    await stage.open(reply)
    await reply.close(ANSWER)
    assert [action["title"] for action in stage.teams.buttons] == ["Say what was wrong", "Try again"]
    assert len(stage.teams.messages) == 2


@pytest.mark.parametrize("ends", ["remove", "decline"])
async def test_an_answer_that_never_comes_leaves_no_button(stage: Stage, ends: str) -> None:
    reply = stage.reply(CHANNEL)
    await stage.open(reply)
    await (reply.remove() if ends == "remove" else reply.decline("Something went wrong"))
    assert [one.get("text") for one in stage.teams.messages.values()] == (
        [] if ends == "remove" else ["Something went wrong"]
    )


@pytest.mark.parametrize("status", [403, 429])
async def test_an_answer_that_cannot_be_stopped_is_given_all_the_same(stage: Stage, status: int) -> None:
    await stage.begin()
    stage.teams.statuses = [0, status]
    reply = stage.reply(CHANNEL)
    await stage.open(reply)
    await reply.close(ANSWER)
    assert [one["text"] for one in stage.teams.said.values()] == [SHOWN]
    assert [action["title"] for action in stage.teams.buttons] == ["Say what was wrong", "Try again"]
