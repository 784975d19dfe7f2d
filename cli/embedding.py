"""What the commands have to do with a change of embedding model: filling it in with a bar, and saying how far it is."""

import time
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from cli.house import House
from cli.output import escape, notes, say
from core.errors import InvalidInputError
from core.settings import read_list
from retrieval.embedding import Embedder
from retrieval.model_change import change_model, drop_left, measure_filling

_BUSY = "another process is at a change of model; `nightbake doctor` shows how far it is"


async def describe_change(house: House) -> str:
    """Which model questions are asked with while that of the settings is not the active one; empty where it is."""
    asked, wanted = await house.search.active.find(), house.embedder
    if asked.name == wanted.name:
        return ""
    filling = await measure_filling(house.database, wanted)
    now = (
        f"questions are asked with {asked.name}"
        if asked.embedder
        else f"{asked.name} cannot be loaded: questions are found by words only"
    )
    return f"{now} until {wanted.name} is filled in ({filling.filled} of {filling.chunks} chunks)"


async def change_with_bar(house: House, name: str, *, quiet: bool) -> dict[str, Any]:
    """Fill in a model and make it the active one; what to report.

    Raises:
        SettingsError: there is no such model.
        InvalidInputError: another process is at a change of model.
    """
    languages = read_list(house.settings.embedding_languages)
    backend = house.settings.embedding_backend
    own = name == house.embedder.name
    embedder = house.embedder if own else Embedder(name, languages=languages, backend=backend)
    began, seen = time.monotonic(), list[tuple[int, int]]()
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=notes, disable=quiet, transient=True) as bar:
        task = bar.add_task(f"embedding with {escape(name)}", total=None)

        def show(filled: int, total: int) -> None:
            seen.append((filled, total))
            bar.update(task, completed=filled, total=total)

        changed = await change_model(house.database, embedder, on_filled=show)
    if not changed:
        raise InvalidInputError(_BUSY)
    already_filled, chunks = seen[0][0], seen[-1][1]
    say(f"questions are asked with {escape(name)}: {chunks} chunks ({time.monotonic() - began:.0f} s)", quiet=quiet)
    if name != house.embedder.name:
        say(f"[yellow]set EMBEDDING_MODEL={escape(name)}[/]; the next `nightbake up` changes back", quiet=quiet)
    return {"model": name, "chunks": chunks, "already_filled": already_filled}


async def drop_with_words(house: House, *, quiet: bool) -> dict[str, int]:
    """Delete the vectors of models that are neither active nor that of the settings; how many of each.

    Raises:
        InvalidInputError: another process is at a change of model.
    """
    left = await drop_left(house.database, keep=house.embedder.name)
    if left is None:
        raise InvalidInputError(_BUSY)
    for one in left:
        say(f"{escape(one.name)}: {one.vectors} vectors deleted", quiet=quiet)
    if not left:
        say("no vectors of a former model; those of EMBEDDING_MODEL are kept", quiet=quiet)
    return {one.name: one.vectors for one in left}
