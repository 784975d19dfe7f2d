"""Text of documents and models comes through the terminal unchanged; errors become codes."""

import pytest

from bot.reply import FinishedAnswer, Source
from cli.output import exit_code, notes, say
from cli.terminal_reply import TerminalReply
from core.errors import (
    DatabaseError,
    InvalidInputError,
    MigrationError,
    ModelServerError,
    NightbakeError,
    NotFoundError,
    ProcessError,
    SettingsError,
)

# What a markup reader may take for tags and emoji.
TRAPS = ["[bold]x[/bold]", "a [/nothing] b", r"C:\[/x]", "\\[bold]", ":warning: stop :key:", "[1] [link=x]", "end\\"]


@pytest.mark.parametrize("text", TRAPS)
async def test_an_answer_is_printed_letter_by_letter(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    reply = TerminalReply()
    for length in range(1, len(text) + 1):
        await reply.show(text[:length])
    await reply.close(FinishedAnswer(7, "en", text, "generated"))
    assert capsys.readouterr().out == f"{text}\nanswer 7\n"


@pytest.mark.parametrize("text", TRAPS)
async def test_a_replaced_answer_and_its_source_are_printed_as_they_are(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Source(1, text, text, 3, "http://x/passages/1", text)
    await TerminalReply().close(FinishedAnswer(7, "en", text, "quoted", notice=text, sources=[source]))
    lines = [text, text, f"[1] {text} > {text}, p. 3  http://x/passages/1", "answer 7"]
    assert capsys.readouterr().out == "\n" + "\n".join(lines) + "\n"


async def test_a_silent_reply_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    reply = TerminalReply(silent=True)
    await reply.show("23 days.")
    await reply.close(FinishedAnswer(7, "en", "23 days.", "generated"))
    assert capsys.readouterr().out == ""


def test_lines_for_people_keep_standard_output_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert notes.stderr
    say("reading")
    say("hidden", quiet=True)
    assert capsys.readouterr() == ("", "reading\n")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NightbakeError("x"), 1),
        (NotFoundError("x"), 1),
        (InvalidInputError("x"), 2),
        (SettingsError(["x"]), 2),
        (DatabaseError("x"), 3),
        (MigrationError("x"), 3),
        (ModelServerError("x"), 3),
        (ProcessError("x"), 3),
    ],
)
def test_each_kind_of_error_has_its_code(error: NightbakeError, code: int) -> None:
    assert exit_code(error) == code
