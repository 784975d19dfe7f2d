"""`nightbake demo`: the whole loop once, on the sample handbook, in a state folder of its own."""

import asyncio
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from bot.answer import Asked
from bot.golden import GoldenQuestion, has_right_source, is_right, load_golden
from cli.house import SAMPLE, House, open_house
from cli.ingest import ingest_with_progress
from cli.night import run_here
from cli.output import command, console, emit, escape, json_option, notes, say
from cli.terminal_reply import TerminalReply
from core import embedded_model
from core.base_model import cpu_dtype, is_prepared
from core.interactions import Interaction
from core.records import Feedback
from core.settings import Settings
from core.settings_loading import load_settings
from core.telemetry import configure_logging
from learning.night import NightResult
from learning.runs import Runs

# Several, because the night lets no single person supply more than a few pairs.
VOTERS = ("user:demo-mina", "user:demo-tom", "user:demo-jihoon")
ADMIN = "user:demo-admin"
# A handful of pairs makes a handful of steps: at the default rate nothing would be seen to change.
DEMO_LEARNING_RATE = 5e-4


@dataclass(frozen=True, slots=True)
class Answered:
    """A golden question with the answer it got."""

    golden: GoldenQuestion
    interaction: Interaction

    @property
    def is_right(self) -> bool:
        """By the golden question's accepted texts."""
        return is_right(self.interaction.answer or "", self.golden)

    @property
    def has_right_source(self) -> bool:
        """Whether it cites a document that answers the question."""
        return has_right_source(self.interaction, self.golden)


@click.command()
@click.option("--keep", is_flag=True, help="Keep the state folder, to look around in it.")
@json_option
@command
async def demo(keep: bool, as_json: bool) -> None:
    """Ask, vote, train, serve and ask again, on the sample handbook, unattended.

    An employee votes by comparing with the golden answers. The night decides by its own rules; where it abstains,
    because twelve questions prove little, the demo plays the admin who looks at the report and approves. A refused
    adapter is not served. Takes under ten minutes on two cores.
    """
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="nightbake-demo-"))
    folder.chmod(0o755)  # the embedded PostgreSQL may run under a user of its own
    settings = _settings(folder)
    borrow_model(load_settings().nightbake_home.resolve(), settings)
    try:
        async with open_house(settings) as house:
            outcome = await _loop(house, quiet=as_json)
        report_file = folder / "report.html"
        report_file.write_text(outcome.pop("report"), encoding="utf-8")
    finally:
        if not keep:
            await asyncio.to_thread(_remove_state, folder)
    result = {**outcome, "report": str(report_file), "seconds": round(time.monotonic() - began, 1)}
    say(f"report: {report_file}{f', state: {folder}' if keep else ''}  ({result['seconds']:.0f} s)", quiet=as_json)
    emit(result)


async def _loop(house: House, *, quiet: bool) -> dict[str, Any]:
    """The day, the night and the next day."""
    questions = [golden for golden in load_golden(SAMPLE / "golden.jsonl") if golden.demo]
    running = house.model_running(quiet=True)
    say("starting the model server and reading the sample handbook", quiet=quiet)
    await asyncio.gather(
        running.__aenter__(), ingest_with_progress(house, [SAMPLE / "handbook"], quiet=quiet), house.search.warm_up()
    )
    try:
        before = await _ask_all(house, questions, "asking", quiet=quiet)
        votes = await _vote_all(house, before)
        say(f"voted on {votes} answers; the night begins", quiet=quiet)
        night = await run_here(house, requested_by=ADMIN, force=True, quiet=quiet)
        approved = await _approve(house, night, quiet=quiet)
        after = await _ask_all(house, questions, "asking again", quiet=quiet)
        report = await Runs(house.database).get_report(night.run_id)
    finally:
        await running.__aexit__(None, None, None)
    if not quiet:
        console.print(compare(before, after))
    return {**sum_up(before, after, votes, night, approved), "report": report.html}


