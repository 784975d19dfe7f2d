"""How often the gate is wrong: thousands of simulated nights for each true win rate and held-out size.

Each night judges every held-out pair once. Wins are independent. The gate's other rules are in force: two
languages, three teams and five topics as slices, all with the true win rate, and up to 200 answers as grounded as
before (three in ten differ, by up to 60 points of their claims). `tests/learning/test_gate_errors.py` holds this
vectorised form and `learning/gate.py` together. Small sizes get more nights, whose draws are cheap. Compared on the
same nights with

- *peeking*: a sign test at 5 % after every ten judgements, stopping at the first that is significant;
- *mean drop*: the share of right answers among as many questions, before and after, may fall by 2 points. Here an
  answer before is right with probability 0.7, and the candidate's with the one that gives its win rate.

An adapter that is 5 points worse wins 44.3 % of the answers that only one of the two has right.

    python -m benchmarks.gate_errors                       # two to three minutes on one core
    python -m benchmarks.gate_errors --nights 1000 --json-only
"""

import json
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import read_conditions
from learning.gate import Limits
from learning.sequential import (
    BET_CAP,
    MISSED,
    PRIOR_COUNT,
    PRIOR_VARIANCE,
    STEP_DOWN,
    STEP_UP,
    TINY,
    find_bar,
    tail_probability,
)

SIZES = (25, 50, 100, 200, 300, 500, 1000)
RIGHT_BEFORE = 0.7
FALL_ACCEPTED = 0.02
LOOK_EVERY = 10
MOST_ANSWERS = 200
CHUNK = 2000
MOST_EXTRA = 8
SLICES = {"language": "kkkeeeeeee", "team": "aabbbccccc", "topic": "mnopqmnopq"}
"""How each kind of slice is spread over ten pairs in a row, after a shuffle that is the same for all nights."""

Flags = np.ndarray
"""One bool a night."""


def to_win_rate(right: float) -> float:
    """How often the candidate wins among answers that only one of the two has right."""
    won, lost = right * (1 - RIGHT_BEFORE), (1 - right) * RIGHT_BEFORE
    return won / (won + lost)


def to_right(win_rate: float) -> float:
    """The share of right answers that gives a win rate."""
    odds = win_rate / (1 - win_rate) * RIGHT_BEFORE / (1 - RIGHT_BEFORE)
    return odds / (1 + odds)


CANDIDATES = {"5 points worse": to_win_rate(RIGHT_BEFORE - 0.05), "equal": 0.5, "wins 60 %": 0.6, "wins 70 %": 0.7}


@dataclass(slots=True)
class Cell:
    """Shares of the nights of one candidate at one size; `judgements` until the win-rate test ended, on average."""

    promoted: float
    by_win_rate: float
    judgements: float
    peeking: float
    mean_drop: float


