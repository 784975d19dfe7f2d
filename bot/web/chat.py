"""The chat's own interface: ask, follow the reply, judge it, and find the conversation again."""

import re
import uuid
from typing import Any

from aiohttp import web

from bot.finished import show_stored
from bot.inbox import Event, Inbox
from bot.limits import QuestionLimits, count_seconds
from bot.phrases import say
from bot.questions import check_question
from bot.stops import Stops
from bot.web.conversations import Conversations
from bot.web.events import stream_reply
from bot.web.guard import get_text, get_time, read_json
from bot.web.live import Live, State
from bot.web.people import PERSON
from bot.web.views import view_answer
from core.errors import InvalidInputError, NotFoundError
from core.feedback import FeedbackLog
from core.prompt import detect_language
from core.records import Feedback, Vote

LONGEST_TEXT = 100_000
LONGEST_CORRECTION = 4_000
LONGEST_REASON = 1_000
# A bigint id; a longer number is no id, and PostgreSQL would not take it.
ID = r"\d{1,18}"
KEY = r"[A-Za-z0-9-]{8,64}"

_NO_QUESTION = "There is no such question of yours. / 해당 질문을 찾을 수 없습니다."
_NO_ANSWER = "There is no such answer of yours. / 해당 답변을 찾을 수 없습니다."


class Chat:
    """Routes under `/api` of one person's chat."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        limits: QuestionLimits,
        stops: Stops,
        feedback: FeedbackLog,
        conversations: Conversations,
        live: Live,
    ) -> None:
        self._inbox = inbox
        self._limits = limits
        self._stops = stops
        self._feedback = feedback
        self._conversations = conversations
        self._live = live

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [
            web.post("/api/questions", self.ask),
            web.get(f"/api/questions/{{id:{ID}}}/events", self.follow, allow_head=False),
            web.post(f"/api/questions/{{id:{ID}}}/stop", self.stop),
            web.post(f"/api/answers/{{id:{ID}}}/feedback", self.judge),
            web.get(f"/api/conversations/{{key:{KEY}}}", self.read),
        ]

    async def ask(self, request: web.Request) -> web.Response:
        """Store a question, then say so: 202 with its id. The same `key` again stores nothing new.

        429 where the person has asked too much; the same `key` may come again later.

        Raises:
            InvalidInputError: not a question; the message is for the person.
        """
        body = await read_json(request)
        text = check_question(get_text(body, "text", longest=LONGEST_TEXT))
        person = request[PERSON]
        event = Event(
            platform="web",
            event_key=f"{person}:{_read_key(body, 'key')}",
            conversation_key=_to_conversation_key(person, _read_key(body, "conversation")),
            kind="question",
            payload={"text": text, "person": person},
        )
        receipt = await self._inbox.receive(event)
        if receipt.refusal:
            words = self._limits.explain(receipt.refusal, receipt.again_at, detect_language(text))
            headers = {"Retry-After": f"{count_seconds(receipt.again_at)}"}
            return web.json_response({"error": words}, status=429, headers=headers)
        return web.json_response({"id": receipt.id}, status=202)

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """The reply as it grows.

        Raises:
            NotFoundError: this person asked no such question.
        """
        inbox_id, person = int(request.match_info["id"]), request[PERSON]
        if await self._conversations.find_question(inbox_id, person) is None:
            raise NotFoundError(_NO_QUESTION)
        with self._live.follow(inbox_id) as topic:
            return await stream_reply(request, topic, lambda: self._find_stored(inbox_id, person))

    async def stop(self, request: web.Request) -> web.Response:
        """End the answer, whichever process gives it; 204 also where it is over already.

        Raises:
            NotFoundError: this person asked no such question.
        """
        inbox_id, person = int(request.match_info["id"]), request[PERSON]
        if await self._conversations.find_question(inbox_id, person) is None:
            raise NotFoundError(_NO_QUESTION)
        await self._stops.request(inbox_id, person)
        return web.Response(status=204)

    async def judge(self, request: web.Request) -> web.Response:
        """Record a vote with its correction; the one that was said last counts, 0 withdraws.

        Raises:
            NotFoundError: this person has no such answer.
            InvalidInputError: no vote, or a correction that is too long.
        """
        body = await read_json(request)
        value = _read_vote(body)
        correction = get_text(body, "correction", longest=LONGEST_CORRECTION)
        reason = get_text(body, "reason", longest=LONGEST_REASON)
        said_at = get_time(body, "said_at")
        interaction_id, person = int(request.match_info["id"]), request[PERSON]
        if not await self._conversations.is_asker(interaction_id, person):
            raise NotFoundError(_NO_ANSWER)
        await self._feedback.record(
            Feedback(
                interaction_id,
                person,
                value,
                "web",
                correction=correction or None,
                reason=reason or None,
                said_at=said_at,
            )
        )
        return web.Response(status=204)

    async def read(self, request: web.Request) -> web.Response:
        """The person's turns of a conversation, oldest first, with their votes; empty where there is none."""
        person = request[PERSON]
        key = _to_conversation_key(person, request.match_info["key"])
        rows = await self._conversations.find_turns(key, person)
        return web.json_response({"turns": [_view_turn(row) for row in rows]}, headers={"Cache-Control": "no-store"})

    async def _find_stored(self, inbox_id: int, person: str) -> State | None:
        """The final state that the database knows, whichever process wrote it."""
        # The question first: an answer that is finished between the two reads must not pass for none.
        asked = await self._conversations.find_question(inbox_id, person)
        row = await self._conversations.find_answer(inbox_id, person)
        if row:
            return State("answer", view_answer(show_stored(row, base_url="")))
        if asked is None or not asked.is_over:
            return None
        apology = say("apology", detect_language(asked.text), id=f"i{inbox_id}")
        return State("declined", {"message": apology})


def _to_conversation_key(person: str, key: str) -> str:
    """Within a person's own space, so that a guessed key leads nowhere."""
    return f"web:{person.removeprefix('user:')}:{key}"


def _read_key(body: dict[str, Any], name: str) -> str:
    """A key that the page made; one is made here where the caller has none.

    Raises:
        InvalidInputError: not a short identifier.
    """
    value = body.get(name)
    if value is None:
        return str(uuid.uuid4())
    if not isinstance(value, str) or not re.fullmatch(KEY, value):
        raise InvalidInputError(f"`{name}` must be 8 to 64 letters, digits or hyphens")
    return value


def _read_vote(body: dict[str, Any]) -> Vote:
    value = body.get("value")
    votes: dict[object, Vote] = {-1: -1, 0: 0, 1: 1}
    if type(value) is not int or value not in votes:
        raise InvalidInputError("`value` must be 1, -1 or 0 (withdraw)")
    return votes[value]


def _view_turn(row: dict[str, Any]) -> dict[str, Any]:
    answer = view_answer(show_stored(row, base_url="")) if row["finished_at"] else None
    vote = {"value": row["value"], "correction": row["correction"] or "", "reason": row["reason"] or ""}
    return {"id": row["inbox_id"], "question": row["question"], "answer": answer, "vote": vote}
