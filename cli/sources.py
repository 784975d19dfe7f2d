"""`nightbake sources`: where documents come from, how each source is doing, and reading them now."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from dotenv import dotenv_values
from rich.table import Table

from cli.house import House, open_house
from cli.ingest import progress_shown, say_report
from cli.output import EXIT_AWAY, EXIT_FAILED, command, console, emit, escape, json_option, read_settings, say
from core.errors import InvalidInputError
from core.settings import Settings
from retrieval.fusion_calibration import calibrate_fusion
from retrieval.ingest import sync
from retrieval.ledger import find_states, forget_source
from retrieval.report import IngestReport
from retrieval.sources.build import build_source
from retrieval.sources.config import load_sources
from retrieval.sources.folder import FolderSource
from retrieval.sources.source import Source


@click.group()
def sources() -> None:
    """Keep up with the sources that SOURCES_FILE names; docs/sources.md says what stands in it.

    A source is a folder, a Git repository, a website, Confluence, Notion, SharePoint, Google Drive or a Slack export.
    """


@sources.command(name="list")
@json_option
@command
async def list_sources(as_json: bool) -> None:
    """List sources: those configured, and those that were read before.

    Beside each: how many documents it holds, how many of them nobody may read, when it was read, and what went wrong.
    """
    settings = read_settings()
    configured = build_sources(settings)
    async with open_house(settings) as house:
        rows = await _describe(house, configured)
    if as_json:
        emit({"sources": rows})
        return
    table = Table("source", "kind", "documents", "hidden", "failed", "last read", "state", box=None, header_style="dim")
    for row in rows:
        read = f"{row['finished_at']:%Y-%m-%d %H:%M}" if row["finished_at"] else "never"
        counts = (str(row[name]) for name in ("documents", "hidden", "failed"))
        table.add_row(escape(row["name"]), row["kind"], *counts, read, escape(row["state"]))
    console.print(table if rows else "no sources yet; docs/sources.md says how to name them, or run `nightbake ingest`")


@sources.command(name="sync")
@click.argument("names", nargs=-1)
@click.option("--full", is_flag=True, help="List everything, not only what changed since the last time.")
@json_option
@command
async def sync_sources(names: tuple[str, ...], full: bool, as_json: bool) -> None:
    """Read what changed in the sources of these NAMES now; none is all that are configured.

    Exit code 1 means that some documents could not be read, 3 that a source is away; what it holds stays.
    """
    settings = read_settings()
    async with open_house(settings) as house:
        chosen = _choose(build_sources(settings), names)
        reports = {
            source.name: await sync_with_progress(house, source, in_full=full, quiet=as_json) for source in chosen
        }
    if as_json:
        emit({"sources": {name: asdict(report) for name, report in reports.items()}})
    if any(report.away for report in reports.values()):
        raise SystemExit(EXIT_AWAY)
    if any(report.failed_count for report in reports.values()):
        raise SystemExit(EXIT_FAILED)


@sources.command()
@click.argument("name")
@json_option
@command
async def forget(name: str, as_json: bool) -> None:
    """Hide all documents of a source that is no longer configured; configure it again to bring them back.

    Take it out of SOURCES_FILE first; a source that is configured would come back, so it is not forgotten.
    """
    settings = read_settings()
    if name in {source.name for source in build_sources(settings)}:
        raise InvalidInputError(f"{name!r} is configured and would come back; take it out of SOURCES_FILE first")
    async with open_house(settings) as house:
        if name not in {state.name for state in await find_states(house.database)}:
            raise InvalidInputError(f"no source {name!r}; `nightbake sources list` shows them")
        hidden = await forget_source(house.database, name)
    if as_json:
        emit({"name": name, "hidden": hidden})
    say(f"{escape(name)}: {hidden} documents hidden", quiet=as_json)


def build_sources(settings: Settings) -> list[Source]:
    """What SOURCES_FILE names, not connected yet.

    Raises:
        SettingsError: every mistake of the file at once.
    """
    if settings.sources_file is None:
        return []
    environment = {name: value for name, value in dotenv_values(".env").items() if value} | dict(os.environ)
    cache = settings.nightbake_home.resolve() / "sources"
    configs = load_sources(settings.sources_file, environment)
    return [build_source(config, environment, cache=cache) for config in configs]


def find_source(configured: Sequence[Source], name: str) -> Source | None:
    """A configured source, or the folder that the name is the path of; None where neither is there."""
    for source in configured:
        if source.name == name:
            return source
    folder = Path(name)
    return FolderSource(folder) if folder.is_absolute() and folder.is_dir() else None


async def sync_with_progress(
    house: House, source: Source, *, in_full: bool = False, quiet: bool = False
) -> IngestReport:
    """Read what changed and say how it went."""
    embedder = await house.search.active.find_embedder()
    with progress_shown(f"reading {escape(source.name)}", quiet=quiet) as show:
        try:
            report = await sync(house.database, embedder, source, in_full=in_full, on_progress=show)
        finally:
            await source.close()
    await calibrate_fusion(house.database, embedder)
    say(f"[bold]{escape(source.name)}[/]", quiet=quiet)
    say_report(report, quiet=quiet)
    return report


def _choose(configured: Sequence[Source], names: Sequence[str]) -> list[Source]:
    if not configured and not names:
        raise InvalidInputError("no sources are configured; SOURCES_FILE names a file of them, see docs/sources.md")
    by_name = {source.name: source for source in configured}
    if unknown := [name for name in names if name not in by_name]:
        known = ", ".join(by_name) or "none"
        raise InvalidInputError(f"expected names of configured sources ({known}), got {', '.join(unknown)}")
    return [by_name[name] for name in names] if names else list(configured)


async def _describe(house: House, configured: Sequence[Source]) -> list[dict[str, Any]]:
    """A row a source; what was read once and is not configured stays searchable, and says so."""
    states = {state.name: asdict(state) for state in await find_states(house.database)}
    rows: list[dict[str, Any]] = []
    for source in configured:
        state = states.pop(source.name, None)
        blank = {"documents": 0, "hidden": 0, "failed": 0, "finished_at": None, "error": None}
        row = {"name": source.name, "kind": source.kind, **(state or blank), "configured": True}
        rows.append(row | {"state": row["error"] or ("ok" if state else "not read yet")})
    for state in states.values():
        usual = "read by `nightbake ingest`" if state["name"].startswith("/") else "not configured any more"
        rows.append({**state, "configured": False, "state": state["error"] or usual})
    return rows
