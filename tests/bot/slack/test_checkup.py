"""The doctor's look at Slack: each fault is named with what to click."""

from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.slack.checkup import check_channels, check_endpoint, check_socket, check_token
from bot.slack.events import PATH, SlackEvents
from bot.slack.manifest import find_scopes
from tests.bot.slack.conftest import build_api
from tests.fakes.slack import FakeSlack

SECRET = "0123456789abcdef" * 2


async def test_a_token_with_every_scope_is_well(slack: FakeSlack) -> None:
    slack.scopes = ",".join(find_scopes())
    assert (await check_token(build_api(slack.api_url))).status == "ok"


async def test_a_scope_that_is_missing_is_named_with_the_way_to_get_it(slack: FakeSlack) -> None:
    slack.scopes = ",".join(scope for scope in find_scopes() if scope != "reactions:read")
    check = await check_token(build_api(slack.api_url))
    assert check.status == "problem"
    assert check.detail.startswith("lacks reactions:read; paste what `nightbake slack manifest` prints")


async def test_another_token_is_named_with_where_to_copy_it(slack: FakeSlack) -> None:
    check = await check_token(build_api(slack.api_url, "xoxb-other"))
    assert check.detail.startswith("Slack answered invalid_auth to auth.test")
    assert "*OAuth & Permissions*" in check.detail


async def test_a_socket_that_opens_is_well_and_stays_closed(slack: FakeSlack) -> None:
    assert (await check_socket("xapp-1", api_url=slack.api_url)).status == "ok"
    assert not slack.links


async def test_each_refusal_of_the_socket_has_its_own_advice(slack: FakeSlack) -> None:
    words = ["invalid_auth", "missing_scope", "socket_mode_not_enabled"]
    slack.errors["apps.connections.open"] = list(words)
    said = [(await check_socket("xapp-1", api_url=slack.api_url)).detail for _ in words]
    assert ["copy the token" in said[0], "connections:write" in said[1], "*Enable Socket Mode*" in said[2]] == [
        True
    ] * 3


async def test_a_slack_that_is_away_is_a_problem_of_the_way() -> None:
    checks = [
        await check_socket("xapp-1", api_url="http://127.0.0.1:9/api/"),
        await check_token(build_api("http://127.0.0.1:9/api/")),
    ]
    assert all(check.status == "problem" and "this machine reaches Slack" in check.detail for check in checks)


async def test_a_channel_without_the_app_is_named_with_what_to_write_there(slack: FakeSlack) -> None:
    slack.rooms = {"C0IN": {"is_member": True}, "C0OUT": {"is_member": False}, "C0OLD": {"is_archived": True}}
    api = build_api(slack.api_url)
    channels = {"SLACK_ADMIN_CHANNEL": ("T0HOME", "C0IN")}
    assert (await check_channels(api, channels)).status == "ok"
    told = (await check_channels(api, {**channels, "A": ("T0HOME", "C0OUT"), "B": ("T0HOME", "C0OLD")})).detail
    assert (
        told == "A: the app is no member of C0OUT; write `/invite @Nightbake` in it; B: C0OLD is archived; name another"
    )


async def test_a_private_channel_without_the_app_cannot_be_told_from_none(slack: FakeSlack) -> None:
    slack.errors["conversations.info"] = ["channel_not_found"]
    check = await check_channels(build_api(slack.api_url), {"SLACK_EXPERT_CHANNEL": ("", "C0PRIVATE")})
    assert (check.status, "/invite @Nightbake" in check.detail) == ("problem", True)


async def test_an_endpoint_with_this_secret_is_well_and_another_is_not() -> None:
    app = web.Application()
    app.add_routes(SlackEvents(signing_secret=SECRET).routes())
    async with TestServer(app) as server:
        base_url = str(server.make_url("")).rstrip("/")
        checks = [await check_endpoint(secret, base_url=base_url) for secret in (SECRET, SECRET[::-1])]
    assert [check.status for check in checks] == ["ok", "problem"]
    assert "another SLACK_SIGNING_SECRET" in checks[1].detail


async def test_what_answers_there_may_be_somebody_else() -> None:
    async def say_hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.add_routes([web.post(PATH, say_hello)])
    async with TestServer(app) as server:
        check = await check_endpoint(SECRET, base_url=str(server.make_url("")).rstrip("/"))
    assert (check.status, "not Nightbake's word" in check.detail) == ("problem", True)


async def test_a_service_that_is_not_up_is_a_note() -> None:
    assert (await check_endpoint(SECRET, base_url="http://127.0.0.1:9")).status == "note"


async def test_a_secret_of_another_form_is_refused_without_its_value() -> None:
    check = await check_endpoint("xapp-1-secret", base_url="http://127.0.0.1:9")
    assert (check.status, "*Signing Secret*" in check.detail, "xapp" in check.detail) == ("problem", True, False)
