"""How many preference pairs a second the nightly DPO trains, against stock TRL in the same run.

A pair's work is what a night does with it: one pass under the base model and, in each epoch, loss and gradients of
its LoRA weights. Both sides run TRL 1.16's own collator, loss and metrics on the same rows and weights; one encodes
the prompt for each answer and projects it onto the vocabulary, the other is `learning/prefix_dpo.py`. The model has
random weights in the shape of a public one, so nothing is fetched: SmolLM2-135M on a CPU, Llama-3.1-8B on a GPU, where
activations are computed again on the way back, as a night does there. On a CPU time is the process's own, on one
thread by default: it hardly depends on who else wants the core. Not measured: imports, tokenising, the optimiser's
step.

Exactness is taken in float32 on the small model's first layers; share_of_floor is the part of the machine's own
matrix-product rate that each side reaches with the products that its layout needs.

    python -m benchmarks.dpo_speed                        # three to four minutes on one core
    python -m benchmarks.dpo_speed --devices gpu          # one minute on an H100
    python -m benchmarks.dpo_speed --prompts 768 --epochs 1 --json-only
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
import torch
from datasets import Dataset
from peft import LoraConfig
from rich.console import Console
from rich.table import Table
from tokenizers import Tokenizer, models
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast
from trl.trainer.dpo_config import DPOConfig

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import read_conditions
from core.base_model import cpu_dtype
from learning.prefix_dpo import PrefixSharedDPOTrainer, PreparedDPOTrainer


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a Llama: vocabulary, hidden and inner width, layers, attention heads and heads of keys."""

    vocabulary: int
    width: int
    inner: int
    layers: int
    heads: int
    groups: int


SHAPES = {
    "smollm2-135m": Shape(49152, 576, 1536, 30, 9, 3),
    "llama-3.1-8b": Shape(128256, 4096, 14336, 32, 32, 8),
}
EXACTNESS_LAYERS = 4
GPU_REPEATS = 5
SIDES = {"stock TRL": PreparedDPOTrainer, "prefix-shared": PrefixSharedDPOTrainer}
REFERENCES = {"ref_chosen_logps": -1000.0, "ref_rejected_logps": -1000.0}


@dataclass(slots=True)
class Cell:
    """One side at one prompt length: seconds of the pass under the base model and of one training pass."""

    reference: float
    step: float
    share_of_floor: float

    def seconds(self, epochs: int, *, cached: bool = False) -> float:
        """A pair's whole night; `cached` leaves out the reference pass, as from the second night on."""
        return epochs * self.step + (0.0 if cached else self.reference)


def build_trainer(kind: type, rows: list[dict[str, Any]], *, shape: Shape, dtype: str, device: str, folder: str) -> Any:
    """A trainer whose LoRA weights are no longer zero; the same weights each time."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.groups,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
        attn_implementation="sdpa",
    )
    with torch.device(device):
        model: Any = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({"<pad>": 0}, "<pad>")), pad_token="<pad>", eos_token="<pad>"
    )
    settings = DPOConfig(
        output_dir=folder,
        loss_type=["sigmoid", "sft"],
        loss_weights=[1.0, 1.0],
        max_length=None,
        gradient_checkpointing=device == "cuda",
        bf16=dtype == "bfloat16",
        use_cpu=device == "cpu",
        report_to=[],
    )
    lora = LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear")
    trainer = kind(
        model=model, args=settings, train_dataset=Dataset.from_list(rows), processing_class=tokenizer, peft_config=lora
    )
    for name, parameter in trainer.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    trainer.model.train()
    return trainer


def make_row(prompt: int, completion: int, seed: int, vocabulary: int) -> dict[str, Any]:
    """One pair of random tokens, its answers five tokens longer and shorter than `completion`."""
    generator = torch.Generator().manual_seed(seed + prompt)
    names = {"prompt_ids": prompt, "chosen_ids": completion + 5, "rejected_ids": completion - 5}
    return REFERENCES | {
        name: torch.randint(1, vocabulary, (length,), generator=generator).tolist() for name, length in names.items()
    }


def run_step(trainer: Any, row: dict[str, Any]) -> dict[str, float]:
    """One pair's loss and gradients, left on the parameters; TRL's metrics of it."""
    trainer.model.zero_grad()
    batch = trainer._prepare_inputs(trainer.data_collator([row]))
    with trainer.accelerator.autocast():
        loss = trainer.compute_loss(trainer.model, batch)
    loss.backward()
    return {name: values[-1] for name, values in trainer._metrics["train"].items()}


def run_reference(trainer: Any, row: dict[str, Any]) -> None:
    """One pair's pass under the base model."""
    trainer.compute_ref_log_probs(trainer.model, trainer._prepare_inputs(trainer.data_collator([row])))


