"""Sitemaps: addresses of a site's pages, from `sitemap.xml`, packed or not, and from an index of such files."""

import gzip
import io
import re
from dataclasses import dataclass, field
from datetime import datetime
from xml.parsers import expat

from core.errors import InvalidInputError
from retrieval.dates import read_date

MAX_BYTES = 52_428_800
_PIECE_BYTES = 65_536
_MAX_ADDRESS_CHARACTERS = 2048
_SPACE = re.compile(r"\s+")


@dataclass(slots=True)
class Sitemap:
    """What one file names; `dates` are of the pages that have a `lastmod`, `sitemaps` further files of an index."""

    pages: list[str] = field(default_factory=list[str])
    sitemaps: list[str] = field(default_factory=list[str])
    dates: dict[str, datetime] = field(default_factory=dict[str, datetime])


def parse_sitemap(content: bytes) -> Sitemap:
    """Read a file of the protocol of sitemaps.org, version 0.9; a file of plain lines is taken as well.

    Raises:
        InvalidInputError: neither, larger than 50 MiB unpacked, or with entities of its own, which can grow without
            end.
    """
    if content[:2] == b"\x1f\x8b":
        content = _unpack(content)
    text = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not text.startswith(b"<"):
        lines = text.decode("utf-8", "replace").splitlines()
        return Sitemap([line.strip() for line in lines if line.strip().startswith(("http://", "https://"))])
    return _Reader().read(text)


def _unpack(content: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            unpacked = packed.read(MAX_BYTES + 1)
    except (OSError, EOFError) as error:
        raise InvalidInputError("expected a packed sitemap, got broken gzip") from error
    if len(unpacked) > MAX_BYTES:
        raise InvalidInputError(f"expected a sitemap of at most {MAX_BYTES:,} bytes, got more")
    return unpacked


class _Reader:
    """Keeps `loc` inside `url` and `sitemap`, and `lastmod` in `url`; pictures and languages have others."""

    def __init__(self) -> None:
        self._sitemap = Sitemap()
        self._open: list[str] = []
        self._text: list[str] = []
        self._page: str | None = None
        self._changed_at: datetime | None = None

    def read(self, content: bytes) -> Sitemap:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.EntityDeclHandler = _refuse_entities
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            raise InvalidInputError(f"expected a sitemap in XML, got something else ({error})") from error
        return self._sitemap

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._open.append(name.rpartition(" ")[2])
        self._text.clear()

    def _end(self, _: str) -> None:
        path = self._open[-2:]
        self._open.pop()
        address = _SPACE.sub("", "".join(self._text))
        self._text.clear()
        if path[-1] == "url":
            self._end_page()
        if not address or len(address) > _MAX_ADDRESS_CHARACTERS:
            return
        if path == ["url", "loc"]:
            self._sitemap.pages.append(address)
            self._page = address
        elif path == ["url", "lastmod"]:
            self._changed_at = read_date(address)
        elif path == ["sitemap", "loc"]:
            self._sitemap.sitemaps.append(address)

    def _end_page(self) -> None:
        if self._page and self._changed_at:
            self._sitemap.dates[self._page] = self._changed_at
        self._page = self._changed_at = None


def _refuse_entities(*_: object) -> None:
    raise InvalidInputError("expected a plain sitemap, got one that declares entities")
