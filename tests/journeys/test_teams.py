"""Teams against the real service in a process of its own: what people do with answers, and a kill in the middle."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.teams.activities import PATH
from core.database import Database
from tests.bot.teams.conftest import load
from tests.eventually import eventually
from tests.fakes.login import FakeLogin
from tests.fakes.teams import APP_ID, ISSUER, TENANT, FakeTeams, read_actions, sign
from tests.journeys.office import QUESTION, Office, open_office

pytestmark = pytest.mark.timeout(400)

PASSWORD = "password-of-the-tests"
ANN = f"teams:{TENANT}:33333333-cccc-4444-8888-000000000003"
CHAT, GROUP = "a:1personal", "19:lunch@thread.v2"
ANSWER = "Employees have 23 days of annual leave."
# Teams takes about one piece of a stream a second.
STREAM_SECONDS = 1.0
WORD_SECONDS = 0.5


@dataclass
class Company:
    """An office, its tenant and the login that gives it tokens."""

    office: Office
    teams: FakeTeams
    login: FakeLogin

    async def deliver(self, activity: Mapping[str, Any]) -> Any:
        """Post an activity with a token that is signed for it; what the service says to it."""
        headers = {"Authorization": f"Bearer {sign(self.teams.service_url)}"}
        body = {**activity, "serviceUrl": self.teams.service_url}
        async with self.office.session.post(f"{self.office.url}{PATH}", json=body, headers=headers) as response:
            assert response.status == 200, await response.text()
            told = await response.text()
        return json.loads(told) if told else None

    def find_messages(self, conversation: str) -> dict[str, dict[str, Any]]:
        """Those with words, by key; the cards with buttons are messages of their own."""
        return {key: one for key, one in self.teams.said.items() if key.startswith(f"{conversation}|")}

    async def wait_for_answers(self, conversation: str, count: int) -> list[tuple[str, dict[str, Any]]]:
        """Keys and contents of finished answers, the newest last, once there are so many."""

        async def find() -> list[tuple[str, dict[str, Any]]] | None:
            found = self.find_messages(conversation).items()
            done = [(key, one) for key, one in found if "feedbackLoop" in one.get("channelData", {})]
            return done if len(done) == count else None

        return await eventually(find, seconds=60)

    async def wait_for_words(self, conversation: str, gate: asyncio.Semaphore) -> str:
        """Key of the message in which an answer has begun, while the model says a word every now and then."""

        async def find() -> str | None:
            shown = self.find_messages(conversation)
            begun = [key for key, one in shown.items() if one.get("text", "").startswith("Employees")]
            open_ones = [key for key in begun if "feedbackLoop" not in shown[key].get("channelData", {})]
            if not open_ones:
                await asyncio.sleep(WORD_SECONDS)
                gate.release()
            return open_ones[-1] if open_ones else None

        return await eventually(find, seconds=60)

    async def find_judgements(self) -> list[dict[str, Any]]:
        return await self.office.database.fetch_dicts(
            b"SELECT person, value, source, reason, correction, right_chunk_id IS NOT NULL AS has_source "
            b"FROM feedback ORDER BY id"
        )


@pytest.fixture
async def company(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with (
        FakeTeams() as teams,
        FakeLogin(tmp_path, app_id=APP_ID, password=PASSWORD, scope=f"{ISSUER}/.default") as login,
        open_office(database, tmp_path) as office,
    ):
        teams.stream_seconds = STREAM_SECONDS
        office.settings |= {
            "TEAMS_APP_ID": APP_ID,
            "TEAMS_APP_PASSWORD": PASSWORD,
            "TEAMS_TENANT_ID": TENANT,
            "REQUESTS_CA_BUNDLE": str(login.certificate),
        }
        moved = {"openid_url": teams.openid_url, "login_url": login.url}
        office.program = ("-m", "tests.journeys.moved_cloud", json.dumps(moved))
        yield Company(office, teams, login)


def make_question(number: int, text: str = QUESTION) -> dict[str, Any]:
    """Of a personal chat; Teams' ids are times, and a second apart."""
    return load("message_personal") | {"id": f"{1690000000000 + number * 1000}", "text": text}


