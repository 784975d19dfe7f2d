"""`nightbake pairs`: collect training pairs without training, look at them, ask why, and take them elsewhere."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cli.ask import local_person
from cli.house import open_house
from cli.night import read_night
from cli.output import AT_MOST, ROW_ID, command, console, emit, escape, json_option, notes, read_settings, say
from core.errors import InvalidInputError, NotFoundError
from learning.canaries import build_canaries
from learning.ledger import Ledger
from learning.pair_export import ENDINGS, FileFormat, Form, build_rows, open_writer
from learning.pair_sources import check_document
from learning.rehearse import rehearse
from learning.signals import ORIGIN_TRUST

FORMS: tuple[Form, ...] = get_args(Form)
FILE_FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)
STATES = ("trained", "held_out", "dropped")
WHY = {
    "fault": "it mends the answer's {}",
    "signal": "people said so by {}",
    "choice": "one person {}",
    "checked": "checked: {}",
    "sampled": "the best of {} answers of the model",
    "shortened": "too long for the model server: shown with the first {} passages only",
    "review": "a reviewer {} it",
}

run_option = click.option("--run", "run_id", type=ROW_ID, help="Of this run.  [default: the last that collected pairs]")


@click.group()
def pairs() -> None:
    """Collect preference pairs, look at them, and export them.

    A night does the same before it trains. Each pair says where it comes from and why it was kept or dropped.
    """


@pairs.command()
@click.option("--no-sample", is_flag=True, help="Do not ask the model for better answers to disliked ones.")
@json_option
@command
async def build(no_sample: bool, as_json: bool) -> None:
    """Collect the pairs that a night would train on now; trains and serves nothing.

    Better answers to disliked ones are sampled where a model server answers. Counts every vote: the sums agree, or the
    command fails.
    """
    async with open_house(read_settings()) as house:
        with _PairProgress(quiet=as_json) as shown:
            run = await rehearse(
                database=house.database,
                model_server=None if no_sample else house.model_server,
                settings=await read_night(house),
                requested_by=local_person(),
                progress=shown.show,
            )
    if as_json:
        emit({"run_id": run.id, **run.counts})
        return
    _say_counts(run.counts)


@pairs.command()
@run_option
@click.option("--origin", type=click.Choice(list(ORIGIN_TRUST)), help="Only those of this origin.")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--words", help="Only those with these words in question or answers.")
@click.option("--limit", default=20, show_default=True, type=AT_MOST, help="How many, the surest first.")
@json_option
@command
async def show(
    run_id: int | None, origin: str | None, state: str | None, words: str | None, limit: int, as_json: bool
) -> None:
    """List the pairs of a run, the surest first.

    The confidence is the voters' weight by the trust in the origin; docs/feedback.md has the table.
    """
    async with open_house(read_settings()) as house:
        ledger = Ledger(house.database)
        run_id = await ledger.get_run_id(run_id)
        found = await ledger.find_pairs(run_id, origin=origin, state=state, words=words, limit=limit)
    if as_json:
        emit({"run_id": run_id, "pairs": [asdict(pair) for pair in found]})
        return
    table = Table(
        "pair", "origin", "sure", "voters", "question", "chosen", "rejected", "state", box=None, header_style="dim"
    )
    for pair in found:
        texts = [escape(_clip(text)) for text in (pair.question, pair.chosen, pair.rejected)]
        told = f"{pair.state}: {pair.reason}" if pair.reason else pair.state
        table.add_row(str(pair.id), pair.origin, f"{pair.confidence or 0:.2f}", str(pair.voters), *texts, told)
    console.print(table if found else "no pairs match")


@pairs.command()
@click.argument("pair")
@json_option
@command
async def explain(pair: str, as_json: bool) -> None:
    """Say all that is known of one pair: why it was kept or dropped, its voters, documents and votes.

    PAIR is its number, or the beginning of its hash. Voters are pseudonyms.
    """
    async with open_house(read_settings()) as house:
        found = await Ledger(house.database).explain(pair)
    if as_json:
        emit(found)
        return
    _print_pair(found)


@pairs.command()
@json_option
@command
async def canaries(as_json: bool) -> None:
    """Name what nobody should teach: put each of these made-up names into a text that few may read.

    A vote or correction that brings one had it from there: its pairs are left out of training, and the report counts
    them. The names follow from NIGHT_SEED; a new seed makes new ones.
    """
    names = build_canaries(read_settings().night_seed)
    if as_json:
        emit({"canaries": list(names)})
        return
    console.print("\n".join(names))


@pairs.command()
@run_option
@click.option("--format", "form", type=click.Choice(FORMS), default=FORMS[0], show_default=True, help="TRL's form.")
@click.option(
    "--as", "file_format", type=click.Choice(FILE_FORMATS), help="File format.  [default: by the file's ending]"
)
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@json_option
@command
async def export(run_id: int | None, form: Form, file_format: FileFormat | None, out: Path, as_json: bool) -> None:
    """Write the training pairs of a run as JSON Lines or Parquet; `datasets` and TRL load both.

    Held-out pairs stay: who trains on them has nothing left to measure with. The kto format holds single votes too,
    where they outnumber the pairs three to one.
    """
    chosen = file_format or ENDINGS.get(out.suffix)
    if chosen is None:
        raise InvalidInputError(f"expected a file that ends in .jsonl or .parquet, or --as, got {out.name!r}")
    count = 0
    async with open_house(read_settings()) as house:
        ledger = Ledger(house.database)
        run_id = await ledger.get_run_id(run_id)
        with open_writer(out, chosen, form) as writer:
            async for row in build_rows(ledger, run_id, form):
                writer.write(row)
                count += 1
    if as_json:
        emit({"run_id": run_id, "format": form, "as": chosen, "rows": count, "out": str(out)})
    say(f"{count} rows in the {form} format", quiet=as_json)


@pairs.command()
@run_option
@json_option
@command
async def stale(run_id: int | None, as_json: bool) -> None:
    """List documents that changed since pairs were made from them, which keeps these pairs out.

    Look whether what was said of a document still holds, then say so by `nightbake pairs check`.
    """
    async with open_house(read_settings()) as house:
        ledger = Ledger(house.database)
        run_id = await ledger.get_run_id(run_id)
        found = await ledger.find_stale(run_id)
    if as_json:
        emit({"run_id": run_id, "documents": [asdict(document) for document in found]})
        return
    table = Table("document", "title", "path", "owner", "pairs", "state", box=None, header_style="dim")
    for one in found:
        cells = (escape(one.title), escape(one.path), escape(one.owner or "-"), str(one.pairs))
        table.add_row(str(one.id), *cells, f"version {one.version}" if one.is_there else "gone")
    console.print(table if found else "no pair is kept out by a document that changed")


@pairs.command()
@click.argument("document_ids", nargs=-1, required=True, type=ROW_ID, metavar="DOCUMENT...")
@json_option
@command
async def check(document_ids: tuple[int, ...], as_json: bool) -> None:
    """Say that what people said of earlier versions of these documents still holds in today's.

    Their pairs count again from the next collection on, until the document changes once more.
    """
    async with open_house(read_settings()) as house:
        missing = [id_ for id_ in document_ids if not await check_document(house.database, id_, by=local_person())]
    if missing:
        numbers = ", ".join(map(str, missing))
        raise NotFoundError(f"no document {numbers} to check; `nightbake pairs stale` lists those that changed")
    if as_json:
        emit({"checked": list(document_ids)})
    say(f"{len(document_ids)} checked; their pairs count again from the next collection on", quiet=as_json)


class _PairProgress:
    """A bar while answers are judged."""

    def __init__(self, *, quiet: bool) -> None:
        columns = (
            TextColumn("  reading judged answers"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        )
        self._progress = Progress(*columns, TimeRemainingColumn(), console=notes, transient=True, disable=quiet)
        self._task = self._progress.add_task("", total=1)

    def __enter__(self) -> "_PairProgress":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    async def show(self, event: dict[str, Any]) -> None:
        """Follow one event of a collection."""
        if event["event"] == "paired":
            self._progress.update(self._task, completed=event["answers"], total=max(1, event["of"]))


def _say_counts(counts: dict[str, Any]) -> None:
    console.print(
        f"{counts['votes']} votes of {counts['voters']} people: {counts['pairs']} pairs, "
        f"{counts['trained']} to train on, {counts['held_out']} held out"
    )
    for title, name in (("by origin", "origins"), ("dropped pairs", "dropped_pairs"), ("votes", "fates")):
        table = Table(title, "", box=None, header_style="dim")
        for key, count in sorted(counts[name].items(), key=lambda item: (-item[1], item[0])):
            table.add_row(key.replace("_", " ").replace(":", ": "), str(count))
        if counts[name]:
            console.print(table)
    console.print("the sums agree: every vote is accounted for")


def _print_pair(pair: dict[str, Any]) -> None:
    console.print(f"[bold]pair {pair['id']}[/]  {pair['sha256'][:12]}  {pair['origin']}, {pair['language']}")
    sure = f"confidence {pair['confidence']:.2f}, " if pair["confidence"] is not None else ""
    console.print(
        f"{sure}weight {pair['weight']:.2f} of {len(pair['voters'])} voters: {', '.join(pair['voters']) or 'none'}"
    )
    for why in pair["why"]:
        kind, _, value = why.partition(":")
        console.print(f"  {WHY.get(kind, '{}').format(escape(value.replace('_', ' ')))}")
    for run in pair["runs"]:
        name = "rehearsal" if run["is_rehearsal"] else f"night {run['night']}"
        console.print(f"  {name}: {run['state']}{': ' + run['reason'] if run['reason'] else ''}")
    for review in pair["reviews"]:
        console.print(f"  {review['verdict']} by {escape(review['reviewer'])}, {review['reviewed_at']:%Y-%m-%d %H:%M}")
    for document in pair["documents_now"]:
        changed = "unchanged" if document["is_unchanged"] else "changed or gone since"
        console.print(f"  document: {escape(document['title'] or '?')}, version {document['shown_version']}, {changed}")
    for vote in pair["votes"]:
        standing = "" if vote["is_current"] else ", replaced later"
        said = "with a correction" if vote["has_correction"] else vote["reason"] or vote["source"]
        console.print(
            f"  vote {vote['value']:+d} by {vote['voter']} on answer {vote['interaction_id']}, {escape(said)}{standing}"
        )
    for title, text in (("question", pair["question"]), ("chosen", pair["chosen"]), ("rejected", pair["rejected"])):
        console.print(f"[dim]{title}[/]\n{escape(text)}")


def _clip(text: str, longest: int = 60) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"