async def _ask_all(house: House, questions: list[GoldenQuestion], what: str, *, quiet: bool) -> list[Answered]:
    answered: list[Answered] = []
    for number, golden in enumerate(questions, start=1):
        with notes.status(f"{what} {number} of {len(questions)}: {golden.question}"):
            voter = VOTERS[number % len(VOTERS)]
            asked = Asked("cli", f"demo:{what}:{golden.id}", voter, golden.principals, golden.question)
            answer = await house.answerer.answer(asked, TerminalReply(silent=True))
        answered.append(Answered(golden, await house.interactions.get(answer.interaction_id)))
        mark = "[green]right[/]" if answered[-1].is_right else "[yellow]wrong[/]"
        say(f"  {mark} {escape(golden.question)}\n        [dim]{escape(answer.text)}[/]", quiet=quiet)
    return answered


async def _vote_all(house: House, answered: list[Answered]) -> int:
    """Thumbs up where the answer is right, else thumbs down with the golden answer as correction."""
    for one in answered:
        vote, correction = (1, None) if one.is_right else (-1, one.golden.answer)
        voter = one.interaction.asker
        await house.feedback.record(Feedback(one.interaction.id, voter, vote, "demo", correction=correction))
    return len(answered)


async def _approve(house: House, night: NightResult, *, quiet: bool) -> bool:
    """What an admin may do where the gate abstains: serve the candidate all the same."""
    if night.verdict != "abstain" or not night.adapter:
        return False
    await house.serving.promote(night.adapter, by=ADMIN, reason="approved after the gate abstained")
    say(f"the gate abstained for want of evidence; the demo's admin approved {night.adapter}", quiet=quiet)
    return True


def sum_up(
    before: list[Answered], after: list[Answered], votes: int, night: NightResult, approved: bool
) -> dict[str, Any]:
    """What the demo reports as JSON; the answers before and after are of the same questions in the same order."""
    changed = sum(
        old.interaction.generated != new.interaction.generated for old, new in zip(before, after, strict=True)
    )
    served = night.switched or approved
    return {
        "questions": len(before),
        "answered": sum(bool(one.interaction.answer) for one in before),
        "answered_with_correct_source": sum(one.has_right_source for one in before),
        "votes": votes,
        "pairs": night.pairs,
        "gate": night.verdict or night.reason,
        "approved_by_admin": approved,
        "adapter": night.adapter if served else None,
        "served_output_changed": served and changed > 0,
        "changed_answers": changed,
        "right_before": sum(one.is_right for one in before),
        "right_after": sum(one.is_right for one in after),
        "correct_source_after": sum(one.has_right_source for one in after),
    }


def compare(before: list[Answered], after: list[Answered]) -> Table:
    """Each question with its answer before and after the night."""
    table = Table("question", "before", "", "after", "", header_style="bold", show_lines=True)
    for old, new in zip(before, after, strict=True):
        table.add_row(escape(old.golden.question), *_cells(old), *_cells(new))
    return table


def _cells(one: Answered) -> tuple[str, str]:
    right = "[green]right[/]" if one.is_right else "[yellow]wrong[/]"
    source = "[green]source[/]" if one.has_right_source else "[yellow]other source[/]"
    return escape(one.interaction.answer or ""), f"{right}\n{source}\n[dim]{one.interaction.mode}[/]"


def _settings(folder: Path) -> Settings:
    settings = load_settings(
        nightbake_home=folder,
        database_url=None,
        documents=None,
        model_port=find_free_port(),
        night_learning_rate=DEMO_LEARNING_RATE,
    )
    configure_logging(level=settings.log_level, file=folder / "logs" / "nightbake.log")
    return settings


def borrow_model(home: Path, settings: Settings) -> None:
    """Use the base model that `nightbake up` has made, where it is the same: it takes half a minute to make."""
    made = home / "models" / embedded_model.MODEL_NAME
    if settings.model_url is None and is_prepared(made, embedded_model.find_starter(), cpu_dtype()):
        target = settings.nightbake_home / "models" / embedded_model.MODEL_NAME
        target.parent.mkdir(parents=True)
        target.symlink_to(made)


def _remove_state(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)


def find_free_port() -> int:
    """A port of this machine that nobody listens at now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
