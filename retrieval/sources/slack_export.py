"""A workspace's export from Slack: threads as documents, readable for the members of their channel."""

import asyncio
import hashlib
import json
import re
import zipfile
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from core.errors import InvalidInputError
from retrieval.dates import read_timestamp
from retrieval.sources.access_rules import AccessRule
from retrieval.sources.aside import list_aside
from retrieval.sources.names import clean_name
from retrieval.sources.principals import user
from retrieval.sources.source import Content, Cursor, CursorError, Entry, Failure, Listed, SourceAwayError, Unread

_CHANNEL_FILES = ("channels.json", "groups.json")
_MAX_MEMBER_BYTES = 100_000_000
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\.json")
# Messages about the channel, not of people.
_NOISE = frozenset({"channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name", "bot_add"})
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_CHANNEL_MENTION = re.compile(r"<#[A-Z0-9]+\|([^>]*)>")
_LINK = re.compile(r"<((?:https?|mailto):[^|>]+)(?:\|([^>]*))?>")


@dataclass(slots=True)
class _Thread:
    """Days that its messages lie in, and a running hash of them; `count` messages, the last at `newest` (epoch)."""

    days: list[str] = field(default_factory=list[str])
    sha256: Any = field(default_factory=hashlib.sha256)
    count: int = 0
    newest: float = 0.0


class SlackExportSource:
    """The zip file that Slack's administrators export: public channels, and private ones where it holds them.

    Each thread with a reply is a document; what has none goes together by day. Direct messages are never read. Who may
    read is the channel's list of members in the export: narrower than Slack, where anybody may open a public channel.

    Args:
        location: of the zip file; a newer export takes its place.
    """

    kind = "slack_export"

    def __init__(self, name: str, location: Path, *, deny: Sequence[str] = (), owner: str | None = None) -> None:
        self.name = name
        self._location = location
        self._deny = list(deny)
        self._owner = owner

    async def list_entries(self, cursor: str | None) -> AsyncGenerator[Listed]:
        """Threads of every channel, a channel's index in memory at a time; nothing where the file is the same.

        Raises:
            SourceAwayError: there is no such file, or it is no zip of Slack's.
            CursorError: the file is another one.
        """
        newest = await asyncio.to_thread(self._find_version)
        if newest == cursor:
            yield Cursor(newest)
            return
        if cursor is not None:
            raise CursorError("the export is another one")
        async with aclosing(list_aside(self._walk())) as listed:
            async for one in listed:
                yield one
        yield Cursor(newest)

    async def fetch(self, entry: Entry, *, stored_version: str | None, max_bytes: int) -> Content | None:
        """One thread, or a day's lone messages, as Markdown."""
        content = (await asyncio.to_thread(self._render, entry.handle)).encode()
        if len(content) > max_bytes:
            raise InvalidInputError(f"expected at most {max_bytes:,} bytes, got {len(content):,}")
        return Content(content, version=entry.version)

    async def close(self) -> None:
        """Nothing is held."""

    def _find_version(self) -> str:
        try:
            stat = self._location.stat()
        except OSError as error:
            raise SourceAwayError(f"expected the export {self._location.name!r}: {error.strerror}") from error
        return f"{stat.st_size}:{stat.st_mtime_ns}"

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self._location)
        except (OSError, zipfile.BadZipFile) as error:
            raise SourceAwayError(f"expected a zip of Slack's in {self._location.name!r}, got {error}") from error

    def _walk(self) -> Generator[Listed]:
        with self._open() as archive:
            names = set(archive.namelist())
            if not names & set(_CHANNEL_FILES):
                raise SourceAwayError(
                    f"expected channels.json in {self._location.name!r}, which is no export of Slack's"
                )
            emails = {key: person["email"] for key, person in _read_people(archive).items()}
            days = _find_days(names)
            for file in _CHANNEL_FILES:
                channels: list[dict[str, Any]] = _read_json(archive, file) if file in names else []
                for channel in channels:
                    yield from self._walk_channel(archive, channel, days, emails)

    def _walk_channel(
        self,
        archive: zipfile.ZipFile,
        channel: Mapping[str, Any],
        days: Mapping[str, Sequence[str]],
        emails: Mapping[str, str],
    ) -> Generator[Listed]:
        name = str(channel["name"])
        members = {principal for one in channel.get("members", []) for principal in user(emails.get(str(one)))}
        rule = AccessRule(sorted(members), self._deny, self._owner)
        try:
            threads = _index(archive, name, days.get(name, ()))
        except InvalidInputError as error:
            yield Failure(f"{clean_name(name)}/", str(error))
            yield Unread(f"{clean_name(name)}/")
            return
        for key, thread in threads.items():
            path = f"{clean_name(name)}/{_name_thread(key)}.md"
            handle = {"channel": name, "thread": key, "days": thread.days}
            version, changed_at = thread.sha256.hexdigest(), read_timestamp(thread.newest)
            yield Entry(f"{channel['id']}/{key}", path, rule, version=version, handle=handle, changed_at=changed_at)

    def _render(self, handle: Mapping[str, Any]) -> str:
        channel, key = str(handle["channel"]), str(handle["thread"])
        with self._open() as archive:
            people = {one: person["name"] for one, person in _read_people(archive).items()}
            messages = [
                message
                for day in cast(list[str], handle["days"])
                for message in _read_messages(archive, channel, day)
                if _find_key(message, day) == key
            ]
        messages.sort(key=lambda message: float(message["ts"]))
        return (
            "\n\n".join([f"# #{channel}, {_name_thread(key)[:10]}", *(_render(one, people) for one in messages)]) + "\n"
        )


