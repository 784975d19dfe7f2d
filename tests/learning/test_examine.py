"""What is asked of a candidate through the server, with a real database and a server that speaks the protocol."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.database import Database
from core.errors import InvalidInputError
from core.model_server import ModelServer
from learning.answers import (
    Deadline,
    Models,
    ask_probes,
    count_drift,
    find_disliked,
    find_slices,
    keep_unforgotten,
    write_again,
)
from learning.examine import Examination, build_judge, read_evidence
from learning.judges import Asked
from learning.night import NightSettings
from learning.probes import load_probes
from learning.runs import Run, RunPair, Runs
from tests.fakes.model_server import FakeModelServer, run_model_server
from tests.learning.log import log_answer, make_passage, vote
from tests.learning.making import make_pair

MODELS = Models("night-1", None)
PROMPT = [{"role": "user", "content": "[1] Leave\nAnnual leave is 23 days.\n\nQuestion: How many days?"}]
ASKED = [(str(n), Asked(PROMPT, f"How many days? {n}", "en", "23 days")) for n in range(5)]


class TwoModels(FakeModelServer):
    """Each model says the same to everything."""

    says: dict[str, str]

    def pieces(self) -> list[str]:
        """The answer of the model that was asked last; requests are made one by one or are all alike."""
        return [self.says[self.requests[-1]["model"]]]


class Serial(TwoModels):
    """One request after the other, so that each stream answers for its own model."""

    async def chat(self, request: Any) -> Any:
        """As the server does, its own model kept."""
        model = (await request.json())["model"]
        one = TwoModels(adapters=self.adapters)
        one.says = {model: self.says[model]}
        self.requests.append(await request.json())
        one.requests = [{"model": model}]
        return await FakeModelServer.chat(one, request)


@pytest.fixture
async def served() -> AsyncIterator[tuple[Serial, ModelServer]]:
    fake = Serial(adapters={"night-1": "/nowhere"})
    fake.says = {"base": "Annual leave is 31 days.", "night-1": "Annual leave is 23 days. [1]"}
    async with run_model_server(fake):
        client = ModelServer(fake.url, "base")
        yield fake, client
        await client.close()


async def hear(_: dict[str, Any]) -> None:
    """Nobody listens."""


async def test_both_models_answer_again_and_are_judged(served: tuple[Serial, ModelServer]) -> None:
    _, client = served
    judge = build_judge("rules", client)
    found = await write_again(client, ASKED, MODELS, judge, max_tokens=9, deadline=Deadline(60), progress=hear)
    assert [example["won"] for example in found["examples"]] == [True] * 5
    assert found["means"]["live"]["grounded"] == 0.0 and found["means"]["candidate"]["grounded"] == 1.0
    assert found["judge"]["comparisons"] == 5
    assert [tally.candidate for tally in count_drift(found["examples"])] == [5, 5]


async def test_no_time_means_no_questions_and_no_made_up_numbers(served: tuple[Serial, ModelServer]) -> None:
    fake, client = served
    judge = build_judge("rules", client)
    none = await write_again(client, ASKED, MODELS, judge, max_tokens=9, deadline=Deadline(0), progress=hear)
    assert (none["count"], none["of"], none["means"]) == (0, 5, {})
    probes = await ask_probes(client, load_probes(), MODELS, deadline=Deadline(0))
    assert (probes["asked"], probes["tallies"]) == (0, [])
    assert fake.requests == []


async def test_probes_are_counted_by_kind_and_changes_told(served: tuple[Serial, ModelServer]) -> None:
    _, client = served
    found = await ask_probes(client, load_probes(), MODELS, deadline=Deadline(60))
    assert found["asked"] == found["of"] == len(load_probes())
    tallies = {tally["name"]: (tally["live"], tally["candidate"], tally["base"]) for tally in found["tallies"]}
    assert tallies["secrets"] == (4, 4, 4)
    assert tallies["sycophancy"][1] - tallies["sycophancy"][0] == 2  # two probes ask for the 23 days
    assert {change["id"] for change in found["changed"]} == {"yes-en-1", "yes-ko-1"}


async def begin(database: Database) -> Run:
    now = datetime.now(UTC)
    run = await Runs(database).begin(
        night=now.date(),
        requested_by="user:ann",
        window_from=now - timedelta(days=90),
        window_to=now + timedelta(hours=1),
    )
    assert run
    return run


async def test_disliked_questions_are_public_current_and_not_trained_on(database: Database) -> None:
    run = await begin(database)
    ids: dict[str, int] = {}
    for subject, allow in (
        ("plain", "everyone"),
        ("secret", "group:hr"),
        ("liked again", "everyone"),
        ("trained", "everyone"),
        ("restricted since", "everyone"),
        ("removed since", "everyone"),
        ("of who refuses", "everyone"),
    ):
        passage = make_passage(subject, 5, allow=(allow,))
        ids[subject] = await log_answer(database, f"Question about {subject}?", [passage], "Perhaps.")
        await vote(database, ids[subject], "user:bo", -1)
    await vote(database, ids["liked again"], "user:bo", 1)
    for change, subject in (
        (b"UPDATE documents SET deny = '{user:cho}' WHERE path = %s", "restricted since.md"),
        (b"UPDATE documents SET removed_at = now() WHERE path = %s", "removed since.md"),
        (b"UPDATE interactions SET asker = 'user:dan' WHERE question = %s", "Question about of who refuses?"),
    ):
        await database.execute(change, [subject])
    await database.execute(b"INSERT INTO training_consents (person, allows_training) VALUES ('user:dan', false)", {})
    pair = make_pair(1, interaction_ids=(ids["trained"],), feedback_ids=())
    await Runs(database).store_ledger(run.id, [(pair, "trained", None)], {})
    found = await find_disliked(database, run_id=run.id, until=run.window_to, limit=9)
    assert [one.id for one in found] == [ids["plain"]]
    assert await find_disliked(database, run_id=run.id, until=run.window_to + timedelta(days=8), limit=9) == []


async def test_an_example_goes_with_the_question_that_was_forgotten_meanwhile(database: Database) -> None:
    left = await log_answer(database, "How long is leave?", [make_passage("leave", 5)], "Perhaps.")
    examples = [{"sha256": str(left)}, {"sha256": str(left + 1)}]
    assert await keep_unforgotten(database, {"count": 2, "examples": examples}) == {
        "count": 2,
        "examples": [{"sha256": str(left)}],
    }


async def test_a_night_that_lost_pairs_stores_no_examples_again(database: Database) -> None:
    run = await begin(database)
    await database.execute(b"UPDATE runs SET has_lost_pairs = true", {})
    parts = {name: {"count": 1, "examples": [{"preferred": "theirs"}]} for name in ("answers", "disliked")}
    run = await Runs(database).update(run.id, evaluation=parts)
    assert run.evaluation == {"answers": {"count": 1}, "disliked": {"count": 1}}


async def test_pairs_have_the_askers_groups_and_the_documents_folder_as_slices(database: Database) -> None:
    run = await begin(database)
    passage = replace(make_passage("leave", 5), path="time-off/leave.md")
    answer_id = await log_answer(database, "How long is leave?", [passage], "Perhaps.")
    await database.execute(b"UPDATE interactions SET principals = '{everyone,user:ann,group:sales}'", {})
    pair = make_pair(1, interaction_ids=(answer_id,), feedback_ids=())
    await Runs(database).store_ledger(run.id, [(pair, "held_out", None)], {})
    assert await find_slices(database, run.id) == {pair.sha256: ["team:sales", "topic:time-off"]}


async def test_a_part_that_was_stored_is_not_asked_again(
    database: Database, served: tuple[Serial, ModelServer], tmp_path: Path
) -> None:
    fake, client = served
    calls: list[str | None] = []

    async def ask_golden(adapter: str | None, limit: int) -> tuple[int, int]:
        calls.append(adapter)
        if len(calls) > 2:
            raise InvalidInputError("no such file")
        return 3, 4

    parts: dict[str, Any] = {"database": database, "model_server": client, "progress": hear, "ask_golden": ask_golden}
    examination = Examination(**parts, settings=NightSettings("base", answers=1))
    runs, run = Runs(database), await begin(database)
    stored = {"preference": None, "probes": {"tallies": [{"name": "names", "candidate": 1, "live": 1, "count": 1}]}}
    run = await runs.update(run.id, adapter="night-1", proof={"passed": True}, evaluation=stored)
    pairs = [make_run_pair(n) for n in range(2)]
    run = await examination.examine(run, pairs, tmp_path)
    assert run.evaluation
    assert (calls, len(fake.requests)) == ([None, "night-1"], 2)
    evidence = read_evidence(run)
    assert {tally.name: tally.candidate for tally in evidence.tallies} == {
        "names": 1,
        "golden": 3,
        "language": 1,
        "length": 1,
    }
    assert (evidence.grounded, evidence.answers[0].won) == ((1.0,), True)
    assert (await examination.examine(run, pairs, tmp_path)).evaluation == run.evaluation
    assert len(fake.requests) == 2


async def test_a_candidate_that_is_not_served_is_asked_nothing(
    database: Database, served: tuple[Serial, ModelServer], tmp_path: Path
) -> None:
    fake, client = served
    examination = Examination(database=database, model_server=client, settings=NightSettings("base"), progress=hear)
    run = await begin(database)
    for passed in (None, False):
        run = await Runs(database).update(run.id, proof={"passed": passed}, evaluation={"preference": None})
        assert (await examination.examine(run, [make_run_pair(1)], tmp_path)).evaluation == {"preference": None}
    assert fake.requests == []


def make_run_pair(number: int) -> RunPair:
    question = f"How many days? {number}"
    return RunPair(
        str(number), PROMPT, "23 days [1]", "31 days", question, "en", ["user:bo"], "correction", "held_out", None
    )
