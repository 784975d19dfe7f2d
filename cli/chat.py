"""`nightbake chat`: a conversation in the terminal, with thumbs."""

import sys
import uuid
from typing import Any

import click

from bot.questions import check_question
from cli.ask import answer_once, local_person, to_json
from cli.house import House, open_house
from cli.output import command, describe_error, emit, escape, notes, read_settings, say
from cli.terminal import read_line
from core.errors import InvalidInputError
from core.records import Feedback, Vote
from retrieval.examples import teach

HELP = "Ask anything. /up and /down vote on the last answer, /fix TEXT corrects it, /undo takes it back, /quit leaves."


@click.command()
@click.option("--as", "person", help="Ask as this person.  [default: you, on this machine]")
@click.option("--json", "as_json", is_flag=True, help="Print each answer and vote as one JSON line.")
@command
async def chat(person: str | None, as_json: bool) -> None:
    """Ask and vote in the terminal; a follow-up is understood from what came before.

    Questions may come from a file or a pipe too, one a line; the end of the input ends the conversation.
    """
    async with open_house(read_settings()) as house:
        say(f"[dim]{HELP}[/]", quiet=as_json)
        await Conversation(house, person or local_person(), as_json=as_json).run()


class Conversation:
    """Reads lines until the end of input or /quit."""

    def __init__(self, house: House, person: str, *, as_json: bool) -> None:
        self._house = house
        self._person = person
        self._as_json = as_json
        self._key = uuid.uuid4().hex
        self._last: int | None = None

    async def run(self) -> None:
        """One line a turn; a line that cannot be taken is said so, and the next one is read."""
        while (line := await self._read()) and line.strip() != "/quit":
            try:
                await self.turn(line)
            except InvalidInputError as error:
                self._say(str(error), describe_error(error))

    async def _read(self) -> str:
        if sys.stdin.isatty():
            notes.print("> ", end="")
        return await read_line()

    async def turn(self, line: str) -> None:
        """A vote where the line is a command, else a question."""
        word, _, rest = line.strip().partition(" ")
        match word:
            case "":
                return
            case "/up":
                await self._vote(1)
            case "/down":
                await self._vote(-1)
            case "/fix":
                await self._fix(rest)
            case "/undo":
                await self._vote(0)
            case _ if word.startswith("/"):
                raise InvalidInputError(f"expected one of the commands, got {word!r}. {HELP}")
            case _:
                await self._ask(line)

    async def _ask(self, line: str) -> None:
        text = check_question(line)
        answer = await answer_once(self._house, text, self._person, silent=self._as_json, conversation=self._key)
        self._last = answer.interaction_id
        if self._as_json:
            emit(to_json(answer))

    async def _vote(self, value: Vote, correction: str | None = None) -> None:
        if self._last is None:
            raise InvalidInputError("there is no answer to vote on yet; ask something first")
        await self._house.feedback.record(Feedback(self._last, self._person, value, "cli", correction=correction))
        await teach(self._house.database)
        stored = {"interaction_id": self._last, "value": value, "correction": correction}
        self._say("noted, thank you" if value else "taken back", stored)

    async def _fix(self, correction: str) -> None:
        if not correction.strip():
            raise InvalidInputError("expected the right answer behind /fix, got nothing; /down only says it was wrong")
        await self._vote(-1, correction=correction.strip())

    def _say(self, text: str, value: dict[str, Any]) -> None:
        """A remark for people, or the line that a program reads in its place."""
        if self._as_json:
            emit(value)
        say(f"[dim]{escape(text)}[/]", quiet=self._as_json)