def measure_exactness(prompt: int, *, completion: int, seed: int, folder: str, device: str) -> tuple[float, float]:
    """Largest difference of a summed log-probability in nats, and relative difference of the gradients, in float32."""
    shape = replace(SHAPES["smollm2-135m"], layers=EXACTNESS_LAYERS)
    row = make_row(prompt, completion, seed, shape.vocabulary)
    metrics, gradients = [], []
    for kind in SIDES.values():
        trainer = build_trainer(kind, [row], shape=shape, dtype="float32", device=device, folder=folder)
        metrics.append(run_step(trainer, row))
        found = (parameter.grad.flatten() for parameter in trainer.model.parameters() if parameter.grad is not None)
        gradients.append(torch.cat(list(found)).double())
    errors = [abs(metrics[0][name] - metrics[1][name]) for name in ("logps/chosen", "logps/rejected")]
    return max(errors), float((gradients[1] - gradients[0]).norm() / gradients[0].norm())


def measure(
    prompts: list[int], *, shape: Shape, completion: int, seed: int, folder: str, device: str
) -> dict[int, dict[str, Cell]]:
    """Every prompt length on both sides, each length's sides right after one another."""
    dtype = "bfloat16" if device == "cuda" else cpu_dtype()
    rows = {prompt: make_row(prompt, completion, seed, shape.vocabulary) for prompt in prompts}
    some = list(rows.values())
    trainers = {
        name: build_trainer(kind, some, shape=shape, dtype=dtype, device=device, folder=folder)
        for name, kind in SIDES.items()
    }
    # A GPU chooses its kernels at the first product of a size.
    warm_ups = some if device == "cuda" else [make_row(32, 16, seed, shape.vocabulary)]
    for trainer in trainers.values():
        for row in warm_ups:
            run_reference(trainer, row)
            run_step(trainer, row)
    cells: dict[int, dict[str, Cell]] = {}
    for prompt, row in rows.items():
        rate = measure_products(shape, dtype, device)
        cells[prompt] = {}
        for name, trainer in trainers.items():
            reference = measure_seconds(lambda trainer=trainer, row=row: run_reference(trainer, row), device)
            step = measure_seconds(lambda trainer=trainer, row=row: run_step(trainer, row), device)
            needed = count_products(row, shape, shared=name != "stock TRL", recomputed=device == "cuda") / rate
            cells[prompt][name] = Cell(reference, step, needed / (reference + step))
    return cells


def measure_seconds(work: Callable[[], Any], device: str) -> float:
    """The process's own seconds on a CPU, seconds of the clock on a GPU."""
    if device == "cuda":
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(GPU_REPEATS):
            work()
        torch.cuda.synchronize()
        return (time.perf_counter() - began) / GPU_REPEATS
    began = time.process_time()
    work()
    return time.process_time() - began


def measure_products(shape: Shape, dtype: str, device: str) -> float:
    """FLOP a second of a plain matrix product, [2048, width] x [width, inner]; the best of five rounds."""
    sizes = (2048, shape.width), (shape.width, shape.inner)
    left, right = (torch.randn(size, device=device, dtype=getattr(torch, dtype)) for size in sizes)
    times = 200 if device == "cuda" else 8

    def multiply() -> None:
        for _ in range(times):
            left @ right

    multiply()
    return times * 2 * 2048 * shape.width * shape.inner / min(measure_seconds(multiply, device) for _ in range(5))


def count_products(row: dict[str, Any], shape: Shape, *, shared: bool, recomputed: bool) -> float:
    """FLOP of the products that one reference pass and one training pass need in a layout; LoRA's own are left out.

    Training goes once forward and once back through the frozen weights, twice back through attention, whose pairs are
    counted as causal, and once more forward where activations are computed again. Stock TRL projects every position,
    ours the answers' only.
    """
    prompt = len(row["prompt_ids"])
    answers = [len(row["chosen_ids"]), len(row["rejected_ids"])]
    tokens = prompt + sum(answers) if shared else 2 * (prompt + max(answers))
    pairs = sum(length * prompt + length**2 / 2 for length in answers) + (1 if shared else 2) * prompt**2 / 2
    projected = sum(answers) if shared else tokens
    keys = shape.width * shape.groups // shape.heads
    weights = shape.layers * (2 * shape.width * shape.width + 2 * shape.width * keys + 3 * shape.width * shape.inner)
    again = 1 if recomputed else 0
    through_weights = (3 + again) * 2 * tokens * weights
    through_head = 3 * 2 * projected * shape.vocabulary * shape.width
    return through_weights + through_head + (4 + again) * 4 * pairs * shape.width * shape.layers


