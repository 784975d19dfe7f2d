"""Signing in at a real OpenID provider of the tests, and everything that an attacker does to that."""

import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp.test_utils import TestClient

from bot.web.identity import name_person
from bot.web.oidc import Provider, SignInAwayError
from bot.web.rates import Rates, read_networks
from bot.web.sessions import end_person
from core.database import Database
from tests.bot.web.site import Site, run_site
from tests.fakes.openid import CLIENT_ID, CLIENT_SECRET, FakeOpenId
from tests.security.web.conftest import RULES, build_sign_in
from tests.security.web.signing_in import begin, come_back, sign_in


async def count_sessions(site: Site) -> int:
    (row,) = await site.database.fetch_dicts(b"SELECT count(*) AS n FROM web_sessions")
    return row["n"]


async def test_without_signing_in_nothing_opens(guarded: Site) -> None:
    client = await guarded.new_client()
    page = await client.get("/passages/11", allow_redirects=False)
    asked = await client.post("/api/questions", json={"text": "When?"})
    console = await client.get("/console/answers?words=a", allow_redirects=False)
    assert (page.status, page.headers["Location"]) == (303, "/sign-in?next=%2Fpassages%2F11")
    assert console.headers["Location"] == "/sign-in?next=%2Fconsole%2Fanswers%3Fwords%3Da"
    assert asked.status == 401
    assert (await client.get("/healthz")).status == 200


async def test_a_person_signs_in_asks_and_signs_out(guarded: Site, openid: FakeOpenId) -> None:
    client = await sign_in(guarded, openid, "/passages/11")
    page = await client.get("/")
    asked = await client.post("/api/questions", json={"text": "How many days?"})
    rows = await guarded.database.fetch_dicts(b"SELECT payload ->> 'person' AS person FROM inbox")
    assert (page.status, asked.status, rows) == (200, 202, [{"person": name_person(openid.issuer, "ann")}])
    assert (await client.get("/console")).status == 403
    assert (await client.post("/sign-out", json={})).status == 200
    assert (await client.get("/", allow_redirects=False)).headers["Location"].startswith("/sign-in?")


@pytest.mark.parametrize("methods", [["client_secret_basic"], ["client_secret_post"]])
async def test_the_code_is_exchanged_with_proof_and_secret(
    guarded: Site, openid: FakeOpenId, methods: list[str]
) -> None:
    openid.methods = methods
    await sign_in(guarded, openid)
    (form,) = openid.asked
    assert (len(form["code_verifier"]) >= 43, form["grant_type"]) == (True, "authorization_code")


@pytest.mark.parametrize(
    ("groups", "statuses"),
    [([], (403, 403)), (["reviewers"], (200, 403)), (["admins"], (200, 200)), ("admins", (200, 200)), ({}, (403, 403))],
)
async def test_groups_make_roles(guarded: Site, openid: FakeOpenId, groups: Any, statuses: tuple[int, int]) -> None:
    client = await sign_in(guarded, openid, groups=groups)
    assert ((await client.get("/console/pairs")).status, (await client.get("/console/answers")).status) == statuses


async def test_who_has_an_address_of_another_company_stays_out(database: Database, openid: FakeOpenId) -> None:
    rules = type(RULES)(domains=frozenset({"example.com"}))
    async with run_site(database, sign_in=build_sign_in(openid, rules=rules)) as site:
        statuses = []
        for claims in ({"email": "eve@evil.test"}, {"email": "eve@example.com.evil.test"}, {"email_verified": False}):
            openid.claims = {"sub": "eve", "email": "eve@example.com", **claims}
            client = await site.new_client()
            statuses.append((await come_back(client, openid.sign_in(await begin(client)))).status)
        assert statuses == [403, 403, 403]
        await sign_in(site, openid, email="ann@EXAMPLE.com")


async def test_who_is_in_no_group_of_readers_stays_out(database: Database, openid: FakeOpenId) -> None:
    rules = type(RULES)(readers=frozenset({"staff"}), admins=frozenset({"admins"}))
    async with run_site(database, sign_in=build_sign_in(openid, rules=rules)) as site:
        client = await site.new_client()
        refused = await come_back(client, openid.sign_in(await begin(client)))
        assert (refused.status, await count_sessions(site)) == (403, 0)
        assert "none of the groups" in await refused.text()
        acts = await database.fetch_dicts(b"SELECT actor, act FROM audit")
        assert acts == [{"actor": name_person(openid.issuer, "ann"), "act": "refused: sign in"}]
        assert (await (await sign_in(site, openid, groups=["staff"])).get("/")).status == 200


NOW = int(time.time())
LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "of-another-sign-in"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "another-client"},
    "our audience among others, for another party": {"aud": [CLIENT_ID, "other"], "azp": "other"},
    "several audiences and no party": {"aud": [CLIENT_ID, "other"]},
    "another issuer": {"iss": "https://evil.test"},
    "expired": {"exp": NOW - 120, "iat": NOW - 600},
    "never expires": {"exp": None},
    "expires in no number": {"exp": "tomorrow"},
    "not yet": {"nbf": NOW + 86_400},
    "no subject": {"sub": ""},
    "a subject that is no text": {"sub": ["ann"]},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


