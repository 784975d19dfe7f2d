"""The console's queue of exercises: what a person must look at before it is trained on or asked in an exam."""

from typing import Any

from aiohttp import web
from jinja2 import Environment

from bot.web.chat import ID
from bot.web.console_wording import CONSOLE
from bot.web.guard import get_text, get_verdict, read_json
from bot.web.listing import PAGE_ROWS, choose_one, read_before
from bot.web.pages import render
from bot.web.people import PERSON, get_actor
from bot.web.wording import choose_language
from core.audit import record_act
from core.database import Database
from core.errors import InvalidInputError, NotFoundError
from core.sql import load_queries
from core.text import clean_text
from core.wording import normalise_text

QUERIES = load_queries(__file__)

WHICH = ("mine", "disputed", "accepted", "rejected", "unseen", "all")
KINDS = ("definition", "summary", "four_choice", "choice_writing", "rag", "unanswerable")
VERDICTS = ("accept", "edit", "reject")
LONGEST_QUESTION, LONGEST_ANSWER = 600, 1200
# Who left for lunch with the page open did not review for an hour.
MOST_SECONDS = 600.0


class ConsoleExercises:
    """The page `/console/exercises`, and reviews under `/console/api/exercises`.

    Everybody who holds the console's key may review; who it was is told apart by the browser, so that two looks are
    those of two people.

    Args:
        share: of exercises that need no person, those that wait for one all the same.
        reviewers: people who must look at what waits.
    """

    def __init__(self, *, templates: Environment, database: Database, share: float, reviewers: int) -> None:
        self._templates = templates
        self._database = database
        self._judging = {"share": share, "wanted": reviewers}

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [
            web.get("/console/exercises", self.show_exercises),
            web.post(f"/console/api/exercises/{{id:{ID}}}/review", self.review),
        ]

    async def show_exercises(self, request: web.Request) -> web.Response:
        """Exercises, newest first; `which`, `kind` and `before` choose. At first those that wait for this person."""
        which, kind = choose_one(request, "which", WHICH) or WHICH[0], choose_one(request, "kind", KINDS)
        chosen = {"which": which, "kind": kind, "before": read_before(request), "person": request[PERSON]}
        rows = await self._fetch("find_exercises", **chosen, **self._judging, limit=PAGE_ROWS + 1)
        counts = await self._fetch("count_waiting", person=request[PERSON], **self._judging)
        return render(
            self._templates,
            "console/exercises.html",
            request,
            room="exercises",
            rows=rows[:PAGE_ROWS],
            whiches=WHICH,
            kinds=KINDS,
            chosen={"which": which, "kind": kind or ""},
            counts=counts[0],
            reviewers=self._judging["wanted"],
            next_before=rows[PAGE_ROWS - 1]["id"] if len(rows) > PAGE_ROWS else None,
        )

    async def review(self, request: web.Request) -> web.Response:
        """Store what a person said of an exercise, and how long they looked at it; their last word counts.

        Raises:
            InvalidInputError: an unknown verdict, no time, or an edit that is empty or changes nothing.
            NotFoundError: no such exercise.
        """
        body = await read_json(request)
        words = CONSOLE[choose_language(request)]
        exercise_id, verdict = int(request.match_info["id"]), get_verdict(body, VERDICTS)
        found = await self._fetch("find_exercise", id=exercise_id)
        if not found:
            raise NotFoundError(words["exercise_unknown"])
        question, answer = _read_edited(body, found[0], words) if verdict == "edit" else (None, None)
        stored = {"id": exercise_id, "verdict": verdict, "question": question, "answer": answer}
        seconds = _read_seconds(body)
        await self._database.execute(QUERIES["add_review"], stored | {"reviewer": request[PERSON], "seconds": seconds})
        await record_act(self._database, actor=get_actor(request), act=f"{verdict} exercise", subject=str(exercise_id))
        return web.json_response({"message": words["exercise_said"], "verdict": words[f"verdict_{verdict}"]})

    async def _fetch(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        return await self._database.fetch_dicts(QUERIES[query], parameters)


def _read_edited(body: dict[str, Any], stored: dict[str, Any], words: Any) -> tuple[str, str]:
    question = clean_text(get_text(body, "question", longest=LONGEST_QUESTION)).strip()
    answer = clean_text(get_text(body, "answer", longest=LONGEST_ANSWER)).strip()
    if not (question and answer):
        raise InvalidInputError(words["exercise_empty"])
    if (question, answer) == (stored["question"], stored["answer"]):
        raise InvalidInputError(words["exercise_same"])
    wrong = [option for at, option in enumerate(stored["options"]) if at != stored["right_option"]]
    if normalise_text(answer) in map(normalise_text, wrong):
        raise InvalidInputError(words["exercise_wrong_option"])
    return question, answer


def _read_seconds(body: dict[str, Any]) -> float:
    value = body.get("seconds", 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise InvalidInputError("expected `seconds` as a number")
    return min(float(value), MOST_SECONDS)
