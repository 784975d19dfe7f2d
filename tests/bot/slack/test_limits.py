"""Rates: a 429 closes one method in one channel, posts keep a second apart, and other channels notice nothing."""

import asyncio
import time

import pytest

from bot.slack.api import RATE_LIMIT_RETRIES, OneToken, SlackApi, SlackError
from bot.slack.limits import BURST, Bucket, Limits
from tests.eventually import eventually
from tests.fakes.slack import BOT_TOKEN, FakeSlack


class Clock:
    """Time that passes where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_api(slack: FakeSlack, clock: Clock) -> SlackApi:
    limits = Limits(clock=clock, sleep=clock.sleep)
    return SlackApi(OneToken(BOT_TOKEN), api_url=slack.api_url, limits=limits)


async def test_a_burst_of_posts_is_followed_by_one_a_second(slack: FakeSlack, clock: Clock) -> None:
    api = make_api(slack, clock)
    for number in range(BURST + 3):
        await api.call("T0HOME", "chat.postMessage", channel="C0HR", text=str(number))
    assert clock.slept == [1.0, 1.0, 1.0]


def test_a_bucket_fills_up_to_its_burst(clock: Clock) -> None:
    bucket = Bucket(clock)
    clock.now += 3600
    assert [bucket.take() for _ in range(BURST + 2)] == [0.0] * BURST + [1.0, 2.0]


async def test_a_429_is_obeyed_and_the_call_made_again(slack: FakeSlack, clock: Clock) -> None:
    slack.rate_limits["chat.postMessage"] = [7, 30]
    answer = await make_api(slack, clock).call("T0HOME", "chat.postMessage", channel="C0HR", text="x")
    assert (answer["ok"], clock.slept, len(slack.find_calls("chat.postMessage"))) == (True, [7.0, 30.0], 3)


async def test_a_429_without_end_is_an_error_and_keeps_the_place_closed(slack: FakeSlack, clock: Clock) -> None:
    api = make_api(slack, clock)
    slack.rate_limits["chat.update"] = [2] * (RATE_LIMIT_RETRIES + 1)
    with pytest.raises(SlackError, match=r"answered ratelimited to chat\.update"):
        await api.call("T0HOME", "chat.update", channel="C0HR", ts="1", text="x")
    clock.slept.clear()
    with pytest.raises(SlackError, match="message_not_found"):
        await api.call("T0HOME", "chat.update", channel="C0HR", ts="1", text="x")
    assert clock.slept == [2.0]


async def test_what_a_later_call_says_again_is_dropped(slack: FakeSlack, clock: Clock) -> None:
    api = make_api(slack, clock)
    slack.rate_limits["chat.update"] = [7]
    for _ in range(2):
        with pytest.raises(SlackError, match=r"answered ratelimited to chat\.update"):
            await api.offer("T0HOME", "chat.update", channel="C0HR", ts="1", text="x")
    assert (clock.slept, len(slack.find_calls("chat.update"))) == ([], 1)
    clock.now += 7
    with pytest.raises(SlackError, match="message_not_found"):
        await api.offer("T0HOME", "chat.update", channel="C0HR", ts="1", text="x")


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.postEphemeral", "chat.startStream"])
async def test_all_ways_to_post_share_the_channels_pace(slack: FakeSlack, clock: Clock, method: str) -> None:
    api = make_api(slack, clock)
    whom = {"recipient_user_id": "U0ANN", "recipient_team_id": "T0HOME", "thread_ts": "1"}
    for _ in range(BURST):
        await api.call("T0HOME", "chat.postMessage", channel="C0HR", text="x")
    await api.call("T0HOME", method, channel="C0HR", text="x", **whom)
    await api.call("T0HOME", method, channel="C0IT", text="x", **whom)
    assert clock.slept == [1.0]


@pytest.mark.parametrize("method", ["chat.delete", "chat.update", "chat.appendStream", "chat.stopStream"])
async def test_what_is_no_new_message_needs_no_pace_but_obeys(slack: FakeSlack, clock: Clock, method: str) -> None:
    api = make_api(slack, clock)
    posted = [await api.call("T0HOME", "chat.postMessage", channel="C0HR", text="x") for _ in range(BURST)]
    slack.streaming.add(f"C0HR:{posted[0]['ts']}")
    if method in ("chat.delete", "chat.update"):
        slack.streaming.clear()
    slack.messages[f"C0HR:{posted[0]['ts']}"] |= {"streamed": "", "thread_ts": "1"}
    slack.rate_limits[method] = [9]
    await api.call("T0HOME", method, channel="C0HR", ts=posted[0]["ts"], session_status="active")
    assert (clock.slept, len(slack.find_calls(method))) == ([9.0], 2)


async def test_another_channel_and_another_method_do_not_wait(slack: FakeSlack) -> None:
    api = SlackApi(OneToken(BOT_TOKEN), api_url=slack.api_url)
    slack.rate_limits["chat.postMessage"] = [30]
    waiting = asyncio.create_task(api.call("T0HOME", "chat.postMessage", channel="C0HR", text="x"))

    async def is_refused() -> bool:
        return bool(slack.find_calls("chat.postMessage"))

    await eventually(is_refused)
    began = time.monotonic()
    await api.call("T0HOME", "chat.postMessage", channel="C0IT", text="x")
    await api.call("T0HOME", "agents.sessions.setStatus", channel_id="C0HR", thread_ts="1", status="active")
    assert time.monotonic() - began < 15
    assert not waiting.done()
    waiting.cancel()


async def test_calls_of_one_place_keep_their_order(slack: FakeSlack) -> None:
    api = SlackApi(OneToken(BOT_TOKEN), api_url=slack.api_url)
    slack.rate_limits["chat.postMessage"] = [1]
    calls = (api.call("T0HOME", "chat.postMessage", channel="C0HR", text=str(number)) for number in range(BURST))
    await asyncio.gather(*calls)
    assert [message["text"] for message in slack.messages.values()] == ["0", "1", "2"]