async def try_in(site: Site, openid: FakeOpenId) -> int:
    """A sign-in from its beginning, as from an address that has not failed yet; the status."""
    client = await site.new_client()
    parts = urlsplit(openid.sign_in(await begin(client)))
    forwarded = {"X-Forwarded-For": f"10.0.0.{len(site.clients)}"}
    response = await client.get(f"{parts.path}?{parts.query}", allow_redirects=False, headers=forwarded)
    return response.status


@pytest.fixture
async def patient(database: Database, openid: FakeOpenId) -> AsyncIterator[Site]:
    """A site that believes what its caller says of the address."""
    rates = Rates(proxies=read_networks(["127.0.0.0/8"]))
    async with run_site(database, sign_in=build_sign_in(openid), rates=rates) as site:
        yield site


async def test_a_token_that_does_not_hold_opens_nothing(patient: Site, openid: FakeOpenId) -> None:
    for name, lie in LIES.items():
        openid.claims_over = lie
        assert (name, await try_in(patient, openid)) == (name, 403)
    assert await count_sessions(patient) == 0


async def test_a_token_that_others_signed_opens_nothing(patient: Site, openid: FakeOpenId) -> None:
    for forge in (openid.sign_by_public_key, openid.sign_by_nothing, openid.sign_by_own_key):
        openid.forge = forge
        assert (forge.__name__, await try_in(patient, openid)) == (forge.__name__, 403)
    assert await count_sessions(patient) == 0


async def test_what_is_no_token_opens_nothing(patient: Site, openid: FakeOpenId) -> None:
    tokens: list[Any] = ["", "a.b.c", "....", "x" * 100_000, 7, None, {"alg": "none"}, "eyJhbGciOiJSUzI1NiJ9..x"]
    for token in tokens:
        openid.forge = lambda _, token=token: token
        assert (token, await try_in(patient, openid)) == (token, 403)
    assert await count_sessions(patient) == 0


async def test_clocks_may_differ_by_a_minute(guarded: Site, openid: FakeOpenId) -> None:
    openid.claims_over = {"exp": int(time.time()) - 30, "iat": int(time.time()) + 30}
    client = await guarded.new_client()
    response = await come_back(client, openid.sign_in(await begin(client)))
    assert response.status == 303


async def test_keys_are_rotated_and_unknown_ones_fetched_seldom(database: Database, openid: FakeOpenId) -> None:
    seconds = [time.time()]
    settings = build_sign_in(openid)
    provider = Provider(
        issuer=openid.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        scopes="openid",
        redirect_uri="http://nightbake.test/sign-in/back",
        clock=lambda: seconds[0],
    )
    async with run_site(database, sign_in=type(settings)(provider, RULES, CLIENT_SECRET)) as site:
        await sign_in(site, openid)
        openid.rotate()
        client = await site.new_client()
        early = await come_back(client, openid.sign_in(await begin(client)))
        seconds[0] += 31
        await sign_in(site, openid)
        assert (early.status, openid.key_fetches) == (403, 2)


async def test_what_came_back_once_comes_back_in_vain(guarded: Site, openid: FakeOpenId) -> None:
    client = await guarded.new_client()
    address = openid.sign_in(await begin(client))
    assert (await come_back(client, address)).status == 303
    again = await come_back(client, address)
    assert (again.status, len(openid.asked)) == (400, 1)


async def test_a_code_in_another_sign_in_is_refused(guarded: Site, openid: FakeOpenId) -> None:
    """The attacker's code in the victim's browser, and the other way round: the state and PKCE tell them apart."""
    victim, attacker = await guarded.new_client(), await guarded.new_client()
    address = openid.sign_in(await begin(attacker))
    assert (await come_back(victim, address)).status == 400
    code = parse_qs(urlsplit(address).query)["code"][0]
    own = parse_qs(urlsplit(await begin(victim)).query)["state"][0]
    mixed = await victim.get("/sign-in/back", params={"state": own, "code": code}, allow_redirects=False)
    assert (mixed.status, await count_sessions(guarded)) == (403, 0)


async def test_a_state_that_nobody_began_is_refused(guarded: Site) -> None:
    client = await guarded.new_client()
    await begin(client)
    for state in ("", "made-up", "A" * 43, "\u0000", "x" * 5000):
        response = await client.get("/sign-in/back", params={"state": state, "code": "c"}, allow_redirects=False)
        assert (state, response.status) == (state, 400)


async def test_an_answer_of_another_issuer_is_refused(guarded: Site, openid: FakeOpenId) -> None:
    client = await guarded.new_client()
    address = openid.sign_in(await begin(client)).rpartition("&iss=")[0] + "&iss=https%3A%2F%2Fevil.test"
    assert (await come_back(client, address)).status == 403


