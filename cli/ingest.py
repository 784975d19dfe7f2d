"""`nightbake ingest`: documents in, with progress and a list of what could not be read."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.house import House, open_house
from cli.output import EXIT_FAILED, command, emit, escape, json_option, notes, read_settings, say
from retrieval.ingest import IngestReport
from retrieval.ingest import ingest as ingest_documents


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--allow",
    multiple=True,
    help="Who may read where no .access.json says so: everyone, group:NAME or user:ID; may be repeated.",
)
@json_option
@command
async def ingest(paths: tuple[Path, ...], allow: tuple[str, ...], as_json: bool) -> None:
    """Read documents from PATHS: folders and files in any format that docs/retrieval.md lists.

    Run it again at any time: only what changed is read, and what vanished from a folder becomes invisible.
    Exit code 1 means that some files could not be read; the others are in.
    """
    async with open_house(read_settings()) as house:
        report = await ingest_with_progress(house, paths, allow=allow, quiet=as_json)
    if as_json:
        emit(asdict(report))
    if report.failed:
        raise SystemExit(EXIT_FAILED)


async def ingest_with_progress(
    house: House, paths: Sequence[Path], *, allow: Sequence[str] = (), quiet: bool = False
) -> IngestReport:
    """Ingest and say how it went; files that fail are named."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[dim]{task.fields[path]}"),
    )
    with Progress(*columns, console=notes, disable=quiet, transient=True) as bar:
        task = bar.add_task("reading documents", total=None, path="")

        def show(done: int, total: int, path: str) -> None:
            bar.update(task, completed=done, total=total, path=path[-60:])

        report = await ingest_documents(house.database, house.embedder, paths, default_allow=allow, on_progress=show)
    _say_report(report, quiet=quiet)
    return report


def _say_report(report: IngestReport, *, quiet: bool) -> None:
    say(
        f"documents: {report.added} added, {report.updated} updated, {report.unchanged} unchanged, "
        f"{report.removed} removed, {len(report.failed)} failed ({report.seconds:.1f} s)",
        quiet=quiet,
    )
    for failure in report.failed:
        say(f"  [yellow]left out[/] {escape(failure.path)}: {escape(failure.reason)}", quiet=quiet)
    if report.hidden:
        say(
            f"  [yellow]{report.hidden} documents can be read by nobody[/]: no .access.json covers them; "
            "write one, or pass --allow everyone",
            quiet=quiet,
        )
