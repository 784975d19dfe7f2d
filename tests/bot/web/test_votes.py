"""Votes on the web: one's own answers only, the last one counts, and taking back is possible."""

import pytest
from aiohttp.test_utils import TestClient

from tests.bot.web.asking import CONVERSATION, get_answer, vote
from tests.bot.web.site import Site


async def test_a_second_vote_replaces_the_first(site: Site, client: TestClient) -> None:
    answer = await get_answer(client)
    assert await vote(client, answer["interaction_id"], value=1) == 204
    await vote(client, answer["interaction_id"], value=-1, correction="  24 days. ", reason="wrong")
    votes = await site.feedback.find_current(answer["interaction_id"])
    assert [(one.value, one.correction, one.reason, one.source) for one in votes] == [(-1, "24 days.", "wrong", "web")]


async def test_a_vote_is_withdrawn_by_zero(site: Site, client: TestClient) -> None:
    answer = await get_answer(client)
    await vote(client, answer["interaction_id"], value=1)
    assert await vote(client, answer["interaction_id"], value=0) == 204
    assert await site.feedback.find_current(answer["interaction_id"]) == []


async def test_what_was_said_last_stands_though_an_earlier_request_arrives_after_it(
    site: Site, client: TestClient
) -> None:
    answer, said_at = await get_answer(client), 1_790_000_000_000
    assert await vote(client, answer["interaction_id"], value=-1, reason="wrong", said_at=said_at + 1) == 204
    assert await vote(client, answer["interaction_id"], value=1, said_at=said_at) == 204
    votes = await site.feedback.find_current(answer["interaction_id"])
    turns = (await (await client.get(f"/api/conversations/{CONVERSATION}")).json())["turns"]
    assert ([one.value for one in votes], turns[0]["vote"]["value"]) == ([-1], -1)


@pytest.mark.parametrize("said_at", ["1790000000000", True, [], 10**400])
async def test_what_is_no_time_is_refused(client: TestClient, said_at: object) -> None:
    answer = await get_answer(client)
    assert await vote(client, answer["interaction_id"], value=1, said_at=said_at) == 400


async def test_a_reload_shows_the_vote(client: TestClient) -> None:
    answer = await get_answer(client)
    await vote(client, answer["interaction_id"], value=-1, correction="24 days.", reason="wrong")
    turns = (await (await client.get(f"/api/conversations/{CONVERSATION}")).json())["turns"]
    assert turns[0]["vote"] == {"value": -1, "correction": "24 days.", "reason": "wrong"}


async def test_a_vote_for_an_unknown_answer_is_404_in_words(client: TestClient) -> None:
    response = await client.post("/api/answers/4711/feedback", json={"value": 1})
    assert (response.status, "no such answer" in (await response.json())["error"]) == (404, True)


async def test_nobody_votes_on_anothers_answer(site: Site, client: TestClient) -> None:
    answer = await get_answer(client)
    assert await vote(await site.new_client(), answer["interaction_id"], value=-1) == 404
    assert await site.feedback.find_current(answer["interaction_id"]) == []


@pytest.mark.parametrize("value", [2, -2, 0.5, 1.0, True, "1", None, [1]])
async def test_what_is_no_vote_is_refused(client: TestClient, value: object) -> None:
    answer = await get_answer(client)
    assert await vote(client, answer["interaction_id"], value=value) == 400


async def test_a_correction_that_is_too_long_says_how_long_it_may_be(client: TestClient) -> None:
    answer = await get_answer(client)
    body = {"value": -1, "correction": "a" * 4_001}
    response = await client.post(f"/api/answers/{answer['interaction_id']}/feedback", json=body)
    assert (response.status, "4,001 characters" in (await response.json())["error"]) == (400, True)
