"""How often one browser and one address may ask; who asks more often is told when to come again.

A bucket a key, in this process: with several replicas the limits add up. Failed sign-ins have a small bucket of their
own, so that nobody tries out tokens.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.web.doors import find_door
from bot.web.people import COOKIE, SESSION_COOKIE, name_cookie

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Clock = Callable[[], float]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# So many seconds' worth at once: a page with its files, or a reader in a hurry.
BURST_SECONDS = 10
MOST_KEYS = 20_000
FAILURES, FAILURES_PER_SECOND = 10, 0.1
# Sign-ins that are begun, each of which is a row for ten minutes: an office behind one address in the morning.
STARTS, STARTS_PER_SECOND = 100, 1.0
# One customer's network, of which anybody may take another address.
IPV6_PREFIX = 64


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Buckets:
    """Token buckets by key, the least used forgotten first: an attacker's keys cost no memory without bound.

    Args:
        rate: tokens that come back a second.
        burst: tokens of a full bucket.
    """

    def __init__(self, rate: float, burst: float, *, most: int = MOST_KEYS, clock: Clock = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str) -> float:
        """Take one; 0, or the seconds to wait until there is one."""
        bucket = self._fill(key)
        if bucket.left < 1:
            return (1 - bucket.left) / self._rate
        bucket.left -= 1
        return 0.0

    def look(self, key: str) -> float:
        """The seconds until one could be taken, and take none."""
        bucket = self._buckets.get(key)
        return 0.0 if bucket is None else max(0.0, (1 - self._fill(key).left) / self._rate)

    def __len__(self) -> int:
        """Keys that are remembered."""
        return len(self._buckets)

    def _fill(self, key: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(self._burst, now))
        bucket.left, bucket.at = min(self._burst, bucket.left + (now - bucket.at) * self._rate), now
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return bucket


class Rates:
    """The limits of one process.

    Args:
        per_browser, per_address: requests a second on average; 0 limits nothing.
        proxies: whose word about the address is believed.
    """

    def __init__(
        self,
        *,
        per_browser: float = 0,
        per_address: float = 0,
        proxies: Sequence[Network] = (),
        is_https: bool = False,
        clock: Clock = time.monotonic,
    ) -> None:
        self._browsers = Buckets(per_browser, per_browser * BURST_SECONDS, clock=clock) if per_browser else None
        self._addresses = Buckets(per_address, per_address * BURST_SECONDS, clock=clock) if per_address else None
        self._failures = Buckets(FAILURES_PER_SECOND, FAILURES, clock=clock)
        self._starts = Buckets(STARTS_PER_SECOND, STARTS, clock=clock)
        self._proxies = proxies
        self._cookies = [name_cookie(name, is_https=is_https) for name in (SESSION_COOKIE, COOKIE)]

    @property
    def middleware(self) -> Middleware:
        """What stands before the gate; platforms' events are not counted, for they come from few addresses."""

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            door = find_door(request)
            if door and door.who == "platform":
                return await handler(request)
            address = find_address(request, self._proxies)
            self._count(request, address)
            if not _is_sign_in(request):
                return await handler(request)
            is_start = request.path == "/sign-in"
            if seconds := self._failures.look(address) or (self._starts.take(address) if is_start else 0.0):
                raise _too_many(seconds)
            try:
                response = await handler(request)
            except web.HTTPException as error:
                self._judge(address, error.status)
                raise
            self._judge(address, response.status)
            return response

        return middleware

    def _count(self, request: web.Request, address: str) -> None:
        if self._addresses is not None and (seconds := self._addresses.take(address)):
            raise _too_many(seconds)
        browser = next((value for name in self._cookies if (value := request.cookies.get(name))), None)
        if self._browsers is not None and browser and (seconds := self._browsers.take(browser[:64])):
            raise _too_many(seconds)

    def _judge(self, address: str, status: int) -> None:
        if 400 <= status < 500:
            self._failures.take(address)


def find_address(request: web.Request, proxies: Sequence[Network]) -> str:
    """Who asks: the nearest address that is no proxy of ours; of IPv6 the network."""
    hops = [request.remote or ""]
    if proxies:
        hops = [*(part.strip() for part in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")), *hops]
    for hop in reversed(hops):
        try:
            address = ipaddress.ip_address(hop)
        except ValueError:
            break
        if any(address in network for network in proxies):
            continue
        if address.version == 6:
            return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
        return str(address)
    return request.remote or ""


def read_networks(addresses: Sequence[str]) -> list[Network]:
    """Addresses and networks such as `10.0.0.0/8`.

    Raises:
        ValueError: one is neither.
    """
    return [ipaddress.ip_network(one, strict=False) for one in addresses]


def _is_sign_in(request: web.Request) -> bool:
    return request.path.startswith("/sign-in") or "token" in request.query


def _too_many(seconds: float) -> web.HTTPTooManyRequests:
    text = "Too many requests; please try again in a moment. / 요청이 너무 많습니다. 잠시 후 다시 시도해 주세요."
    return web.HTTPTooManyRequests(text=text, headers={"Retry-After": str(math.ceil(seconds))})
