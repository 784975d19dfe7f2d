"""What share of the training pairs do malicious raters supply, with and without caps?

Two hundred people vote for ninety days. A part of them is malicious: they vote five times as often as the others and
correct every answer to a wrong number that stands in the passage beside the right one. The same votes become pairs
twice: by curation as it is, and with every cap, quarantine, vote count and flag off. The clean run has nobody
malicious.

    python -m benchmarks.poison                       # about a minute, with an embedded PostgreSQL of its own
    python -m benchmarks.poison --people 500 --loudness 10 --seed 7
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import psycopg
import uvloop
from psycopg import sql
from rich.console import Console
from rich.table import Table

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import Conditions, read_conditions
from benchmarks.poison_workload import WINDOW_FROM, WINDOW_TO, Company, fill
from benchmarks.scratch_database import open_embedded
from core.database import Database
from core.migrate import migrate
from learning.caps import Caps
from learning.curate import Curated, curate, curate_stored
from learning.labels import build_labels, find_answers, find_votes, rate
from learning.pair_sources import find_sources
from learning.pairs import Pair, build_pairs

PERCENTS = (0, 1, 5, 20)
MOST = 1_000_000
NO_CAPS = Caps(
    person_share=1, person_times=MOST, person_minimum=MOST, person_day=MOST, cluster=MOST, document_minimum=MOST
)


@dataclass(frozen=True, slots=True)
class Row:
    """Pairs at one share of malicious raters: offered, kept, kept without caps; each of all and of malicious ones."""

    percent: int
    votes_share: float
    offered: tuple[int, int]
    kept: tuple[int, int]
    uncapped: tuple[int, int]

    @property
    def share(self) -> float:
        """Of the pairs that train, those with a malicious rater behind them."""
        return self.kept[1] / max(1, self.kept[0])

    @property
    def uncapped_share(self) -> float:
        """The same with everything off."""
        return self.uncapped[1] / max(1, self.uncapped[0])

    @property
    def surviving(self) -> float:
        """Of the pairs that malicious raters offer, those that train."""
        return self.kept[1] / max(1, self.offered[1])


async def measure(url: str, company: Company, *, percent: int, seed: int) -> Row:
    """One log, curated in both ways."""
    async with Database(url) as database:
        await migrate(database)
        malicious = await fill(database, company, malicious_percent=percent, seed=seed)
        votes = await find_votes(database, window_from=WINDOW_FROM, window_to=WINDOW_TO)
        answers = await find_answers(database, sorted({vote.interaction_id for vote in votes}))
        labels = build_labels(votes, answers, vote_weights=rate(votes, {}))
        pairs = build_pairs(labels.judgements).pairs
        window = {"window_from": WINDOW_FROM, "window_to": WINDOW_TO}
        curated = await curate_stored(database, pairs, **window, max_pairs=MOST, seed=seed)
        sources = await find_sources(database, pairs)
    uncapped = curate(pairs, max_pairs=MOST, sources=sources, caps=NO_CAPS, counts_voices=False)
    return Row(
        percent=percent,
        votes_share=sum(vote.person in malicious for vote in votes) / len(votes),
        offered=_count(pairs, malicious),
        kept=_count_kept(curated, malicious),
        uncapped=_count_kept(uncapped, malicious),
    )


def _count_kept(curated: Curated, malicious: set[str]) -> tuple[int, int]:
    return _count(curated.kept, malicious)


def _count(pairs: list[Pair], malicious: set[str]) -> tuple[int, int]:
    return len(pairs), sum(bool(malicious & set(pair.voters)) for pair in pairs)


def build_figures(rows: list[Row], conditions: Conditions) -> dict[str, Any]:
    """The JSON object: shares in [0, 1], one key a figure and percentage of malicious raters."""
    figures: dict[str, Any] = {"pairs_clean": rows[0].kept[0], "pairs_clean_without_caps": rows[0].uncapped[0]}
    for row in rows[1:]:
        figures |= {
            f"pairs_share_at_{row.percent}_percent": round(row.share, 4),
            f"pairs_share_at_{row.percent}_percent_without_caps": round(row.uncapped_share, 4),
            f"surviving_share_at_{row.percent}_percent": round(row.surviving, 4),
            f"votes_share_at_{row.percent}_percent": round(row.votes_share, 4),
            f"honest_pairs_at_{row.percent}_percent": row.kept[0] - row.kept[1],
        }
    return figures | asdict(conditions)


def build_table(rows: list[Row]) -> Table:
    """The same for people."""
    table = Table(title="malicious raters: their share of votes, of pairs without caps, and of pairs that train")
    for column in ("malicious", "of votes", "offered", "without caps", "share", "kept", "share", "theirs surviving"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            f"{row.percent}%",
            f"{row.votes_share:.1%}",
            *(
                f"{row.offered[1]}/{row.offered[0]}",
                f"{row.uncapped[1]}/{row.uncapped[0]}",
                f"{row.uncapped_share:.1%}",
            ),
            *(f"{row.kept[1]}/{row.kept[0]}", f"{row.share:.1%}", f"{row.surviving:.1%}"),
        )
    return table


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--people", default=Company().people, show_default=True, help="Who vote.")
@click.option("--votes", default=Company().votes, show_default=True, help="Of an honest person.")
@click.option(
    "--loudness", default=Company().loudness, show_default=True, help="Votes of a malicious person, times that."
)
@click.option("--seed", default=1, show_default=True, help="Of the votes.")
@click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
def main(people: int, votes: int, loudness: int, seed: int, json_only: bool) -> None:
    """Measure and print."""
    console = Console(quiet=json_only, width=120)
    conditions = read_conditions(seed)
    console.print(conditions.line())
    company = Company(people=people, votes=votes, loudness=loudness)
    rows: list[Row] = []
    with open_embedded() as address:
        for percent in PERCENTS:
            url = create_database(address, f"poison_{percent}")
            rows.append(uvloop.run(measure(url, company, percent=percent, seed=seed)))
    console.print(build_table(rows))
    print(json.dumps(build_figures(rows, conditions)))


def create_database(address: str, name: str) -> str:
    """An empty database on the server; its address."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return address.replace("/postgres?", f"/{name}?")


if __name__ == "__main__":
    main()
