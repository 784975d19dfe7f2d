"""Pages of a web site: a list of addresses and sitemaps, one host, as far as robots.txt lets us."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from urllib.parse import unquote
from urllib.robotparser import RobotFileParser

from yarl import URL

from core.errors import InvalidInputError
from retrieval.dates import read_date
from retrieval.formats.registry import get_format
from retrieval.sources.access_rules import AccessRule
from retrieval.sources.http import HttpClient, StatusError
from retrieval.sources.names import build_path, clean_name, find_suffix
from retrieval.sources.sitemap import MAX_BYTES, Sitemap, parse_sitemap
from retrieval.sources.source import Content, Entry, Failure, GoneError, Listed, SourceAwayError, Unread

AGENT = "Nightbake"
_MAX_ROBOTS_BYTES = 512_000
_MAX_SITEMAPS = 200
_MAX_CRAWL_DELAY_SECONDS = 10.0
_ROBOTS_FRESH_SECONDS = 3600
# A page that changed when it was asked for is one that is made anew for everyone: the date tells nothing of its text.
_MADE_ANEW = timedelta(minutes=1)
_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}


class WebsiteSource:
    """Pages of one host. Nobody's rights are known there, so `rule` says who may read.

    Args:
        urls: pages, and sitemaps, all on one host.
        max_pages: more are left out, and named.
        allow_private: whether the site may lie inside the company's network.
    """

    kind = "website"

    def __init__(
        self,
        name: str,
        *,
        urls: Sequence[str],
        sitemaps: Sequence[str],
        rule: AccessRule,
        max_pages: int = 5000,
        allow_private: bool = False,
        pause_seconds: float = 1.0,
    ) -> None:
        self.name = name
        self._urls = list(urls)
        self._sitemaps = list(sitemaps)
        self._rule = rule
        self._max_pages = max_pages
        self._origin = URL([*urls, *sitemaps][0]).origin()
        self._http = HttpClient(str(self._origin), allow_private=allow_private, pause_seconds=pause_seconds, attempts=3)
        self._robots: RobotFileParser | None = None
        self._robots_at = 0.0
        self._turn = asyncio.Lock()
        self._next_at = 0.0

    async def list_entries(self, cursor: str | None) -> AsyncGenerator[Listed]:
        """Addresses without looking at the pages: whether one changed is asked when it is fetched.

        Raises:
            SourceAwayError: robots.txt or a sitemap could not be had.
        """
        robots = await self._get_robots()
        seen: dict[str, str] = {}
        async for address, changed_at in self._find_addresses():
            listed = self._look_at(address, robots, seen, changed_at)
            if isinstance(listed, Entry) and len(seen) > self._max_pages:
                yield Failure("./", f"expected at most {self._max_pages:,} pages, got more; raise max_pages")
                # What is beyond the limit may be what was within it yesterday.
                yield Unread("")
                return
            if listed:
                yield listed

    async def fetch(self, entry: Entry, *, stored_version: str | None, max_bytes: int) -> Content | None:
        """A page, unless the site says by ETag or date that it is still the one we have."""
        address = str(entry.handle["url"])
        if not (await self._get_robots()).can_fetch(AGENT, address):
            raise GoneError("robots.txt does not let us read it any more")
        await self._wait_for_turn()
        try:
            response = await self._http.get_bytes(
                address, max_bytes=max_bytes, headers=_build_conditions(stored_version), same_host=True
            )
        except StatusError as error:
            if error.status == 410:
                raise GoneError(str(error)) from error
            raise InvalidInputError(str(error)) from error
        if response.status == 304:
            return None
        headers = response.headers
        return Content(
            response.content,
            version=_build_version(headers.get("ETag"), headers.get("Last-Modified")),
            file_name=_name_by_type(entry.path, headers.get("Content-Type", "")),
            # What the sitemap says was written by people who know.
            changed_at=entry.changed_at or _find_date(headers),
        )

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    def _look_at(
        self, address: str, robots: RobotFileParser, seen: dict[str, str], changed_at: datetime | None
    ) -> Listed | None:
        try:
            url = URL(address).with_fragment(None)
        except ValueError:
            return Failure(address, "expected an address such as https://example.com/page")
        key = str(url)
        if key in seen:
            return None
        if url.scheme not in ("http", "https") or url.host != self._origin.host:
            return Failure(key, f"expected an address on {self._origin.host}; make the other host a source of its own")
        if not robots.can_fetch(AGENT, key):
            return Failure(key, "robots.txt does not let us read it")
        if url.origin() != self._origin:
            # http beside https: the page is asked for as the source was configured.
            url = self._origin.join(url.relative())
        path = build_page_path(url)
        if path in seen.values():
            # `/leave` beside `/leave.html`.
            folder, _, file_name = path.rpartition("/")
            path = f"{folder}/{build_path(file_name, key, find_suffix(file_name))}"
        seen[key] = path
        return Entry(key, path, self._rule, handle={"url": str(url)}, changed_at=changed_at)

    async def _find_addresses(self) -> AsyncGenerator[tuple[str, datetime | None]]:
        for address in self._urls:
            yield address, None
        waiting, read = list(self._sitemaps), set[str]()
        while waiting:
            address = waiting.pop(0)
            if address in read:
                continue
            read.add(address)
            if len(read) > _MAX_SITEMAPS:
                raise SourceAwayError(f"expected at most {_MAX_SITEMAPS} sitemaps, got more")
            sitemap = await self._read_sitemap(address)
            waiting += sitemap.sitemaps
            for page in sitemap.pages:
                yield page, sitemap.dates.get(page)

    async def _read_sitemap(self, address: str) -> Sitemap:
        try:
            response = await self._http.get_bytes(address, max_bytes=MAX_BYTES, same_host=True)
            return await asyncio.to_thread(parse_sitemap, response.content)
        except (GoneError, InvalidInputError) as error:
            # Without it we do not know what the site holds: nothing of it is gone for that.
            raise SourceAwayError(f"the sitemap {address} cannot be read: {error}") from error

    async def _get_robots(self) -> RobotFileParser:
        """What robots.txt says, RFC 9309: none allows everything, one that cannot be had allows nothing.

        Raises:
            SourceAwayError: it cannot be had.
        """
        if self._robots and time.monotonic() - self._robots_at < _ROBOTS_FRESH_SECONDS:
            return self._robots
        robots = RobotFileParser()
        lines: list[str] = []
        try:
            response = await self._http.get_bytes("/robots.txt", max_bytes=_MAX_ROBOTS_BYTES, same_host=True)
            lines = response.content.decode("utf-8", "replace").splitlines()
        except GoneError:
            pass
        except StatusError as error:
            if error.status >= 500:
                raise
        except InvalidInputError as error:
            raise SourceAwayError(f"robots.txt cannot be read: {error}") from error
        robots.parse(lines)
        self._robots, self._robots_at = robots, time.monotonic()
        return robots

    async def _wait_for_turn(self) -> None:
        """One page at a time, as far apart as robots.txt asks, within reason."""
        delay = float((self._robots.crawl_delay(AGENT) if self._robots else None) or 0)
        async with self._turn:
            await asyncio.sleep(max(self._next_at - time.monotonic(), 0))
            self._next_at = time.monotonic() + min(delay, _MAX_CRAWL_DELAY_SECONDS)


def build_page_path(url: URL) -> str:
    """`example.com/hr/leave.html`: the address as a path whose suffix names a format."""
    parts = [clean_name(unquote(part)) for part in url.raw_path.split("/") if part not in ("", ".", "..")]
    name = parts.pop() if parts and not url.raw_path.endswith("/") else "index"
    if url.raw_query_string:
        name += "@" + clean_name(unquote(url.raw_query_string))
    try:
        get_format(name)
    except InvalidInputError:
        name += ".html"
    return "/".join([url.host or "", *parts, name])


def _name_by_type(path: str, content_type: str) -> str | None:
    """The file's name with the suffix of what came; None where that is as expected or not said."""
    suffix = _SUFFIXES.get(content_type.partition(";")[0].strip().lower())
    if suffix is None or get_format(f"x{suffix}") == get_format(path):
        return None
    return f"{PurePosixPath(path).stem}{suffix}"


def _find_date(headers: Mapping[str, str]) -> datetime | None:
    modified, sent = read_date(headers.get("Last-Modified")), read_date(headers.get("Date"))
    return None if modified and sent and modified > sent - _MADE_ANEW else modified


def _build_version(etag: str | None, modified: str | None) -> str | None:
    if etag:
        return f"etag {etag}"
    return f"date {modified}" if modified else None


def _build_conditions(version: str | None) -> dict[str, str]:
    kind, _, value = (version or "").partition(" ")
    name = {"etag": "If-None-Match", "date": "If-Modified-Since"}.get(kind)
    return {name: value} if name and value else {}
