"""What `learns.py` measured: nights as rows, promoted regressions, a table, plots, and the JSON object. Pure."""

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table

from learning import charts
from learning.sequential import tail_probability

MEASURES = {"right": "right answers", "cited": "cites a document that holds it", "taste": "suits the company's taste"}
SIGNIFICANCE = 0.05
COLOURS = ("#2f7d55", "#b06f1f", "#b8503a", "#5a7fb0", "#7a5aa6", "#3f8f9b")


@dataclass(frozen=True, slots=True)
class Quality:
    """Held-out questions under one model: shares in [0, 1], and which of them were right."""

    right: float
    cited: float
    taste: float
    rights: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Night:
    """What a night did, and how what is served after it answers. Night 0 is before the first."""

    night: int
    quality: Quality
    votes: int = 0
    pairs: int = 0
    verdict: str = ""
    switched: bool = False
    seconds: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Cell:
    """Chance that an answer is voted on, and that a vote is mistaken."""

    vote_rate: float
    noise: float

    @property
    def name(self) -> str:
        """For tables and plots."""
        return f"{self.vote_rate:.0%} vote, {self.noise:.0%} noise"


Lived = tuple[Cell, list[Night]]
"""A cell and its nights, night 0 first."""


def find_regressions(lived: Sequence[Night]) -> list[int]:
    """Nights after which what was promoted answers significantly fewer held-out questions rightly than before."""
    return [
        after.night
        for before, after in itertools.pairwise(lived)
        if after.switched and _is_worse(before.quality.rights, after.quality.rights)
    ]


def _is_worse(before: Sequence[bool], after: Sequence[bool]) -> bool:
    lost = sum(old and not new for old, new in zip(before, after, strict=True))
    won = sum(new and not old for old, new in zip(before, after, strict=True))
    return lost > won and tail_probability(lost, lost + won) <= SIGNIFICANCE


def build_figures(cells: Sequence[Lived]) -> dict[str, Any]:
    """The JSON object; shares in [0, 1], one list a measure with night 0 first."""
    told = [_describe(cell, lived) for cell, lived in cells]
    promoted = [
        after.quality.right - before.quality.right
        for _, lived in cells
        for before, after in itertools.pairwise(lived)
        if after.switched
    ]
    return {
        "promotions": len(promoted),
        "promoted_regressions": sum(len(find_regressions(lived)) for _, lived in cells),
        "promoted_with_fewer_right": sum(change < 0 for change in promoted),
        "least_change_of_a_promotion": round(min(promoted), 4) if promoted else None,
        "cells": told,
    }


def _describe(cell: Cell, lived: Sequence[Night]) -> dict[str, Any]:
    curves = {name: [round(getattr(night.quality, name), 4) for night in lived] for name in MEASURES}
    return {
        **asdict(cell),
        **curves,
        "votes": [night.votes for night in lived[1:]],
        "pairs": [night.pairs for night in lived[1:]],
        "verdicts": [night.verdict for night in lived[1:]],
        "promoted": [night.night for night in lived if night.switched],
        "seconds": {
            part: round(sum(night.seconds[part] for night in lived[1:]), 1) for part in ("day", "night", "examine")
        },
    }


def build_table(cells: Sequence[Lived]) -> Table:
    """A row a cell and night."""
    table = Table(title="held-out questions, by what is served after each night")
    for column in ("cell", "night", "votes", "pairs", "verdict", "right", "cited", "taste"):
        table.add_column(column, justify="left" if column in ("cell", "verdict") else "right")
    for cell, lived in cells:
        for night in lived:
            quality = night.quality
            shares = (f"{share:.0%}" for share in (quality.right, quality.cited, quality.taste))
            told = f"{night.verdict}{', served' if night.switched else ''}"
            table.add_row(cell.name, str(night.night), str(night.votes), str(night.pairs), told, *shares)
    return table


def draw(cells: Sequence[Lived]) -> str:
    """One file with a plot a measure, a line a cell, a point a night."""
    lines = "".join(f".line-{at}{{stroke:{colour}}}.name-{at}{{fill:{colour}}}" for at, colour in enumerate(COLOURS))
    style = (
        "text{font:12px system-ui,sans-serif;fill:#555}.label{font-size:14px;fill:#222}.grid{stroke:#ddd}"
        f".line{{fill:none;stroke-width:2.2}}{lines}"
    )
    plots: list[str] = []
    for at, (name, title) in enumerate(MEASURES.items()):
        series = [(cell.name, [getattr(night.quality, name) for night in lived]) for cell, lived in cells]
        plot = charts.draw_lines(series, title=title)
        plots.append(plot.replace("<svg ", f'<svg x="0" y="{10 + 230 * at}" width="{charts.WIDTH}" height="210" ', 1))
    box = f"0 0 {charts.WIDTH} {230 * len(plots) + 10}"
    ground = '<rect width="100%" height="100%" fill="#fff"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"><style>{style}</style>{ground}{"".join(plots)}</svg>'
    )


def say_night(cell: Cell, night: Night) -> str:
    """A line while it runs."""
    quality = night.quality
    what = f"{night.votes} votes, {night.pairs} pairs, {night.verdict}" if night.night else "before"
    shares = f"right {quality.right:.0%}, cited {quality.cited:.0%}, taste {quality.taste:.0%}"
    took = ", ".join(f"{part} {seconds:.0f} s" for part, seconds in night.seconds.items())
    return f"{cell.name}, night {night.night}: {what}; {shares}{f' ({took})' if took else ''}"
