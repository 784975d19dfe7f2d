"""People of the benchmark of faults: they ask on three platforms, wait for their answers, vote and change their minds.

Each delivery is one of the platform's own: signed as Slack and Teams sign, sent again until it is acknowledged, sent
twice where the schedule says so. On the web a person has a cookie and follows the answer as the page does.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, CookieJar

from benchmarks.faults_deliveries import (
    SLACK_TEAM,
    Send,
    build_activity,
    build_thumb,
    read_events,
    send_to_slack,
    send_to_teams,
    wrap_slack,
)
from benchmarks.faults_processes import NUMBER
from benchmarks.faults_schedule import Act, Ask, Delivery, Schedule, Vote
from benchmarks.faults_seen import (
    ASKER,
    Seen,
    SeenQuestion,
    SeenVote,
    find_slack_answer,
    find_teams_answer,
    has_apology,
)
from bot.web.gate import CSRF_HEADER
from bot.web.people import COOKIE, make_csrf
from tests.fakes.slack import FakeSlack
from tests.fakes.teams import TENANT, FakeTeams

TAKEN_STATUSES = {200, 202, 204}
# Slack gives up after three seconds, and sends again.
ACK_SECONDS, AGAIN_SECONDS = 3.0, 0.25
LOOK_SECONDS = 0.05
VALUES: dict[Act, int] = {"up": 1, "down": -1, "back": 0, "correct": -1}
CORRECTION = "It is 25 days since May."


@dataclass(slots=True)
class _Talk:
    """One question and all that is said about it.

    Attributes:
        late: deliveries that come once more after a while.
    """

    ask: Ask
    seen: SeenQuestion
    session: ClientSession
    late: asyncio.TaskGroup


class People:
    """Everybody of one run.

    Args:
        replicas: addresses of the bot's.
        patience_seconds: how long after the last question somebody waits for an answer.
    """

    def __init__(
        self,
        schedule: Schedule,
        replicas: Sequence[str],
        *,
        slack: FakeSlack,
        teams: FakeTeams,
        seen: Seen,
        patience_seconds: float,
    ) -> None:
        self._patience_seconds = patience_seconds
        self._schedule = schedule
        self._replicas = replicas
        self._slack = slack
        self._teams = teams
        self._seen = seen
        self._began = self._deadline = 0.0

    async def live(self, began: float) -> None:
        """Do what the schedule says; returns when everybody has what they wait for, or lost patience."""
        self._began = began
        self._deadline = began + self._schedule.asks[-1].at + self._patience_seconds
        async with asyncio.TaskGroup() as everybody:
            for ask in self._schedule.asks:
                everybody.create_task(self._ask(ask))

    async def _ask(self, ask: Ask) -> None:
        number = f"K{self._schedule.run:04}{ask.number:02}"
        seen = self._seen.questions[ask.number] = SeenQuestion(number, ask.platform)
        await asyncio.sleep(max(0.0, self._began + ask.at - time.monotonic()))
        text = f"How many days of annual leave are there in case {number}?"
        # One browser for all replicas: they stand behind one name.
        browser: dict[str, Any] = {"timeout": ClientTimeout(total=ACK_SECONDS), "cookie_jar": CookieJar(unsafe=True)}
        async with ClientSession(**browser) as session, asyncio.TaskGroup() as late:
            talk = _Talk(ask, seen, session, late)
            match ask.platform:
                case "slack":
                    await self._ask_on_slack(talk, text)
                case "teams":
                    await self._ask_on_teams(talk, text)
                case "web":
                    await self._ask_on_the_web(talk, text)

    async def _ask_on_slack(self, talk: _Talk, text: str) -> None:
        seen, session = talk.seen, talk.session
        seen.place, ts = f"D{seen.number}", f"17{self._schedule.run:04}{talk.ask.number:04}.000100"
        seen.event_key = f"post:{seen.place}:{ts}"
        event = {"type": "message", "channel": seen.place, "channel_type": "im", "text": text, "ts": ts, "event_ts": ts}
        body = wrap_slack(event | {"user": f"U{seen.number}"}, f"EvQ{seen.number}")
        seen.is_acknowledged = await self._deliver(talk, talk.ask.delivery, send_to_slack(session, body))
        answer_ts = await self._wait(seen, lambda: find_slack_answer(self._slack, seen.place))
        if answer_ts is None:
            return
        item = {"type": "message", "channel": seen.place, "ts": answer_ts}

        def build(vote: Vote, count: int, before: Act | None) -> Send:
            given = before if vote.act == "back" else vote.act
            kind = "reaction_removed" if vote.act == "back" else "reaction_added"
            said_at = {"event_ts": f"{time.time():.6f}"}
            reaction = {"type": kind, "reaction": "+1" if given == "up" else "-1", "item": item, **said_at}
            voter = f"U{seen.number}V{vote.voter}"
            return send_to_slack(session, wrap_slack(reaction | {"user": voter}, f"Ev{voter}N{count}"))

        await self._vote(talk, lambda voter: f"slack:{SLACK_TEAM}:U{seen.number}V{voter}", build, has_words=False)

    async def _ask_on_teams(self, talk: _Talk, text: str) -> None:
        seen, session = talk.seen, talk.session
        seen.place, identifier = f"a:{seen.number}", f"{1_690_000_000_000 + talk.ask.number}"
        seen.event_key = f"post:{seen.place}|{identifier}"
        body = build_activity(self._teams, seen.place, identifier, f"asker-{seen.number}")
        send = send_to_teams(session, self._teams, body | {"type": "message", "text": text})
        seen.is_acknowledged = await self._deliver(talk, talk.ask.delivery, send)
        answer_id = await self._wait(seen, lambda: find_teams_answer(self._teams, seen.place))
        if answer_id is None:
            return

        def build(vote: Vote, count: int, before: Act | None) -> Send:
            person = f"voter-{seen.number}-{vote.voter}"
            own = build_activity(self._teams, seen.place, f"{identifier}{vote.voter}{count}", person)
            thumb = build_thumb(vote.act, before, words=CORRECTION)
            return send_to_teams(session, self._teams, own | {"replyToId": answer_id} | thumb)

        await self._vote(talk, lambda voter: f"teams:{TENANT}:voter-{seen.number}-{voter}", build, has_words=True)

    async def _ask_on_the_web(self, talk: _Talk, text: str) -> None:
        seen, session = talk.seen, talk.session
        body = {"text": text, "key": f"question-{seen.number}", "conversation": f"conversation-{seen.number}"}
        told: dict[str, Any] = {}

        async def send(url: str, _: int) -> int:
            # As a browser does, which has its cookie from the page.
            async with session.get(url):
                pass
            async with session.post(f"{url}/api/questions", json=body, headers=_say_who(session)) as response:
                told.update(await response.json())
                return response.status

        # Without a copy at once: two first requests would be two browsers.
        late = Delivery(talk.ask.delivery.replica, tuple(copy for copy in talk.ask.delivery.copies if copy))
        seen.is_acknowledged = await self._deliver(talk, late, send)
        if not seen.is_acknowledged:
            return
        seen.event_key = f"id:{told['id']}"
        answer = await self._follow(talk, told["id"])
        if answer is None:
            return

        def build(vote: Vote, count: int, before: Act | None) -> Send:
            correction = CORRECTION if vote.act == "correct" else None
            said = {"value": VALUES[vote.act], "correction": correction, "said_at": time.time() * 1000}

            async def judge(url: str, _: int) -> int:
                path = f"{url}/api/answers/{answer['interaction_id']}/feedback"
                async with session.post(path, json=said, headers=_say_who(session)) as response:
                    return response.status

            return judge

        await self._vote(talk, lambda _: ASKER, build, has_words=True, copied=False)

    async def _follow(self, talk: _Talk, inbox_id: int) -> dict[str, Any] | None:
        """The answer as the page gets it, whichever replica it asks; None for an apology or none."""
        for turn in itertools.count(talk.ask.delivery.replica):
            if time.monotonic() > self._deadline:
                return None
            url = f"{self._replicas[turn % len(self._replicas)]}/api/questions/{inbox_id}/events"
            try:
                async with talk.session.get(url) as response:
                    told = read_events(await response.text())
            except (ClientError, TimeoutError):
                told = []
            for name, body in told:
                if name == "answer":
                    talk.seen.answers.append(next(iter(NUMBER.findall(body["text"])), body["text"]))
                    return body
                if name == "declined":
                    talk.seen.apologies.append(body["message"])
                    return None
            await asyncio.sleep(AGAIN_SECONDS)
        return None

    async def _vote(
        self,
        talk: _Talk,
        name: Callable[[int], str],
        build: Callable[[Vote, int, Act | None], Send],
        *,
        has_words: bool,
        copied: bool = True,
    ) -> None:
        """Every voter's acts, one after the other; voters do not wait for each other.

        Args:
            name: of a voter in the log.
            has_words: whether the platform's people can say what would have been right.
            copied: whether the platform sends an event again that was acknowledged; a page does not.
        """

        async def change_mind(votes: Sequence[Vote]) -> None:
            stands, before = talk.seen.votes.setdefault(name(votes[0].voter), SeenVote()), None
            for count, vote in enumerate(votes):
                await asyncio.sleep(vote.after)
                delivery = vote.delivery if copied else Delivery(vote.delivery.replica)
                send = build(vote, count, before)
                if vote.late and copied:
                    talk.late.create_task(deliver_late(vote, delivery, send, stands))
                else:
                    stands.is_certain &= await self._deliver(talk, delivery, send)
                stands.value = VALUES[vote.act]
                stands.words = CORRECTION if has_words and vote.act == "correct" else None
                before = vote.act

        async def deliver_late(vote: Vote, delivery: Delivery, send: Send, stands: SeenVote) -> None:
            await asyncio.sleep(vote.late)
            stands.is_certain &= await self._deliver(talk, delivery, send)

        async with asyncio.TaskGroup() as voters:
            for voter in {vote.voter for vote in talk.ask.votes}:
                voters.create_task(change_mind([vote for vote in talk.ask.votes if vote.voter == voter]))

    async def _wait(self, seen: SeenQuestion, find: Callable[[], str | None]) -> str | None:
        """What is found on a platform; None where an apology is, or nothing in time."""
        while time.monotonic() < self._deadline:
            if found := find():
                return found
            if has_apology(self._slack, self._teams, seen.place):
                return None
            await asyncio.sleep(LOOK_SECONDS)
        return None

    async def _deliver(self, talk: _Talk, delivery: Delivery, send: Send) -> bool:
        """Send until it is acknowledged, and as often again as the schedule says; whether it was."""
        at_once = [self._send(delivery.replica + 1, send) for copy in delivery.copies if not copy]
        is_taken = any(await asyncio.gather(self._send(delivery.replica, send), *at_once))
        for copy in delivery.copies:
            if copy:
                talk.late.create_task(self._send(delivery.replica + 1, send, after=copy))
        return is_taken

    async def _send(self, replica: int, send: Send, *, after: float = 0.0) -> bool:
        await asyncio.sleep(after)
        for attempt in itertools.count():
            if time.monotonic() > self._deadline:
                break
            try:
                if await send(self._replicas[(replica + attempt) % len(self._replicas)], attempt) in TAKEN_STATUSES:
                    return True
            except (ClientError, TimeoutError, ValueError):
                pass
            await asyncio.sleep(AGAIN_SECONDS)
        return False


def _say_who(session: ClientSession) -> dict[str, str]:
    """What a page sends along to change something: the proof that it knows its cookie."""
    cookie = next((one.value for one in session.cookie_jar if one.key == COOKIE), None)
    return {CSRF_HEADER: make_csrf(cookie)} if cookie else {}