def make_change(name: str, question: Mapping[str, Any], **further: Any) -> dict[str, Any]:
    """An edit or a deletion some seconds after the question."""
    changed_at = datetime.fromtimestamp(int(question["id"]) / 1000 + 5, UTC).isoformat()
    return load(name) | {"id": question["id"], "timestamp": changed_at} | further


def make_mention(number: int) -> dict[str, Any]:
    """A question in a group chat."""
    mention = load("message_channel_mention")
    place = {"conversation": mention["conversation"] | {"id": GROUP, "conversationType": "groupChat"}}
    channel = {"channelData": {"tenant": {"id": TENANT}}}
    return (
        mention | place | channel | {"id": f"{1690000000000 + number * 1000}", "text": f"<at>Nightbake</at> {QUESTION}"}
    )


def make_invoke(name: str, message_key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """What a click under a message of the personal chat is told to us as."""
    here = {field: load("message_personal")[field] for field in ("conversation", "channelData")}
    return load(name) | here | {"replyToId": message_key.rpartition("|")[2], "value": dict(value)}


async def test_people_ask_judge_correct_edit_and_delete_and_a_killed_service_answers_once(company: Company) -> None:
    await company.office.start()
    key, message = await check_a_streamed_answer(company)
    await check_a_dislike_with_its_comment(company, key)
    await check_a_correction_by_card(company, key, message)
    await check_a_group(company)
    await check_an_edit(company)
    await check_a_deletion(company)
    # A stopped answer to a question that was replaced or deleted stays in the log only.
    modes = ["generated", "generated", "stopped", "generated", "stopped"]
    assert [mode for _, mode in await company.office.find_modes()] == modes
    assert (set(company.teams.faults), company.login.tokens) == (set(), ["token-1"])
    await check_a_kill(company)
    assert [mode for _, mode in await company.office.find_modes()] == [*modes, "generated", "generated"]
    assert {call.authorization for call in company.teams.calls} == {f"Bearer {token}" for token in company.login.tokens}
    assert len(company.login.tokens) == 2
    assert await company.office.end(signal.SIGTERM) == 0


async def check_a_streamed_answer(company: Company) -> tuple[str, dict[str, Any]]:
    """In a personal chat, by Teams' rules of streaming, with label, citation and thumbs."""
    async with company.office.held(words=1) as gate:
        await company.deliver(make_question(1))
        key = await company.wait_for_words(CHAT, gate)
    ((answered, message),) = await company.wait_for_answers(CHAT, 1)
    pieces = [call.activity for call in company.teams.calls if call.method == "POST"]
    kinds = [piece["entities"][0]["streamType"] for piece in pieces]
    assert kinds == ["informative", *["streaming"] * (len(kinds) - 2), "final"] and len(kinds) > 2
    assert answered == key
    assert message["text"].startswith(f"{ANSWER} [1]")
    assert f"]({company.office.url}/passages/" in message["text"]
    (said,) = [entity for entity in message["entities"] if entity["type"] == "https://schema.org/Message"]
    assert said["additionalType"] == ["AIGeneratedContent"]
    assert [claim["appearance"]["name"] for claim in said["citation"]] == ["Leave policy › Annual leave"]
    return key, message


async def check_a_dislike_with_its_comment(company: Company, key: str) -> None:
    """By Teams' own thumbs."""
    dislike = make_invoke("feedback_dislike", key, load("feedback_dislike")["value"])
    assert await company.deliver(dislike) == {}
    (judgement,) = await eventually(company.find_judgements)
    said = {"person": ANN, "value": -1, "source": "teams_feedback", "reason": "It is 25 days since May"}
    assert judgement == said | {"correction": None, "has_source": False}


async def check_a_correction_by_card(company: Company, key: str, message: dict[str, Any]) -> None:
    """The button of the answer opens the form; filled in with its first source it is sent."""
    opener = read_actions(message)[0]["data"]
    opened = await company.deliver(make_invoke("dialog_fetch", key, {"data": opener}))
    card = opened["task"]["value"]["card"]["content"]
    (sources,) = [field["choices"] for field in card["body"] if field.get("id") == "chosen"]
    filled = {"reason": "wrong", "correction": "Employees have 25 days.", "chosen": sources[0]["value"]}
    await company.deliver(make_invoke("dialog_submit", key, {"data": card["actions"][0]["data"] | filled}))

    async def find_correction() -> list[dict[str, Any]]:
        return [one for one in await company.find_judgements() if one["correction"]]

    (judgement,) = await eventually(find_correction)
    said = {"person": ANN, "value": -1, "source": "teams_form", "reason": "wrong"}
    assert judgement == said | {"correction": "Employees have 25 days.", "has_source": True}


async def check_a_group(company: Company) -> None:
    """One message at once, which is edited until it is the answer."""
    async with company.office.held(words=1) as gate:
        await company.deliver(make_mention(2))
        key = await company.wait_for_words(GROUP, gate)
    ((answered, message),) = await company.wait_for_answers(GROUP, 1)
    calls = [call for call in company.teams.calls if f"/{GROUP}/" in call.path and call.activity.get("text")]
    assert [call.method for call in calls] == ["POST", *["PUT"] * (len(calls) - 1)] and len(calls) > 2

    async def has_buttons() -> bool:
        return [action["title"] for action in company.teams.buttons][-2:] == ["Say what was wrong", "Try again"]

    await eventually(has_buttons)
    assert "Stop" not in [action["title"] for action in company.teams.buttons]
    assert (answered, list(company.find_messages(GROUP))) == (key, [key])
    assert message["text"].startswith(f"{ANSWER} [1]")


async def check_an_edit(company: Company) -> None:
    """The new wording is answered in the same message."""
    question, before = make_question(3), company.find_messages(CHAT)
    async with company.office.held(words=1) as gate:
        await company.deliver(question)
        key = await company.wait_for_words(CHAT, gate)
        left = company.office.model.disconnects
        await company.deliver(make_change("message_personal_edited", question, text=f"Say, {QUESTION}"))

        async def is_left() -> bool:
            return company.office.model.disconnects == left + 1

        await eventually(is_left)
    answered, _ = (await company.wait_for_answers(CHAT, 2))[-1]
    assert (answered, len(company.find_messages(CHAT))) == (key, len(before) + 1)
    assert (await company.office.find_modes())[-1] == (f"Say, {QUESTION}", "generated")


async def check_a_deletion(company: Company) -> None:
    """The answer under way goes along."""
    question, before = make_question(4), company.find_messages(CHAT)

    async def is_gone() -> bool:
        return company.find_messages(CHAT) == before

    async with company.office.held(words=1) as gate:
        await company.deliver(question)
        await company.wait_for_words(CHAT, gate)
        await company.deliver(make_change("message_personal_deleted", question))
        await eventually(is_gone)


async def check_a_kill(company: Company) -> None:
    """Between acknowledgement and answer: the next process ends the message that the dead one began."""
    questions, places = [make_question(5), make_mention(6)], (CHAT, GROUP)
    begun = [len(company.find_messages(place)) for place in places]
    asked = len(company.office.model.requests)
    async with company.office.held(words=0):
        for question in questions * 2:
            await company.deliver(question)

        async def are_asked() -> bool:
            return len(company.office.model.requests) == asked + len(questions)

        await eventually(are_asked, seconds=60)
        assert await company.office.end(signal.SIGKILL) == -signal.SIGKILL
    await company.office.end_leases()
    await company.office.start()
    for place, before in zip(places, begun, strict=True):
        await company.wait_for_answers(place, before + 1)
    for question in questions:
        await company.deliver(question)
    assert [len(company.find_messages(place)) for place in places] == [before + 1 for before in begun]
