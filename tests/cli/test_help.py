"""What holds for every command: it says what it does, speaks JSON, and refuses what it was not made for."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from nightbake import COMMANDS, SUMMARIES, main
from tests.cli.running import ROOT, run_nightbake
from tests.fakes.model_server import FakeModelServer

TOO_LARGE = str(2**63)


def walk(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """A command with every command below it, each with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below
            yield from walk(below, *path, name)


ALL = list(walk(main))
NAMES = [" ".join(path) or "nightbake" for path, _ in ALL]


@pytest.mark.parametrize(("path", "command"), ALL, ids=NAMES)
def test_a_command_explains_itself_and_each_of_its_options(path: tuple[str, ...], command: click.Command) -> None:
    ran = run_nightbake(*path, "--help", PORT="eighty")
    assert (ran.code, ran.err) == (0, "")
    text = [line for line in (command.help or "").splitlines() if line.strip()]
    assert len(text) > 1 and text[0].rstrip(";").endswith("."), "more than one line, of which the first is a sentence"
    bare = [one.opts for one in command.params if isinstance(one, click.Option) and not one.help]
    assert not bare, f"options without a help text: {bare}"


@pytest.mark.parametrize(("path", "command"), ALL, ids=NAMES)
def test_what_prints_takes_json(path: tuple[str, ...], command: click.Command) -> None:
    if not isinstance(command, click.Group) or command.invoke_without_command:
        assert "--json" in {name for one in command.params for name in one.opts}


@pytest.mark.parametrize("path", [path for path, _ in ALL], ids=NAMES)
def test_an_unknown_option_is_a_wrong_use(path: tuple[str, ...]) -> None:
    ran = run_nightbake(*path, "--oven")
    assert (ran.code, ran.out, "--oven" in ran.err) == (2, "", True)


@pytest.mark.parametrize(("path", "command"), ALL, ids=NAMES)
def test_a_missing_argument_is_a_wrong_use(path: tuple[str, ...], command: click.Command) -> None:
    if wanted := [one for one in command.params if isinstance(one, click.Argument) and one.required]:
        ran = run_nightbake(*path)
        assert (ran.code, ran.out, wanted[0].human_readable_name in ran.err) == (2, "", True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["feedback", "give", TOO_LARGE, "up"],
        ["feedback", "give", "1", "sideways"],
        ["feedback", "list", "--limit", "-1"],
        ["feedback", "list", "--limit", TOO_LARGE],
        ["feedback", "export", "--format", "csv"],
        ["documents", "show", TOO_LARGE],
        ["documents", "remove", "0"],
        ["documents", "list", "--after", TOO_LARGE],
        ["documents", "list", "--limit", "0"],
        ["gaps", "list", "--days", "0"],
        ["report", TOO_LARGE],
        ["report", "--language", "de"],
        ["people", "set", "group:hr", "staff"],
        ["people", "set", "everyone", "staff"],
        ["ask", "Why?", "--as", "group:hr"],
        ["adapters", "bake"],
    ],
    ids=" ".join,
)
def test_a_value_that_cannot_be_is_a_wrong_use(installation: FakeModelServer, arguments: list[str]) -> None:
    ran = run_nightbake(*arguments)
    assert (ran.code, ran.out, ran.err.strip() != "", "Traceback" in ran.err) == (2, "", True, False)


def test_no_settings_are_needed_to_be_helped() -> None:
    ran = run_nightbake("--help", PORT="eighty")
    assert ran.code == 0
    assert all(f"{name} " in ran.out and summary in ran.out for name, summary in SUMMARIES.items())


def test_no_help_imports_torch() -> None:
    program = """
import sys
from click.testing import CliRunner
from nightbake import COMMANDS, main
helps = [CliRunner().invoke(main, [name, "--help"]) for name in COMMANDS]
assert all(ran.exit_code == 0 for ran in helps), helps
print(len(helps), sorted({"torch", "transformers"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == [str(len(COMMANDS)), "[]"]


def test_an_unknown_command_is_a_wrong_use() -> None:
    ran = run_nightbake("fry")
    assert (ran.code, "No such command 'fry'" in ran.err) == (2, True)
