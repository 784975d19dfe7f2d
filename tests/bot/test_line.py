"""The line: who waits is told the place on every platform, again as it moves, and nothing of it outlives the wait."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import ClientResponse

from bot import line
from bot.inbox import Claimed, Event, Inbox
from bot.limits import QuestionLimits
from bot.line import Line, describe_place, leave_line
from bot.web.live import Live
from core.database import Database
from core.interactions import Interactions
from core.prompt import Language
from core.records import Outcome, Question
from tests.bot.slack.conftest import load as load_slack
from tests.bot.slack.conftest import open_workspace
from tests.bot.teams.conftest import open_tenant
from tests.bot.web.asking import parse_events
from tests.bot.web.site import run_site
from tests.eventually import eventually
from tests.fakes.model_server import FakeModelServer, run_model_server
from tests.fakes.slack import FakeSlack, read_message
from tests.fakes.teams import FakeTeams


class RecordedNotices:
    """Keeps what is said by key; `before` happens while a message is on its way; paused it takes no edits."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}
        self.before: Any = None
        self.is_paused = False

    async def say_place(self, payload: Mapping[str, Any], text: str) -> str | None:
        if self.before:
            await self.before()
        key = f"m{len(self.said)}-{payload['person']}"
        self.said[key] = text
        return key

    async def change_place(self, payload: Mapping[str, Any], key: str, text: str) -> bool:
        if not self.is_paused:
            self.said[key] = text
        return not self.is_paused

    async def remove_place(self, payload: Mapping[str, Any], key: str) -> None:
        del self.said[key]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words come at once, and as often as there is something to say."""
    for name in ("AFTER_SECONDS", "PAUSE_SECONDS"):
        monkeypatch.setattr(line, name, 0.0)


async def ask(inbox: Inbox, count: int, *, text: str = "How much leave?") -> None:
    for number in range(count):
        payload = {"text": text, "person": f"slack:T:{number}"}
        await inbox.receive(Event("slack", f"q{number}", f"c{number}", "question", payload))


async def work_off(inbox: Inbox, count: int) -> list[Claimed]:
    claimed = [await inbox.claim("worker") for _ in range(count)]
    found = [one for one in claimed if one]
    for one in found:
        await inbox.finish(one)
    return found


@pytest.mark.parametrize(
    ("place", "pace", "language", "words"),
    [
        (5, 0.125, "en", "You are 5th in line; about 40 s."),
        (5, 0.125, "ko", "대기 순서 5번째입니다. 약 40초 남았습니다."),
        (1, 0.5, "en", "You are next in line; about 10 s."),
        (1, 0.5, "ko", "다음 차례입니다. 약 10초 남았습니다."),
        (121, 1.0, "en", "You are 121st in line; about 2 min."),
        (12, 0.0, "en", "You are 12th in line."),
        (3, 0.0, "ko", "대기 순서 3번째입니다."),
    ],
)
def test_a_place_is_said_in_words(place: int, pace: float, language: Language, words: str) -> None:
    assert describe_place(place, pace, language) == words


async def test_everyone_who_waits_is_told_once_and_again_when_a_third_of_the_way_is_done(database: Database) -> None:
    inbox, notices = Inbox(database), RecordedNotices()
    waiting = Line(database, live=Live(), notices={"slack": notices})
    await ask(inbox, 6)
    await waiting.turn()
    first = read_places(notices)
    await work_off(inbox, 1)
    await waiting.turn()
    then = read_places(notices)
    await work_off(inbox, 1)
    await waiting.turn()
    assert first == ["next", "2nd", "3rd", "4th", "5th", "6th"]
    # From 4th to 3rd is no third of the way.
    assert then[1:] == ["next", "2nd", "4th", "5th", "6th"]
    assert read_places(notices)[2:] == ["next", "2nd", "3rd", "4th"]


def read_places(notices: RecordedNotices) -> list[str]:
    """Of everyone who was told, in their order."""
    return [words.split(" in line")[0].removeprefix("You are ") for words in notices.said.values()]


async def test_what_a_platform_would_not_take_is_said_later(database: Database) -> None:
    inbox, notices = Inbox(database), RecordedNotices()
    waiting = Line(database, live=Live(), notices={"slack": notices})
    await ask(inbox, 4)
    await waiting.turn()
    await work_off(inbox, 3)
    for is_paused in (True, False):
        notices.is_paused = is_paused
        await waiting.turn()
    assert read_places(notices) == ["next", "2nd", "3rd", "next"]


async def test_two_processes_tell_each_person_once(database: Database) -> None:
    inbox, notices = Inbox(database), RecordedNotices()
    await ask(inbox, 12)
    lines = [Line(database, live=Live(), notices={"slack": notices}) for _ in range(3)]
    await asyncio.gather(*(one.turn() for one in lines))
    assert len(notices.said) == 12


async def test_a_word_that_comes_after_the_worker_takes_itself_away(database: Database) -> None:
    inbox, notices = Inbox(database), RecordedNotices()
    await ask(inbox, 1)

    async def claim() -> None:
        assert await inbox.claim("worker")

    notices.before = claim
    await Line(database, live=Live(), notices={"slack": notices}).turn()
    assert notices.said == {}


async def test_who_begins_to_answer_takes_the_word_away(database: Database) -> None:
    inbox, notices = Inbox(database), RecordedNotices()
    await ask(inbox, 2)
    await Line(database, live=Live(), notices={"slack": notices}).turn()
    (claimed,) = await work_off(inbox, 1)
    async with leave_line({"slack": notices}, claimed):
        pass
    assert list(notices.said) == ["m1-slack:T:1"]


async def test_the_line_needs_no_more_rights_than_answering(database: Database) -> None:
    limits = QuestionLimits(person_per_minute=9, person_waiting=9, workspace_per_minute=9, workspace_waiting=9)
    async with Database(database.url, role="nightbake_bot") as bot:
        inbox, notices = Inbox(bot, limits=limits.to_parameters()), RecordedNotices()
        waiting = Line(bot, live=Live(), notices={"slack": notices})
        await ask(inbox, 3)
        await waiting.turn()
        await work_off(inbox, 2)
        notices.is_paused = True
        await waiting.turn()
    assert read_places(notices) == ["next", "2nd", "3rd"]


async def test_the_time_follows_from_how_quickly_the_line_moves(database: Database) -> None:
    inbox, notices, interactions = Inbox(database), RecordedNotices(), Interactions(database)
    await ask(inbox, 2, text="연차는 며칠인가요?")
    await database.execute(b"UPDATE inbox SET received_at = now() - interval '20 seconds'")
    for number in range(2):
        begun = await interactions.begin(Question("slack", f"x{number}", "user:a", ["everyone"], "?", "en"))
        await interactions.finish(Outcome(begun.id, "23 days", "generated"))
    await Line(database, live=Live(), notices={"slack": notices}).turn()
    # Two answers in 20 s.
    assert list(notices.said.values())[1] == "대기 순서 2번째입니다. 약 20초 남았습니다."


async def test_slack_shows_a_place_and_then_the_answer_alone(database: Database) -> None:
    async with (
        FakeSlack() as slack,
        open_workspace(database, slack) as workspace,
        run_model_server(FakeModelServer(answer="Employees have 23 days of annual leave. [1]")) as chat_model,
    ):
        waiting = Line(database, live=Live(), notices=workspace.notices)
        await workspace.deliver("app_mention")
        await workspace.deliver(load_slack("message_im"))
        await waiting.turn()
        shown = [message["text"] for message in slack.messages.values()]
        threads = [message["thread_ts"] for message in slack.messages.values()]
        async with workspace.at_work(chat_model):
            await workspace.settle()
        answered = [read_message(message) for message in slack.messages.values()]
    assert shown == ["You are next in line.", "You are 2nd in line."]
    assert threads[0] == "1700000100.000100"
    assert len(answered) == 2
    assert all("23 days" in words and "line" not in words for words in answered)


async def test_teams_shows_a_place_and_then_the_answer_alone(database: Database) -> None:
    async with (
        FakeTeams() as teams,
        open_tenant(database, teams) as tenant,
        run_model_server(FakeModelServer(answer="Employees have 23 days of annual leave. [1]")) as chat_model,
    ):
        waiting = Line(database, live=Live(), notices=tenant.notices)
        await tenant.deliver("message_personal")
        await waiting.turn()
        shown = [message["text"] for message in teams.said.values()]
        async with tenant.at_work(chat_model):
            await tenant.settle()
        answered = [message["text"] for message in teams.said.values()]
    assert shown == ["You are next in line."]
    assert len(answered) == 1 and "23 days" in answered[0]


async def test_a_page_shows_its_place_as_it_moves_and_then_another_process_answer(database: Database) -> None:
    async with run_site(database) as site, run_site(database) as elsewhere:
        await site.worker.stop()
        await elsewhere.worker.stop()
        client = await site.new_client()
        ids = []
        for number in range(2):
            body = {"text": "How many days of leave?", "conversation": f"conversation-{number}"}
            async with client.post("/api/questions", json=body) as response:
                ids.append((await response.json())["id"])
        waiting = Line(database, live=site.live, notices={})
        async with client.get(f"/api/questions/{ids[1]}/events") as response:
            await read_event(response)
            await waiting.turn()
            second = await read_event(response)
            first = await site.inbox.claim("worker")
            assert first
            await waiting.turn()
            then = await read_event(response)
            await elsewhere.worker.start()

            async def is_answered() -> bool:
                return await site.inbox.count_open() == 1

            await eventually(is_answered)
            await waiting.turn()
            answer = await read_event(response)
    assert (second, then) == ("You are 2nd in line.", "You are next in line.")
    assert "23 days" in answer
    assert site.live.count_topics() == 0


async def read_event(response: ClientResponse) -> str:
    """The next event's text; empty for the word that somebody waits."""
    block = (await asyncio.wait_for(response.content.readuntil(b"\n\n"), 10)).decode()
    if block.startswith("retry"):
        return await read_event(response)
    return "".join(body["text"] for _, body in parse_events(block))
