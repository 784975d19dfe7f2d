"""`nightbake documents`: what is stored, chunk by chunk; hiding, bringing back, and reading again."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click
from rich.table import Table

from cli.embedding import change_with_bar, drop_with_words
from cli.house import House, open_house
from cli.output import AT_MOST, ROW_ID, command, console, emit, escape, json_option, read_settings, say
from cli.sources import build_sources, find_source, sync_with_progress
from core.errors import InvalidInputError
from retrieval.documents import StoredChunk, StoredDocument

_SHOWN_CHARACTERS = 300


@click.group()
def documents() -> None:
    """Look at stored documents; hide one, bring it back, read it again.

    `list` shows the numbers that the other commands take.
    """


@documents.command(name="list")
@click.option("--source", help="Of this source only.")
@click.option("--hidden", is_flag=True, help="Those that nobody sees: removed here, or gone from their source.")
@click.option("--after", "after_id", default=0, type=click.IntRange(0, 2**63 - 1), help="Go on after this number.")
@click.option("--limit", default=50, show_default=True, type=AT_MOST, help="How many, by number.")
@json_option
@command
async def list_documents(source: str | None, hidden: bool, after_id: int, limit: int, as_json: bool) -> None:
    """List documents with who may read them.

    A long list comes in pages: --after takes the last number of the page before.
    """
    async with open_house(read_settings()) as house:
        found = await house.documents.find_stored(source=source, hidden=hidden, after_id=after_id, limit=limit + 1)
    shown, has_more = found[:limit], len(found) > limit
    if as_json:
        emit({"documents": [asdict(document) for document in shown], "more": has_more})
        return
    table = Table("number", "title", "path", "who may read", "chunks", "changed", "state", box=None, header_style="dim")
    for document in shown:
        cells = (document.title, document.path, _name_readers(document))
        numbers = (str(document.chunk_count), f"{document.changed_at:%Y-%m-%d}", _name_state(document))
        table.add_row(str(document.id), *(escape(cell) for cell in cells), *numbers)
    console.print(table if shown else "no documents; `nightbake ingest FOLDER` reads some")
    if has_more:
        say(f"there are more: --after {shown[-1].id}")


@documents.command()
@click.argument("document_id", type=ROW_ID)
@json_option
@command
async def show(document_id: int, as_json: bool) -> None:
    """Show one document: permissions, versions, chunks, and where else the same content lies.

    Chunks are what is searched; of each the beginning is shown, and all of it with --json.
    """
    async with open_house(read_settings()) as house:
        document = await house.documents.get_stored(document_id)
        chunks = await house.documents.find_chunks(document_id)
        copies = await house.documents.find_copies(document_id)
    if as_json:
        also = [{"id": copy.id, "source": copy.source, "path": copy.path} for copy in copies]
        emit({"document": asdict(document), "chunks": [asdict(chunk) for chunk in chunks], "copies": also})
        return
    _print_document(document)
    for copy in copies:
        console.print(f"also as       document {copy.id}, {escape(copy.source)} {escape(copy.path)}", soft_wrap=True)
    for chunk in chunks:
        _print_chunk(chunk)


@documents.command()
@click.argument("document_ids", nargs=-1, required=True, type=ROW_ID)
@json_option
@command
async def remove(document_ids: tuple[int, ...], as_json: bool) -> None:
    """Hide documents from the next question on, whatever their source says; `restore` brings them back.

    The file itself stays where it is, and reading its source again does not bring the document back.
    """
    async with open_house(read_settings()) as house:
        for document_id in document_ids:
            await house.documents.remove(document_id)
            say(f"document {document_id} is hidden; `nightbake documents restore {document_id}`", quiet=as_json)
    if as_json:
        emit({"removed": list(document_ids)})


@documents.command()
@click.argument("document_ids", nargs=-1, required=True, type=ROW_ID)
@json_option
@command
async def restore(document_ids: tuple[int, ...], as_json: bool) -> None:
    """Bring back documents that were removed by hand; what changed meanwhile comes with the next ingest.

    Exit code 1 means that a document was not removed by hand; `documents list --hidden` shows those that were.
    """
    async with open_house(read_settings()) as house:
        for document_id in document_ids:
            await house.documents.restore(document_id)
            say(f"document {document_id} is back", quiet=as_json)
    if as_json:
        emit({"restored": list(document_ids)})


@documents.command()
@click.argument("document_ids", nargs=-1, type=ROW_ID)
@click.option("--source", help="All documents of this source instead.")
@click.option("--model", help="Embed everything with this model instead, and ask with it from then on.")
@click.option("--drop-old", is_flag=True, help="Delete the vectors of former models, after --model or alone.")
@json_option
@command
async def reindex(
    document_ids: tuple[int, ...], source: str | None, model: str | None, drop_old: bool, as_json: bool
) -> None:
    """Read documents again from their source, or embed all of them with a new model.

    Name documents by their numbers, or one source by --source, after a change of format readers or chunking; vectors
    of equal text are kept. With --model NAME nothing is read: questions are asked with the former model until every
    chunk has its vector of the new one. Cut it short as you like; the next time goes on behind what was stored.
    """
    if [bool(document_ids), bool(source), bool(model or drop_old)].count(True) != 1:
        raise InvalidInputError("expected one of: numbers of documents, --source NAME, --model NAME, --drop-old")
    settings = read_settings()
    async with open_house(settings) as house:
        if model or drop_old:
            report = await change_with_bar(house, model, quiet=as_json) if model else {}
            if drop_old:
                report["dropped"] = await drop_with_words(house, quiet=as_json)
        else:
            report = await _read_again(house, document_ids, source, quiet=as_json)
    if as_json:
        emit(report)


async def _read_again(
    house: House, document_ids: Sequence[int], source: str | None, *, quiet: bool
) -> dict[str, list[str]]:
    configured = build_sources(house.settings)
    found = {name: find_source(configured, name) for name in await _forget_content(house, document_ids, source)}
    for one in found.values():
        if one:
            await sync_with_progress(house, one, quiet=quiet)
    left = [name for name, one in found.items() if one is None]
    for name in left:
        say(f"{escape(name)}: read again at the next ingest; it is neither configured nor a folder", quiet=quiet)
    return {"read": [name for name, one in found.items() if one], "left_for_later": left}


async def _forget_content(house: House, document_ids: Sequence[int], source: str | None) -> list[str]:
    """Mark documents to be read; the names of their sources."""
    if source:
        if not await house.documents.forget_content(source):
            raise InvalidInputError(f"no documents of a source {source!r}; `nightbake sources list` shows the names")
        return [source]
    stored = [await house.documents.get_stored(document_id) for document_id in document_ids]
    await house.documents.forget_documents(document_ids)
    return sorted({document.source for document in stored})


def _name_readers(document: StoredDocument) -> str:
    readers = ", ".join(document.allow) or "nobody"
    return f"{readers}; not {', '.join(document.deny)}" if document.deny else readers


def _name_state(document: StoredDocument) -> str:
    if document.withdrawn_at:
        return "removed"
    return "gone" if document.removed_at else ""


def _print_document(document: StoredDocument) -> None:
    lines: dict[str, Any] = {
        "document": document.id,
        "title": document.title,
        "source": document.source,
        "path": document.path,
        "who may read": _name_readers(document),
        "owner": document.owner or "-",
        "changed": f"{document.changed_at:%Y-%m-%d %H:%M}",
        "version": f"{document.version}, read {document.ingested_at:%Y-%m-%d %H:%M}, {document.format}",
        "source's": document.source_version or "-",
        "state": _name_state(document) or "searched",
    }
    for name, value in lines.items():
        console.print(f"{name:<14}{escape(str(value))}", soft_wrap=True)


def _print_chunk(chunk: StoredChunk) -> None:
    page = f", p. {chunk.page}" if chunk.page else ""
    place = f"{chunk.start_offset}-{chunk.end_offset}{page}, {chunk.language}, {', '.join(chunk.models) or 'no vector'}"
    console.print(f"\n[bold]chunk {chunk.id}[/] {escape(chunk.heading_path)} [dim]{escape(place)}[/]", soft_wrap=True)
    cut = "…" if len(chunk.text) > _SHOWN_CHARACTERS else ""
    console.print(escape(chunk.text[:_SHOWN_CHARACTERS]) + cut, soft_wrap=True)
