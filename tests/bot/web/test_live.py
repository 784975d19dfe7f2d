"""The hub: latest state for everyone, nobody waited for, nothing kept for ever."""

import asyncio
from datetime import UTC, datetime

from bot.inbox import Claimed
from bot.reply import FinishedAnswer
from bot.web.live import Live
from tests.eventually import eventually

CLAIMED = Claimed(7, "web", "c", "question", {"text": "when?"}, 1, datetime(2026, 1, 1, tzinfo=UTC), "worker")
ANSWER = FinishedAnswer(1, "en", "At noon. [1]", "generated")


async def test_a_reply_keeps_its_key_at_every_attempt() -> None:
    live = Live()
    keys = [await (await live.reply_to(CLAIMED)).open(1, "en") for _ in range(2)]
    assert keys == ["web:7", "web:7"]


async def test_a_slow_follower_sees_the_latest_state_only() -> None:
    live = Live()
    reply = await live.reply_to(CLAIMED)
    with live.follow(7) as topic:
        for length in range(1, 1000):
            await reply.show("a" * length)
        assert topic.state and topic.state.body == {"text": "a" * 999}


async def test_a_follower_may_come_before_the_reply() -> None:
    live = Live()
    with live.follow(7) as topic:
        waiting = asyncio.create_task(topic.wait_for_change(0, 5))
        await asyncio.sleep(0)
        await (await live.reply_to(CLAIMED)).decline("no")
        assert await waiting
        assert topic.state and topic.state.event == "declined"


async def test_a_topic_goes_a_while_after_its_end() -> None:
    live = Live(keep_seconds=0.05)
    await (await live.reply_to(CLAIMED)).close(ANSWER)
    assert live.count_topics() == 1

    async def is_empty() -> bool:
        return live.count_topics() == 0

    assert await eventually(is_empty)


async def test_a_topic_that_nobody_published_in_goes_with_its_last_follower() -> None:
    live = Live()
    with live.follow(7), live.follow(7):
        assert live.count_topics() == 1
    assert live.count_topics() == 0
