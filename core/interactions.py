"""The log that becomes the training set: an interaction begins before it is answered and is finished once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.database import Database
from core.errors import NotFoundError
from core.group_commit import GroupCommit, to_json_rows
from core.prompt import Message
from core.records import Begun, Outcome, Question
from core.sql import load_queries
from core.text import clean_text

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One question with its answer, as stored; unanswered while `finished_at` is None."""

    id: int
    inbox_id: int | None
    platform: str
    conversation_key: str
    asker: str
    principals: list[str]
    question: str
    language: str
    adapter: str | None
    began_at: datetime
    reply_key: str | None
    standalone_question: str | None
    search_notice: str | None
    model: str | None
    messages: list[Message] | None
    passages: list[dict[str, Any]] | None
    generated: str | None
    answer: str | None
    mode: str | None
    mode_reason: str | None
    citations: list[int] | None
    prompt_tokens: int | None
    completion_tokens: int | None
    first_token_seconds: float | None
    answer_seconds: float | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier exchange of a conversation, for understanding a follow-up."""

    question: str
    standalone_question: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class _Stored:
    id: int


class Interactions:
    """Begin, finish and find interactions; writes share commits, and every method returns after its commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._begin = GroupCommit[Question, Begun](self._write_begin)
        self._finish = GroupCommit[Outcome, bool](self._write_finish)

    async def begin(self, question: Question) -> Begun:
        """Store a question and choose its adapter; the same inbox row again returns the interaction it has.

        A question without an inbox row has no key: where the server is lost between the commit and its answer, the
        question is stored a second time. The caller gets the second id; the first stays unfinished for ever.
        """
        return await self._begin.submit(question)

    async def finish(self, outcome: Outcome) -> None:
        """Store an answer with everything needed to say it again.

        Raises:
            NotFoundError: no interaction has this id.
        """
        if not await self._finish.submit(outcome):
            raise NotFoundError(f"no answer with the id {outcome.interaction_id}")

    async def set_reply_key(self, interaction_id: int, reply_key: str) -> None:
        """Replace the platform's id of the reply, where its message is gone."""
        await self._database.execute(QUERIES["set_reply_key"], {"id": interaction_id, "reply_key": reply_key})

    async def keep_reply_key(self, interaction_id: int, reply_key: str) -> str:
        """Store the id of a reply that was just opened, unless another worker was first; the id that is kept."""
        values = {"id": interaction_id, "reply_key": reply_key}
        return (await self._database.fetch_dicts(QUERIES["keep_reply_key"], values))[0]["reply_key"]

    async def add_reply_part(self, interaction_id: int, reply_key: str) -> None:
        """Store the platform's id of a further message of the reply, so that votes on it count too."""
        await self._database.execute(QUERIES["add_reply_part"], {"id": interaction_id, "reply_key": reply_key})

    async def find_reply_parts(self, interaction_id: int) -> list[str]:
        """Keys of an answer's further messages."""
        rows = await self._database.fetch_dicts(QUERIES["find_reply_parts"], {"id": interaction_id})
        return [row["reply_key"] for row in rows]

    async def get(self, interaction_id: int) -> Interaction:
        """One interaction.

        Raises:
            NotFoundError: no interaction has this id.
        """
        found = await self._database.fetch_one(QUERIES["get"], {"id": interaction_id}, Interaction)
        if found is None:
            raise NotFoundError(f"no answer with the id {interaction_id}")
        return found

    async def find_by_reply(self, platform: str, reply_key: str) -> Interaction | None:
        """The interaction whose reply has this platform id, of its first message or of a further one."""
        parameters = {"platform": platform, "reply_key": reply_key}
        return await self._database.fetch_one(QUERIES["find_by_reply"], parameters, Interaction)

    async def find_by_inbox(self, inbox_id: int) -> Interaction | None:
        """The interaction that answers this inbox row."""
        return await self._database.fetch_one(QUERIES["find_by_inbox"], {"inbox_id": inbox_id}, Interaction)

    async def find_turns(self, conversation_key: str, *, before_id: int, limit: int) -> list[Turn]:
        """The latest finished turns of a conversation, newest first; one that failed is no turn."""
        parameters = {"conversation_key": conversation_key, "before_id": before_id, "limit": limit}
        return await self._database.fetch_all(QUERIES["find_turns"], parameters, Turn)

    async def exist(self) -> bool:
        """Whether anything was ever asked."""
        return bool(await self._database.fetch_dicts(QUERIES["exist"]))

    async def _write_begin(self, questions: Sequence[Question]) -> list[Begun]:
        rows = [_question_row(question) for question in questions]
        return await self._database.fetch_all(QUERIES["begin"], {"rows": to_json_rows(rows)}, Begun)

    async def _write_finish(self, outcomes: Sequence[Outcome]) -> list[bool]:
        rows = [_clean(outcome) for outcome in outcomes]
        stored = await self._database.fetch_all(QUERIES["finish"], {"rows": to_json_rows(rows)}, _Stored)
        known = {row.id for row in stored}
        return [outcome.interaction_id in known for outcome in outcomes]


def _question_row(question: Question) -> dict[str, Any]:
    return {
        "inbox_id": question.inbox_id,
        "platform": question.platform,
        "conversation_key": question.conversation_key,
        "asker": question.asker,
        "principals": question.principals,
        "question": clean_text(question.text),
        "language": question.language,
        "again_of": question.again_of,
    }


def _clean(outcome: Outcome) -> Outcome:
    generated = None if outcome.generated is None else clean_text(outcome.generated)
    return replace(outcome, answer=clean_text(outcome.answer), generated=generated)
