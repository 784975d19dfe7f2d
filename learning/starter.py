"""Make the starter adapter: teach the embedded model to answer from passages, cite, and refuse.

`python -m learning.starter --data DIR [--data DIR ...] --minutes 60` trains for that long, asks the held-out
questions before and after, and writes the adapter with its model card. Where one machine trains and another asks, as
with a GPU that is lent by the minute, `--train-only` there leaves a folder that `--finish` takes here.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.base_model import BaseModelError, cpu_has_bfloat16, get_source, load_source
from core.prompt import Language
from core.weights import WEIGHTS
from learning import starter_card
from learning.starter_chats import OWN_SHARE, share_tokens, take_turns
from learning.starter_evaluate import Judged, answer_groups, choose_held_out, count_right
from learning.starter_examples import Group, build_groups
from learning.starter_exercises import build_exercises
from learning.starter_families import HELD_OUT_FAMILIES, split_families
from learning.starter_readings import DataSetError, Reading, read_set, split_readings
from learning.supervised import Progress, Recipe, add_lora, load_lora, save_adapter, train_adapter

DEFAULT_OUT = Path(__file__).with_name("starter")
BASE_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
HELD_OUT_SHARE = 0.15
CHECKPOINT_SECONDS = 600
TRAINING = "training.json"
_HELD_OUT_SEED = 0
_ASKED_OPEN: dict[Language, tuple[int, int]] = {"en": (84, 16), "ko": (36, 10)}
_ASKED_OWN: dict[Language, tuple[int, int]] = {"en": (20, 8), "ko": (26, 8)}
"""Held-out questions by language: answerable, unanswerable; from open sets and from our own exercises."""


@dataclass(frozen=True, slots=True)
class OpenSet:
    """One data folder, split once: `train` is drawn from, `held_out` is only asked."""

    name: str
    train: list[Reading]
    held_out: list[Reading]


def read_open_sets(folders: Sequence[Path]) -> list[OpenSet]:
    """Read and split every folder, always alike: an adapter that goes on from another must not meet its own exam.

    Raises:
        DataSetError: a folder is missing, unreadable, named twice, or without a usable question.
    """
    sets = []
    for folder in folders:
        train, held_out = split_readings(read_set(folder), HELD_OUT_SHARE, _HELD_OUT_SEED)
        if not any(reading.items for reading in train):
            raise DataSetError(f"expected questions with answers in {str(folder)!r}, got none usable; see --help")
        if folder.name in [known.name for known in sets]:
            raise DataSetError(f"expected each --data folder once, got {folder.name!r} twice; leave one out")
        sets.append(OpenSet(folder.name, train, held_out))
    return sets


def build_held_out(sets: Sequence[OpenSet]) -> list[Group]:
    """The questions of the card: the same for the same data and split, whatever was trained."""
    groups = []
    for language, (answerable, unanswerable) in _ASKED_OPEN.items():
        mine = [one for one in sets if one.held_out and _language(one.held_out) == language]
        weights = share_tokens({one.name: _questions(one.held_out) for one in mine}, [])
        for one in (one for one in mine if one.name in weights):
            stream = build_groups(one.held_out, one.name, _HELD_OUT_SEED, branches=6, refusal_share=0.25)
            asked = round(answerable * weights[one.name]), round(unanswerable * weights[one.name])
            groups += choose_held_out(stream, *asked)
    _, families = split_families()
    for language, (answerable, unanswerable) in _ASKED_OWN.items():
        groups += choose_held_out(build_exercises(families, language, _HELD_OUT_SEED), answerable, unanswerable)
    return sorted(groups, key=lambda group: group.branches[0].language)


def train_starter(model: Any, tokenizer: Any, sets: Sequence[OpenSet], chosen: argparse.Namespace) -> None:
    """Train a LoRA adapter on the training halves.

    Side effect: writes into `<out>.building`: checkpoints every ten minutes, at the end the adapter and, last,
    `training.json`, which is what the card says of the run. Progress lines to stderr.
    """
    recipe = Recipe(
        minutes=chosen.minutes,
        learning_rate=chosen.learning_rate,
        groups_per_step=chosen.groups_per_step,
        rank=chosen.rank,
        alpha=2 * chosen.rank,
        seed=chosen.seed,
    )
    adapted = load_lora(model, chosen.start_from) if chosen.start_from else add_lora(model, recipe)
    families, _ = split_families()
    sources = {one.name: build_groups(one.train, one.name, chosen.seed) for one in sets}
    own = {f"own-{language}": build_exercises(families, language, chosen.seed) for language in ("en", "ko")}
    shares = share_tokens({one.name: _questions(one.train) for one in sets}, list(own))
    turns = take_turns(sources | own, shares, tokenizer)
    saved_at = 0.0

    def report(progress: Progress) -> None:
        nonlocal saved_at
        _print_progress(progress, recipe)
        if progress.seconds - saved_at >= CHECKPOINT_SECONDS:
            saved_at = progress.seconds
            save_adapter(adapted, _building(chosen.out), base_name=BASE_NAME)

    progress = train_adapter(adapted, (tree for _, tree in turns), recipe, on_step=report)
    save_adapter(adapted, _building(chosen.out), base_name=BASE_NAME)
    training = _describe(progress, recipe, sets, chosen, model)
    (_building(chosen.out) / TRAINING).write_text(json.dumps(training, indent=2) + "\n")


def ask(adapter: Path | None, groups: Sequence[Group], chosen: argparse.Namespace) -> list[Judged]:
    """The answers to the held-out questions, with the adapter merged in as it is served, or of the bare base."""
    model, tokenizer = _load_model(chosen.threads)
    if adapter:
        model = load_lora(model, adapter).merge_and_unload()
    return answer_groups(model, tokenizer, groups)


def finish(sets: Sequence[OpenSet], chosen: argparse.Namespace) -> dict[str, Any]:
    """Ask the bare base and what `<out>.building` holds, and put it in its place with its card; the metrics.

    Raises:
        DataSetError: nothing was trained there, or not to its end.
    """
    building = _building(chosen.out)
    if not (building / TRAINING).is_file():
        raise DataSetError(f"expected a finished training in {str(building)!r}, got none; train first")
    print("asking the held-out questions, before and after", file=sys.stderr, flush=True)
    groups = build_held_out(sets)
    before, after = ask(None, groups, chosen), ask(building, groups, chosen)
    _write_outputs(after, chosen.outputs)
    held_out = [f"{one.name}: {len({reading.part for reading in one.held_out})} parts" for one in sets]
    held_out.append(f"own exercises: families {', '.join(sorted(HELD_OUT_FAMILIES))}")
    training = json.loads((building / TRAINING).read_text())
    metrics = starter_card.build_metrics(training, count_right(before), count_right(after), held_out)
    _publish(building, chosen.out, metrics)
    return metrics


def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Train, ask before and after, write; or one part of it. Returns what was found."""
    sets = read_open_sets(chosen.data)
    if chosen.evaluate_only:
        judged = ask(chosen.evaluate_only, build_held_out(sets), chosen)
        _write_outputs(judged, chosen.outputs)
        return {"adapter": str(chosen.evaluate_only), "counts": count_right(judged)}
    if not chosen.finish:
        train_starter(*_load_model(chosen.threads), sets, chosen)
    if chosen.train_only:
        return {"trained": str(_building(chosen.out))}
    return finish(sets, chosen)