def simulate(win_rate: float, size: int, *, nights: int, seed: int) -> Cell:
    """One cell of the table."""
    nights *= min(MOST_EXTRA, max(1, 400 // size))
    random = np.random.default_rng([seed, size, round(win_rate * 1e6)])
    parts: list[Cell] = []
    for begin in range(0, nights, CHUNK):
        count = min(CHUNK, nights - begin)
        wins = random.random((count, size)) < win_rate
        better, used = run_win_tests(wins)
        passed = pass_slices(wins) & ~is_worse(wins) & pass_groundedness(draw_gains(count, size, random))
        if size < Limits().min_decisive:
            passed[:] = False
        flags = better & passed, better, peek(wins), accept_by_mean(win_rate, size, count, random)
        promoted, by_win_rate, peeking, mean_drop = (float(one.sum()) for one in flags)
        parts.append(Cell(promoted, by_win_rate, float(used.sum()), peeking, mean_drop))
    sums = [sum(values) / nights for values in zip(*(asdict(part).values() for part in parts), strict=True)]
    return Cell(*sums)


def run_win_tests(wins: np.ndarray) -> tuple[Flags, np.ndarray]:
    """`run_win_test` for all nights; axes of `wins`: nights, judgements."""
    size, alpha = wins.shape[1], Limits().significance
    odds = np.cumsum(np.where(wins, STEP_UP, STEP_DOWN), axis=1)
    over, under = odds >= find_bar(size, alpha) - TINY, odds <= np.log(MISSED / (1 - alpha))
    first_over, first_under = (np.where(hit.any(axis=1), hit.argmax(axis=1), size) for hit in (over, under))
    return first_over < first_under, np.minimum(np.minimum(first_over, first_under) + 1, size)


def is_worse(wins: np.ndarray) -> Flags:
    """A sign test at the gate's level finds that the candidate loses."""
    return wins.sum(axis=1) < fewest_wins(wins.shape[1], 0.5, 1 - Limits().significance)


def pass_slices(wins: np.ndarray) -> Flags:
    """No slice is worse, and the large ones are shown to be above the floor."""
    limits, passed = Limits(), np.ones(len(wins), dtype=bool)
    members = list_slices(wins.shape[1])
    harm = limits.significance / len(members)
    for member in members.values():
        count = int(member.sum())
        needed = fewest_wins(count, 0.5, 1 - harm)
        if count >= limits.min_slice:
            needed = max(needed, needed_wins(count, limits.slice_floor, limits.significance))
        passed &= wins[:, member].sum(axis=1) >= needed
    return passed


def list_slices(size: int) -> dict[str, np.ndarray]:
    """Which judgements belong to each slice: a mask a name."""
    order = np.random.default_rng(0).permutation(size)
    return {
        f"{kind}:{name}": np.array([pattern[place % len(pattern)] == name for place in order])
        for kind, pattern in SLICES.items()
        for name in sorted(set(pattern))
    }


@cache
def fewest_wins(count: int, win_rate: float, share: float) -> int:
    """Fewest wins that are not yet significantly few: that many losses or more have a chance above 1 - share."""
    return next((w for w in range(count + 1) if tail_probability(count - w, count, 1 - win_rate) > 1 - share), count)


@cache
def needed_wins(count: int, win_rate: float, significance: float) -> int:
    """Fewest wins whose chance at a win rate is at most the level."""
    return next((w for w in range(count + 1) if tail_probability(w, count, win_rate) <= significance), count + 1)


def draw_gains(nights: int, size: int, random: np.random.Generator) -> np.ndarray:
    """Differences of groundedness of an equal adapter, an answer each."""
    shape = nights, min(size, MOST_ANSWERS)
    signs = random.choice((-1.0, 1.0), size=shape)
    return np.where(random.random(shape) < 0.3, signs * random.uniform(0, 0.6, shape), 0.0)


def pass_groundedness(gains: np.ndarray) -> Flags:
    """`bet_against_loss` for all nights."""
    limits = Limits()
    margin = limits.grounded_margin
    wealth, best, total, squares = (np.zeros(len(gains)) for _ in range(4))
    for seen in range(gains.shape[1]):
        mean = total / (seen + PRIOR_COUNT)
        edge = mean + margin
        variance = (squares + PRIOR_COUNT * PRIOR_VARIANCE) / (seen + PRIOR_COUNT) - mean**2
        bet = np.clip(edge / (variance + edge**2), 0.0, BET_CAP / (1 - margin))
        wealth += np.log1p(bet * (gains[:, seen] + margin))
        best = np.maximum(best, wealth)
        total, squares = total + gains[:, seen], squares + gains[:, seen] ** 2
    return best >= np.log(1 / limits.significance)


def peek(wins: np.ndarray) -> Flags:
    """A sign test at 5 % after every ten judgements and at the end, stopping at the first that is significant."""
    size = wins.shape[1]
    looks = np.unique([*range(LOOK_EVERY, size + 1, LOOK_EVERY), size])
    won = np.cumsum(wins, axis=1)[:, looks - 1]
    return (won >= [needed_wins(int(look), 0.5, 0.05) for look in looks]).any(axis=1)


def accept_by_mean(win_rate: float, size: int, nights: int, random: np.random.Generator) -> Flags:
    """The share of right answers fell by at most 2 points."""
    before = random.binomial(size, RIGHT_BEFORE, nights) / size
    after = random.binomial(size, to_right(win_rate), nights) / size
    return after >= before - FALL_ACCEPTED - 1e-12


def build_figures(cells: dict[str, dict[int, Cell]]) -> dict[str, float]:
    """The goals' numbers: the largest false promotion anywhere, and what a good adapter meets at the largest size."""
    bad = [cell for name in ("equal", "5 points worse") for cell in cells[name].values()]
    good = cells["wins 60 %"][max(cells["wins 60 %"])]
    return {
        "false_promote_max": max(cell.promoted for cell in bad),
        "power_at_060": good.promoted,
        "mean_judgements_at_060": round(good.judgements, 1),
        "false_promote_max_peeking": max(cell.peeking for cell in bad),
        "false_promote_max_mean_drop": max(cell.mean_drop for cell in bad),
        "false_promote_max_win_rate_alone": max(cell.by_win_rate for cell in bad),
        "power_at_060_win_rate_alone": good.by_win_rate,
    }


def build_table(cells: dict[str, dict[int, Cell]], nights: int) -> Table:
    """The same for people."""
    table = Table(title=f"promoted of {nights:,} nights")
    for column in ("candidate", "held out", "gate", "its win-rate test", "judgements", "peeking", "mean drop"):
        table.add_column(column, justify="left" if column == "candidate" else "right")
    for name, sizes in cells.items():
        for size, cell in sizes.items():
            shares = [f"{share:.1%}" for share in (cell.promoted, cell.by_win_rate, cell.peeking, cell.mean_drop)]
            table.add_row(name, str(size), shares[0], shares[1], f"{cell.judgements:.0f}", *shares[2:])
        table.add_section()
    return table


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--nights", default=10_000, show_default=True, help="Simulated nights a cell.")
@click.option("--sizes", default=",".join(map(str, SIZES)), show_default=True, help="Held-out pairs, with commas.")
@click.option("--seed", default=1, show_default=True, help="Of all draws.")
@click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
def main(nights: int, sizes: str, seed: int, json_only: bool) -> None:
    """Simulate, compare, print."""
    console = Console(quiet=json_only, width=120)
    conditions = read_conditions(seed)
    console.print(conditions.line())
    lengths = [int(size) for size in sizes.split(",")]
    cells = {
        name: {size: simulate(rate, size, nights=nights, seed=seed) for size in lengths}
        for name, rate in CANDIDATES.items()
    }
    console.print(build_table(cells, nights))
    figures: dict[str, Any] = build_figures(cells)
    print(json.dumps(figures | {"nights": nights, "sizes": lengths} | asdict(conditions)))


if __name__ == "__main__":
    main()
