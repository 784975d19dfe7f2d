"""What every response and request must keep: security headers, same origin, JSON bodies, kind errors."""

import json
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any, cast
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from core.errors import DatabaseError, InvalidInputError, ModelServerError, NightbakeError, NotFoundError
from core.text import clean_text

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ErrorPage = Callable[[web.Request, int, str], web.Response]

BODY_BYTES = 64 * 1024
# The last one that a page's `Date` knows.
_LAST_MILLISECOND = 8.64e15
# Nothing but our own files; markup made from text is refused too, whatever script asks for it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000"

_STATUSES: dict[type[NightbakeError], int] = {
    InvalidInputError: 400,
    NotFoundError: 404,
    ModelServerError: 502,
    DatabaseError: 503,
}
_KEPT = ("Retry-After", "Allow")
_APOLOGY = "Something went wrong on our side. Please try again. / 문제가 생겼습니다. 다시 시도해 주세요."
_AWAY = "The service is restarting. Please try again in a moment. / 잠시 후 다시 시도해 주세요."


def is_api(request: web.Request) -> bool:
    """Whether a program asks, so that errors are JSON."""
    return request.path.startswith(("/api/", "/console/api/", "/sign-in/token", "/sign-out"))


def add_headers(request: web.Request, response: web.StreamResponse, *, is_https: bool) -> None:
    """Security headers; a page that sets its own policy keeps it. Browsers ask whether our own files changed."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    # Not which library answers, and in which version.
    response.headers["Server"] = "nightbake"
    if is_https:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    if request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-cache")


def check_origin(request: web.Request, base_url: str) -> None:
    """Refuse a request that another site's page made.

    Raises:
        web.HTTPForbidden: the browser says that it comes from elsewhere.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    is_ours = origin is None or urlsplit(origin).netloc in {request.host, urlsplit(base_url).netloc}
    if not is_ours or site not in (None, "same-origin", "none"):
        raise web.HTTPForbidden(text="this request came from another site")


async def read_json(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        web.HTTPUnsupportedMediaType: not sent as JSON.
        web.HTTPRequestEntityTooLarge: longer than any question may be.
        InvalidInputError: not a JSON object; the message is for the person.
    """
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="expected Content-Type: application/json")
    try:
        body = json.loads(await _read_body(request))
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(
            "That message could not be read; expected a JSON object in UTF-8. / 메시지를 읽을 수 없습니다."
        ) from error
    if not isinstance(body, dict):
        raise InvalidInputError("That message could not be read; expected a JSON object. / 메시지를 읽을 수 없습니다.")
    return cast(dict[str, Any], body)


def get_verdict(body: dict[str, Any], verdicts: Collection[str]) -> str:
    """The `verdict` of a body.

    Raises:
        InvalidInputError: none of those that there are.
    """
    verdict = get_text(body, "verdict", longest=20)
    if verdict not in verdicts:
        raise InvalidInputError(f"expected a verdict of {', '.join(verdicts)}")
    return verdict


def get_text(body: dict[str, Any], name: str, *, longest: int) -> str:
    """A text field of a body, of what can be stored; absent and null are empty.

    Raises:
        InvalidInputError: not a text, or too long.
    """
    value = body.get(name) or ""
    if not isinstance(value, str):
        raise InvalidInputError(f"`{name}` must be a text")
    if len(value) > longest:
        raise InvalidInputError(
            f"That text has {len(value):,} characters; at most {longest:,} please. / {longest:,}자 이내로 적어 주세요."
        )
    return clean_text(value)


def get_time(body: dict[str, Any], name: str) -> float | None:
    """A field of a body that holds Unix time in milliseconds, as pages count it, in seconds; None where it is absent.

    Raises:
        InvalidInputError: not a number.
    """
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LAST_MILLISECOND:
        return value / 1000
    raise InvalidInputError(f"`{name}` must be a time in milliseconds")


def catch_errors(error_page: ErrorPage) -> Middleware:
    """Errors in words: JSON for programs, a page for people; what we did not expect is logged and not shown."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            response = _to_response(request, error.status, error.text or error.reason, error_page)
            # When to come again, and which methods there are.
            response.headers.update({name: error.headers[name] for name in _KEPT if name in error.headers})
            return response
        except NightbakeError as error:
            return _to_response(request, *_explain(error), error_page)
        except (ConnectionResetError, TimeoutError):
            raise
        except Exception:
            log.exception("a request failed", extra={"path": request.path})
            return _to_response(request, 500, _APOLOGY, error_page)

    return middleware


def _explain(error: NightbakeError) -> tuple[int, str]:
    status = next((code for kind, code in _STATUSES.items() if isinstance(error, kind)), 500)
    if status < 500:
        return status, str(error)
    log.error("a request failed", extra={"error": str(error)})
    return status, _AWAY if status == 503 else str(error) if status == 502 else _APOLOGY


def _to_response(request: web.Request, status: int, message: str, error_page: ErrorPage) -> web.Response:
    if is_api(request):
        return web.json_response({"error": message}, status=status)
    return error_page(request, status, message)


async def _read_body(request: web.Request) -> bytes:
    """At most `BODY_BYTES`, whatever the length that was announced."""
    received = b""
    async for chunk in request.content.iter_chunked(BODY_BYTES):
        received += chunk
        if len(received) > BODY_BYTES:
            raise web.HTTPRequestEntityTooLarge(
                max_size=BODY_BYTES,
                actual_size=len(received),
                text="That message is too long; please ask in 4,000 characters. / 4,000자 이내로 질문해 주세요.",
            )
    return received
