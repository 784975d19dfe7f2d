"""`nightbake exercises`: made from documents, listed, shown, evolved, reviewed, and what they cost."""

import asyncio
import webbrowser
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from bot.web.sessions import make_link
from cli.exam import find_known
from cli.exercise_tables import (
    MakeProgress,
    clip,
    print_agreement,
    print_bill,
    print_corpus,
    print_exercise,
    print_yields,
    sum_up,
)
from cli.exercise_training import train
from cli.house import SAMPLE, House, open_house
from cli.ingest import ingest_with_progress
from cli.output import AT_MOST, ROW_ID, command, console, emit, escape, json_option, read_settings, say
from core.errors import InvalidInputError
from core.fitting import estimate_tokens
from core.prompt import Language
from learning.exams.guard import find_held
from learning.exercises.asking import Asker
from learning.exercises.corpus import measure_corpus
from learning.exercises.draft import KINDS, CountTokens, Kind, Origin, Related, Section
from learning.exercises.evolve import EVOLVED_KINDS, STEPS, Step
from learning.exercises.evolve import evolve as evolve_exercises
from learning.exercises.ledger import Prices, find_agreement, find_bill
from learning.exercises.make import PURPOSES, FindRelated, Maker, Purpose, Wanted
from learning.exercises.sections import read_sections
from learning.exercises.store import Exercises
from retrieval.sources.folder import open_path

ALL = "all"
SAMPLE_WORD = "sample"
STATES = ("accepted", "rejected", "disputed", "waits", "unseen")
BY = ("structure", "model", "both")
RELATED = 12

documents_option = click.option(
    "--documents",
    "documents",
    help="A folder or file, read first; `sample`; or words of paths and titles.  [default: all that is known]",
)

allow_option = click.option(
    "--allow", multiple=True, help="Who may read a folder where no .access.json says so, as in `ingest`."
)


@click.group()
def exercises() -> None:
    """Make exercises from documents, check them, and have people look at them.

    For the first days, when there are no votes yet: definitions, summaries, four-choice questions, questions with
    hard negatives, and questions that the documents do not answer. `train` makes a first adapter of them.
    """


exercises.add_command(train)


