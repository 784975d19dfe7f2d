"""Slack against the real service in a process of its own: what people do with answers, and a kill in the middle."""

import json
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.slack.events import PATH
from core.database import Database
from tests.bot.assistant import eventually
from tests.bot.slack.conftest import SECRET, load, sign
from tests.fakes.slack import BOT_TOKEN, FakeSlack, read_message
from tests.journeys.office import QUESTION, Office, open_office

pytestmark = pytest.mark.timeout(400)

HTTP, SOCKET = {"SLACK_SIGNING_SECRET": SECRET}, {"SLACK_APP_TOKEN": "xapp-of-the-tests"}


@dataclass
class Company:
    """An office and its Slack."""

    office: Office
    slack: FakeSlack

    async def deliver(self, body: dict[str, Any]) -> None:
        """An event over HTTP."""
        await self._post(json.dumps(body).encode(), "application/json")

    async def click(self, body: dict[str, Any]) -> None:
        """A click or a form over HTTP."""
        await self._post(urlencode({"payload": json.dumps(body)}).encode(), "application/x-www-form-urlencoded")

    async def _post(self, body: bytes, content_type: str) -> None:
        headers = sign(body) | {"Content-Type": content_type}
        async with self.office.session.post(f"{self.office.url}{PATH}", data=body, headers=headers) as response:
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


@pytest.fixture
async def company(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with FakeSlack() as slack, open_office(database, tmp_path) as office:
        office.settings |= {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_API_URL": slack.api_url}
        yield Company(office, slack)


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


async def test_a_person_asks_corrects_follows_up_stops_edits_and_deletes(company: Company) -> None:
    await company.office.start(HTTP)
    await check_an_answer_and_its_correction(company)
    await check_a_follow_up(company)
    await check_a_stop(company)
    await check_an_edit(company)
    await check_a_deletion(company)
    # A stopped answer to a question that was replaced or deleted stays in the log only.
    assert [mode for _, mode in await company.office.find_modes()] == [
        "generated",
        "generated",
        "generated",
        "stopped",
        "stopped",
        "generated",
        "stopped",
    ]
    assert await company.office.end(signal.SIGTERM) == 0


async def check_an_answer_and_its_correction(company: Company) -> None:
    """A direct message is streamed, cited and judged."""
    ts = "1700001000.000100"
    async with company.office.held():
        await company.deliver(make_question(ts))
        key = await company.wait_for_words(ts)
        assert key in company.slack.streaming
    answered, message = await company.wait_for_answer(ts)
    assert answered == key
    assert f"annual leave. [[1]]({company.office.url}/passages/" in read_message(message)
    assert f"[1] <{company.office.url}/passages/" in read_message(message)

    async def is_opened() -> bool:
        return bool(company.slack.views)

    async def find_judgement() -> list[dict[str, Any]]:
        return await company.office.database.fetch_dicts(
            b"SELECT person, value, correction FROM feedback WHERE correction IS NOT NULL"
        )

    await company.click(make_click(key, message))
    await eventually(is_opened)
    await company.click(make_form(company.slack.views[-1], "Employees have 25 days of annual leave."))
    (judgement,) = await eventually(find_judgement)
    assert judgement == {
        "person": "slack:T0HOME:U0ANN",
        "value": -1,
        "correction": "Employees have 25 days of annual leave.",
    }


async def check_a_follow_up(company: Company) -> None:
    """In a thread that began with a mention."""
    mention, follow_up = load("app_mention"), load("message_follow_up")
    mention["event"]["text"] = f"<@U0BOT> {QUESTION}"
    follow_up["event"]["text"] = QUESTION
    await company.deliver(mention)
    await company.wait_for_answer(mention["event"]["ts"])
    await company.deliver(follow_up)

    async def are_two() -> bool:
        return len(company.find_messages(mention["event"]["ts"])) == 2 and not company.slack.streaming

    await eventually(are_two, seconds=60)


async def check_a_stop(company: Company) -> None:
    """What was said stays."""
    ts, stop = "1700002000.000100", load("agent_session_stopped")
    stop["event"] |= {"thread_ts": ts, "event_ts": "1700002005.000100"}
    async with company.office.held():
        await company.deliver(make_question(ts))
        key = await company.wait_for_words(ts)
        # Slack ends the stream by itself.
        company.slack.streaming.discard(key)
        await company.deliver(stop)
        await company.wait_for_answer(ts, words="Employees have")
    assert "annual leave" not in read_message(company.slack.messages[key])


async def check_an_edit(company: Company) -> None:
    """The new wording is answered in the same message."""
    ts, edit = "1700003000.000100", load("message_im_edited")
    edit["event"]["message"] |= {"ts": ts, "text": f"Say, {QUESTION}"}
    edit["event"]["message"]["edited"]["ts"] = "1700003005.000000"
    edit["event"]["previous_message"] |= {"ts": ts, "text": QUESTION}
    async with company.office.held():
        await company.deliver(make_question(ts))
        key = await company.wait_for_words(ts)
        await company.deliver(edit)

        async def is_left() -> bool:
            return company.office.model.disconnects == left + 1

        left = company.office.model.disconnects
        await eventually(is_left)
    answered, _ = await company.wait_for_answer(ts)
    assert (answered, len(company.find_messages(ts))) == (key, 1)
    assert (await company.office.find_modes())[-1] == (f"Say, {QUESTION}", "generated")


async def check_a_deletion(company: Company) -> None:
    """The answer under way goes along."""
    ts, deletion = "1700004000.000100", load("message_im_deleted")
    deletion["event"] |= {"deleted_ts": ts}
    deletion["event"]["previous_message"] |= {"ts": ts, "text": QUESTION}

    async def is_gone() -> bool:
        return company.find_messages(ts) == []

    async with company.office.held():
        await company.deliver(make_question(ts))
        await company.wait_for_words(ts)
        await company.deliver(deletion)
        await eventually(is_gone)


async def test_a_service_that_is_killed_in_an_answer_ends_it_once_and_reads_what_it_missed(company: Company) -> None:
    """Over Socket Mode."""
    await company.office.start(SOCKET)
    asked, missed = "1700001000.000100", f"{time.time() + 1:.6f}"

    async def is_connected() -> bool:
        return bool(company.slack.links)

    await eventually(is_connected)
    async with company.office.held():
        for number in range(2):
            await company.slack.send(f"envelope-{number}", make_question(asked))
        await company.wait_for_words(asked)
        assert await company.office.end(signal.SIGKILL) == -signal.SIGKILL
    company.slack.posts["D0ANN"] = [make_question(missed)["event"]]
    company.slack.links.clear()
    await company.office.end_leases()
    await company.office.start(SOCKET)
    for ts in (asked, missed):
        await company.wait_for_answer(ts)
    await eventually(is_connected)
    await company.slack.send("envelope-2", make_question(asked))

    async def is_acknowledged() -> bool:
        return "envelope-2" in company.slack.acknowledged

    await eventually(is_acknowledged)
    assert await company.office.end(signal.SIGTERM) == 0
    assert [len(company.find_messages(ts)) for ts in (asked, missed)] == [1, 1]
    assert [mode for _, mode in await company.office.find_modes()] == ["generated", "generated"]
