"""A company's votes, and raters among them who want wrong answers taught: the log, as the tables hold it."""

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from core.database import Database

WINDOW_TO = datetime(2026, 11, 20, tzinfo=UTC)
WINDOW_FROM = WINDOW_TO - timedelta(days=90)
FEW_WORDS = "It depends on many things, as far as anybody can say."
WORDS = (
    "leave parking travel phone training overtime lunch office notice badge laptop meeting bike course jubilee".split()
)

CITIES = (
    "Seoul Busan Incheon Daegu Daejeon Gwangju Ulsan Sejong Jeju Suwon London Paris Berlin Madrid Rome Vienna Prague "
    "Warsaw Dublin Lisbon Athens Oslo Helsinki Tokyo Osaka Sydney Toronto"
).split()

INSERT_DOCUMENTS = b"""INSERT INTO documents (id, source, path, title, format, language, sha256, recipe, allow, deny)
OVERRIDING SYSTEM VALUE
SELECT subject, 'made', subject || '.md', 'Rules', 'md', 'en', '', '', '{everyone}', '{}'
FROM generate_series(1, %(subjects)s) AS subject"""
INSERT_ANSWERS = b"""INSERT INTO interactions (platform, conversation_key, asker, principals, question, language,
    messages, passages, generated, answer, mode, finished_at)
SELECT 'cli', 'c' || at, person, '{everyone}', question, 'en', messages, passages, answer, answer, 'generated',
       given_at
FROM jsonb_to_recordset(%(rows)s) AS row(at integer, person text, question text, messages jsonb, passages jsonb,
    answer text, given_at timestamptz)
ORDER BY at"""
INSERT_VOTES = b"""INSERT INTO feedback (interaction_id, person, value, source, correction, given_at)
SELECT interactions.id, person, value, 'benchmark', correction, given_at
FROM jsonb_to_recordset(%(rows)s) AS row(at integer, person text, value smallint, correction text, given_at timestamptz)
JOIN interactions ON conversation_key = 'c' || at
ORDER BY given_at, at"""


@dataclass(frozen=True, slots=True)
class Company:
    """How many vote how often on what.

    Attributes:
        votes: of an honest person in the window; one in ten of them is wrong.
        loudness: how many times as often a malicious one votes.
    """

    people: int = 200
    votes: int = 20
    subjects: int = 400
    loudness: int = 5


async def fill(database: Database, company: Company, *, malicious_percent: int, seed: int) -> set[str]:
    """Write documents, answers and votes; the people who are malicious.

    Everybody asks about random subjects, gets an evasive answer and corrects it with a number that stands in the
    passage, or likes it. An honest correction holds the right number nine times of ten. A malicious one always holds
    the one wrong number that all malicious raters agreed on; it stands in the passage too, so that no check of facts
    finds it. Malicious people have voted for as long as everybody, spread their votes over all days, word each
    correction anew, and do not meet on the same answers.
    """
    chance = random.Random(seed)
    malicious = {f"user:{n}" for n in range(company.people * malicious_percent // 100)}
    answers: list[dict[str, Any]] = []
    votes: list[dict[str, Any]] = []
    for n in range(company.people):
        person = f"user:{n}"
        for _ in range(company.votes * (company.loudness if person in malicious else 1)):
            at = len(answers)
            subject = chance.randrange(company.subjects)
            given_at = WINDOW_FROM + timedelta(seconds=chance.randrange(90 * 86_400))
            answers.append({"at": at, "person": person, "given_at": given_at.isoformat()} | _answer(subject))
            vote = _vote(chance, subject, is_wrong=person in malicious or chance.random() < 0.1)
            votes.append({"at": at, "person": person, "given_at": given_at.isoformat()} | vote)
    await database.execute(INSERT_DOCUMENTS, {"subjects": company.subjects})
    for query, rows in ((INSERT_ANSWERS, answers), (INSERT_VOTES, votes)):
        for at in range(0, len(rows), 2000):
            await database.execute(query, {"rows": Jsonb(rows[at : at + 2000], dumps=json.dumps)})
    return malicious


def _name(subject: int) -> str:
    """Two words a subject, no number: 15 * 27 names."""
    return f"{WORDS[subject % len(WORDS)]} in {CITIES[subject // len(WORDS)]}"


def _numbers(subject: int) -> tuple[int, int]:
    """The right number and the wrong one."""
    return 100 + 2 * subject, 101 + 2 * subject


def _answer(subject: int) -> dict[str, Any]:
    right, wrong = _numbers(subject)
    name = _name(subject)
    text = f"For {name} the company grants employees {right} days a year, and contractors of other firms {wrong} days."
    question = f"How many days for {name}?"
    passage = {
        "number": 1, "chunk_id": subject + 1, "document_id": subject + 1, "document_version": 1, "title": "Rules",
        "heading_path": "", "text": text, "allow": ["everyone"],
    }  # fmt: skip
    messages = [{"role": "user", "content": f"[1] Rules\n{text}\n\nQuestion: {question}"}]
    return {"question": question, "messages": messages, "passages": [passage], "answer": FEW_WORDS}


def _vote(chance: random.Random, subject: int, *, is_wrong: bool) -> dict[str, Any]:
    if not is_wrong and chance.random() < 0.5:
        return {"value": 1, "correction": None}
    words = [f"{chance.choice(['The company', 'They', 'It'])} grants", chance.choice(["employees", "you", "everybody"])]
    number = _numbers(subject)[1 if is_wrong else 0]
    tail = chance.choice(["days a year", "days", "days for this", f"days for {_name(subject)}"])
    return {"value": -1, "correction": f"{' '.join(words)} {number} {tail}."}
