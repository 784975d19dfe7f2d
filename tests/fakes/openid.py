"""A sign-in service that speaks OpenID Connect: discovery, keys, authorize, token; it lies on demand."""

import base64
import functools
import hashlib
import hmac
import html
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.fakes.service import FakeService

CLIENT_ID, CLIENT_SECRET = "nightbake-client", "client-secret-of-the-tests"

Forge = Callable[[dict[str, Any]], str]


@dataclass
class FakeOpenId(FakeService):
    """One issuer with one client.

    Attributes:
        claims: of whoever signs in next, beside the protocol's own.
        forge: makes the token in place of a correct one; `claims_over` changes its claims.
        gives_refresh: whether there is a refresh token; those in `revoked` hold no more.
        asked: forms that the token endpoint got; `is_away`: it answers 503.
    """

    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "ann", "email": "ann@example.com", "name": "Ann"})
    claims_over: dict[str, Any] = field(default_factory=dict[str, Any])
    forge: Forge | None = None
    gives_refresh: bool = False
    is_away: bool = False
    methods: list[str] | None = None
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    refresh_tokens: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    keys: list[RSAKey] = field(default_factory=list[RSAKey])
    key_fetches: int = 0

    def __post_init__(self) -> None:
        self.rotate()
        super().__post_init__()

    def add_routes(self) -> None:
        self.app.add_routes(
            [
                web.get("/.well-known/openid-configuration", self._describe),
                web.get("/keys", self._show_keys),
                web.get("/authorize", self._authorize),
                web.post("/token", self._give),
            ]
        )

    @property
    def issuer(self) -> str:
        return self.url

    def rotate(self) -> None:
        """Sign by a new key from now on; older ones are gone."""
        self.keys = [_make_key(int(self.keys[0].kid or 0) + 1 if self.keys else 1)]

    def sign_in(self, address: str) -> str:
        """What a person does at the service: where the browser is sent back to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code" and query["client_id"] == CLIENT_ID
        assert query["code_challenge_method"] == "S256" and query["nonce"] and "openid" in query["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.issuer})}"

    def make_claims(self, nonce: str | None) -> dict[str, Any]:
        now = int(time.time())
        own = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300}
        return {**own, **({"nonce": nonce} if nonce else {}), **self.claims, **self.claims_over}

    def sign(self, claims: dict[str, Any], *, algorithm: str = "RS256", kid: str | None = None) -> str:
        key = self.keys[0]
        return jwt.encode({"alg": algorithm, "kid": kid or key.kid}, claims, key)

    def sign_by_public_key(self, claims: dict[str, Any]) -> str:
        """HS256 with what everybody can read, which a careless client takes for a secret."""
        pem = self.keys[0].as_pem(private=False)
        head, body = (_encode(part) for part in ({"alg": "HS256", "kid": self.keys[0].kid}, claims))
        signature = hmac.new(pem, f"{head}.{body}".encode(), hashlib.sha256).digest()
        return f"{head}.{body}.{_to_text(signature)}"

    def sign_by_nothing(self, claims: dict[str, Any]) -> str:
        return ".".join([_encode({"alg": "none", "kid": self.keys[0].kid}), _encode(claims), ""])

    def sign_by_own_key(self, claims: dict[str, Any]) -> str:
        """By a key that the attacker made, and brought along in the header."""
        key = RSAKey.import_key(_make_key(99).as_dict(private=True) | {"kid": self.keys[0].kid})
        header = {"alg": "RS256", "kid": key.kid, "jwk": key.as_dict(private=False)}
        return jwt.encode(header, claims, key)

    async def _describe(self, _: web.Request) -> web.Response:
        described: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        if self.methods:
            described["token_endpoint_auth_methods_supported"] = self.methods
        return web.json_response(described)

    async def _show_keys(self, _: web.Request) -> web.Response:
        self.key_fetches += 1
        return web.json_response(KeySet([*self.keys]).as_dict(private=False))

    async def _authorize(self, request: web.Request) -> web.Response:
        """A page with one button: browsers of tests press it."""
        back = self.sign_in(str(request.url))
        link = f'<a id="yes" href="{html.escape(back)}">Sign in as Ann</a>'
        page = f"<!doctype html><title>Sign in</title><link rel=icon href=data:,><h1>Example Corp</h1>{link}"
        return web.Response(text=page, content_type="text/html")

    async def _give(self, request: web.Request) -> web.Response:
        if self.is_away:
            return web.Response(status=503)
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        if not self._is_client(request, form):
            return web.json_response({"error": "invalid_client"}, status=401)
        begun = self._take(form)
        if begun is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = self.make_claims(begun.get("nonce"))
        told = {"access_token": secrets.token_urlsafe(8), "token_type": "Bearer", "expires_in": 300}
        told["id_token"] = self.forge(claims) if self.forge else self.sign(claims)
        if self.gives_refresh:
            told["refresh_token"] = secrets.token_urlsafe(8)
            self.refresh_tokens[str(told["refresh_token"])] = {}
        return web.json_response(told)

    def _is_client(self, request: web.Request, form: dict[str, str]) -> bool:
        if "client_secret_basic" in (self.methods or ["client_secret_basic"]):
            given = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
            return [unquote(part) for part in given.split(":")] == [CLIENT_ID, CLIENT_SECRET]
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)

    def _take(self, form: dict[str, str]) -> dict[str, str] | None:
        """What a code or a refresh token stands for; each holds once."""
        if form["grant_type"] == "refresh_token":
            return self.refresh_tokens.pop(form["refresh_token"], None)
        begun = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        is_own = begun and begun["code_challenge"] == _to_text(digest) and begun["redirect_uri"] == form["redirect_uri"]
        return begun if is_own else None


@functools.cache
def _make_key(number: int) -> RSAKey:
    """Slow to find, so each is found once."""
    return RSAKey.generate_key(2048, {"kid": str(number), "use": "sig", "alg": "RS256"})


def _encode(part: dict[str, Any]) -> str:
    return _to_text(json.dumps(part).encode())


def _to_text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
