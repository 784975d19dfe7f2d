"""A web site with pages, sitemaps, robots.txt, ETags and redirects."""

from dataclasses import dataclass, field

from aiohttp import web

from tests.fakes.service import FakeService


@dataclass
class FakeWebsite(FakeService):
    """Files by path.

    Attributes:
        pages: content and its type.
        etags: by path; answered with 304 where a request names it.
        redirects: path to address.
        modified: by path, what `Last-Modified` says.
    """

    pages: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    modified: dict[str, str] = field(default_factory=dict)

    def add_routes(self) -> None:
        self.app.add_routes([web.get("/{path:.*}", self._get)])

    def put(self, path: str, content: str | bytes, kind: str = "text/html") -> None:
        self.pages[path] = (content.encode() if isinstance(content, str) else content, kind)

    async def _get(self, request: web.Request) -> web.Response:
        if target := self.redirects.get(request.path):
            return web.Response(status=302, headers={"Location": target})
        if request.path not in self.pages:
            return web.Response(status=404)
        etag = self.etags.get(request.path)
        headers = {"ETag": etag} if etag else {}
        if modified := self.modified.get(request.path):
            headers["Last-Modified"] = modified
        if etag and request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers=headers)
        content, kind = self.pages[request.path]
        return web.Response(body=content, headers=headers, content_type=kind)