def _read_json(archive: zipfile.ZipFile, name: str) -> Any:
    """A file of the export; its unpacked size has a limit, since a few bytes can unpack without end."""
    try:
        with archive.open(name) as file:
            content = file.read(_MAX_MEMBER_BYTES + 1)
        if len(content) > _MAX_MEMBER_BYTES:
            raise InvalidInputError(f"expected at most {_MAX_MEMBER_BYTES:,} bytes in {name}, got more")
        return json.loads(content)
    except (OSError, ValueError, KeyError, RecursionError, zipfile.BadZipFile) as error:
        raise InvalidInputError(f"expected JSON in {name}, got something else") from error


def _read_people(archive: zipfile.ZipFile) -> dict[str, dict[str, str]]:
    """Names and e-mail addresses by id."""
    try:
        found = _read_json(archive, "users.json")
    except InvalidInputError as error:
        raise SourceAwayError(f"the export's users.json cannot be read: {error}") from error
    people: dict[str, dict[str, str]] = {}
    for one in found:
        profile: dict[str, Any] = one.get("profile") or {}
        name = profile.get("display_name") or profile.get("real_name") or one.get("name") or one["id"]
        # Who has left the company reads nothing by what the export says of them.
        email = "" if one.get("deleted") else profile.get("email") or ""
        people[str(one["id"])] = {"name": str(name), "email": str(email)}
    return people


def _find_days(names: set[str]) -> dict[str, list[str]]:
    """Files of days by channel, in order."""
    days: dict[str, list[str]] = {}
    for name in sorted(names):
        channel, _, day = name.rpartition("/")
        if channel and _DAY.fullmatch(day):
            days.setdefault(channel, []).append(day)
    return days


def _read_messages(archive: zipfile.ZipFile, channel: str, day: str) -> list[dict[str, Any]]:
    found = _read_json(archive, f"{channel}/{day}")
    return [one for one in found if one.get("type") == "message" and "ts" in one and one.get("subtype") not in _NOISE]


def _find_key(message: Mapping[str, Any], day: str) -> str:
    """The thread that a message belongs to; of one that stands alone, its day."""
    thread = message.get("thread_ts")
    return str(thread) if thread else day.removesuffix(".json")


def _index(archive: zipfile.ZipFile, channel: str, days: Sequence[str]) -> dict[str, _Thread]:
    threads: dict[str, _Thread] = {}
    for day in days:
        for message in _read_messages(archive, channel, day):
            if not _find_words(message):
                continue
            thread = threads.setdefault(_find_key(message, day), _Thread())
            if not thread.days or thread.days[-1] != day:
                thread.days.append(day)
            thread.count += 1
            thread.newest = max(thread.newest, float(message["ts"]))
            thread.sha256.update(json.dumps([message["ts"], message.get("user"), _find_words(message)]).encode())
    return threads


def _name_thread(key: str) -> str:
    """`2024-03-01` of a day, `2024-03-01 1709280000.000100` of a thread."""
    if "." not in key:
        return key
    return f"{datetime.fromtimestamp(float(key), UTC):%Y-%m-%d} {key}"


def _find_words(message: Mapping[str, Any]) -> str:
    return str(message.get("text") or "").strip()


def _render(message: Mapping[str, Any], people: Mapping[str, str]) -> str:
    author = people.get(str(message.get("user", "")), str(message.get("username") or "somebody"))
    return f"{author}: {_to_text(_find_words(message), people)}"


def _to_text(text: str, people: Mapping[str, str]) -> str:
    """Slack's marks as plain text: names for ids, words for links."""
    text = _MENTION.sub(lambda match: "@" + people.get(match[1], "somebody"), text)
    text = _CHANNEL_MENTION.sub(r"#\1", text)
    text = _LINK.sub(lambda match: f"{match[2]} ({match[1]})" if match[2] else match[1], text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
