"""The checker of the benchmark of faults can fail: a database that breaks one promise is told so, in words."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from benchmarks.faults_checker import find_violations
from benchmarks.faults_seen import Seen, SeenQuestion, SeenVote
from bot.inbox import Event, Inbox
from core.adapters import Adapters
from core.database import Database
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.records import Feedback, Outcome, Question

NUMBER, KEY, ANN = "K000101", "post:D1:1", "slack:T0HOME:UANN"
WEIGHTS = b"a few numbers"
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()

Break = Callable[[Database, Seen], Awaitable[None]]


@pytest.fixture
async def seen(database: Database, tmp_path: Path) -> Seen:
    """A run as it should be: a question with its answer and a vote, and a night whose adapter is served."""
    receipt = await Inbox(database).receive(Event("slack", KEY, "c", "question", {"text": NUMBER}))
    interactions = Interactions(database)
    begun = await interactions.begin(Question("slack", "c", ANN, ["everyone"], NUMBER, "en", inbox_id=receipt.id))
    await interactions.finish(Outcome(begun.id, f"In case {NUMBER}.", "generated"))
    await database.execute(b"UPDATE inbox SET done_at = now()")
    await FeedbackLog(database).record(Feedback(begun.id, ANN, 1, "slack_reaction", event_key="inbox:7"))
    await log_night(database, make_adapter(tmp_path))
    question = SeenQuestion(
        NUMBER, "slack", KEY, "D1", is_acknowledged=True, answers=[NUMBER], votes={ANN: SeenVote(1)}
    )
    return Seen({1: question})


def make_adapter(folder: Path) -> Path:
    (folder / "adapter_model.safetensors").write_bytes(WEIGHTS)
    (folder / "manifest.json").write_text(json.dumps({"sha256": SHA256}))
    return folder


async def log_night(database: Database, folder: Path) -> None:
    adapters = Adapters(database)
    await adapters.register(name="night-1", folder=str(folder), base_model="base", sha256=SHA256, manifest={})
    await database.execute(
        b"""
        INSERT INTO runs (night, requested_by, window_from, window_to, state, finished_at, adapter, gate, counts)
        VALUES ('2026-11-20', 'schedule', now() - interval '1 day', now(), 'done', now(), 'night-1',
                '{"verdict": "promote"}',
                '{"reconciled": true, "votes": 1, "trained": 0, "held_out": 0, "fates": {"dropped:no_pair": 1}}')
        """
    )
    await database.execute(
        b"INSERT INTO feedback_fates (feedback_id, run_id, state, reason) "
        b"SELECT feedback.id, runs.id, 'dropped', 'no_pair' FROM feedback, runs"
    )
    await database.execute(
        b"INSERT INTO reports (run_id, language, markdown, html) "
        b"SELECT id, language, '', '' FROM runs, unnest('{en,ko}'::text[]) AS language"
    )
    await adapters.switch("night-1", by="nightbake", reason="better")


async def test_a_run_as_it_should_be_breaks_nothing(database: Database, seen: Seen) -> None:
    assert await find_violations(database, seen) == []


async def answer_twice(database: Database, seen: Seen) -> None:
    seen.questions[1].answers.append(NUMBER)


async def answer_another(database: Database, seen: Seen) -> None:
    seen.questions[1].answers = ["K000102"]


async def answer_nobody(database: Database, seen: Seen) -> None:
    seen.questions[1].answers = []


async def lose_the_question(database: Database, seen: Seen) -> None:
    seen.questions[2] = SeenQuestion("K000102", "teams", "post:a|1", "a", is_acknowledged=True)


async def leave_it_open(database: Database, seen: Seen) -> None:
    await database.execute(b"UPDATE inbox SET done_at = NULL, error = 'the lamp is broken'")


async def give_up_without_a_word(database: Database, seen: Seen) -> None:
    await database.execute(b"UPDATE inbox SET done_at = NULL, buried_at = now(), error = 'broken'")
    seen.questions[1].answers = []


async def lose_the_vote(database: Database, seen: Seen) -> None:
    seen.questions[1].votes["slack:T0HOME:UBOB"] = SeenVote(-1)


async def count_the_first_vote(database: Database, seen: Seen) -> None:
    seen.questions[1].votes[ANN] = SeenVote(-1, "It is 25 days.")


async def invent_a_vote(database: Database, seen: Seen) -> None:
    seen.questions[1].votes.clear()


async def serve_two(database: Database, seen: Seen) -> None:
    await database.execute(
        b"CREATE OR REPLACE VIEW adapter_states AS SELECT id, name, folder, base_model, sha256, manifest, created_at, "
        b"rejected_at, reason, 'active'::text AS state, audience, deleted_at FROM adapters"
    )
    await Adapters(database).register(name="night-0", folder="/n", base_model="base", sha256=SHA256, manifest={})
    await database.execute(b"UPDATE adapters SET deleted_at = now() WHERE name = 'night-0'")


async def serve_what_was_refused(database: Database, seen: Seen) -> None:
    await database.execute(b"""UPDATE runs SET gate = '{"verdict": "refuse"}'""")


async def lose_the_manifest(database: Database, seen: Seen) -> None:
    (await find_folder(database) / "manifest.json").unlink()


async def change_the_weights(database: Database, seen: Seen) -> None:
    (await find_folder(database) / "adapter_model.safetensors").write_bytes(b"other numbers")


async def find_folder(database: Database) -> Path:
    (row,) = await database.fetch_dicts(b"SELECT folder FROM adapters")
    return Path(row["folder"])


async def never_end(database: Database, seen: Seen) -> None:
    await database.execute(b"UPDATE runs SET state = 'running', finished_at = NULL")


async def report_once(database: Database, seen: Seen) -> None:
    await database.execute(b"DELETE FROM reports WHERE language = 'ko'")


async def miscount(database: Database, seen: Seen) -> None:
    await database.execute(b"""UPDATE runs SET counts = counts || '{"trained": 1}'""")


async def lose_a_fate(database: Database, seen: Seen) -> None:
    await database.execute(b"""UPDATE runs SET counts = counts || '{"fates": {}}'""")


async def work_twice(database: Database, seen: Seen) -> None:
    await database.execute(b"DROP INDEX runs_scheduled")
    await database.execute(
        b"INSERT INTO runs (night, requested_by, window_from, window_to, state, finished_at) "
        b"SELECT night, requested_by, window_from, window_to, state, finished_at FROM runs"
    )


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (answer_twice, f"question {NUMBER} (slack) has 2 answers and 0 apologies"),
        (answer_another, f"question {NUMBER} (slack) was answered with ['K000102']"),
        (answer_nobody, f"question {NUMBER} (slack) is done, and nobody saw an answer"),
        (lose_the_question, "question K000102 (teams) was acknowledged and is not stored"),
        (leave_it_open, "(question) is still open: the lamp is broken"),
        (give_up_without_a_word, f"question {NUMBER} (slack) is given up (broken) without an apology that names it"),
        (lose_the_vote, f"slack:T0HOME:UBOB said (-1, None) of {NUMBER}, (0, None) stands"),
        (count_the_first_vote, f"{ANN} said (-1, 'It is 25 days.') of {NUMBER}, (1, None) stands"),
        (invent_a_vote, f"{ANN} never said (1, None) of answer"),
        (serve_two, "night-0, night-1 are active for everyone at once"),
        (serve_what_was_refused, "serves night-1, which passed no gate"),
        (lose_the_manifest, "adapter night-1 is half of one"),
        (change_the_weights, "adapter night-1 holds other weights than its manifest and its row say"),
        (never_end, "never ended"),
        (report_once, "has 1 reports, expected one a language"),
        (miscount, "counts (1, 1, 0), its ledger (1, 0, 0)"),
        (lose_a_fate, "counts 1 votes and 0 fates"),
        (work_twice, "the night of 2026-11-20 was worked 2 times for everyone"),
    ],
)
async def test_a_broken_promise_is_told(database: Database, seen: Seen, wrong: Break, told: str) -> None:
    await wrong(database, seen)
    assert any(told in violation for violation in await find_violations(database, seen))
