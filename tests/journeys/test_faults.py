"""What breaks in the middle: nobody's question and nobody's vote is lost, and none counts twice."""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.inbox import Claimed, Event, Inbox
from core.database import Database
from core.interactions import Interactions
from core.migrate import migrate
from core.records import Outcome, Question
from tests.bot.assistant import OneDocument, settle, work
from tests.bot.recorded import RecordedPlatform
from tests.core.own_postgres import run_own_postgres
from tests.eventually import eventually
from tests.fakes.model_server import FakeModelServer, run_model_server

ROOT = Path(__file__).parent.parent.parent
ANSWER = "Employees have 23 days of annual leave. [1]"


def ask(inbox: Inbox, number: int) -> Any:
    """Receive a question in a conversation of its own."""
    payload = {"text": f"How many days of leave after {number} years?", "person": "user:ann"}
    return inbox.receive(Event("web", f"question-{number}", f"c{number}", "question", payload))


def vote(inbox: Inbox, number: int, interaction_id: int) -> Any:
    """Receive a thumb up of another person each time."""
    payload = {"interaction_id": interaction_id, "person": f"user:{number}", "value": 1, "source": "web"}
    return inbox.receive(Event("web", f"vote-{number}", f"v{number}", "feedback", payload))


def start_work(database: Database, inbox: Inbox, platform: RecordedPlatform, fake: FakeModelServer) -> Any:
    async def find_principals(_: Claimed) -> list[str]:
        return ["everyone"]

    return work(
        database=database,
        inbox=inbox,
        platforms={"web": platform},
        find_principals=find_principals,
        chat_model=fake,
        search=OneDocument(),
    )


async def store_answer(database: Database) -> int:
    """An answer that people vote on."""
    interactions = Interactions(database)
    begun = await interactions.begin(Question("web", "c", "user:ann", ["everyone"], "How many days?", "en"))
    await interactions.finish(Outcome(begun.id, ANSWER, "generated"))
    return begun.id


@pytest.mark.timeout(240)
async def test_a_database_that_goes_away_loses_no_question_and_no_vote() -> None:
    platform = RecordedPlatform()
    async with (
        run_own_postgres() as server,
        Database(server.url, patience_seconds=100) as database,
        run_model_server(FakeModelServer(answer=ANSWER)) as fake,
    ):
        await migrate(database)
        inbox, voted_on = Inbox(database), await store_answer(database)
        async with start_work(database, inbox, platform, fake):
            before = [asyncio.create_task(ask(inbox, number)) for number in range(5)]
            await asyncio.wait_for(platform.opened.wait(), 30)
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            meanwhile = [asyncio.create_task(ask(inbox, number)) for number in range(5, 10)]
            votes = [asyncio.create_task(vote(inbox, number, voted_on)) for number in range(10)]
            await stopping
            while_away = [asyncio.create_task(ask(inbox, number)) for number in range(10, 15)]
            await asyncio.to_thread(server.start)
            receipts = await asyncio.gather(*before, *meanwhile, *while_away)
            await asyncio.gather(*votes)
            await settle(inbox, seconds=100)
        answers = await database.fetch_dicts(
            b"SELECT inbox_id, count(*) AS answers, min(answer) AS answer FROM interactions "
            b"WHERE inbox_id IS NOT NULL GROUP BY inbox_id ORDER BY inbox_id"
        )
        counted = await database.fetch_dicts(b"SELECT person, count(*) AS votes FROM feedback GROUP BY person")
        buried = await database.fetch_dicts(b"SELECT id FROM inbox WHERE buried_at IS NOT NULL")
    ids = sorted(receipt.id for receipt in receipts)
    assert answers == [{"inbox_id": number, "answers": 1, "answer": ANSWER} for number in ids]
    assert [len(platform.replies[number].closed) for number in ids] == [1] * 15
    assert sorted((row["person"], row["votes"]) for row in counted) == sorted((f"user:{n}", 1) for n in range(10))
    assert buried == []


KILLED = """
import asyncio, sys
from bot.inbox import Inbox
from core.database import Database
from tests.bot.recorded import RecordedPlatform
from tests.fakes.model_server import FakeModelServer
from tests.journeys.test_faults import start_work

async def main():
    async with Database(sys.argv[1]) as database:
        fake = FakeModelServer(url=sys.argv[2])
        async with start_work(database, Inbox(database), RecordedPlatform(), fake):
            await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_killed_worker_s_question_is_answered_by_the_next(database: Database) -> None:
    inbox, platform = Inbox(database), RecordedPlatform()
    async with run_model_server(FakeModelServer(answer=ANSWER, behaviour="stall")) as fake:
        receipt = await ask(inbox, 1)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", KILLED, database.url, fake.url, cwd=ROOT, stderr=asyncio.subprocess.PIPE
        )
        try:

            async def is_answering() -> bool:
                return bool(fake.requests)

            await eventually(is_answering, seconds=60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.communicate()
        begun = await Interactions(database).find_by_inbox(receipt.id)
        fake.behaviour = "answer"
        await database.execute(b"UPDATE inbox SET lease_expires_at = now()")
        async with start_work(database, inbox, platform, fake):
            await settle(inbox)
    stored = await database.fetch_dicts(b"SELECT id, answer FROM interactions")
    assert begun and stored == [{"id": begun.id, "answer": ANSWER}]
    assert [answer.text for answer in platform.replies[receipt.id].closed] == [ANSWER]