ELSEWHERE = [
    "https://evil.test/",
    "//evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "javascript:alert(1)",
    "/%0d%0aSet-Cookie:a=b\r\nx",
    "///evil.test",
    "http:evil.test",
    " /x",
    "/\t/evil.test",
]


async def test_nobody_is_led_to_another_site_afterwards(guarded: Site, openid: FakeOpenId) -> None:
    for following in ELSEWHERE:
        client = await guarded.new_client()
        response = await come_back(client, openid.sign_in(await begin(client, following)))
        assert (following, response.status, response.headers["Location"]) == (following, 303, "/")


async def test_signing_in_makes_a_new_session_and_ends_the_one_before(guarded: Site, openid: FakeOpenId) -> None:
    client = await sign_in(guarded, openid)
    before = {cookie.key: cookie.value for cookie in client.session.cookie_jar}
    assert (await come_back(client, openid.sign_in(await begin(client)))).status == 303
    thief = await guarded.new_client()
    stolen = await thief.get("/", cookies=before, allow_redirects=False)
    assert (stolen.status, await count_sessions(guarded)) == (303, 1)


async def test_an_administrator_signs_a_person_out_everywhere(guarded: Site, openid: FakeOpenId) -> None:
    phone, laptop = await sign_in(guarded, openid), await sign_in(guarded, openid)
    other = await sign_in(guarded, openid, sub="bob", email="bob@example.com")
    assert await end_person(guarded.database, "Ann@Example.com") == 2
    statuses = [(await client.get("/", allow_redirects=False)).status for client in (phone, laptop, other)]
    assert statuses == [303, 303, 200]


async def test_a_service_that_is_away_is_said_and_nothing_else_breaks(guarded: Site, openid: FakeOpenId) -> None:
    client = await guarded.new_client()
    address = openid.sign_in(await begin(client))
    openid.is_away = True
    assert (await come_back(client, address)).status == 503


async def test_a_service_that_calls_itself_otherwise_is_not_believed(openid: FakeOpenId) -> None:
    provider = build_sign_in(openid).provider
    provider.issuer += "/"
    with pytest.raises(SignInAwayError, match="OIDC_ISSUER: expected"):
        await provider.build_address(state="s", nonce="n", verifier="v")
    await provider.close()


class Refreshing:
    """A signed-in admin whose session is due to be asked for."""

    def __init__(self, site: Site, openid: FakeOpenId, client: TestClient) -> None:
        self.site, self.openid, self.client = site, openid, client

    async def wait(self, seconds: int = 50) -> int:
        """Let time pass; the status of the console then."""
        await self.site.database.execute(
            b"UPDATE web_sessions SET checked_at = checked_at - make_interval(secs => %s)", [seconds]
        )
        return (await self.client.get("/console/answers", allow_redirects=False)).status


@pytest.fixture
async def refreshing(guarded: Site, openid: FakeOpenId) -> Refreshing:
    openid.gives_refresh = True
    return Refreshing(guarded, openid, await sign_in(guarded, openid, groups=["admins"]))


async def test_who_loses_a_group_loses_the_role_within_a_minute(refreshing: Refreshing) -> None:
    refreshing.openid.claims |= {"groups": ["reviewers"]}
    assert await refreshing.wait(40) == 200
    assert await refreshing.wait(20) == 403
    assert (await refreshing.client.get("/console/pairs")).status == 200


async def test_who_is_taken_out_is_out_within_a_minute(refreshing: Refreshing) -> None:
    refreshing.openid.refresh_tokens.clear()
    assert await refreshing.wait() == 303
    assert await count_sessions(refreshing.site) == 0
    groups = await refreshing.site.database.fetch_dicts(b"SELECT principal FROM directory_groups")
    assert groups == []


async def test_a_refreshed_token_of_another_person_ends_the_session(refreshing: Refreshing) -> None:
    refreshing.openid.claims |= {"sub": "eve"}
    assert await refreshing.wait() == 303


async def test_while_the_service_is_away_its_word_counts_an_hour(refreshing: Refreshing) -> None:
    refreshing.openid.is_away = True
    assert await refreshing.wait() == 200
    assert await refreshing.wait(3_600) == 303


async def test_without_a_refresh_token_the_word_counts_an_hour(guarded: Site, openid: FakeOpenId) -> None:
    still = Refreshing(guarded, openid, await sign_in(guarded, openid, groups=["admins"]))
    assert await still.wait(3_500) == 200
    assert await still.wait(200) == 303


async def test_refresh_tokens_are_sealed_in_the_database(refreshing: Refreshing) -> None:
    (row,) = await refreshing.site.database.fetch_dicts(b"SELECT refresh_token FROM web_sessions")
    (token,) = refreshing.openid.refresh_tokens
    assert token.encode() not in bytes(row["refresh_token"])
