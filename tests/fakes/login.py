"""Microsoft's login as the Bot Connector's client asks it: over HTTPS, by a certificate of this test run."""

import datetime
import ssl
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from tests.fakes.teams import make_key

HOST = "localhost"


class FakeLogin:
    """Gives tokens to one application.

    Attributes:
        tokens: those that it gave; a client keeps one for an hour.
        certificate: file that a client must trust.
    """

    def __init__(self, folder: Path, *, app_id: str, password: str, scope: str) -> None:
        self.tokens: list[str] = []
        self.certificate = folder / "login.pem"
        self._expected = {"client_id": app_id, "client_secret": password, "scope": scope}
        self._expected["grant_type"] = "client_credentials"
        self.certificate.write_bytes(make_certificate())
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(self.certificate)
        app = web.Application()
        app.add_routes(
            [
                web.get("/{tenant}/v2.0/.well-known/openid-configuration", self._describe),
                web.post("/{tenant}/oauth2/v2.0/token", self._give),
            ]
        )
        self._server = TestServer(app, host=HOST, scheme="https")

    async def __aenter__(self) -> Self:
        await self._server.start_server(ssl=self._context)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None):
        await self._server.close()

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self._server.port}"

    async def _describe(self, request: web.Request) -> web.Response:
        tenant = f"{self.url}/{request.match_info['tenant']}"
        pages = {
            "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{tenant}/oauth2/v2.0/token",
        }
        return _answer({"issuer": f"{tenant}/v2.0", **pages})

    async def _give(self, request: web.Request) -> web.Response:
        form = await request.post()
        if wrong := [name for name, value in self._expected.items() if form.get(name) != value]:
            return _answer({"error": "invalid_request", "error_description": str(wrong)}, status=400)
        self.tokens.append(f"token-{len(self.tokens) + 1}")
        return _answer({"token_type": "Bearer", "expires_in": 3600, "access_token": self.tokens[-1]})


def make_certificate() -> bytes:
    """A certificate for this machine and its key, as PEM; it signs itself and lives an hour."""
    key, now = make_key("login"), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def _answer(told: dict[str, Any], *, status: int = 200) -> web.Response:
    """As JSON, and the last on its connection: over TLS an idle one does not end with the server."""
    response = web.json_response(told, status=status)
    response.force_close()
    return response
