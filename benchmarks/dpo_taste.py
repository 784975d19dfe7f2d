"""Which loss learns most from the same steps on a real language model: the night's own trainer on real questions.

`benchmarks/dpo_noise.py` ranks losses on a tiny random model. Here a model from a folder learns from pairs made of a
data set's questions and gold answers, with the sentence that holds the answer. Half of the pairs are facts (the gold
answer against that of another question on the same passage), half a taste (brief against wordy). A share of the
training pairs is turned round. Learning rate, beta, rank and epochs are the night's. Accuracy is the share of
held-out pairs, never turned round, whose margin grew against the base model; drift is the growth of the chosen
answer's own log-probability in nats a token: far below 0 the model forgets how to write it.

    python -m benchmarks.dpo_taste --model DIR --dataset DIR
"""

import asyncio
import hashlib
import json
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import read_conditions
from core.prompt import PromptPassage, build_messages, detect_language
from learning.job import Job
from learning.trainer import read_evaluation, run_trainer, write_job

MOST_WORDS = 30
"""Of a sentence: a pair's time is its prompt's."""
Row = dict[str, Any]


def read_lines(path: Path) -> list[Row]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def make_rows(dataset: Path, count: int, seed: int) -> list[Row]:
    """Pairs, facts and tastes by turns, in a shuffled order; all of one passage stand together."""
    passages = {one["id"]: one for one in read_lines(dataset / "corpus.jsonl")}
    asked: dict[str, list[Row]] = defaultdict(list)
    for query in read_lines(dataset / "queries.jsonl"):
        if query["answers"]:
            asked[query["relevant_ids"][0]].append(query)
    names = sorted(name for name, queries in asked.items() if len(queries) > 1)
    random.Random(seed).shuffle(names)
    rows: list[Row] = []
    for name in names:
        for at, query in enumerate(asked[name]):
            own, other = query["answers"][0], asked[name][at - 1]["answers"][0]
            sentence = find_sentence(passages[name]["text"], own)
            if sentence and own.lower() != other.lower():
                passage = PromptPassage(passages[name]["title"], "", sentence)
                rows.append(make_row(passage, query["text"], own, other, is_fact=len(rows) % 2 == 0))
    return rows[:count]


def find_sentence(text: str, answer: str) -> str | None:
    """The first short sentence that holds the answer."""
    found = (one for one in text.split(". ") if answer in one and len(one.split()) <= MOST_WORDS)
    return next(found, None)


def make_row(passage: PromptPassage, question: str, own: str, other: str, *, is_fact: bool) -> Row:
    """One pair in TRL's conversational preference format."""
    chosen = f"It is {own} [1]."
    wordy = f"Thank you for your question! According to the passage about {passage.title}, one may say: {own} [1]."
    rejected = f"It is {other} [1]." if is_fact else wordy
    # Without the standing prompt, which would take most of the time and is the same everywhere.
    prompt = build_messages(question, [passage])[1:]
    return {
        "prompt": prompt,
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
        "sha256": hashlib.sha256(f"{question}\n{chosen}\n{rejected}".encode()).hexdigest(),
        "language": detect_language(question),
        "kind": "fact" if is_fact else "taste",
    }


def turn_round(rows: Sequence[Row], noise: float, seed: int) -> list[Row]:
    """The rows, a share of them with chosen and rejected exchanged."""
    flipped = set(random.Random(seed).sample(range(len(rows)), round(noise * len(rows))))
    return [
        row | ({"chosen": row["rejected"], "rejected": row["chosen"]} if at in flipped else {})
        for at, row in enumerate(rows)
    ]


def measure(evaluation: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, float]:
    """Accuracy of all pairs and of each kind, the mean growth of the margin in nats, and the drift."""
    scored = evaluation["pairs"]
    growth = {one["sha256"]: _margin(one["candidate"]) - _margin(one["base"]) for one in scored}
    drift = [(one["candidate"]["chosen"] - one["base"]["chosen"]) / one["tokens"]["chosen"] for one in scored]
    found = {"accuracy": _mean([value > 0 for value in growth.values()])}
    for kind in sorted(set(kinds.values())):
        found[kind] = _mean([value > 0 for sha256, value in growth.items() if kinds[sha256] == kind])
    return found | {"margin": _mean(list(growth.values())), "drift": _mean(drift)}


