"""`nightbake ask`: one question, one answer with its sources."""

import getpass
import uuid
from typing import Any

import click

from bot.answer import Asked
from bot.questions import check_question
from bot.reply import FinishedAnswer
from cli.house import House, open_house
from cli.output import command, emit, json_option, read_settings
from cli.terminal_reply import TerminalReply


@click.command()
@click.argument("question")
@click.option("--as", "person", help="Ask as this person, with what they may read.  [default: you, on this machine]")
@click.option("--group", "groups", multiple=True, help="Read as a member of this group too; may be repeated.")
@click.option("--start-model", is_flag=True, help="Start the embedded model server for this question (a minute).")
@json_option
@command
async def ask(question: str, person: str | None, groups: tuple[str, ...], start_model: bool, as_json: bool) -> None:
    """Ask one QUESTION and print the answer with its sources.

    While no model server runs (`nightbake up` starts one), the answer is quoted from the documents.
    """
    text = check_question(question)
    async with open_house(read_settings()) as house:
        if start_model:
            async with house.model_running(quiet=as_json):
                answer = await answer_once(house, text, person, groups, silent=as_json)
        else:
            answer = await answer_once(house, text, person, groups, silent=as_json)
    if as_json:
        emit(to_json(answer))


async def answer_once(
    house: House, text: str, person: str | None, groups: tuple[str, ...] = (), *, silent: bool, conversation: str = ""
) -> FinishedAnswer:
    """Ask from this terminal; `conversation` joins questions that follow each other."""
    asker = person or local_person()
    principals = await house.access.find_principals(asker)
    principals += [group if ":" in group else f"group:{group}" for group in groups]
    key = f"cli:{conversation or uuid.uuid4().hex}"
    asked = Asked("cli", key, asker, principals, text)
    return await house.answerer.answer(asked, TerminalReply(silent=silent))


def local_person() -> str:
    """Who sits at this machine."""
    return f"user:{getpass.getuser()}"


def to_json(answer: FinishedAnswer) -> dict[str, Any]:
    """An answer as `ask --json` prints it."""
    return {
        "interaction_id": answer.interaction_id,
        "language": answer.language,
        "mode": answer.mode,
        "answer": answer.text,
        "notice": answer.notice,
        "sources": [
            {
                "number": source.number,
                "title": source.title,
                "heading_path": source.heading_path,
                "page": source.page,
                "url": source.url,
            }
            for source in answer.sources
        ],
    }
