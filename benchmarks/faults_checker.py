"""What must hold after every run, whatever broke: read from the database, the adapters' folder and what people saw."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.faults_seen import ASKER, Seen, SeenQuestion
from core.database import Database
from core.sql import load_queries
from core.weights import WEIGHTS, hash_file
from learning.nightly import ACTOR
from learning.trainer import read_manifest

QUERIES = load_queries(__file__)


async def find_violations(database: Database, seen: Seen) -> list[str]:
    """Every broken promise in words; none for a run as it should be.

    - An acknowledged question has exactly one final answer, about itself, or one apology with its id.
    - An acknowledged vote stands, once, and no other one does.
    - Each audience is served by one adapter at most, which a gate let through or a person chose, and which is whole.
    - A night ends, once a date, with a report in each language, and its sums are those of its ledger.
    """
    found = await database.fetch_dicts(QUERIES["find_questions"])
    return [
        *[
            f"event {row['id']} ({row['kind']}) is still open: {row['error']}"
            for row in await _fetch(database, "find_open")
        ],
        *_check_questions(found, seen),
        *_check_votes(found, await database.fetch_dicts(QUERIES["find_votes"]), seen),
        *[f"{row['event_key']} counts {row['rows']} times" for row in await _fetch(database, "find_repeated_votes")],
        *[
            f"{', '.join(row['names'])} are {row['state']} for {row['audience']} at once"
            for row in await _fetch(database, "find_served")
        ],
        *[
            f"switch {row['id']} serves {row['name']}, which passed no gate"
            for row in await database.fetch_dicts(QUERIES["find_unproven"], {"machine": ACTOR})
        ],
        *_check_adapters(await _fetch(database, "find_adapters")),
        *_check_runs(await _fetch(database, "find_runs")),
    ]


async def _fetch(database: Database, query: str) -> list[dict[str, Any]]:
    return await database.fetch_dicts(QUERIES[query])


def _find_row(rows: list[dict[str, Any]], question: SeenQuestion) -> dict[str, Any] | None:
    for row in rows:
        named = f"id:{row['inbox_id']}" if question.platform == "web" else row["event_key"]
        if (row["platform"], named) == (question.platform, question.event_key):
            return row
    return None


def _check_questions(rows: list[dict[str, Any]], seen: Seen) -> Iterator[str]:
    for question in seen.questions.values():
        row, name = _find_row(rows, question), f"question {question.number} ({question.platform})"
        if any(number != question.number for number in question.answers):
            yield f"{name} was answered with {question.answers}"
        if len(question.answers) + len(question.apologies) > 1:
            yield f"{name} has {len(question.answers)} answers and {len(question.apologies)} apologies"
        if row is None:
            if question.is_acknowledged:
                yield f"{name} was acknowledged and is not stored"
            continue
        if not question.is_acknowledged:
            continue
        if row["interactions"] > 1:
            yield f"{name} was answered {row['interactions']} times in the log"
        if row["is_done"] and not (question.answers and row["finished"] and row["mode"] != "failed"):
            yield f"{name} is done, and nobody saw an answer"
        if row["is_buried"] and not any(_names(apology, row) for apology in question.apologies):
            yield f"{name} is given up ({row['error']}) without an apology that names it"


def _names(apology: str, row: dict[str, Any]) -> bool:
    return any(number in apology.split() for number in (str(row["interaction_id"]), f"i{row['inbox_id']}")) or (
        apology in (str(row["interaction_id"]), f"i{row['inbox_id']}")
    )


def _check_votes(rows: list[dict[str, Any]], votes: list[dict[str, Any]], seen: Seen) -> Iterator[str]:
    standing = {(vote["interaction_id"], vote["person"]): (vote["value"], vote["words"]) for vote in votes}
    for question in seen.questions.values():
        row = _find_row(rows, question)
        if row is None:
            continue
        for voter, vote in question.votes.items():
            person = row["asker"] if voter == ASKER else voter
            stands = standing.pop((row["interaction_id"], person), (0, None))
            if vote.is_certain and stands != (vote.value, vote.words):
                yield f"{person} said {(vote.value, vote.words)} of {question.number}, {stands} stands"
    for (interaction_id, person), stands in standing.items():
        yield f"{person} never said {stands} of answer {interaction_id}"


def _check_adapters(adapters: list[dict[str, Any]]) -> Iterator[str]:
    for adapter in adapters:
        folder = Path(adapter["folder"])
        manifest = read_manifest(folder)
        weights = folder / WEIGHTS
        if manifest is None or not weights.exists():
            yield f"adapter {adapter['name']} is half of one: {sorted(path.name for path in folder.glob('*'))}"
        elif not manifest["sha256"] == adapter["sha256"] == hash_file(weights):
            yield f"adapter {adapter['name']} holds other weights than its manifest and its row say"


def _check_runs(runs: list[dict[str, Any]]) -> Iterator[str]:
    nights = [(run["night"], run["audience"]) for run in runs if run["requested_by"] == "schedule"]
    for night in {night for night in nights if nights.count(night) > 1}:
        yield f"the night of {night[0]} was worked {nights.count(night)} times for {night[1]}"
    for run in runs:
        name, counts = f"night {run['id']}", run["counts"]
        if run["state"] == "running":
            yield f"{name} never ended"
            continue
        if run["reports"] != 2:
            yield f"{name} has {run['reports']} reports, expected one a language"
        if not counts.get("reconciled"):
            continue
        ledger = (run["fates"], run["trained"], run["held_out"])
        if ledger != (counts["votes"], counts["trained"], counts["held_out"]):
            counted = tuple(counts[key] for key in ("votes", "trained", "held_out"))
            yield f"{name} counts {counted}, its ledger {ledger}"
        if sum(counts["fates"].values()) != counts["votes"]:
            yield f"{name} counts {counts['votes']} votes and {sum(counts['fates'].values())} fates"
