"""Who asks too often waits, alone; and nobody's flood of names costs memory."""

import pytest
from aiohttp.test_utils import make_mocked_request

from bot.web.rates import Buckets, Rates, find_address, read_networks
from core.database import Database
from tests.bot.web.site import run_site


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    clock = Clock()
    buckets = Buckets(0.5, 3, clock=clock)
    waits = [buckets.take("ann") for _ in range(4)]
    clock.now += 2
    assert (waits, buckets.take("ann"), buckets.take("ann"), buckets.take("bob")) == ([0, 0, 0, 2.0], 0, 2.0, 0)


def test_keys_are_forgotten_the_least_used_first() -> None:
    buckets = Buckets(1, 1, most=100, clock=Clock())
    for number in range(10_000):
        buckets.take("ann")
        buckets.take(str(number))
    assert (len(buckets), buckets.take("ann") > 0) == (100, True)


async def test_one_browser_waits_and_others_do_not(database: Database) -> None:
    async with run_site(database, rates=Rates(per_browser=0.5, clock=Clock())) as site:
        client, other = await site.new_client(), await site.new_client()
        statuses = [(await client.get("/")).status for _ in range(7)]
        refused = await client.get("/api/conversations/conversation-1")
        assert (statuses, refused.status, refused.headers["Retry-After"]) == ([200] * 6 + [429], 429, "2")
        assert ("잠시 후" in (await refused.json())["error"], (await other.get("/")).status) == (True, 200)


async def test_one_address_waits_whatever_its_cookies(database: Database) -> None:
    async with run_site(database, rates=Rates(per_address=0.5, clock=Clock())) as site:
        statuses = [(await (await site.new_client()).get("/healthz")).status for _ in range(7)]
        assert statuses == [200] * 5 + [429] * 2


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        (None, [], "127.0.0.1"),
        ("6.6.6.6", [], "127.0.0.1"),
        ("9.9.9.9", ["127.0.0.1"], "9.9.9.9"),
        ("6.6.6.6, 9.9.9.9", ["127.0.0.1"], "9.9.9.9"),
        ("9.9.9.9, 10.1.2.3", ["127.0.0.0/8", "10.0.0.0/8"], "9.9.9.9"),
        ("made up", ["127.0.0.1"], "127.0.0.1"),
        ("2001:db8:1:2:3::4", ["127.0.0.1"], "2001:db8:1:2::/64"),
    ],
)
def test_an_address_is_believed_from_our_proxies_only(forwarded: str | None, proxies: list[str], address: str) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = make_mocked_request("GET", "/", headers=headers).clone(remote="127.0.0.1")
    assert find_address(request, read_networks(proxies)) == address
