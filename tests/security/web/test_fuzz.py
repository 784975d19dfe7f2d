"""Every route under schemathesis, with what its description allows and what it does not: never a 5xx, always fenced."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from bot.web.people import SESSION_COOKIE, make_csrf
from tests.bot.web.site import TOKEN, Site
from tests.security.web.openapi import build_openapi

SEED = 2026
# Of each route and way of making data, with `--thorough`.
CASES = 400
# What streams for minutes, ends the session that asks, or is not set up here.
SKIPPED = ("/sign-out", "/sign-in", "/slack", "/console/slack", "/api/questions/{id}/events")


class Fuzzer:
    """Asks in a thread of its own; the site answers in the test's loop."""

    def __init__(self, url: str, session: str) -> None:
        self.url = url
        self.cookies = {SESSION_COOKIE: session}
        self.headers = {"X-CSRF-Token": make_csrf(session)}
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []
        self._client = requests.Session()

    def run(self, cases: int) -> None:
        """All routes, with good and bad data."""
        schema = schemathesis.openapi.from_dict(build_openapi(SKIPPED))
        for found in schema.get_all_operations():
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                try:
                    strategy = found.ok().as_strategy(generation_mode=mode)
                    self._try(strategy, cases)
                except Unsatisfiable:
                    continue  # nothing to be wrong in an address without parameters

    def _try(self, strategy: Any, cases: int) -> None:
        run = given(case=strategy)(self._ask)
        checks = list(HealthCheck)
        limits = settings(
            max_examples=cases, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=checks
        )
        call: Callable[[], None] = seed(SEED)(limits(run))
        call()

    def _ask(self, case: Any) -> None:
        response = case.call(
            base_url=self.url,
            session=self._client,
            headers=self.headers,
            cookies=self.cookies,
            allow_redirects=False,
            timeout=30,
        )
        self.statuses[response.status_code] += 1
        is_fenced = "default-src 'none'" in str(response.headers.get("content-security-policy"))
        if response.status_code >= 500 or not (is_fenced or response.status_code == 400):
            self.wrong.append(f"{case.method} {case.formatted_path} {response.status_code} {case.body!r:.200}")


# The site shares the process, and draws random numbers while a case is made.
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.timeout(1_800)
async def test_no_route_fails_whatever_is_sent(site: Site, thoroughness: float) -> None:
    client = await site.new_client()
    await client.get("/console", params={"token": TOKEN})
    (held,) = [cookie.value for cookie in client.session.cookie_jar if cookie.key == SESSION_COOKIE]
    fuzzer = Fuzzer(site.url, held)
    await asyncio.to_thread(fuzzer.run, max(2, round(CASES * thoroughness)))
    print(f"{sum(fuzzer.statuses.values())} requests, seed {SEED}: {dict(sorted(fuzzer.statuses.items()))}")
    assert fuzzer.wrong == []
    assert fuzzer.statuses[200] > 0
