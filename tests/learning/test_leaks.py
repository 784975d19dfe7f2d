"""Secrets planted where not everyone may read them, or where nobody should: none is in a data set, export or report."""

import json
from datetime import timedelta
from typing import Any

from core.database import Database
from learning.collect import RESTRICTED, CollectSettings, collect
from learning.export import Form, export_feedback
from learning.report import write_reports
from learning.runs import RunPair, Runs
from learning.trainer import to_row
from tests.learning.log import log_answer, log_corrected_night, make_passage, vote
from tests.learning.making import NOON

# Each stands in the text of one document, question, answer or correction only.
SECRETS = ("falconproject", "71333", "82444", "93555", "900101-1234568", "hunter2x9", "kim@rival.co.kr", "64222")


async def plant(database: Database) -> None:
    """Every way that a secret has into the log, each liked and corrected so that pairs come of it."""
    board = make_passage("falconproject", 71333, allow=("group:board",))
    await judge(database, "Cost of falconproject?", [board], "71333 days.", "The company grants 71333 days.")
    # Beside a passage that everyone may read.
    mixed = [make_passage("parking", 3), make_passage("salaries", 82444, allow=("user:ceo",), at=2)]
    await judge(database, "Parking and pay?", mixed, "I believe it is 82444. [2]", "The company grants 82444 days. [2]")
    # Open when it was answered, closed since; and one that somebody was denied.
    closed = make_passage("layoffs", 93555)
    await judge(database, "How many layoffs?", [closed], "Perhaps 93555. [1]", "The company grants 93555 days. [1]")
    await database.execute(b"UPDATE documents SET allow = '{group:hr}' WHERE id = %s", [closed.document_id])
    denied = make_passage("lawsuit", 64222)
    await judge(
        database, "How many in the lawsuit?", [denied], "It is 64222. [1]", "The company grants 64222 days. [1]"
    )
    await database.execute(b"UPDATE documents SET deny = '{user:bo}' WHERE id = %s", [denied.document_id])
    # A correction with a fact that stands nowhere becomes a ticket, which the report quotes.
    ticket = make_passage("falconproject", 71333, allow=("group:board",))
    await judge(database, "Is falconproject late?", [ticket], "Perhaps.", "Falconproject will cost Zürich 93555 more.")
    # What people type themselves, into open questions.
    typed = "I am 900101-1234568, password: hunter2x9, kim@rival.co.kr: how long is the lunch break?"
    await judge(database, typed, [make_passage("lunch break", 45)], "No idea.", "The company grants 45 days.")
    about = "Ask kim@rival.co.kr, password: hunter2x9, about 12345 things of 900101-1234568."
    await judge(database, "Who knows of training?", [make_passage("training", 4)], "No idea.", about)


async def judge(database: Database, question: str, passages: list[Any], answer: str, correction: str) -> None:
    """A disliked answer with its correction, and a liked one to the same question."""
    await vote(database, await log_answer(database, question, passages, answer), "user:ann", -1, correction)
    disliked = await log_answer(database, question, passages, "I cannot say anything about that at all.")
    await vote(database, disliked, "user:bo", -1)
    await vote(database, await log_answer(database, question, passages, correction), "user:cho", 1)


async def run_night(database: Database) -> tuple[list[RunPair], int]:
    """A night without its training; the pairs that a training would read, and the run."""
    runs = Runs(database)
    rows = await database.fetch_dicts(b"SELECT now() + interval '1 second' AS until")
    window: dict[str, Any] = {"window_from": rows[0]["until"] - timedelta(days=1), "window_to": rows[0]["until"]}
    run = await runs.begin(night=NOON.date(), requested_by="test", **window)
    assert run
    made = await collect(database, runs, run, CollectSettings(max_pairs=999, seed=0))
    run = await runs.update(run.id, counts=made.counts, tickets=made.tickets)
    await write_reports(database, run, state="skipped", reason="too_few_pairs", error=None)
    return [pair for pair in await runs.find_pairs(run.id) if pair.state != "dropped"], run.id


async def test_no_data_set_no_export_and_no_report_holds_a_secret(database: Database) -> None:
    await plant(database)
    await log_corrected_night(database, 12)
    pairs, run_id = await run_night(database)
    trained = json.dumps([to_row(pair) for pair in pairs] + [pair.question for pair in pairs], ensure_ascii=False)
    forms: tuple[Form, ...] = ("preference", "prompt_completion", "kto")
    exports = {form: "\n".join([line async for line in export_feedback(database, form)]) for form in forms}
    reports = [await Runs(database).get_report(run_id, language) for language in ("en", "ko")]
    texts = {"trained": trained, **exports} | {one.language: one.markdown + one.html for one in reports}
    assert find_secrets(texts) == []
    # The rest is there: what was planted openly trains, with placeholders, and tickets are counted.
    assert "how long is the lunch break?" in trained
    assert trained.count("(resident number)") >= 1
    assert len(pairs) >= 12
    assert all(RESTRICTED in one.markdown for one in reports)


async def test_the_secrets_are_in_the_log_and_would_be_found(database: Database) -> None:
    await plant(database)
    rows = await database.fetch_dicts(b"SELECT messages::text || answer || question AS text FROM interactions")
    everything = " ".join(row["text"] for row in rows)
    assert {secret for _, secret in find_secrets({"log": everything})} == set(SECRETS)
    inside = "".join([line async for line in export_feedback(database, "kto", public_only=False)])
    assert {"71333", "82444", "93555", "64222"} <= {secret for _, secret in find_secrets({"export": inside})}


def find_secrets(texts: dict[str, str]) -> list[tuple[str, str]]:
    """Where which secret stands."""
    return [(name, secret) for name, text in texts.items() for secret in SECRETS if secret in text.casefold()]
