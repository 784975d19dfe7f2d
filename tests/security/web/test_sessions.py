"""The console of an installation without a sign-in service: opened once by a link, kept by a session, ended at once."""

import pytest
from aiohttp.test_utils import TestClient
from yarl import URL

from bot.web.sessions import make_link
from core.database import Database
from tests.bot.web.site import TOKEN, Site, run_site

OVERVIEW, PROMOTE = "/console", "/console/api/adapters/promote"


async def open_by_link(site: Site, **options: str) -> tuple[TestClient, str]:
    """A browser that opened the console, and the address that it used."""
    link = await make_link(site.database, "", **options)  # pyright: ignore[reportArgumentType]
    client = await site.new_client()
    assert (await client.get(link)).status == 200
    return client, link


async def test_a_link_opens_once(site: Site) -> None:
    client, link = await open_by_link(site)
    late = await (await site.new_client()).get(link)
    assert (late.status, (await client.get(OVERVIEW)).status) == (401, 200)


async def test_looking_at_a_link_does_not_spend_it(site: Site) -> None:
    """As programs do that show a preview."""
    link = await make_link(site.database, "")
    client = await site.new_client()
    assert (await client.head(link)).status == 401
    assert (await client.get(link)).status == 200


async def test_a_link_that_is_too_old_opens_nothing(site: Site, client: TestClient) -> None:
    link = await make_link(site.database, "", seconds=0)
    assert (await client.get(link)).status == 401


async def test_no_token_stands_in_the_database(site: Site) -> None:
    client, link = await open_by_link(site)
    later = await make_link(site.database, "")
    cookie = next(cookie.value for cookie in client.session.cookie_jar if cookie.key == "nightbake_session")
    rows = await site.database.fetch_dicts(
        b"SELECT (SELECT string_agg(one::text, ' ') FROM web_sessions AS one) AS sessions, "
        b"(SELECT string_agg(one::text, ' ') FROM web_links AS one) AS links"
    )
    assert cookie.encode().hex() not in str(rows) and cookie not in str(rows)
    assert later.rpartition("=")[2] not in str(rows) and link.rpartition("=")[2] not in str(rows)


async def test_a_session_ends_by_signing_out_in_every_process(site: Site) -> None:
    client, _ = await open_by_link(site)
    stolen = {cookie.key: cookie.value for cookie in client.session.cookie_jar}
    assert (await client.post("/sign-out", json={})).status == 200
    thief = await site.new_client()
    assert (await thief.get(OVERVIEW, cookies=stolen)).status == 401
    assert (await client.get(OVERVIEW)).status == 401


@pytest.mark.parametrize("column", ["seen_at", "began_at"])
async def test_a_session_ends_when_nobody_was_here_and_after_its_time(site: Site, column: str) -> None:
    client, _ = await open_by_link(site)
    await site.database.execute(f"UPDATE web_sessions SET {column} = now() - interval '8 days'".encode())
    assert (await client.get(OVERVIEW)).status == 401


async def test_another_admin_token_ends_the_sessions_of_the_former(database: Database) -> None:
    async with run_site(database) as site:
        client = await site.new_client()
        assert (await client.get(OVERVIEW, params={"token": TOKEN})).status == 200
        held = {cookie.key: cookie.value for cookie in client.session.cookie_jar}
    async with run_site(database, admin_token="another") as site:
        assert (await (await site.new_client()).get(OVERVIEW, cookies=held)).status == 401


async def test_a_session_that_somebody_else_chose_is_not_taken(site: Site) -> None:
    """Session fixation: the cookie of before the sign-in opens nothing after it."""
    chosen = "A" * 43
    client = await site.new_client()
    link = await make_link(site.database, "")
    response = await client.get(link, cookies={"nightbake_session": chosen}, allow_redirects=False)
    given = response.cookies["nightbake_session"]
    assert (response.status, given.value == chosen) == (303, False)
    thief = await site.new_client()
    assert (await thief.get(OVERVIEW, cookies={"nightbake_session": chosen})).status == 401


async def test_a_reviewer_sees_the_queues_and_nothing_else(site: Site) -> None:
    client, _ = await open_by_link(site, role="reviewer", path="/console/pairs")
    statuses = {path: (await client.get(path)).status for path in ("/console/pairs", "/console/answers")}
    promoted = await client.post(PROMOTE, json={"name": ""})
    landed = await client.get(OVERVIEW)
    page = await landed.text()
    assert (statuses, promoted.status) == ({"/console/pairs": 200, "/console/answers": 403}, 403)
    assert (landed.url.path, 'href="/console/answers"' in page) == ("/console/pairs", False)
    acts = await site.database.fetch_dicts(b"SELECT act, subject FROM audit WHERE act LIKE 'refused%' ORDER BY id")
    assert [tuple(act.values()) for act in acts] == [("refused: GET", "/console/answers"), ("refused: POST", PROMOTE)]


async def test_a_refusal_of_a_strange_address_is_written_down(site: Site) -> None:
    client, _ = await open_by_link(site, role="reviewer", path="/console/pairs")
    assert (await client.get(URL("/console/%00%FF", encoded=True))).status == 403


async def test_the_token_may_be_typed(site: Site, client: TestClient) -> None:
    wrong = await client.post("/sign-in/token", json={"token": "guess"})
    right = await client.post("/sign-in/token", json={"token": TOKEN})
    assert (wrong.status, right.status, (await client.get(OVERVIEW)).status) == (401, 200, 200)
    acts = await site.database.fetch_dicts(b"SELECT act FROM audit ORDER BY id")
    assert [act["act"] for act in acts] == ["refused: open console", "open console"]


async def test_tokens_are_not_tried_out(client: TestClient) -> None:
    statuses = [(await client.get(OVERVIEW, params={"token": f"guess-{n}"})).status for n in range(12)]
    locked = await client.get(OVERVIEW, params={"token": TOKEN})
    assert (statuses, locked.status) == ([401] * 10 + [429] * 2, 429)
    assert int(locked.headers["Retry-After"]) >= 1
    assert (await client.get("/")).status == 200
