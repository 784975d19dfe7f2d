"""Mutated Slack events, clicks and commands, Teams activities and feedback, through the real routes: never a 5xx."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.bot.slack.conftest import PAYLOADS as SLACK
from tests.bot.slack.conftest import Workspace, sign, slack, workspace
from tests.bot.teams.conftest import PAYLOADS as TEAMS
from tests.bot.teams.conftest import Tenant, teams, tenant
from tests.bot.web.asking import get_answer
from tests.bot.web.conftest import site
from tests.bot.web.site import Site
from tests.fakes.teams import sign as sign_token
from tests.security.mutation import SEED, dump, mutate, mutate_bytes, read_memory_mib

__all__ = ["site", "slack", "teams", "tenant", "workspace"]

SLACK_CASES, TEAMS_CASES, FEEDBACK_CASES = 35_000, 25_000, 15_000
FORGED_SHARE = 0.1
# What says to whom an activity belongs.
NAMING = ("serviceUrl", "channelId", "channelData", "conversation")
SLOWEST_SECONDS = 5.0
MOST_GROWN_MIB = 50
AT_ONCE = 8

Send = Callable[[random.Random], Awaitable[tuple[int, bool]]]


async def throw(cases: int, send: Send, *, taken: set[int]) -> Counter[int]:
    """Send so many bad inputs, some at a time; how they were answered.

    Args:
        send: sends one, drawn from the source; its status and whether it was forged.
        taken: statuses of what is genuine; forged ones are turned away.
    """
    answers: Counter[int] = Counter()
    source, before = random.Random(SEED), 0.0

    async def one(seed: int) -> None:
        began = time.monotonic()
        status, is_forged = await send(random.Random(seed))
        assert status in ({401} if is_forged else taken), f"seed {seed}: answered {status}"
        assert time.monotonic() - began < SLOWEST_SECONDS, f"seed {seed} took too long"
        answers[status] += 1

    for start in range(0, cases, AT_ONCE):
        await asyncio.gather(*(one(source.randrange(2**32)) for _ in range(min(AT_ONCE, cases - start))))
        if start < 800:
            before = read_memory_mib()
    print(f"{cases} inputs, seed {SEED}: {dict(sorted(answers.items()))}, {read_memory_mib() - before:+.0f} MiB")
    assert read_memory_mib() - before < MOST_GROWN_MIB
    return answers


def load_seeds(folder: Any) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]


@pytest.mark.timeout(3600)
async def test_slack_is_answered_right_whatever_it_sends(workspace: Workspace, thoroughness: float) -> None:
    seeds = load_seeds(SLACK)

    async def send(source: random.Random) -> tuple[int, bool]:
        body = dump(mutate(source.choice(seeds), source))
        kind = "application/json"
        seed = json.loads(body) if body[:1] == b"{" else {}
        if "command" in seed or seed.get("type") not in ("event_callback", "url_verification"):
            form = seed if "command" in seed else {"payload": json.dumps(seed)}
            kind, body = "application/x-www-form-urlencoded", urlencode(form, errors="replace").encode()
        if source.random() < 0.1:
            body = mutate_bytes(body, source)
        is_forged = source.random() < FORGED_SHARE
        headers = sign(body, secret="another secret") if is_forged else sign(body)
        return await workspace.post(body, headers | {"Content-Type": kind}), is_forged

    # What is no UTF-8 cannot be checked, however it is signed.
    answers = await throw(int(SLACK_CASES * thoroughness), send, taken={200, 400, 401, 404})
    assert answers[200] > answers[400] * 0.2 and answers[401]


@pytest.mark.timeout(3600)
async def test_teams_is_answered_right_whatever_it_sends(tenant: Tenant, thoroughness: float) -> None:
    seeds, genuine = load_seeds(TEAMS), sign_token(tenant.teams.service_url)
    foreign = sign_token(tenant.teams.service_url, signed_by="another key")

    async def send(source: random.Random) -> tuple[int, bool]:
        activity = source.choice(seeds) | {"serviceUrl": tenant.teams.service_url}
        named = {
            name: activity[name]
            for name in ("serviceUrl", "channelId", "channelData", "conversation")
            if name in activity
        }
        changed = mutate(activity, source)
        # Else most would be turned away for another tenant, and the rest never read.
        if isinstance(changed, dict) and source.random() < 0.8:
            changed |= named
        body = dump(changed)
        if source.random() < 0.05:
            body = mutate_bytes(body, source)
        is_forged = source.random() < FORGED_SHARE
        at = source.randrange(len(genuine) - 2)
        torn = genuine[:at] + ("A" if genuine[at] != "A" else "B") + genuine[at + 1 :]
        token = source.choice((torn, foreign, genuine[:at], "")) if is_forged else genuine
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        async with tenant.session.post(tenant.url, data=body, headers=headers) as response:
            await response.read()
            return response.status, is_forged

    answers = await throw(int(TEAMS_CASES * thoroughness), send, taken={200, 400, 401, 501})
    assert answers[200] and answers[400] and answers[401]


@pytest.mark.timeout(3600)
async def test_feedback_and_questions_of_the_page_are_answered_right(site: Site, thoroughness: float) -> None:
    client = await site.new_client()
    answer = await get_answer(client)
    vote: dict[str, Any] = {
        "value": -1,
        "correction": "It is 25 days. [1]",
        "reason": "wrong",
        "said_at": 1_790_000_000_000,
    }
    question: dict[str, Any] = {"text": "How many days?", "conversation": "conversation-2", "key": "0123456789"}

    async def send(source: random.Random) -> tuple[int, bool]:
        is_vote = source.random() < 0.8
        body = dump(mutate(vote if is_vote else question, source))
        if source.random() < 0.2:
            body = mutate_bytes(body, source)
        path = f"/api/answers/{answer['interaction_id']}/feedback" if is_vote else "/api/questions"
        response = await client.post(path, data=body, headers={"Content-Type": "application/json"})
        await response.read()
        # The stand-in keeps every prompt, and the client every response: they would pass for our own memory.
        del site.model.requests[:-100], client._responses[:]
        return response.status, False

    answers = await throw(int(FEEDBACK_CASES * thoroughness), send, taken={202, 204, 400, 413})
    assert answers[204] and answers[400]
