"""What a person's browser does to sign in, step by step."""

from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from tests.bot.web.site import Site
from tests.fakes.openid import FakeOpenId


async def begin(client: TestClient, following: str = "/") -> str:
    """Ask to sign in; the address of the service."""
    response = await client.get("/sign-in", params={"next": following}, allow_redirects=False)
    assert response.status == 303, await response.text()
    return response.headers["Location"]


async def come_back(client: TestClient, address: str) -> ClientResponse:
    """Follow the service's redirect to us, and no further."""
    parts = urlsplit(address)
    return await client.get(f"{parts.path}?{parts.query}", allow_redirects=False)


async def sign_in(site: Site, openid: FakeOpenId, following: str = "/", **claims: Any) -> TestClient:
    """A browser that is signed in with these claims."""
    openid.claims = {"sub": "ann", "email": "ann@example.com", "name": "Ann Lee", **claims}
    client = await site.new_client()
    response = await come_back(client, openid.sign_in(await begin(client, following)))
    assert (response.status, response.headers.get("Location")) == (303, following), await response.text()
    return client
