"""Slack against the real service in a process of its own: what people do with answers, and a kill in the middle."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession

from bot.slack.events import PATH
from core.database import Database
from tests.bot.assistant import eventually
from tests.bot.slack.conftest import SECRET, load, sign
from tests.fakes.model_server import FakeModelServer, run_model_server
from tests.fakes.slack import BOT_TOKEN, FakeSlack, read_message
from tests.ports import find_free_port

# A start imports torch, which takes a busy machine a minute.
pytestmark = pytest.mark.timeout(400)
START_SECONDS = 200

ROOT = Path(__file__).parent.parent.parent
LEAVE = "# Leave policy\n\n## Annual leave\n\nEmployees have 23 days of annual leave.\n"
QUESTION = "How many days of annual leave do employees have?"
HTTP, SOCKET = {"SLACK_SIGNING_SECRET": SECRET}, {"SLACK_APP_TOKEN": "xapp-of-the-tests"}
WORDS_BEFORE_THE_GATE = 4


@dataclass
class Office:
    """A company: its Slack, its service, its people.

    Attributes:
        settings: the service's environment.
        url: of the service.
    """

    slack: FakeSlack
    model: FakeModelServer
    database: Database
    settings: dict[str, str]
    url: str
    home: Path
    session: ClientSession
    process: asyncio.subprocess.Process | None = None

    async def start(self, transport: Mapping[str, str]) -> None:
        """Start the service and wait until it serves."""
        environment = os.environ | self.settings | transport
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "nightbake",
            "up",
            "--json",
            env=environment,
            cwd=self.home,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self.process.stdout
        announced = await asyncio.wait_for(self.process.stdout.readline(), START_SECONDS)
        assert json.loads(announced)["chat"] == self.url

    async def end(self, number: signal.Signals) -> int:
        """Send the service a signal and wait for its end."""
        assert self.process
        self.process.send_signal(number)
        await asyncio.wait_for(self.process.communicate(), 60)
        return self.process.returncode or 0

    async def deliver(self, body: dict[str, Any]) -> None:
        """An event over HTTP."""
        await self._post(json.dumps(body).encode(), "application/json")

    async def click(self, body: dict[str, Any]) -> None:
        """A click or a form over HTTP."""
        await self._post(urlencode({"payload": json.dumps(body)}).encode(), "application/x-www-form-urlencoded")

    async def _post(self, body: bytes, content_type: str) -> None:
        headers = sign(body) | {"Content-Type": content_type}
        async with self.session.post(f"{self.url}{PATH}", data=body, headers=headers) as response:
            assert response.status == 200, await response.text()

    async def wait_for_answer(
        self, thread_ts: str, words: str = "23 days of annual leave"
    ) -> tuple[str, dict[str, Any]]:
        """Key and content of the one finished message in a thread."""

        async def find() -> tuple[str, dict[str, Any]] | None:
            found = self.find_messages(thread_ts)
            is_done = [one for one in found if words in read_message(one[1]) and one[0] not in self.slack.streaming]
            return is_done[0] if is_done and '"vote"' in json.dumps(is_done[0][1]["blocks"]) else None

        return await eventually(find, seconds=60)

    async def wait_for_words(self, thread_ts: str) -> str:
        """Key of the message in which an answer has begun."""

        async def find() -> str | None:
            return next((key for key, one in self.find_messages(thread_ts) if "Employees" in read_message(one)), None)

        return await eventually(find, seconds=60)

    def find_messages(self, thread_ts: str) -> list[tuple[str, dict[str, Any]]]:
        return [(key, one) for key, one in self.slack.messages.items() if one["thread_ts"] == thread_ts]

    async def find_modes(self) -> list[tuple[str, str]]:
        rows = await self.database.fetch_dicts(b"SELECT question, mode FROM interactions ORDER BY id")
        return [(row["question"], row["mode"]) for row in rows]

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[None]:
        """Answers stop after some words until this ends."""
        self.model.gate = asyncio.Semaphore(WORDS_BEFORE_THE_GATE)
        try:
            yield
        finally:
            gate, self.model.gate = self.model.gate, None
            for _ in range(1_000):
                gate.release()


@pytest.fixture
async def office(database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    home, documents, port = tmp_path / "home", tmp_path / "documents", find_free_port()
    home.mkdir()
    documents.mkdir()
    (documents / ".access.json").write_text('{"allow": ["everyone"]}')
    (documents / "leave.md").write_text(LEAVE)
    async with FakeSlack() as slack, run_model_server() as model, ClientSession() as session:
        settings = {
            "PYTHONPATH": str(ROOT),
            "NIGHTBAKE_HOME": str(home),
            "DATABASE_URL": database.url,
            "MODEL_URL": model.url,
            "MODEL_NAME": model.model,
            "DOCUMENTS": str(documents),
            "PORT": str(port),
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_API_URL": slack.api_url,
        }
        office = Office(slack, model, database, settings, f"http://127.0.0.1:{port}", home, session)
        try:
            yield office
        finally:
            if office.process and office.process.returncode is None:
                await office.end(signal.SIGKILL)


def make_question(ts: str, text: str = QUESTION) -> dict[str, Any]:
    body = load("message_im")
    body["event"] |= {"ts": ts, "event_ts": ts, "text": text}
    body["event_id"] = f"Ev{ts}"
    return body


def make_click(message_key: str, message: dict[str, Any]) -> dict[str, Any]:
    """A thumb down under a message, with the value that stands there."""
    channel, ts = message_key.split(":")
    click = load("click_thumb_down")
    (thumbs,) = [block["elements"][0] for block in message["blocks"] if block["type"] == "context_actions"]
    click["container"] |= {"message_ts": ts, "channel_id": channel}
    click["channel"]["id"] = channel
    click["actions"][0]["value"] = thumbs["negative_button"]["value"]
    return click


def make_form(view: dict[str, Any], correction: str) -> dict[str, Any]:
    """The form as it was opened, filled in with its first source."""
    form = load("form_judgement")
    form["view"] |= {"private_metadata": view["private_metadata"], "callback_id": view["callback_id"]}
    (options,) = [block["element"]["options"] for block in view["blocks"] if block["block_id"] == "chosen"]
    values = form["view"]["state"]["values"]
    values["chosen"]["chosen"]["selected_option"] = options[0]
    values["correction"]["correction"]["value"] = correction
    return form


async def test_a_person_asks_corrects_follows_up_stops_edits_and_deletes(office: Office) -> None:
    await office.start(HTTP)
    await check_an_answer_and_its_correction(office)
    await check_a_follow_up(office)
    await check_a_stop(office)
    await check_an_edit(office)
    await check_a_deletion(office)
    # A stopped answer to a question that was replaced or deleted stays in the log only.
    assert [mode for _, mode in await office.find_modes()] == [
        "generated",
        "generated",
        "generated",
        "stopped",
        "stopped",
        "generated",
        "stopped",
    ]
    assert await office.end(signal.SIGTERM) == 0


async def check_an_answer_and_its_correction(office: Office) -> None:
    """A direct message is streamed, cited and judged."""
    ts = "1700001000.000100"
    async with office.held():
        await office.deliver(make_question(ts))
        key = await office.wait_for_words(ts)
        assert key in office.slack.streaming
    answered, message = await office.wait_for_answer(ts)
    assert answered == key
    assert f"annual leave. [[1]]({office.url}/passages/" in read_message(message)
    assert f"[1] <{office.url}/passages/" in read_message(message)

    async def is_opened() -> bool:
        return bool(office.slack.views)

    async def find_judgement() -> list[dict[str, Any]]:
        return await office.database.fetch_dicts(
            b"SELECT person, value, correction FROM feedback WHERE correction IS NOT NULL"
        )

    await office.click(make_click(key, message))
    await eventually(is_opened)
    await office.click(make_form(office.slack.views[-1], "Employees have 25 days of annual leave."))
    (judgement,) = await eventually(find_judgement)
    assert judgement == {
        "person": "slack:T0HOME:U0ANN",
        "value": -1,
        "correction": "Employees have 25 days of annual leave.",
    }


async def check_a_follow_up(office: Office) -> None:
    """In a thread that began with a mention."""
    mention, follow_up = load("app_mention"), load("message_follow_up")
    mention["event"]["text"] = f"<@U0BOT> {QUESTION}"
    follow_up["event"]["text"] = QUESTION
    await office.deliver(mention)
    await office.wait_for_answer(mention["event"]["ts"])
    await office.deliver(follow_up)

    async def are_two() -> bool:
        return len(office.find_messages(mention["event"]["ts"])) == 2 and not office.slack.streaming

    await eventually(are_two, seconds=60)


async def check_a_stop(office: Office) -> None:
    """What was said stays."""
    ts, stop = "1700002000.000100", load("agent_session_stopped")
    stop["event"] |= {"thread_ts": ts, "event_ts": "1700002005.000100"}
    async with office.held():
        await office.deliver(make_question(ts))
        key = await office.wait_for_words(ts)
        # Slack ends the stream by itself.
        office.slack.streaming.discard(key)
        await office.deliver(stop)
        await office.wait_for_answer(ts, words="Employees have")
    assert "annual leave" not in read_message(office.slack.messages[key])


async def check_an_edit(office: Office) -> None:
    """The new wording is answered in the same message."""
    ts, edit = "1700003000.000100", load("message_im_edited")
    edit["event"]["message"] |= {"ts": ts, "text": f"Say, {QUESTION}"}
    edit["event"]["message"]["edited"]["ts"] = "1700003005.000000"
    edit["event"]["previous_message"] |= {"ts": ts, "text": QUESTION}
    async with office.held():
        await office.deliver(make_question(ts))
        key = await office.wait_for_words(ts)
        await office.deliver(edit)

        async def is_left() -> bool:
            return office.model.disconnects == left + 1

        left = office.model.disconnects
        await eventually(is_left)
    answered, _ = await office.wait_for_answer(ts)
    assert (answered, len(office.find_messages(ts))) == (key, 1)
    assert (await office.find_modes())[-1] == (f"Say, {QUESTION}", "generated")


async def check_a_deletion(office: Office) -> None:
    """The answer under way goes along."""
    ts, deletion = "1700004000.000100", load("message_im_deleted")
    deletion["event"] |= {"deleted_ts": ts}
    deletion["event"]["previous_message"] |= {"ts": ts, "text": QUESTION}

    async def is_gone() -> bool:
        return office.find_messages(ts) == []

    async with office.held():
        await office.deliver(make_question(ts))
        await office.wait_for_words(ts)
        await office.deliver(deletion)
        await eventually(is_gone)


async def test_a_service_that_is_killed_in_an_answer_ends_it_once_and_reads_what_it_missed(office: Office) -> None:
    """Over Socket Mode."""
    await office.start(SOCKET)
    asked, missed = "1700001000.000100", f"{time.time() + 1:.6f}"

    async def is_connected() -> bool:
        return bool(office.slack.links)

    await eventually(is_connected)
    async with office.held():
        for number in range(2):
            await office.slack.send(f"envelope-{number}", make_question(asked))
        await office.wait_for_words(asked)
        assert await office.end(signal.SIGKILL) == -signal.SIGKILL
    office.slack.posts["D0ANN"] = [make_question(missed)["event"]]
    office.slack.links.clear()
    # Nobody has to wait for the lease of the dead to end.
    await office.database.execute(b"UPDATE inbox SET lease_expires_at = now()")
    await office.start(SOCKET)
    for ts in (asked, missed):
        await office.wait_for_answer(ts)
    await eventually(is_connected)
    await office.slack.send("envelope-2", make_question(asked))

    async def is_acknowledged() -> bool:
        return "envelope-2" in office.slack.acknowledged

    await eventually(is_acknowledged)
    assert await office.end(signal.SIGTERM) == 0
    assert [len(office.find_messages(ts)) for ts in (asked, missed)] == [1, 1]
    assert [mode for _, mode in await office.find_modes()] == ["generated", "generated"]
