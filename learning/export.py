"""The feedback as JSON Lines in TRL's data-set formats, streamed from the log."""

import json
from collections.abc import AsyncGenerator, Iterator
from datetime import datetime
from typing import Any, Literal

from psycopg.rows import dict_row

from core.database import Database
from core.prompt import Message
from core.sql import load_queries
from learning.curate import merge_equal
from learning.labels import ANSWERED_MODES, Answer, Judgement, VoteRow, combine_votes
from learning.pairs import Pair, build_pairs
from learning.permission import lets_everyone_in
from learning.private_data import redact, redact_messages, redact_pair

QUERIES = load_queries(__file__)
ROWS_A_FETCH = 500

Form = Literal["preference", "prompt_completion", "kto"]


async def export_feedback(database: Database, form: Form, *, public_only: bool = True) -> AsyncGenerator[str]:
    """One JSON object a line, without line ends.

    `preference`: prompt, chosen, rejected. `prompt_completion`: liked answers and supported corrections. `kto`:
    prompt, completion and a boolean label for every judgement, paired or not. Personal data are placeholders.

    Rows come through a server-side cursor. The pairing forms keep judgements in memory, since the other side of
    a pair may be the last row of the log; `kto` keeps nothing.

    Args:
        public_only: leave out what was answered from documents that not everyone may read.
    """
    held: list[Judgement] = []
    async for judgement in _stream_judgements(database, public_only=public_only):
        if public_only and not _is_public(judgement.answer):
            continue
        if form != "kto":
            held.append(judgement)
        else:
            yield _to_line(_judged_row(judgement))
    for row in _paired_rows(held, form):
        yield _to_line(row)


async def _stream_judgements(database: Database, *, public_only: bool) -> AsyncGenerator[Judgement]:
    async with (
        database.transaction() as connection,
        connection.cursor(name="export_feedback", row_factory=dict_row) as cursor,
    ):
        cursor.itersize = ROWS_A_FETCH
        await cursor.execute(QUERIES["find_judged"], {"public_only": public_only})
        async for row in cursor:
            votes = [_read_vote(vote) for vote in row.pop("votes") or []]
            answer = Answer(**row)
            if not votes or answer.mode not in ANSWERED_MODES:
                continue
            judgement, _ = combine_votes(answer, votes)
            if judgement:
                yield judgement


def _paired_rows(judgements: list[Judgement], form: Form) -> Iterator[dict[str, Any]]:
    pairs = [redact_pair(pair) for pair in build_pairs(judgements).pairs]
    if form == "preference":
        yield from (_preference_row(pair) for pair in merge_equal(pairs))
        return
    for pair in pairs:
        if pair.origin == "correction":
            yield {"prompt": pair.prompt, "completion": _say(pair.chosen)}
    for judgement in judgements:
        if judgement.value > 0:
            row = _judged_row(judgement)
            yield {"prompt": row["prompt"], "completion": row["completion"]}


def _preference_row(pair: Pair) -> dict[str, Any]:
    return {"prompt": pair.prompt, "chosen": _say(pair.chosen), "rejected": _say(pair.rejected)}


def _judged_row(judgement: Judgement) -> dict[str, Any]:
    answer = judgement.answer
    prompt = redact_messages(answer.messages or [])
    return {"prompt": prompt, "completion": _say(redact(answer.answer or "")), "label": judgement.value > 0}


def _say(text: str) -> list[Message]:
    return [{"role": "assistant", "content": text}]


def _to_line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)


def _read_vote(vote: dict[str, Any]) -> VoteRow:
    values: dict[str, Any] = vote | {"given_at": datetime.fromisoformat(vote["given_at"])}
    return VoteRow(**values)


def _is_public(answer: Answer) -> bool:
    return all(lets_everyone_in(allow) for allow in answer.access)