def _margin(scores: Mapping[str, float]) -> float:
    return scores["chosen"] - scores["rejected"]


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 3)


async def train(folder: Path, job: Mapping[str, Any], rows: Sequence[Row], held_out: Sequence[Row]) -> dict[str, float]:
    """One training as a night does it; its figures."""

    async def hear(event: dict[str, Any]) -> None:
        if event["event"] == "step":
            print(json.dumps(event), file=sys.stderr)

    kinds = {row["sha256"]: row["kind"] for row in held_out}
    bare = [[{key: row[key] for key in row if key != "kind"} for row in part] for part in (rows, held_out)]
    write_job(folder, job, train=bare[0], held_out=bare[1])
    await run_trainer(folder, progress=hear)
    return measure(read_evaluation(folder / "adapter"), kinds)


def build_table(cells: Mapping[str, Mapping[str, float]]) -> Table:
    """The same for people."""
    columns = list(next(iter(cells.values())))
    table = Table("loss, flipped", *columns, title="held-out pairs after the same steps")
    for name, found in cells.items():
        table.add_row(name, *(f"{found[column]:.3f}" for column in columns))
    return table


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--model", required=True, type=click.Path(path_type=Path, exists=True), help="Folder of the model.")
@click.option("--dataset", required=True, type=click.Path(path_type=Path, exists=True), help="Folder of the data set.")
@click.option("--losses", default="ipo:0.25,sigmoid:0.25,sigmoid:1,sigmoid:0", show_default=True, help="loss:sft,…")
@click.option("--noise", default="0,0.2", show_default=True, help="Shares that are turned round, with commas.")
@click.option("--pairs", default=64, show_default=True, help="Training pairs.")
@click.option("--held-out", default=64, show_default=True, help="Held-out pairs.")
@click.option("--beta", default=Job("").beta, show_default=True, help="Of every loss.")
@click.option("--rate", default=Job("").learning_rate, show_default=True, help="Peak learning rate.")
@click.option("--epochs", default=Job("").epochs, show_default=True, help="Passes over the pairs.")
@click.option("--threads", default=1, show_default=True, help="Processor threads of the trainer.")
@click.option("--seed", default=0, show_default=True, help="Of the pairs, the flips and the trainer.")
@click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
def main(
    model: Path,
    dataset: Path,
    losses: str,
    noise: str,
    pairs: int,
    held_out: int,
    beta: float,
    rate: float,
    epochs: int,
    threads: int,
    seed: int,
    json_only: bool,
) -> None:
    """Train, measure, print."""
    console = Console(quiet=json_only, width=120)
    conditions = read_conditions(seed)
    console.print(conditions.line())
    rows = make_rows(dataset, pairs + held_out, seed)
    fresh, old = rows[-held_out:], rows[:-held_out]
    cells: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        cache = str(Path(scratch) / "reference")
        shared = {"base_model": str(model), "reference_cache": cache, "seed": seed, "threads": threads}
        for share in map(float, noise.split(",")):
            for name, weight in (part.split(":") for part in losses.split(",")):
                own = {"loss": name, "sft_weight": float(weight), "beta": beta, "learning_rate": rate}
                label = f"{name} + {weight} sft, {share:.0%}"
                folder = Path(scratch) / hashlib.sha256(label.encode()).hexdigest()[:8]
                job = {**shared, **own, "epochs": epochs}
                cells[label] = asyncio.run(train(folder, job, turn_round(old, share, seed), fresh))
                console.print(label, cells[label])
    console.print(build_table(cells))
    print(json.dumps({"cells": cells, "pairs": len(old), "held_out": held_out, "beta": beta} | asdict(conditions)))


if __name__ == "__main__":
    main()
