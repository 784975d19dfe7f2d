"""Short ways to write answers, votes and pairs for tests of pure functions."""

from datetime import UTC, datetime, timedelta
from typing import Any

from core.records import Vote
from learning.labels import Answer, Judgement, VoteRow, combine_votes
from learning.pair_sources import PairSource
from learning.pairs import Pair

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def make_answer(number: int, text: str, **changes: Any) -> Answer:
    passage = {
        "number": 1, "chunk_id": 7, "title": "Leave", "heading_path": "", "text": "Annual leave is 23 days a year.",
        "allow": ["everyone"],
    }  # fmt: skip
    values: dict[str, Any] = {
        "question": "How many days of leave?",
        "language": "en",
        "messages": [{"role": "user", "content": "[1] Leave\nAnnual leave is 23 days a year.\n\nQuestion: How many?"}],
        "passages": [passage],
        "answer": text,
        "generated": text,
        "mode": "generated",
    }
    return Answer(number, **(values | changes))


def make_vote(number: int, answer: int, person: str, value: Vote, correction: str | None = None) -> VoteRow:
    return VoteRow(number, answer, person, value, correction, NOON + timedelta(minutes=number), True)


def judge(answer: Answer, *votes: VoteRow) -> Judgement:
    judgement, _ = combine_votes(answer, votes)
    assert judgement
    return judgement


def make_pair(number: int, **changes: Any) -> Pair:
    values: dict[str, Any] = {
        "prompt": [{"role": "user", "content": f"question {number}"}],
        "chosen": f"{number} apples are on the {number} tables of room {number}",
        "rejected": f"nobody can say what lies in {number}",
        "origin": "correction",
        "question": f"What lies in room {number}?",
        "language": "en",
        "interaction_ids": (number,),
        "feedback_ids": (number,),
        "voters": (f"user:{number}",),
        "access": (("everyone",),),
        "weight": 0.6,
        "given_at": NOON + timedelta(minutes=number),
    }
    return Pair(**(values | changes))


def make_source(interaction_id: int, **changes: Any) -> PairSource:
    values: dict[str, Any] = {
        "number": 1, "chunk_id": 7, "document_id": 3, "state": "same", "allow": ["everyone"], "deny": [],
    }  # fmt: skip
    return PairSource(interaction_id, **(values | changes))
