"""`nightbake evaluate needle`: how far into a long prompt the model still finds a fact, as a table and a picture."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from bot.needle import Probe, probe
from cli.house import House, open_house
from cli.output import command, console, emit, json_option, read_settings, say
from cli.progress import count_progress
from core.errors import InvalidInputError
from core.prompt import Language, PromptPassage
from core.sql import load_queries
from learning.charts import draw_grid
from retrieval.access import EVERYONE

QUERIES = load_queries(__file__)

LENGTHS = (1024, 2048, 4096, 8192, 16_384, 32_768)
DEPTHS = (0.0, 0.5, 1.0)
MOST_HAY = 2000
_STYLE = (
    "svg{font:13px system-ui,sans-serif;background:#fff}.cell{fill:#2f7d55}"
    ".axis{fill:#6d675d}.value{fill:#23211d}.full{fill:#fff}"
)


@click.command()
@click.option(
    "--length",
    "lengths",
    multiple=True,
    type=click.IntRange(256),
    help="Tokens.  [default: 1024, 2048, … what the model takes]",
)
@click.option(
    "--depth", "depths", multiple=True, type=click.FloatRange(0, 1), help="0 first, 1 last.  [default: 0, 0.5, 1]"
)
@click.option("--language", "languages", multiple=True, type=click.Choice(["en", "ko"]), help="[default: both]")
@click.option("--repeats", default=1, show_default=True, type=click.IntRange(1, 1000), help="Questions a cell.")
@click.option("--adapter", help="Ask this adapter, or `base`.  [default: the one that is served]")
@click.option("--seed", default=0, show_default=True, help="Of facts and passages.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Write the picture (SVG) here.")
@json_option
@command
async def needle(
    lengths: tuple[int, ...],
    depths: tuple[float, ...],
    languages: tuple[Language, ...],
    repeats: int,
    adapter: str | None,
    seed: int,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Hide a made-up fact in passages of your documents and ask for it.

    At every length of the prompt and every depth in it, in each language of the documents that everyone may read.
    Shows from which length on passages are wasted on this model, and so what MODEL_CONTEXT_TOKENS and
    PASSAGES_PER_ANSWER are worth. Needs the model server. Nothing is logged, nothing is learnt from it.
    Ctrl-C shows what was asked until then.
    """
    async with open_house(read_settings()) as house:
        chosen = _choose_lengths(lengths, house.settings.model_context_tokens)
        at = sorted(set(depths)) or list(DEPTHS)
        hay = await find_hay(house, languages or ("en", "ko"), seed)
        name = await house.choose_adapter(adapter)
        probes: list[Probe] = []
        try:
            async with house.model_running(quiet=as_json):
                with count_progress("asking", len(hay) * len(chosen) * len(at) * repeats, quiet=as_json) as advance:
                    async for one in probe(
                        house.model_server, hay, lengths=chosen, depths=at, repeats=repeats, adapter=name, seed=seed
                    ):
                        probes.append(one)
                        advance()
        except asyncio.CancelledError:
            if probes:
                _tell(probes, chosen, at, picture=picture, adapter=name, seed=seed, as_json=as_json)
            raise
    _tell(probes, chosen, at, picture=picture, adapter=name, seed=seed, as_json=as_json)


def _tell(
    probes: Sequence[Probe],
    lengths: Sequence[int],
    depths: Sequence[float],
    *,
    picture: Path | None,
    adapter: str | None,
    seed: int,
    as_json: bool,
) -> None:
    # They come in the order that is quickest to ask.
    probes = sorted(probes, key=lambda one: (one.language, one.length_tokens, one.depth))
    if picture:
        picture.write_text(_draw(probes, lengths, depths), encoding="utf-8")
        say(f"picture: {picture}", quiet=as_json)
    if as_json:
        emit(_sum_up(probes, adapter, seed))
        return
    for language in sorted({one.language for one in probes}):
        console.print(_tabulate([one for one in probes if one.language == language], language, lengths, depths))
    console.print(f"found {sum(one.is_found for one in probes)} of {len(probes)}, by {adapter or 'the base model'}")


def _choose_lengths(lengths: Sequence[int], longest: int) -> list[int]:
    chosen = sorted(set(lengths)) or [length for length in LENGTHS if length <= longest] or [longest]
    if chosen[-1] > longest:
        raise InvalidInputError(f"expected lengths up to MODEL_CONTEXT_TOKENS={longest}, got {chosen[-1]}")
    return chosen


async def find_hay(house: House, languages: Sequence[Language], seed: int) -> dict[Language, list[PromptPassage]]:
    """Passages that everyone may read, of each language that has any."""
    hay: dict[Language, list[PromptPassage]] = {}
    for language in languages:
        parameters = {"language": language, "seed": seed, "limit": MOST_HAY}
        found = await house.access.fetch_visible(QUERIES["find_hay"], [EVERYONE], parameters, PromptPassage)
        if found:
            hay[language] = found
    if not hay:
        raise InvalidInputError("expected documents that everyone may read, found none; `nightbake ingest` them first")
    return hay


def _share(probes: Sequence[Probe], length: int, depth: float) -> float | None:
    cell = [one.is_found for one in probes if (one.length_tokens, one.depth) == (length, depth)]
    return sum(cell) / len(cell) if cell else None


def _tabulate(probes: Sequence[Probe], language: str, lengths: Sequence[int], depths: Sequence[float]) -> Table:
    table = Table("depth", *(f"{length:,}" for length in lengths), title=f"found, {language}, by prompt tokens")
    for depth in depths:
        shares = [_share(probes, length, depth) for length in lengths]
        table.add_row(f"{depth:.0%}", *(_colour(share) for share in shares))
    return table


def _colour(share: float | None) -> str:
    if share is None:
        return ""
    colour = "green" if share >= 0.9 else "yellow" if share >= 0.5 else "red"
    return f"[{colour}]{share:.0%}[/]"


def _draw(probes: Sequence[Probe], lengths: Sequence[int], depths: Sequence[float]) -> str:
    """Depth downwards, length to the right, all languages together."""
    shares = [[_share(probes, length, depth) for length in lengths] for depth in depths]
    grid = draw_grid([f"at {depth:.0%}" for depth in depths], [f"{length:,} tokens" for length in lengths], shares)
    return grid.replace(">", f"><style>{_STYLE}</style>", 1)


def _sum_up(probes: Sequence[Probe], adapter: str | None, seed: int) -> dict[str, Any]:
    found = sum(one.is_found for one in probes)
    return {
        "asked": len(probes),
        "found": found,
        "cited": sum(one.is_cited for one in probes),
        "found_share": round(found / len(probes), 4),
        "adapter": adapter,
        "seed": seed,
        "probes": [asdict(one) for one in probes],
    }