def build_parser() -> argparse.ArgumentParser:
    """The command line, with what each option expects."""
    parser = argparse.ArgumentParser(
        prog="python -m learning.starter",
        description="Train the starter adapter on open reading sets and our own exercises, and write its model card.",
        epilog="A data folder holds corpus.jsonl {id, title, text} and queries.jsonl {id, text, answers, "
        "relevant_ids}. Answers may be short strings, TRUE or FALSE, or absent (the query is then a heading).",
    )
    parser.add_argument("--data", type=Path, action="append", required=True, help="data folder; may be repeated")
    parser.add_argument("--minutes", type=float, default=60, help="time to train, without the evaluation (60)")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="folder to write (learning/starter)")
    parser.add_argument("--start-from", type=Path, help="adapter folder to go on from (default: a fresh adapter)")
    parser.add_argument("--evaluate-only", type=Path, metavar="DIR", help="ask the held-out questions of this adapter")
    parser.add_argument("--train-only", action="store_true", help="train, and leave the asking to --finish")
    parser.add_argument("--finish", action="store_true", help="ask and publish what --train-only left beside --out")
    parser.add_argument("--outputs", type=Path, help="file to write every held-out question with its answer to")
    parser.add_argument("--learning-rate", type=float, default=7e-4, help="peak learning rate (0.0007)")
    parser.add_argument("--groups-per-step", type=int, default=1, help="groups of questions a step (1)")
    parser.add_argument("--rank", type=int, default=16, help="rank of the adapter; alpha is twice it (16)")
    parser.add_argument("--seed", type=int, default=0, help="seed of order, exercises and fresh weights (0)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (1)")
    parser.add_argument("--json", action="store_true", help="print the metrics as one JSON line on stdout")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit status: 1 with one line of advice where the user can mend it."""
    chosen = build_parser().parse_args(arguments)
    try:
        if chosen.minutes <= 0:
            raise DataSetError(f"expected --minutes above 0, got {chosen.minutes:g}; an hour is a good start")
        metrics = run(chosen)
    except (DataSetError, BaseModelError, FileNotFoundError) as error:
        print(f"starter: {error}", file=sys.stderr)
        return 1
    if chosen.json:
        print(json.dumps(metrics))
    elif "training" in metrics:
        print(starter_card.render_card(metrics))
    else:
        print(json.dumps(metrics, indent=2))
    return 0


def _load_model(threads: int) -> tuple[Any, Any]:
    """The bare base model on the fastest device here: bfloat16 where the CPU multiplies it, float32 otherwise."""
    import torch

    torch.set_num_threads(threads)
    model, tokenizer = load_source(get_source())
    if torch.cuda.is_available():
        model.to("cuda")
    elif cpu_has_bfloat16():
        model.to(torch.bfloat16)
    return model, tokenizer


def _describe(
    progress: Progress, recipe: Recipe, sets: Sequence[OpenSet], chosen: argparse.Namespace, model: Any
) -> dict[str, Any]:
    sources = [
        {"name": one.name, "words": starter_card.find_licence(one.name), "questions": _questions(one.train)}
        for one in sets
    ]
    own = f"our own exercises, made from templates with invented names and numbers ({OWN_SHARE:.0%} of the tokens)"
    sources.append({"name": "own", "words": own, "questions": "endless"})
    return (
        asdict(recipe)
        | asdict(progress)
        | {
            "sources": sources,
            "machine": starter_card.machine_words(_find_gpu(model)),
            "threads": chosen.threads,
            "dtype": "bfloat16" if _find_gpu(model) else str(model.lm_head.weight.dtype).removeprefix("torch."),
            "started_from": _started_from(chosen.start_from),
        }
    )


def _find_gpu(model: Any) -> str | None:
    """Name of the GPU that holds the model; products are in bfloat16 there, by autocast."""
    import torch

    device = model.lm_head.weight.device
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None


def _started_from(folder: Path | None) -> str | None:
    """Seconds and questions of the adapter that was gone on from, as far as its metrics say."""
    if folder is None:
        return None
    path = folder / "metrics.json"
    if not path.is_file():
        return "an adapter without metrics"
    earlier = json.loads(path.read_text())["training"]
    return f"{earlier['seconds']:.0f} s, {earlier['examples']} questions, seed {earlier['seed']}"


def _publish(building: Path, out: Path, metrics: dict[str, Any]) -> None:
    """Move a finished adapter into place; the card comes last."""
    out.mkdir(parents=True, exist_ok=True)
    for name in (WEIGHTS, "adapter_config.json"):
        (building / name).replace(out / name)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    (out / "README.md").write_text(starter_card.render_card(metrics))
    shutil.rmtree(building, ignore_errors=True)


def _print_progress(progress: Progress, recipe: Recipe) -> None:
    left = max(0.0, 60 * recipe.minutes - progress.seconds)
    line = (
        f"step {progress.steps} loss {progress.loss:.3f} examples {progress.examples} "
        f"{progress.examples / progress.seconds:.2f}/s eta {left / 60:.1f} min"
    )
    print(line, file=sys.stderr, flush=True)


def _write_outputs(judged: Sequence[Judged], path: Path | None) -> None:
    if path:
        lines = [json.dumps(asdict(one), ensure_ascii=False) for one in judged]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _building(out: Path) -> Path:
    return out.with_name(out.name + ".building")


def _questions(readings: Sequence[Reading]) -> int:
    return sum(len(reading.items) for reading in readings)


def _language(readings: Sequence[Reading]) -> Language:
    return "ko" if sum(reading.language == "ko" for reading in readings) * 2 > len(readings) else "en"


if __name__ == "__main__":
    sys.exit(main())
