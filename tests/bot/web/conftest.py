"""One real site a test, and a browser where the machine has one."""

import shutil
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient
from playwright.async_api import Browser, async_playwright

from core.database import Database
from tests.bot.web.site import Site, run_site


@pytest.fixture
async def site(database: Database) -> AsyncIterator[Site]:
    async with run_site(database) as site:
        yield site


@pytest.fixture
async def client(site: Site) -> TestClient:
    return await site.new_client()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine; `apt-get install chromium` runs this test")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()
