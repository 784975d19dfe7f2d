"""The line of questions that wait for a worker: who waits is told the place and about how long, and again as it moves.

A page is told through its stream. Elsewhere it is a message of its own, which the worker that begins to answer takes
away: the answer's own message is never touched from here, so an edit that comes late harms nothing.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from bot.inbox import Claimed
from bot.phrases import say
from bot.web.live import Live, State
from core.background import BackgroundWork
from core.database import Database
from core.errors import NightbakeError
from core.metrics import PLACES
from core.prompt import Language, detect_language
from core.sql import load_queries

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

TURN_SECONDS = 1.0
# Shorter waits need no word.
AFTER_SECONDS = 3.0
# A message is changed when a third of the way is done, and not more often than this.
PROGRESS, PAUSE_SECONDS = 0.67, 5.0
NOTICES_A_TURN, NOTICES_AT_ONCE = 40, 8
# After this a message is given up, and much later it is somebody else's to send.
NOTICE_SECONDS, LEASE_SECONDS = 10.0, 30.0


class Notices(Protocol):
    """A platform's messages that say a place; each names its room and itself by one key."""

    async def say_place(self, payload: Mapping[str, Any], text: str) -> str | None:
        """Send it to where the question was asked; its key, None where such a message has no place."""
        ...

    async def change_place(self, payload: Mapping[str, Any], key: str, text: str) -> bool:
        """Say another one in the same message; False where the platform wants a pause."""
        ...

    async def remove_place(self, payload: Mapping[str, Any], key: str) -> None:
        """Take it away; one that is gone already is as good."""
        ...


@dataclass(frozen=True, slots=True)
class _Place:
    id: int
    text: str
    place: int | None
    is_over: bool


@dataclass(frozen=True, slots=True)
class _Notice:
    id: int
    platform: str
    payload: dict[str, Any]
    notice_key: str | None
    place: int
    former_place: int | None


@dataclass(frozen=True, slots=True)
class _Pace:
    pace: float


class Line(BackgroundWork):
    """Tells places, second by second, as long as it runs; several processes share the work.

    Args:
        live: pages that follow their questions in this process.
        notices: by platform.
    """

    def __init__(self, database: Database, *, live: Live, notices: Mapping[str, Notices]) -> None:
        super().__init__("line", pause_seconds=TURN_SECONDS)
        self._database = database
        self._live = live
        self._notices = notices

    async def turn(self) -> bool:
        """Tell everyone whose place has changed; there is always a next time."""
        followed = self._live.find_followed()
        due = await self._take_notices() if self._notices else []
        if followed or due:
            pace = await self._measure_pace()
            await self._tell_pages(followed, pace)
            await self._tell_platforms(due, pace)
        return False

    async def _measure_pace(self) -> float:
        found = await self._database.fetch_one(QUERIES["measure_pace"], None, _Pace)
        return found.pace if found else 0.0

    async def _tell_pages(self, followed: list[int], pace: float) -> None:
        if not followed:
            return
        parameters = {"ids": followed, "after_seconds": AFTER_SECONDS}
        for found in await self._database.fetch_all(QUERIES["find_places"], parameters, _Place):
            language = detect_language(found.text)
            if found.is_over:
                self._live.end_elsewhere(found.id)
            elif found.place is None:
                self._live.tell(found.id, State("status", {"text": say("reading", language)}))
            elif self._live.tell(found.id, State("status", {"text": describe_place(found.place, pace, language)})):
                PLACES.labels("web").inc()

    async def _take_notices(self) -> list[_Notice]:
        parameters = {
            "platforms": list(self._notices),
            "after_seconds": AFTER_SECONDS,
            "lease_seconds": LEASE_SECONDS,
            "pause_seconds": PAUSE_SECONDS,
            "progress": PROGRESS,
            "limit": NOTICES_A_TURN,
        }
        return await self._database.fetch_all(QUERIES["take_notices"], parameters, _Notice)

    async def _tell_platforms(self, due: list[_Notice], pace: float) -> None:
        gate = asyncio.Semaphore(NOTICES_AT_ONCE)

        async def tell(notice: _Notice) -> bool:
            async with gate:
                return await self._tell(notice, pace)

        told = await asyncio.gather(*(tell(notice) for notice in due))
        left = [notice for notice, was_told in zip(due, told, strict=True) if notice.notice_key and not was_told]
        if left:
            parameters = {"ids": [notice.id for notice in left], "places": [notice.former_place for notice in left]}
            await self._database.execute(QUERIES["give_back"], parameters)

    async def _tell(self, notice: _Notice, pace: float) -> bool:
        """One message, and whether it was sent; what fails is logged only, for the answer comes all the same."""
        platform = self._notices[notice.platform]
        text = describe_place(notice.place, pace, detect_language(notice.payload["text"]))
        try:
            async with asyncio.timeout(NOTICE_SECONDS):
                if notice.notice_key:
                    was_told = await platform.change_place(notice.payload, notice.notice_key, text)
                else:
                    key = await platform.say_place(notice.payload, text)
                    was_told = key is not None and await self._keep(notice, key)
        except (NightbakeError, TimeoutError) as error:
            log.info("a place could not be told", extra={"inbox_id": notice.id, "error": repr(error)})
            return False
        if was_told:
            PLACES.labels(notice.platform).inc()
        return was_told

    async def _keep(self, notice: _Notice, key: str) -> bool:
        kept = await self._database.fetch_dicts(QUERIES["keep_key"], {"id": notice.id, "key": key})
        if not kept:
            await self._notices[notice.platform].remove_place(notice.payload, key)
        return bool(kept)


@asynccontextmanager
async def leave_line(notices: Mapping[str, Notices], claimed: Claimed) -> AsyncGenerator[None]:
    """Take the word on its place away while a question is answered; the answer does not wait for it."""
    platform = notices.get(claimed.platform)
    if platform is None or claimed.notice_key is None:
        yield
        return
    removal = asyncio.create_task(_remove(platform, claimed, claimed.notice_key))
    try:
        yield
    finally:
        await removal


async def _remove(platform: Notices, claimed: Claimed, key: str) -> None:
    try:
        await platform.remove_place(claimed.payload, key)
    except NightbakeError as error:
        log.warning("a word on a place stays behind", extra={"inbox_id": claimed.id, "error": str(error)})


def describe_place(place: int, pace: float, language: Language) -> str:
    """`You are 5th in line; about 40 s.`

    Args:
        place: 1 is next.
        pace: questions answered a second; 0 where that is not known.
    """
    words = say("next_in_line" if place == 1 else "in_line", language, place=_number(place, language))
    return f"{words}{say('about', language, time=_round_time(place / pace, language))}" if pace else f"{words}."


def _number(place: int, language: Language) -> str:
    if language == "ko":
        return f"{place}"
    ending = "th" if 10 <= place % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


def _round_time(seconds: float, language: Language) -> str:
    """To ten seconds, or to minutes: nobody can know it better."""
    if seconds < 90:
        shown = max(10, 10 * round(seconds / 10))
        return f"{shown} s" if language == "en" else f"{shown}초"
    minutes = max(2, round(seconds / 60))
    return f"{minutes} min" if language == "en" else f"{minutes}분"
