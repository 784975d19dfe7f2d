"""What every command says and how: rich for people, one JSON object for programs, exit codes for scripts."""

import asyncio
import functools
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TextIO, TypeVar

import click
import uvloop
from rich import markup
from rich.console import Console

from core.errors import (
    DatabaseError,
    InvalidInputError,
    ModelServerError,
    NightbakeError,
    ProcessError,
    SettingsError,
)
from core.settings import Settings
from core.settings_loading import load_settings
from core.telemetry import configure_logging

P = ParamSpec("P")
R = TypeVar("R")

EXIT_FAILED, EXIT_USAGE, EXIT_AWAY = 1, 2, 3

console = Console(highlight=False, emoji=False)
notes = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)

# What a bigint of the database holds: a number beyond it is wrong usage, not an error of the database.
ROW_ID = click.IntRange(1, 2**63 - 1)
AT_MOST = click.IntRange(1, 10_000)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")


def command(run: Callable[P, Awaitable[R]]) -> Callable[P, R]:
    """Run an async command; its errors become one clear message and an exit code.

    0 is success, 1 something failed, 2 usage or settings are wrong, 3 a server that is needed is away.
    """

    @functools.wraps(run)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return uvloop.run(_await(run(*args, **kwargs)))
        except NightbakeError as error:
            fail(error, as_json=bool(kwargs.get("as_json")))
        except (KeyboardInterrupt, asyncio.CancelledError):
            fail_interrupted()

    return wrapper


async def _await(awaitable: Awaitable[R]) -> R:
    return await awaitable


def fail_interrupted() -> NoReturn:
    """Leave as a program does that was stopped by Ctrl-C."""
    notes.print("stopped")
    sys.exit(130)


def fail(error: NightbakeError, *, as_json: bool) -> NoReturn:
    """Say what went wrong and leave with the code that fits."""
    if as_json:
        emit(describe_error(error))
    else:
        notes.print(f"[red]error:[/] {escape(str(error))}")
    sys.exit(exit_code(error))


def describe_error(error: NightbakeError) -> dict[str, Any]:
    """An error as --json prints it."""
    return {"error": str(error), "kind": type(error).__name__}


def exit_code(error: NightbakeError) -> int:
    """The code for a kind of error."""
    if isinstance(error, (SettingsError, InvalidInputError)):
        return EXIT_USAGE
    return EXIT_AWAY if isinstance(error, (DatabaseError, ModelServerError, ProcessError)) else EXIT_FAILED


def escape(text: str) -> str:
    """Text of others, so that rich does not read markup in it."""
    return markup.escape(text)


def say(text: str, *, quiet: bool = False) -> None:
    """One line for people, on standard error, so that standard output stays clean for pipes."""
    if not quiet:
        notes.print(text)


def emit(value: dict[str, Any]) -> None:
    """The one JSON object of a command."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


@contextmanager
def open_for_writing(file: Path) -> Generator[TextIO]:
    """A file that the person named, replaced as a whole.

    Raises:
        InvalidInputError: it cannot be written; the message says why.
    """
    try:
        with file.open("w", encoding="utf-8") as opened:
            yield opened
    except OSError as error:
        raise InvalidInputError(f"expected a file that can be written, got {str(file)!r}: {error.strerror}") from error


def read_settings() -> Settings:
    """Settings, with logs going to a file in the state folder so that they do not mix with answers."""
    settings = load_settings()
    configure_logging(level=settings.log_level, file=log_file(settings))
    logging.captureWarnings(True)
    return settings


def log_file(settings: Settings) -> Path:
    """Where this program logs."""
    return settings.nightbake_home / "logs" / "nightbake.log"
