"""`nightbake golden`: questions with right answers, stored, and reviewed with what the bot says to them."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from bot.exam import Examiner, Graded
from bot.golden import GoldenQuestion, load_golden
from bot.golden_questions import ADVISED, STATES, GoldenQuestions, State, StoredGolden, Verdict
from cli.ask import local_person
from cli.exam import MEANING, RIGHT
from cli.house import House, open_house
from cli.output import ROW_ID, command, console, emit, escape, json_option, notes, open_for_writing, read_settings, say
from cli.terminal import read_line
from core.errors import InvalidInputError, NotFoundError
from core.prompt import detect_language
from retrieval.access import EVERYONE

ACCEPTED_BETWEEN = "|"
VERDICTS: dict[str, Verdict] = {"a": "accept", "e": "edit", "r": "reject"}


@click.group()
def golden() -> None:
    """Keep questions whose right answers are known.

    They are asked by `evaluate answers`, `exam run` and every night, beside those of the file GOLDEN_QUESTIONS; 20 at
    least are advised. Nothing near them is trained on.
    """


@golden.command()
@click.argument("question")
@click.option("--answer", default="", help="The right answer in full; wording is measured against it.")
@click.option("--accept", "accepted", multiple=True, help="A right answer holds one of these texts; may be repeated.")
@click.option(
    "--source", "sources", multiple=True, help="Path or title of a document that answers it; may be repeated."
)
@click.option("--for", "principals", multiple=True, help="Who asks, such as group:hr.  [default: everyone]")
@json_option
@command
async def add(
    question: str,
    answer: str,
    accepted: tuple[str, ...],
    sources: tuple[str, ...],
    principals: tuple[str, ...],
    as_json: bool,
) -> None:
    """Store one QUESTION with its right answer.

    Without --accept and --source it is one that no document answers: the right answer is to say so.
    """
    stored = GoldenQuestion(
        "", detect_language(question), question, answer, list(accepted), list(sources), list(principals) or [EVERYONE],
        demo=False,
    )  # fmt: skip
    async with open_house(read_settings()) as house:
        table = GoldenQuestions(house.database)
        id_ = await table.add(stored, by=local_person())
        missing = (await table.get(id_)).missing if id_ else []
        count = len(await table.find())
    if as_json:
        emit({"id": id_, "is_new": id_ is not None, "missing": missing, "questions": count})
        return
    console.print(f"stored as {id_}" if id_ else "the same question is stored already")
    for path in missing:
        console.print(f"[yellow]no document has the path or title {escape(path)}[/]; `nightbake documents` lists them")
    if count < ADVISED:
        console.print(f"{count} of at least {ADVISED} that are advised")


@golden.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@json_option
@command
async def import_(file: Path, as_json: bool) -> None:
    """Store the questions of FILE, JSON Lines as in docs/operations.md.

    Those that are stored already stay as they are.
    """
    async with open_house(read_settings()) as house:
        table = GoldenQuestions(house.database)
        stored = [await table.add(one, by=local_person()) for one in load_golden(file)]
        found = await table.find()
    new = [id_ for id_ in stored if id_ is not None]
    missing = sorted({path for one in found if one.id in new for path in one.missing})
    if as_json:
        emit({"imported": len(new), "known": len(stored) - len(new), "questions": len(found), "missing": missing})
        return
    console.print(f"{len(new)} stored, {len(stored) - len(new)} were there; {len(found)} in all")
    if missing:
        console.print(f"[yellow]no document has these paths or titles:[/] {escape(', '.join(missing))}")


@golden.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@json_option
@command
async def list_(state: State | None, as_json: bool) -> None:
    """List the questions of the table.

    One that waits for a reviewer is asked as well; one that was rejected is not.
    """
    async with open_house(read_settings()) as house:
        found = await GoldenQuestions(house.database).find(state=state)
        file = house.settings.golden_questions
    if as_json:
        emit({"questions": [asdict(one) for one in found], "file": file})
        return
    table = Table("no", "state", "question", "accepted", "documents", "for", box=None, header_style="dim")
    for one in found:
        sources = [f"[red]{escape(path)} (gone)[/]" if path in one.missing else escape(path) for path in one.sources]
        accepted = escape(f" {ACCEPTED_BETWEEN} ".join(one.accept)) or "[dim]no document says[/]"
        words = [escape(one.question), accepted, ", ".join(sources), escape(", ".join(one.principals))]
        table.add_row(str(one.id), one.state, *words)
    console.print(table if found else "no golden questions stored; `nightbake golden add` or `golden import` does")
    if file:
        console.print(f"and those of {escape(str(file))} (GOLDEN_QUESTIONS)")


@golden.command()
@click.argument("numbers", nargs=-1, required=True, type=ROW_ID)
@json_option
@command
async def remove(numbers: tuple[int, ...], as_json: bool) -> None:
    """Delete questions, with what people said of them.

    NUMBERS are what `golden list` gives.
    """
    async with open_house(read_settings()) as house:
        removed = await GoldenQuestions(house.database).remove(numbers)
    if not removed:
        raise NotFoundError(f"no golden question {', '.join(map(str, numbers))}; `nightbake golden list` has them")
    if as_json:
        emit({"removed": removed})
        return
    console.print(f"removed {', '.join(map(str, removed))}")


@golden.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@command
async def export(file: Path, as_json: bool) -> None:
    """Write the questions of the table to FILE as JSON Lines; `golden import` reads them.

    Those that were rejected are left out, and so is what people said of them.
    """
    async with open_house(read_settings()) as house:
        found = await GoldenQuestions(house.database).find_asked()
    with open_for_writing(file) as opened:
        for one in found:
            opened.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")
    if as_json:
        emit({"exported": len(found), "file": file})
        return
    console.print(f"{len(found)} questions in {escape(str(file))}")


@golden.command()
@click.option("--all", "wants_all", is_flag=True, help="Also those that somebody looked at before.")
@click.option("--adapter", help="Ask this adapter, or `base`.  [default: the one that is served]")
@json_option
@command
async def review(wants_all: bool, adapter: str | None, as_json: bool) -> None:
    """Look at golden questions one by one, each with what the bot answers now and from which passages.

    Say first whether the answer is right (y, n, or Enter for neither): from this, `exam run` tells how far its judges
    agree with people. Then what becomes of the question: a accepts, e edits, r rejects, s or Enter skips, q leaves.
    Each word is kept at once, with who said it and when.
    """
    async with open_house(read_settings()) as house:
        found = [one for one in await GoldenQuestions(house.database).find() if wants_all or one.state == "waits"]
        said = Counter[str]()
        if found:
            name = await house.choose_adapter(adapter)
            async with house.model_running(quiet=as_json):
                said = await _Review(house, name).run(found)
    left = len(found) - said.total() + said["skip"]
    if as_json:
        emit({"reviewed": len(found) - left, "left": left, **{word: said[word] for word in VERDICTS.values()}})
        return
    if not found:
        console.print("no golden question waits; --all shows those that were looked at, `golden add` stores more")
        return
    told = ", ".join(f"{count} {word}" for word, count in said.items()) or "nothing said"
    console.print(f"{told}; {left} left")


class _Review:
    """Asks the bot, shows, reads a person's words, stores them."""

    def __init__(self, house: House, adapter: str | None) -> None:
        self._table = GoldenQuestions(house.database)
        self._examiner = Examiner(house.finder, house.composer)
        self._adapter = adapter

    async def run(self, found: Sequence[StoredGolden]) -> Counter[str]:
        """One after the other, until all are done, the input ends or the person leaves; how often what was said."""
        said = Counter[str]()
        upcoming = [asyncio.create_task(self._examiner.ask(found[0].asked, adapter=self._adapter))]
        for place, one in enumerate(found):
            graded = await upcoming.pop()
            if place + 1 < len(found):
                # The next is answered while the person reads.
                following = self._examiner.ask(found[place + 1].asked, adapter=self._adapter)
                upcoming.append(asyncio.create_task(following))
            _show(one, graded, f"{place + 1} of {len(found)}")
            word = await self._decide(one, graded)
            if word is None:
                break
            said[word] += 1
        for task in upcoming:
            task.cancel()
        await asyncio.gather(*upcoming, return_exceptions=True)
        return said

    async def _decide(self, one: StoredGolden, graded: Graded) -> str | None:
        """What was said and stored; None where the person left."""
        if (right := await _ask("is the answer right? y n, Enter: cannot tell", "yn")) is None:
            return None
        if (word := await _ask("the question: a accept, e edit, r reject, s skip, q leave", "aersq")) in (None, "q"):
            return None
        verdict = VERDICTS.get(word or "s")
        if verdict is None:
            return "skip"
        is_right = {"y": True, "n": False}.get(right)
        if verdict == "edit":
            is_same_question = await self._edit(one)
            is_right = is_right if is_same_question else None
        values: dict[str, Any] = {"said": graded.answer, "adapter": self._adapter, "is_right": is_right}
        await self._table.review(one.id, verdict, by=local_person(), **values)
        return verdict

    async def _edit(self, one: StoredGolden) -> bool:
        """Read other words until they can be stored; whether the question still is the same."""
        while True:
            question = await _read_words("question", one.question)
            answer = await _read_words("right answer", one.answer)
            accept = await _read_accepted(one.accept) if one.accept else []
            try:
                if one.accept and not accept:
                    raise InvalidInputError("expected at least one accepted text")
                await self._table.edit(one.id, question=question, answer=answer, accept=accept)
            except InvalidInputError as error:
                say(f"[red]{escape(str(error))}[/]")
                continue
            return question == one.question


