"""Writes a believable log: questions answered from passages, with votes and corrections by several people."""

from dataclasses import replace

from core.database import Database
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.prompt import PromptPassage, build_messages
from core.records import Feedback, Mode, Outcome, Passage, Question, Vote

STORE_DOCUMENT = b"""INSERT INTO documents (id, source, path, title, format, language, sha256, recipe, allow, deny)
OVERRIDING SYSTEM VALUE VALUES (%(id)s, 'made', %(path)s, %(title)s, 'md', 'en', '', '', %(allow)s, '{}')
ON CONFLICT DO NOTHING"""
SUBJECTS = (
    "annual leave", "sick leave", "parking", "travel cost", "phone budget", "training", "overtime", "lunch break",
    "home office", "notice period", "probation", "badge deposit", "laptop lease", "meeting rooms", "bike lease",
    "moving day", "language course", "jubilee", "parental leave", "first aid",
)  # fmt: skip
PEOPLE = tuple(f"user:{name}" for name in ("ann", "bo", "cho", "dan", "eun", "fay", "gil", "han"))


def make_passage(subject: str, number: int, *, allow: tuple[str, ...] = ("everyone",), at: int = 1) -> Passage:
    text = f"For {subject} the company grants {number} days. Ask your team lead first."
    chunk = sum(map(ord, subject))
    return Passage(
        at, chunk, chunk, 1, f"Rules for {subject}", "", f"{subject}.md", None, 0, len(text), text, "en",
        0.9, 0.9, 0.9, list(allow),
    )  # fmt: skip


async def log_answer(
    database: Database,
    question: str,
    passages: list[Passage],
    answer: str,
    *,
    mode: Mode = "generated",
    mode_reason: str | None = None,
    generated: str | None = None,
) -> int:
    """One finished interaction; its id. The passages' documents are stored too, as they are shown."""
    for passage in passages:
        values = {"id": passage.document_id, "path": passage.path, "title": passage.title, "allow": passage.allow}
        await database.execute(STORE_DOCUMENT, values)
    interactions = Interactions(database)
    begun = await interactions.begin(Question("web", "web:c", "user:ann", ["everyone"], question, "en"))
    shown = [PromptPassage(passage.title, passage.heading_path, passage.text) for passage in passages]
    outcome = Outcome(begun.id, answer, mode, messages=build_messages(question, shown), passages=passages)
    await interactions.finish(replace(outcome, mode_reason=mode_reason, generated=generated or answer))
    return begun.id


async def vote(
    database: Database, interaction_id: int, person: str, value: Vote, correction: str | None = None
) -> None:
    """One judgement."""
    await FeedbackLog(database).record(Feedback(interaction_id, person, value, "web", correction))


async def log_corrected_night(database: Database, count: int) -> None:
    """`count` wordy answers about different things, each corrected by one person to the short form with its number."""
    for at in range(count):
        subject = f"{SUBJECTS[at % len(SUBJECTS)]} level {at // len(SUBJECTS) + 1}"
        days = 11 + at
        passage = make_passage(subject, days)
        answer = "I believe that this may depend on many different things, perhaps."
        answer_id = await log_answer(database, f"How many days for {subject}?", [passage], answer)
        await vote(database, answer_id, PEOPLE[at % len(PEOPLE)], -1, f"The company grants {days} days.")


async def log_run(database: Database) -> int:
    """A night that is at work; its id."""
    rows = await database.fetch_dicts(
        b"INSERT INTO runs (night, requested_by, window_from, window_to) "
        b"VALUES (now()::date, 'test', now() - interval '1 day', now()) RETURNING id"
    )
    return rows[0]["id"]
