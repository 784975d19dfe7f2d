"""What the doctor says of Teams."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.teams.checkup import check_endpoint, check_people
from bot.teams.graph import Graph, build_graph
from tests.bot.teams.conftest import Tenant
from tests.fakes.entra import FakeEntra
from tests.fakes.teams import TENANT


@pytest.fixture
async def entra() -> AsyncIterator[FakeEntra]:
    async with FakeEntra(authorization="Bearer none yet") as fake:
        fake.add("a", "g")
        yield fake


def build(entra: FakeEntra, password: str = "secret-1") -> Graph:
    return build_graph(entra.cloud, tenant=TENANT, app_id="app", password=password)


async def test_an_endpoint_that_asks_for_a_token_is_well(tenant: Tenant) -> None:
    found = await check_endpoint(tenant.url.removesuffix("/api/messages"))
    assert (found.status, "Messaging endpoint" in found.detail) == ("ok", True)


async def test_an_endpoint_of_something_else_is_a_problem(entra: FakeEntra) -> None:
    entra.authorization = None
    found = await check_endpoint(f"{entra.url}/v1.0/groups")
    assert (found.status, "expected status 401" in found.detail) == ("problem", True)


async def test_an_endpoint_that_does_not_answer_is_a_note() -> None:
    found = await check_endpoint("http://127.0.0.1:9")
    assert (found.status, "nightbake up" in found.detail) == ("note", True)


@pytest.mark.parametrize(
    ("path", "password", "said"),
    [
        ("", "secret-1", None),
        ("getMemberGroups", "secret-1", "GroupMember.Read.All"),
        ("", "wrong", "credentials were refused"),
    ],
)
async def test_the_directory_is_asked_for_a_person_and_their_groups(
    entra: FakeEntra, path: str, password: str, said: str | None
) -> None:
    entra.outages = {path: [403]} if path else {}
    graph = build(entra, password)
    found = await check_people(graph, None)
    await graph.close()
    assert found.status == ("problem" if said else "ok")
    assert said is None or said in found.detail


async def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    found = await check_people(None, tmp_path / "none.toml")
    assert (found.status, "none.toml" in found.detail) == ("problem", True)
