"""`nightbake ingest`: documents in, with progress and a list of what could not be read."""

import asyncio
import hashlib
import time
from collections.abc import Generator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from cli.embedding import describe_change
from cli.house import House, open_house
from cli.output import EXIT_FAILED, command, emit, escape, json_option, notes, read_settings, say
from cli.progress import ProgressLines
from core.errors import InvalidInputError
from retrieval.fusion_calibration import calibrate_fusion
from retrieval.ingest import Progress
from retrieval.ingest import ingest as ingest_documents
from retrieval.report import IngestReport
from retrieval.sources.folder import open_path
from retrieval.sources.source import Entry

WATCH_SECONDS = 2.0
# A folder that takes long to list is listed as rarely as keeps a core nearly idle.
_WATCH_SHARE = 20


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--allow",
    multiple=True,
    help="Who may read where no .access.json says so: everyone, group:NAME or user:ID; may be repeated.",
)
@click.option("--watch", is_flag=True, help="Stay, and read again whenever a file or permission changed, until Ctrl-C.")
@json_option
@command
async def ingest(paths: tuple[Path, ...], allow: tuple[str, ...], watch: bool, as_json: bool) -> None:
    """Read documents from PATHS: folders and files in the formats that docs/retrieval.md lists.

    Run it again at any time: only what changed is read, and what vanished from a folder becomes invisible.
    Exit code 1 means that some files could not be read; the others are in.
    """
    async with open_house(read_settings()) as house:
        while True:
            before = await _look(paths) if watch else ""
            report = await _ingest_or_wait(house, paths, allow, watch=watch, as_json=as_json)
            if as_json and report:
                emit(asdict(report))
            if not watch:
                break
            await _wait_for_change(paths, before)
        if change := await describe_change(house):
            name = escape(house.embedder.name)
            say(f"[yellow]{escape(change)}[/]: `nightbake documents reindex --model {name}`", quiet=as_json)
    if report and report.failed_count:
        raise SystemExit(EXIT_FAILED)


async def _ingest_or_wait(
    house: House, paths: Sequence[Path], allow: Sequence[str], *, watch: bool, as_json: bool
) -> IngestReport | None:
    """While watching, a folder that is away is waited for."""
    try:
        return await ingest_with_progress(house, paths, allow=allow, quiet=as_json)
    except InvalidInputError as error:
        if not watch:
            raise
        say(f"[yellow]waiting:[/] {escape(str(error))}", quiet=as_json)
        return None


async def _wait_for_change(paths: Sequence[Path], before: str) -> None:
    while True:
        began = time.monotonic()
        if await _look(paths) != before:
            return
        await asyncio.sleep(max(WATCH_SECONDS, (time.monotonic() - began) * _WATCH_SHARE))


async def _look(paths: Sequence[Path]) -> str:
    """What the folders hold, by names, sizes, times and permissions; equal while nothing changed."""
    seen = hashlib.sha256()
    for path in paths:
        source = await asyncio.to_thread(open_path, path)
        entries: list[bytes] = []
        try:
            async with aclosing(source.list_entries(None)) as listed:
                async for one in listed:
                    described = repr((one.key, dict(one.handle), one.rule)) if isinstance(one, Entry) else repr(one)
                    entries.append(hashlib.sha256(described.encode("utf-8", "replace")).digest())
        except InvalidInputError as error:
            entries.append(str(error).encode())
        seen.update(b"".join(sorted(entries)) + b"\0")
    return seen.hexdigest()


@contextmanager
def progress_shown(what: str, *, quiet: bool) -> Generator[Progress]:
    """A bar for people while documents are read, or lines where there is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[dim]{task.fields[path]}"),
    )
    lines = ProgressLines(quiet=quiet)
    with Bar(*columns, console=notes, disable=quiet or not notes.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=None, path="")

        def show(done: int, total: int, path: str) -> None:
            lines.tell(what, done, total)
            bar.update(task, completed=done, total=total, path=escape(path[-60:]))

        yield show


async def ingest_with_progress(
    house: House, paths: Sequence[Path], *, allow: Sequence[str] = (), quiet: bool = False
) -> IngestReport:
    """Ingest and say how it went; files that fail are named."""
    embedder = await house.search.active.find_embedder()
    with progress_shown("reading documents", quiet=quiet) as show:
        report = await ingest_documents(house.database, embedder, paths, default_allow=allow, on_progress=show)
    await calibrate_fusion(house.database, embedder)
    say_report(report, quiet=quiet)
    return report


def say_report(report: IngestReport, *, quiet: bool) -> None:
    """How an ingest went, for people."""
    say(
        f"documents: {report.added} added, {report.updated} updated, {report.unchanged} unchanged, "
        f"{report.removed} removed, {report.failed_count} failed ({report.seconds:.1f} s)",
        quiet=quiet,
    )
    for failure in report.failed:
        say(f"  [yellow]left out[/] {escape(failure.path)}: {escape(failure.reason)}", quiet=quiet)
    if left := report.failed_count - len(report.failed):
        say(f"  [yellow]and {left} more[/]; the console lists them all", quiet=quiet)
    for away in report.away:
        say(f"  [yellow]away[/] {escape(away)}; what it holds stays as it is", quiet=quiet)
    if report.hidden:
        say(
            f"  [yellow]{report.hidden} documents can be read by nobody[/]: no .access.json covers them. "
            """For all employees write {"allow": ["everyone"]} into such a file in their folder""",
            quiet=quiet,
        )
