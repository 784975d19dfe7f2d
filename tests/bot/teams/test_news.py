"""A better answer now: told once, in working hours, to who disliked what an adapter learnt from."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.better import Better, BetterAnswers, is_working_time
from bot.teams.news import News, render_news
from core.adapters import Adapters
from core.database import Database
from core.interactions import Interactions
from tests.bot.nights import finish_night
from tests.bot.teams.conftest import Tenant, load
from tests.bot.teams.screens import check_screen
from tests.fakes.model_server import FakeModelServer
from tests.fakes.teams import read_actions

MORNING = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("now", "zone", "is_it"),
    [
        (MORNING, "UTC", True),
        (MORNING, "Asia/Seoul", False),
        (datetime(2026, 11, 21, 10, tzinfo=UTC), "UTC", False),
        (datetime(2026, 11, 20, 18, tzinfo=UTC), "UTC", False),
        (datetime(2026, 11, 20, 0, tzinfo=UTC), "Asia/Seoul", True),
    ],
)
def test_people_are_told_in_working_hours(now: datetime, zone: str, is_it: bool) -> None:
    assert is_working_time(now, ZoneInfo(zone)) == is_it


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_card(language: str) -> None:
    news = [Better(3, 7, "teams:t:a", "How **many** days?", language, MORNING, {})]
    check_screen(f"news_{language}", render_news(news))


async def learn(tenant: Tenant, chat_model: FakeModelServer, *, served: bool = True) -> None:
    """An answer that Ann dislikes, and a night that trains on it."""
    await tenant.play(chat_model, "message_channel_mention", "feedback_dislike")
    run_id = await finish_night(tenant.database, "night-1")
    await tenant.database.execute(
        b"INSERT INTO feedback_fates (feedback_id, run_id, state) SELECT id, %s, 'trained' FROM feedback", [run_id]
    )
    if served:
        await Adapters(tenant.database).switch("night-1", by="nightbake", reason="better")


def build_news(tenant: Tenant, now: datetime = MORNING) -> News:
    return News(
        connector=tenant.side.connector,
        answers=BetterAnswers(tenant.database, "teams"),
        zone=ZoneInfo("UTC"),
        clock=lambda: now,
    )


def find_told(tenant: Tenant) -> list[str]:
    return [key for key, message in tenant.teams.messages.items() if "learnt from it" in str(message)]


async def test_who_disliked_an_answer_is_told_once_in_their_own_chat(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    await learn(tenant, chat_model)
    news = build_news(tenant)
    for _ in range(2):
        await news.turn()
    (key,) = find_told(tenant)
    assert key.startswith("a:chat-29:1ann|")
    (ask,) = read_actions(tenant.teams.messages[key])
    assert ask["data"]["interaction_id"] == 1


@pytest.mark.parametrize("why", ["night", "not served", "vote changed", "asked again", "long ago"])
async def test_nobody_is_told_where_it_is_no_news(tenant: Tenant, chat_model: FakeModelServer, why: str) -> None:
    await learn(tenant, chat_model, served=why != "not served")
    await _happen(tenant.database, why)
    if why == "asked again":
        question = (await Interactions(tenant.database).get(1)).question
        await tenant.play(chat_model, load("message_personal") | {"text": question})
    await build_news(tenant, datetime(2026, 11, 20, 3, tzinfo=UTC) if why == "night" else MORNING).turn()
    assert find_told(tenant) == []


async def test_who_cannot_be_written_to_is_not_tried_again(tenant: Tenant, chat_model: FakeModelServer) -> None:
    await learn(tenant, chat_model)
    tenant.teams.chat_status = 403
    await build_news(tenant).turn()
    tenant.teams.chat_status = 201
    await tenant.database.execute(b"UPDATE told_votes SET lease_expires_at = now()")
    await build_news(tenant).turn()
    assert find_told(tenant) == []


async def _happen(database: Database, why: str) -> None:
    if why == "vote changed":
        await database.execute(
            b"INSERT INTO feedback (interaction_id, person, value, source)"
            b" SELECT interaction_id, person, 1, 'test' FROM feedback"
        )
    if why == "long ago":
        await database.execute(b"UPDATE switches SET switched_at = now() - interval '5 days'")