def _show(one: StoredGolden, graded: Graded, place: str) -> None:
    notes.print(f"\n[dim]{place}, no {one.id}, for {escape(', '.join(one.principals))}[/]")
    notes.print(f"[bold]{escape(one.question)}[/]")
    right = one.answer or f" {ACCEPTED_BETWEEN} ".join(one.accept) or "no document says; the right answer is to say so"
    notes.print(f"[green]right answer[/]  {escape(right)}")
    colour = "green" if graded.cell in RIGHT else "red"
    notes.print(f"[{colour}]the bot[/]       {escape(graded.answer)}  [dim]({MEANING[graded.cell]}, {graded.mode})[/]")
    for passage in graded.passages:
        heading = " > ".join(part for part in (passage.title, passage.heading_path) if part)
        notes.print(f"[dim]\\[{passage.number}] {escape(heading)}: {escape(' '.join(passage.text.split()))}[/]")


async def _ask(what: str, letters: str) -> str | None:
    """One of the letters, or empty for Enter; None at the end of the input."""
    while True:
        notes.print(f"{what} [dim]>[/] ", end="")
        line = await read_line()
        if not line:
            return None
        word = line.strip().lower()[:1]
        if not word or word in letters:
            return word


async def _read_accepted(accept: Sequence[str]) -> list[str]:
    shown = f" {ACCEPTED_BETWEEN} ".join(accept)
    typed = await _read_words(f"accepted texts, {ACCEPTED_BETWEEN} between them", shown)
    return [text.strip() for text in typed.split(ACCEPTED_BETWEEN) if text.strip()]


async def _read_words(what: str, words: str) -> str:
    """Other words, or the same where none are typed."""
    notes.print(f"{what} [dim]({escape(words)}; Enter keeps it) >[/] ", end="")
    return (await read_line()).strip() or words
