"""What baking the standing prompt into an adapter of the embedded model keeps of it, and what it saves.

Questions over invented company rules in English and Korean, made from templates (`learning/starter_exercises.py`): some
families of rules are baked on, others held out, so that neither a held-out question nor its documents were seen. The
teacher is the embedded model with the whole standing prompt, the student has the adapter and reads only what stays of
the prompt. The whole child process of `nightbake bake` runs, by its own door.

- kl_reduction: by how much less the student differs from the teacher, a token of the teacher's answers, than the model
  without adapter and prompt does; the goal is 0.90.
- style_adherence: answers without the prompt that keep its rules (`learning/style.py`): one or two sentences, the
  question's language, a citation of a passage that is there at the end, the agreed refusal. The goal is 0.90.
- tokens_saved: of each prompt.
- groundedness_change: mean share of claims that the passages carry, against the teacher's; the goal is -0.01 at least.

    python -m benchmarks.bake                         # an hour on two cores
    python -m benchmarks.bake --questions 40 --held-out 20 --json-only
"""

import asyncio
import hashlib
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import read_conditions
from core.base_model import prepare_base_model
from core.embedded_model import find_starter
from core.prompt import Language, build_messages
from learning.job import BakeJob
from learning.starter_exercises import build_exercises
from learning.starter_families import HELD_OUT_FAMILIES, Family, split_families
from learning.trainer import read_manifest, run_child, write_rows

GOALS = {"kl_reduction": 0.90, "style_adherence": 0.90, "groundedness_change": -0.01}
LANGUAGES: tuple[Language, ...] = ("en", "ko")
# Of one group of passages: more would ask the same page again.
QUESTIONS_A_GROUP = 2


def make_questions(families: list[Family], count: int, *, seed: int) -> list[dict[str, Any]]:
    """So many prompts, one of each language in turn."""
    sources = [_list_questions(families, language, seed) for language in LANGUAGES]
    turns = (row for both in zip(*sources, strict=True) for row in both)
    return list(itertools.islice(turns, count))


def _list_questions(families: list[Family], language: Language, seed: int) -> Iterator[dict[str, Any]]:
    for group in build_exercises(families, language, seed):
        for branch in group.branches[:QUESTIONS_A_GROUP]:
            messages = build_messages(branch.question, group.passages)
            sha256 = hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()
            yield {"prompt": messages, "language": language, "sha256": sha256}


async def bake(folder: Path, job: BakeJob, questions: int, held_out: int, *, show: bool) -> dict[str, Any]:
    """The child process on a fresh folder; its manifest.

    Raises:
        ProcessError: it failed.
    """
    known, others = split_families()
    write_rows(
        folder,
        asdict(job),
        questions=make_questions(known, questions, seed=job.seed),
        held_out=make_questions(others, held_out, seed=job.seed + 1),
    )

    async def tell(event: dict[str, Any]) -> None:
        if show and event["event"] in ("loaded", "taught", "step", "evaluating"):
            print(json.dumps(event), file=sys.stderr, flush=True)

    await run_child(folder, "learning.bake", progress=tell)
    manifest = read_manifest(folder / "adapter")
    assert manifest, "a child that ended well has written its manifest"
    return manifest


def sum_up(manifest: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The figures by the names of the goals, with what they are made of."""
    baked = manifest["baked"]
    figures = {
        "kl_reduction": baked["kl_reduction"],
        "style_adherence": baked["style"]["after"],
        "tokens_saved": baked["tokens_saved"],
        "groundedness_change": baked["grounded"]["after"] - baked["grounded"]["teacher"],
    }
    held = {name: figures[name] >= goal for name, goal in GOALS.items()}
    return figures | {
        "goals": GOALS,
        "held": held,
        "kl_before": baked["kl_before"],
        "kl_after": baked["kl_after"],
        "style": baked["style"],
        "grounded": baked["grounded"],
        "same_answers": baked["same_answers"],
        "questions": manifest["questions"],
        "held_out": manifest["held_out"],
        "held_out_families": sorted(HELD_OUT_FAMILIES),
        "steps": manifest["steps"],
        "stopped_early": manifest["stopped_early"],
        "dtype": manifest["dtype"],
        "seconds": {**manifest["seconds"], "all": round(seconds, 1)},
    }


@click.command()
@click.option("--questions", default=160, show_default=True, type=click.IntRange(4), help="Baked on.")
@click.option("--held-out", default=200, show_default=True, type=click.IntRange(4), help="Measured on.")
@click.option("--minutes", default=50.0, show_default=True, help="After this, from the start, training stops.")
@click.option("--learning-rate", default=7e-4, show_default=True, help="At its peak.")
@click.option("--epochs", default=2, show_default=True, help="Passes over the questions.")
@click.option("--threads", default=2, show_default=True, help="CPU threads.")
@click.option("--seed", default=0, show_default=True, help="Of questions, weights and order.")
@click.option("--bare", is_flag=True, help="Without the starter adapter in the base model.")
@click.option("--json-only", is_flag=True, help="Print one JSON object and nothing else.")
def main(
    questions: int,
    held_out: int,
    minutes: float,
    learning_rate: float,
    epochs: int,
    threads: int,
    seed: int,
    bare: bool,
    json_only: bool,
) -> None:
    """Bake, and measure on questions and documents that were held out."""
    conditions = read_conditions(seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nightbake-benchmark-") as scratch:
        base = Path(scratch, "model")
        prepare_base_model(base, starter=None if bare else find_starter())
        job = BakeJob(
            base_model=str(base),
            learning_rate=learning_rate,
            epochs=epochs,
            threads=threads,
            seed=seed,
            max_seconds=60 * minutes,
        )
        manifest = asyncio.run(bake(Path(scratch, "job"), job, questions, held_out, show=not json_only))
    found = sum_up(manifest, time.monotonic() - began) | {"bare": bare, "conditions": asdict(conditions)}
    if json_only:
        print(json.dumps(found))
        return
    table = Table("figure", "found", "goal", box=None)
    for name in ("kl_reduction", "style_adherence", "groundedness_change", "tokens_saved"):
        table.add_row(name, f"{found[name]:.3f}", str(GOALS.get(name, "")))
    console = Console()
    console.print(table)
    console.print(conditions.line(), style="dim")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
