"""The loop through a client that we did not write: Microsoft's Agents Playground in a real browser.

It looks much like Teams, streams, and has thumbs and cards, but no dialogs and no tokens. Its licence is for evaluation
only, so nothing here needs it: `npm install -g @microsoft/m365agentsplayground@0.2.28` runs this test, where a browser
is too. Screenshots of each step lie in the test's folder.
"""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from bot.teams.activities import PATH
from core.database import Database
from tests.eventually import eventually
from tests.journeys.office import QUESTION, Office, open_office
from tests.ports import find_free_port

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

COMMAND = "agentsplayground"
ANSWER = "Employees have 23 days of annual leave."
CORRECTION = "Employees have 25 days of annual leave."
START_SECONDS = 60
WORD_SECONDS = 0.5


@dataclass
class Chat:
    """The client as a person has it before them."""

    page: Page
    folder: Path

    @property
    def said(self) -> Locator:
        """What stands in the open conversation."""
        return self.page.locator("body")

    async def write(self, text: str) -> None:
        await self.page.get_by_role("textbox").last.click()
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Enter")

    async def judge(self, thumb: str, comment: str = "") -> None:
        """Press the newest thumb, and send its dialog."""
        await self.page.get_by_label(thumb, exact=True).last.click()
        dialog = self.page.get_by_role("dialog")
        await dialog.get_by_role("textbox").fill(comment)
        await dialog.get_by_role("button", name="Submit").click()
        await dialog.get_by_role("button", name="Close").last.click()
        await expect(dialog).to_have_count(0)

    async def mention(self, text: str) -> None:
        """Write to the app in the open group."""
        await self.page.get_by_role("textbox").last.click()
        await self.page.keyboard.type("@")
        await self.page.get_by_role("menuitem").filter(has_text="Test Bot").click()
        await self.page.keyboard.type(f" {text}")
        await self.page.keyboard.press("Enter")

    async def photograph(self, name: str) -> None:
        await self.page.screenshot(path=self.folder / f"{name}.png")


@pytest.fixture
async def office(database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(database, tmp_path) as office:
        yield office


@pytest.fixture
async def chat(browser: Browser, office: Office, tmp_path: Path) -> AsyncIterator[Chat]:
    command = shutil.which(COMMAND)
    if command is None:
        pytest.skip(f"no {COMMAND} on this machine; see the first lines of this file")
    await office.start({"TEAMS_WITHOUT_AUTHENTICATION": "1"})
    port = str(find_free_port())
    place = ["--app-endpoint", f"{office.url}{PATH}", "--channel-id", "msteams", "--port", port]
    process = await asyncio.create_subprocess_exec(
        command, "start", *place, "--disable-telemetry", cwd=tmp_path, env=os.environ, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout
        assert b"Listening" in await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        await page.route(re.compile("^https?://(?!localhost)"), _refuse)
        await page.goto(f"http://localhost:{port}/", wait_until="domcontentloaded")
        # It repeats every message.
        await page.get_by_role("button", name="Hide log panel").click()
        yield Chat(page, tmp_path)
        await page.close()
    finally:
        process.terminate()
        await process.wait()


async def _refuse(route: Route) -> None:
    """Its fonts come from elsewhere; nothing of a test leaves the machine."""
    await route.abort()


async def test_a_person_asks_judges_and_corrects_and_a_group_is_answered(office: Office, chat: Chat) -> None:
    await check_the_stream(office, chat)
    await chat.judge("Like", "Short and right")
    await chat.judge("Dislike")
    await check_the_form(chat)
    await check_a_group(chat)
    assert await eventually(lambda: find_judgements(office)) == [
        {"value": 1, "source": "teams_feedback", "reason": "Short and right", "correction": None},
        {"value": -1, "source": "teams_feedback", "reason": None, "correction": None},
        {"value": -1, "source": "teams_form", "reason": None, "correction": CORRECTION},
    ]
    assert await office.find_modes() == [(QUESTION, "generated")] * 2


async def check_the_stream(office: Office, chat: Chat) -> None:
    """Words come one after the other, then the answer with its label and source."""
    await expect(chat.said).to_contain_text("Hello, I am Nightbake.")
    async with office.held(words=1) as gate:
        await chat.write(QUESTION)

        async def is_streaming() -> bool:
            await asyncio.sleep(WORD_SECONDS)
            gate.release()
            return "Employees have" in await chat.said.inner_text()

        await eventually(is_streaming)
        await expect(chat.said).not_to_contain_text("Sources")
        await chat.photograph("stream")
    await expect(chat.said).to_contain_text(ANSWER)
    await expect(chat.page.get_by_role("link", name="Leave policy › Annual leave")).to_be_visible()
    await expect(chat.page.get_by_text("AI generated").first).to_be_visible()
    await chat.photograph("answer")


async def check_the_form(chat: Chat) -> None:
    """It comes by itself after a thumb down without a word, and thanks in its place."""
    await chat.page.get_by_placeholder("In your own words").fill(CORRECTION)
    await chat.photograph("form")
    await chat.page.get_by_role("button", name="Send", exact=True).click()
    await expect(chat.page.get_by_placeholder("In your own words")).to_have_count(0)
    await chat.photograph("thanks")


async def check_a_group(chat: Chat) -> None:
    """A mention is answered in one message; the buttons below take the place of Stop."""
    await chat.page.get_by_text("Group Chat", exact=True).click()
    await chat.mention(QUESTION)
    await expect(chat.said).to_contain_text(ANSWER, timeout=30_000)
    await expect(chat.page.get_by_role("button", name="Say what was wrong")).to_be_visible()
    await chat.photograph("group")
    assert await chat.page.get_by_role("button", name="Stop", exact=True).count() == 0
    assert (await chat.said.inner_text()).count(ANSWER) == 1


async def find_judgements(office: Office) -> list[dict[str, Any]]:
    """Once there are three."""
    rows = await office.database.fetch_dicts(b"SELECT value, source, reason, correction FROM feedback ORDER BY id")
    return rows if len(rows) == 3 else []