def build_figures(cells: dict[int, dict[str, Cell]], epochs: int) -> dict[str, Any]:
    """Pairs a second and ratios by prompt length, and over all of them."""
    figures: dict[str, Any] = {}
    for prompt, sides in cells.items():
        stock, ours = (sides[name].seconds(epochs) for name in SIDES)
        figures[f"stock_pairs_per_second_{prompt}"] = round(1 / stock, 4)
        figures[f"pairs_per_second_{prompt}"] = round(1 / ours, 4)
        figures[f"ratio_{prompt}"] = round(stock / ours, 2)
    figures["ratio"] = round(_sum(cells, "stock TRL", epochs) / _sum(cells, "prefix-shared", epochs), 2)
    cached = _sum(cells, "prefix-shared", epochs, cached=True)
    figures["ratio_from_second_night"] = round(_sum(cells, "stock TRL", epochs) / cached, 2)
    for name, key in (("stock TRL", "stock_share_of_floor"), ("prefix-shared", "share_of_floor")):
        figures[key] = round(sum(sides[name].share_of_floor for sides in cells.values()) / len(cells), 3)
    return figures


def _sum(cells: dict[int, dict[str, Cell]], name: str, epochs: int, *, cached: bool = False) -> float:
    return sum(sides[name].seconds(epochs, cached=cached) for sides in cells.values())


def build_table(cells: dict[int, dict[str, Cell]], epochs: int, where: str) -> Table:
    """The same for people."""
    table = Table(title=f"DPO of {where}, {epochs} epochs, seconds of one pair")
    for column in ("prompt tokens", "side", "reference", "step", "whole", "times as fast", "of matrix products"):
        table.add_column(column, justify="left" if column == "side" else "right")
    for prompt, sides in cells.items():
        for name, cell in sides.items():
            ratio = sides["stock TRL"].seconds(epochs) / cell.seconds(epochs)
            seconds = (f"{value:.3g}" for value in (cell.reference, cell.step, cell.seconds(epochs)))
            numbers = *seconds, f"{ratio:.2f}"
            table.add_row(str(prompt), name, *numbers, f"{cell.share_of_floor:.0%}")
        table.add_section()
    return table


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--prompts", default="768,2048", show_default=True, help="Prompt lengths in tokens, with commas.")
@click.option("--completion", default=100, show_default=True, help="Tokens of an answer, on average.")
@click.option("--epochs", default=2, show_default=True, help="Training passes a pair, as the nightly job makes them.")
@click.option("--devices", help="Of cpu,gpu, with commas.  [default: what is there]")
@click.option("--gpu-shape", default="llama-3.1-8b", show_default=True, type=click.Choice(list(SHAPES)))
@click.option("--threads", default=1, show_default=True, help="CPU threads; more make the time depend on the load.")
@click.option("--seed", default=1, show_default=True, help="Of the tokens.")
@click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
def main(
    prompts: str,
    completion: int,
    epochs: int,
    devices: str | None,
    gpu_shape: str,
    threads: int,
    seed: int,
    json_only: bool,
) -> None:
    """Measure, compare, print."""
    console = Console(quiet=json_only, width=120)
    conditions = read_conditions(seed)
    console.print(conditions.line())
    torch.set_num_threads(threads)
    lengths = [int(length) for length in prompts.split(",")]
    chosen = (devices or ("cpu,gpu" if torch.cuda.is_available() else "cpu")).split(",")
    figures: dict[str, Any] = {"ratio_cpu": None, "ratio_gpu": None}
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            shape, device = (gpu_shape, "cuda") if name == "gpu" else ("smollm2-135m", "cpu")
            same: Any = {"completion": completion, "seed": seed, "folder": folder, "device": device}
            errors.append(measure_exactness(min(lengths), **same))
            cells = measure(lengths, shape=SHAPES[shape], **same)
            console.print(build_table(cells, epochs, f"{shape} on a {name.upper()}"))
            found = build_figures(cells, epochs)
            figures[f"ratio_{name}"] = found["ratio"]
            figures |= {f"gpu_{key}": value for key, value in found.items()} if name == "gpu" else found
    figures["max_logp_error"] = max(error for error, _ in errors)
    figures["relative_gradient_error"] = max(error for _, error in errors)
    if "gpu" in chosen:
        figures |= {"gpu": torch.cuda.get_device_name(), "gpu_shape": gpu_shape}
    print(json.dumps(figures | {"epochs": epochs, "completion": completion, "threads": threads} | asdict(conditions)))


if __name__ == "__main__":
    main()
