"""From a log with every kind of vote to pairs, with every vote accounted for."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.database import Database
from core.feedback import FeedbackLog
from core.model_server import ModelServer
from core.records import Feedback
from learning.collect import Collected, CollectSettings, collect
from learning.night import NightSettings
from learning.regenerate import Sampler
from learning.rehearse import rehearse
from learning.runs import Run, Runs
from tests.fakes.model_server import FakeModelServer, run_model_server
from tests.learning.library import add_passage
from tests.learning.log import log_answer, log_corrected_night, make_passage, vote

SETTINGS = CollectSettings(max_pairs=100, seed=0)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def begin(database: Database) -> Run:
    now = datetime.now(UTC)
    run = await Runs(database).begin(night=now.date(), requested_by="test", window_from=LONG_AGO, window_to=now)
    assert run
    return run


async def run_collect(database: Database, run: Run | None = None, **changes: Any) -> Collected:
    sampler = changes.pop("sampler", None)
    run = run or await begin(database)
    return await collect(database, Runs(database), run, replace(SETTINGS, **changes), sampler=sampler)


async def find_fates(database: Database) -> Counter[tuple[str, str | None]]:
    rows = await database.fetch_dicts(b"SELECT state, reason FROM feedback_fates ORDER BY feedback_id")
    return Counter((row["state"], row["reason"]) for row in rows)


async def log_every_kind(database: Database) -> None:
    """Eleven votes: two on a pair, one more that was replaced, and one for each other fate."""
    feedback = FeedbackLog(database)
    wordy = await log_answer(database, "Parking?", [make_passage("parking", 3)], "It may depend.")
    await vote(database, wordy, "user:ann", 1)
    await vote(database, wordy, "user:ann", -1, "The company grants 3 days.")
    await vote(database, wordy, "user:bo", -1)
    alone = await log_answer(database, "Lunch?", [make_passage("lunch", 4)], "4 days. [1]")
    await vote(database, alone, "user:bo", 1)
    secret = await log_answer(database, "Pay?", [make_passage("pay", 5, allow=("group:board",))], "5 days. [1]")
    await vote(database, secret, "user:bo", 1)
    disputed = await log_answer(database, "Bike?", [make_passage("bike", 6)], "6 days. [1]")
    await vote(database, disputed, "user:ann", 1)
    await vote(database, disputed, "user:bo", -1)
    taken_back = await log_answer(database, "Gym?", [make_passage("gym", 7)], "7 days. [1]")
    await vote(database, taken_back, "user:ann", 0)
    _, chunk_id = await add_passage(database, "interns", "Interns have 11 days of leave.")
    missed = await log_answer(database, "Interns?", [make_passage("leave", 23)], "23 days. [1]")
    await feedback.record(Feedback(missed, "user:cho", -1, "web", right_chunk_id=chunk_id))
    unknown = await log_answer(database, "Visitors?", [make_passage("visits", 2)], "2 days. [1]")
    await vote(database, unknown, "user:cho", -1, "Visitors get 99 minutes.")
    stopped = await log_answer(database, "Stop?", [make_passage("stop", 2)], "2", mode="stopped")
    await vote(database, stopped, "user:cho", -1)


async def test_every_vote_has_one_fate_and_the_sums_agree(database: Database) -> None:
    await log_every_kind(database)
    collected = await run_collect(database)
    counts = collected.counts
    fates = await find_fates(database)
    used = {state for state, _ in fates} & {"trained", "held_out"}
    assert len(used) == 1
    assert fates == Counter(
        {
            (used.pop(), None): 2,
            ("dropped", "superseded"): 1,
            ("evaluation", "unpaired"): 1,
            ("dropped", "restricted_documents"): 1,
            ("dropped", "disagreement"): 2,
            ("dropped", "withdrawn"): 1,
            ("retrieval", "right_source"): 1,
            ("ticket", "missing"): 1,
            ("dropped", "no_answer"): 1,
        }
    )
    assert (counts["votes"], sum(counts["fates"].values()), counts["reconciled"]) == (11, 11, True)
    assert [(ticket["kind"], ticket["missing"]) for ticket in collected.tickets] == [("missing", ["99"])]


async def test_what_is_no_pair_is_where_others_find_it(database: Database) -> None:
    await log_every_kind(database)
    run = await begin(database)
    await run_collect(database, run)
    queries = await database.fetch_dicts(b"SELECT question, value, evidence FROM judged_queries")
    assert queries == [{"question": "Interns?", "value": 1, "evidence": "right_source"}]
    singles = await database.fetch_dicts(b"SELECT is_liked, use FROM run_singles")
    assert singles == [{"is_liked": True, "use": "evaluation"}]


async def test_single_votes_are_for_training_where_they_outnumber_pairs_three_to_one(database: Database) -> None:
    for number in range(3):
        answer = await log_answer(database, f"Lunch {number}?", [make_passage("lunch", 4)], "4 days. [1]")
        await vote(database, answer, "user:bo", 1)
    assert (await run_collect(database)).counts["singles"] == {"count": 3, "use": "kto", "trained": 0}
    await log_corrected_night(database, 2)
    assert (await run_collect(database)).counts["singles"]["use"] == "evaluation"


async def test_the_same_window_gives_the_same_ledger(database: Database) -> None:
    await log_every_kind(database)
    await log_corrected_night(database, 8)
    run = await begin(database)
    first = await run_collect(database, run)
    pairs = await Runs(database).find_pairs(run.id)
    assert (await run_collect(database, run), await Runs(database).find_pairs(run.id)) == (first, pairs)


async def test_a_vote_that_is_taken_back_leaves_nothing_in_the_next_night(database: Database) -> None:
    await log_corrected_night(database, 1)
    before = await run_collect(database)
    (answer,) = await database.fetch_dicts(b"SELECT id FROM interactions")
    await vote(database, answer["id"], "user:ann", 0)
    after = await run_collect(database)
    assert [one.counts["pairs"] for one in (before, after)] == [1, 0]


async def test_voters_are_pseudonyms_in_the_ledger(database: Database) -> None:
    await log_corrected_night(database, 1)
    await run_collect(database)
    rows = await database.fetch_dicts(b"SELECT voters, name_voter('user:ann') AS ann FROM pairs")
    assert rows[0]["voters"] == [rows[0]["ann"]] and rows[0]["ann"].startswith("voter-")


async def test_a_reviewer_s_word_counts_from_the_next_collection_on(database: Database) -> None:
    await log_corrected_night(database, 3)
    await run_collect(database)
    ids = [row["id"] for row in await database.fetch_dicts(b"SELECT id FROM pairs ORDER BY id")]
    review = b"INSERT INTO pair_reviews (pair_id, verdict, chosen, reviewer) VALUES (%s, %s, %s, 'console')"
    await database.execute(review, (ids[0], "reject", None))
    await database.execute(review, (ids[1], "edit", "Ask your team lead first."))
    await database.execute(review, (ids[2], "approve", None))
    run = await begin(database)
    counts = (await run_collect(database, run, review_share=1.0)).counts
    pairs = await Runs(database).find_pairs(run.id)
    assert counts["dropped_pairs"] == {"rejected_by_reviewer": 1}
    assert "Ask your team lead first." in [pair.chosen for pair in pairs if pair.state != "dropped"]


async def test_pairs_wait_for_a_person_where_the_setting_says_so(database: Database) -> None:
    await log_corrected_night(database, 3)
    counts = (await run_collect(database, review_share=1.0)).counts
    assert (counts["pairs"], counts["awaiting_review"]) == (0, 3)


@pytest.mark.parametrize(
    ("said", "made"),
    [("The company grants 3 days. [1]", 1), ("The company grants 4 days. [1]", 0), ("The documents do not say.", 0)],
)
async def test_a_regenerated_answer_is_chosen_only_where_its_passages_carry_it(
    database: Database, said: str, made: int
) -> None:
    answer = await log_answer(database, "Parking?", [make_passage("parking", 3)], "It may depend.")
    await vote(database, answer, "user:ann", -1)
    async with run_model_server(FakeModelServer(answer=said)) as fake:
        client = ModelServer(fake.url, fake.model)
        sampler = Sampler(client, None, answers=2)
        run = await begin(database)
        collected = [await run_collect(database, run, sampler=sampler) for _ in range(2)]
        await client.close()
    assert [one.counts["origins"] for one in collected] == [{"regenerated": made} if made else {}] * 2
    stored = await database.fetch_dicts(b"SELECT messages FROM interactions")
    assert [body["messages"] for body in fake.requests] == [stored[0]["messages"]] * 2, "asked twice, not four times"


async def test_without_a_model_server_nothing_is_regenerated_and_nothing_fails(database: Database) -> None:
    answer = await log_answer(database, "Parking?", [make_passage("parking", 3)], "It may depend.")
    await vote(database, answer, "user:ann", -1)
    client = ModelServer("http://127.0.0.1:9", "base")
    counts = (await run_collect(database, sampler=Sampler(client, None))).counts
    await client.close()
    assert counts["fates"] == {"evaluation:unpaired": 1}


async def test_a_rehearsal_is_no_night_and_only_the_last_is_kept(database: Database) -> None:
    await log_corrected_night(database, 2)
    runs, settings = Runs(database), NightSettings("base")
    for _ in range(2):
        run = await rehearse(database=database, model_server=None, settings=settings, requested_by="test")
    kept = await database.fetch_dicts(b"SELECT id FROM runs")
    assert ([row["id"] for row in kept], run.counts["pairs"], run.state) == ([run.id], 2, "done")
    assert (await runs.has_night(run.night), await runs.find_latest(), await runs.resume()) == (False, [], None)
    assert len(await find_fates(database)) > 0


async def test_a_single_vote_on_a_document_that_is_closed_today_is_not_offered(database: Database) -> None:
    document_id, _ = await add_passage(database, "Lunch", "For lunch the company grants 4 days.")
    ids = []
    for asked in ("Lunch?", "Bike?"):
        shown = replace(make_passage("lunch", 4), document_id=document_id if asked == "Lunch?" else 999_999)
        ids.append(await log_answer(database, asked, [shown], "4 days. [1]"))
        await vote(database, ids[-1], "user:bo", 1)
    await database.execute(b"UPDATE documents SET allow = '{group:board}' WHERE id = %s", [document_id])
    await run_collect(database)
    singles = await database.fetch_dicts(b"SELECT interaction_id FROM run_singles")
    assert [row["interaction_id"] for row in singles] == [ids[1]]
    assert (await find_fates(database))["dropped", "restricted_documents"] == 1