@exercises.command()
@click.option("--kind", "kinds", multiple=True, type=click.Choice([ALL, *KINDS]), help="May be repeated.")
@documents_option
@click.option("--count", default=40, show_default=True, type=AT_MOST, help="How many that pass every check.")
@click.option("--by", type=click.Choice(BY), help="Who writes.  [default: both with MODEL_URL, else structure]")
@click.option("--probe", is_flag=True, help="Ask the embedded model too what it knows without the clue (slow).")
@click.option("--language", type=click.Choice(["en", "ko"]), help="Of these sections only.  [default: both]")
@click.option("--for", "purpose", default="training", show_default=True, type=click.Choice(PURPOSES), help="What for.")
@allow_option
@json_option
@command
async def make(
    kinds: tuple[str, ...],
    documents: str | None,
    count: int,
    by: str | None,
    probe: bool,
    language: Language | None,
    purpose: Purpose,
    allow: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make exercises until so many passed every check.

    Without a model of your own they come from the form of documents: glossaries, tables, questions with answers,
    headings, numbers. With MODEL_URL that model writes too and is asked each question with and without its clue.
    Ctrl-C keeps what was made; the same command goes on. Made again, it makes further ones.
    """
    chosen: tuple[Kind, ...] = tuple(kind for kind in KINDS if not kinds or ALL in kinds or kind in kinds)
    async with open_house(read_settings()) as house:
        sections = await _read_documents(house, documents, allow, quiet=as_json)
        origins = _choose_origins(house, by)
        wanted = Wanted(chosen, count, origins, purpose, language, documents or "")
        needs_model = probe or "model" in origins or not house.is_embedded_model
        if needs_model:
            async with house.model_running(quiet=as_json):
                made = await _make(house, wanted, sections, asker=Asker(house.model_server), quiet=as_json)
        else:
            made = await _make(house, wanted, sections, asker=None, quiet=as_json)
        yields = await _store(house).find_yields(made)
        bill = await find_bill(house.database, _prices(house), make_id=made)
    told = {"make_id": made, "wanted": count, "documents": len(sections), **sum_up(yields), "cost": asdict(bill)}
    if as_json:
        emit(told)
        return
    print_yields(told)
    print_bill(bill)


@exercises.command()
@click.option("--step", "steps", multiple=True, type=click.Choice(STEPS), help="May be repeated.  [default: all]")
@click.option("--count", default=20, show_default=True, type=AT_MOST, help="How many that pass every check.")
@click.option("--of", "state", type=click.Choice(STATES), help="Only exercises in this state.  [default: not rejected]")
@json_option
@command
async def evolve(steps: tuple[Step, ...], count: int, state: str | None, as_json: bool) -> None:
    """Have the model make questions harder or wider, as WizardLM does.

    Of definitions and retrieval items. Thrown away is what asks no more than before, is not answered by its passage
    any more, or copies the prompt. Ctrl-C keeps what was made; the same command goes on.
    """
    async with open_house(read_settings()) as house:
        store = _store(house)
        found = [one for kind in EVOLVED_KINDS for one in await store.find(kind=kind, state=state, limit=count * 4)]
        parents = [one for one in found if one.purpose == "training" and (state or one.state != "rejected")]
        if not parents:
            raise InvalidInputError("expected exercises to evolve, found none; `nightbake exercises make` makes some")
        wanted = Wanted(EVOLVED_KINDS, count)
        async with house.model_running(quiet=as_json):
            asker = Asker(house.model_server)
            maker = await _build_maker(house, wanted, asker)
            with MakeProgress(count, quiet=as_json) as shown:
                made = await evolve_exercises(
                    maker, store, asker, parents, steps=steps or STEPS, count=count, on_try=shown.show
                )
        yields, bill = await store.find_yields(made), await find_bill(house.database, _prices(house), make_id=made)
    told = {"make_id": made, "wanted": count, **sum_up(yields), "cost": asdict(bill)}
    if as_json:
        emit(told)
        return
    print_yields(told)
    print_bill(bill)


@exercises.command("list")
@click.option("--kind", type=click.Choice(KINDS), help="Only of this kind.")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@click.option("--for", "purpose", type=click.Choice(PURPOSES), help="Only for this.")
@click.option("--words", help="Only those with these words in question, answer or title.")
@click.option("--as", "person", help="Only what this person may read.  [default: all]")
@click.option("--limit", default=20, show_default=True, type=AT_MOST, help="How many, the newest first.")
@json_option
@command
async def list_(
    kind: str | None,
    state: str | None,
    purpose: str | None,
    words: str | None,
    person: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List exercises, the newest first.

    Those whose document changed or went are left out. `waits` waits for a person; `unseen` passed and is no sample.
    """
    async with open_house(read_settings()) as house:
        principals = await house.access.find_principals(person) if person else None
        found = await _store(house).find(
            kind=kind, state=state, purpose=purpose, words=words, principals=principals, limit=limit
        )
    if as_json:
        emit({"exercises": [asdict(one) for one in found]})
        return
    table = Table("no", "kind", "by", "state", "question", "answer", box=None, header_style="dim")
    for one in found:
        texts = [escape(clip(text)) for text in (one.question, one.answer)]
        table.add_row(str(one.id), one.kind, one.shape if one.origin == "structure" else one.origin, one.state, *texts)
    console.print(table if found else "no exercises match; `nightbake exercises make` makes some")


@exercises.command()
@click.argument("number", type=ROW_ID)
@json_option
@command
async def show(number: int, as_json: bool) -> None:
    """Show one exercise as a whole.

    NUMBER is what `nightbake exercises list` gives. Its clue, hard negatives, documents and probes are shown too.
    """
    async with open_house(read_settings()) as house:
        found = await _store(house).get(number)
    if as_json:
        emit(asdict(found))
        return
    print_exercise(found)


@exercises.command()
@click.option("--no-browser", is_flag=True, help="Print the address only.")
@json_option
@command
async def review(no_browser: bool, as_json: bool) -> None:
    """Open the review queue in the browser.

    It is a page of the console, so `nightbake up` must be running. Retrieval and unanswerable items and exam items
    wait for a person always, of the rest EXERCISE_REVIEW_SHARE; EXERCISE_REVIEWERS says how many people.
    """
    async with open_house(read_settings()) as house:
        states = await _store(house).count_states()
        address = await make_link(house.database, house.settings.base_url, path="/console/exercises", role="reviewer")
    waiting = sum(counts.get("waits", 0) + counts.get("disputed", 0) for counts in states.values())
    if as_json:
        emit({"waiting": waiting, "states": states, "address": address})
        return
    console.print(f"{waiting} exercises wait for a person\n  {address}", soft_wrap=True)
    if not no_browser:
        await asyncio.to_thread(webbrowser.open, address)


@exercises.command()
@documents_option
@allow_option
@json_option
@command
async def figures(documents: str | None, allow: tuple[str, ...], as_json: bool) -> None:
    """Say what the documents amount to, what exercises came of them, and at what cost.

    Tokens are counted by the model's own tokenizer where its files are here, otherwise estimated.
    """
    async with open_house(read_settings()) as house:
        sections = await _read_documents(house, documents, allow, quiet=as_json)
        counter = find_tokenizer(house)
        corpus = await measure_corpus(
            house.database, sections, count_tokens=counter or estimate_tokens, is_estimated=counter is None
        )
        store = _store(house)
        yields, states = await store.find_yields(), await store.count_states()
        bill = await find_bill(house.database, _prices(house))
        agreement = await find_agreement(house.database)
    if as_json:
        cost, made = asdict(bill), sum_up(yields)
        emit({"corpus": asdict(corpus), "made": made, "states": states, "cost": cost, "agreement": asdict(agreement)})
        return
    print_corpus(corpus)
    print_yields(sum_up(yields))
    print_bill(bill)
    print_agreement(agreement)


async def _make(house: House, wanted: Wanted, sections: dict[int, Any], *, asker: Asker | None, quiet: bool) -> int:
    maker = await _build_maker(house, wanted, asker)
    with MakeProgress(wanted.count, quiet=quiet) as shown:
        try:
            return await maker.make(sections, on_try=shown.show)
        except (asyncio.CancelledError, KeyboardInterrupt):
            say(f"{shown.accepted} of {wanted.count} made and kept; the same command goes on", quiet=quiet)
            raise


async def _build_maker(house: House, wanted: Wanted, asker: Asker | None) -> Maker:
    await house.search.warm_up()
    return Maker(
        _store(house),
        wanted,
        find_related=_build_search(house),
        count_tokens=find_tokenizer(house) or estimate_tokens,
        asker=asker,
        held=await _find_held(house),
    )


async def _read_documents(
    house: House, documents: str | None, allow: Sequence[str], *, quiet: bool
) -> dict[int, list[Section]]:
    """The sections of what `--documents` names.

    Raises:
        InvalidInputError: there are none, or nobody may read them.
    """
    source, words = await _read_in(house, documents, allow, quiet=quiet)
    sections = await read_sections(house.database, source=source, words=words)
    if not sections:
        raise InvalidInputError(
            "expected documents that somebody may read, found none; see `nightbake documents`, or pass --allow everyone"
        )
    return sections


async def _read_in(
    house: House, documents: str | None, allow: Sequence[str], *, quiet: bool
) -> tuple[str | None, str | None]:
    """The source that `--documents` names, read into the database first, or the words that it is."""
    if documents is None:
        return None, None
    path = SAMPLE / "handbook" if documents == SAMPLE_WORD else Path(documents)
    if not await asyncio.to_thread(path.exists):
        if "/" in documents:
            raise InvalidInputError(f"expected a folder, a file or words of a title, got {documents!r}")
        return None, documents
    await ingest_with_progress(house, [path], allow=allow, quiet=quiet)
    return (await asyncio.to_thread(open_path, path)).name, None


def _build_search(house: House) -> FindRelated:
    async def find_related(question: str, principals: Sequence[str]) -> list[Related]:
        return [
            Related(one.document_id, one.document_version, one.title, one.heading_path, one.text)
            for one in await house.search.search(question, principals, limit=RELATED)
        ]

    return find_related


async def _find_held(house: House) -> list[tuple[str, str]]:
    """Golden questions and pinned items with their answers: who is examined by them must not be trained on them."""
    golden = await find_known(house, with_sample=True)
    return [*((one.question, one.answer) for one in golden), *await find_held(house.database)]


def find_tokenizer(house: House) -> CountTokens | None:
    """Counts by the tokenizer of the model that is trained; None where its files are not on this machine."""
    folder = Path(house.settings.model_path) if house.settings.model_path else house.base_model_folder
    file = folder / "tokenizer.json"
    if not file.exists():
        return None
    from tokenizers import Tokenizer  # noqa: PLC0415

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _choose_origins(house: House, by: str | None) -> tuple[Origin, ...]:
    chosen = by or ("structure" if house.is_embedded_model else "both")
    return ("structure", "model") if chosen == "both" else ("model",) if chosen == "model" else ("structure",)


def _store(house: House) -> Exercises:
    settings = house.settings
    return Exercises(house.database, share=settings.exercise_review_share, reviewers=settings.exercise_reviewers)


def _prices(house: House) -> Prices:
    settings = house.settings
    return Prices(settings.currency, settings.night_hour_cost, settings.reviewer_hour_cost)
