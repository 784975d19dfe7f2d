"""How well each loss learns a taste from votes of which some are flipped: accuracy on held-out pairs without noise.

A random Llama of two layers answers prompts of random words. People like four words and dislike four others; of
two answers the one with more liked and fewer disliked words, by four at least, is preferred. A share of the training
pairs is turned round. Losses, beta, rank, alpha and epochs are the night's (`learning/train.py`), the learning rate and
the batch suit the tiny model. Accuracy is the share of fresh pairs whose margin grew against the base model.

    python -m benchmarks.dpo_noise                                 # forty minutes on one core
    python -m benchmarks.dpo_noise --losses sigmoid --seeds 1 --json-only
"""

import json
import statistics
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import torch
from peft import LoraConfig, get_peft_model
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn.functional import logsigmoid
from transformers import LlamaConfig, LlamaForCausalLM

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import read_conditions
from learning.job import Job
from learning.train import LOSSES, build_loss

WORDS, LIKED, PROMPT, ANSWER = 256, 4, 4, 12
LEAST_DIFFERENCE = 4
NOISES = (0.0, 0.2, 0.4)
BATCH = 32
LEARNING_RATE = 1e-2

Row = dict[str, list[int]]


def make_rows(count: int, noise: float, generator: torch.Generator) -> list[Row]:
    """Pairs as token ids, a share of them turned round; words 1 to 4 are liked, 5 to 8 disliked."""
    rows = []
    while len(rows) < count:
        prompt = torch.randint(2 * LIKED + 1, WORDS, (PROMPT,), generator=generator).tolist()
        one, other = (draw_answer(generator) for _ in range(2))
        difference = rate(one) - rate(other)
        if abs(difference) < LEAST_DIFFERENCE:
            continue
        flipped = bool(torch.rand(1, generator=generator) < noise)
        chosen, rejected = (one, other) if (difference > 0) != flipped else (other, one)
        rows.append({"prompt_ids": prompt, "chosen_ids": chosen, "rejected_ids": rejected})
    return rows


def draw_answer(generator: torch.Generator) -> list[int]:
    """Half of the words mean something to people."""
    plain = torch.randint(2 * LIKED + 1, WORDS, (ANSWER,), generator=generator)
    meant = torch.randint(1, 2 * LIKED + 1, (ANSWER,), generator=generator)
    return torch.where(torch.rand(ANSWER, generator=generator) < 0.5, meant, plain).tolist()


def rate(answer: list[int]) -> int:
    """Liked less disliked words."""
    return sum((1 <= word <= LIKED) - (LIKED < word <= 2 * LIKED) for word in answer)


def make_model(seed: int) -> Any:
    """The same weights for the same seed."""
    torch.manual_seed(seed)
    shape = {"vocab_size": WORDS, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    return LlamaForCausalLM(LlamaConfig(**shape, num_attention_heads=4, num_key_value_heads=2, initializer_range=0.1))


def measure(loss: str, sft_weight: float, noise: float, *, seed: int, pairs: int, held_out: int) -> float:
    """Train once; the accuracy on held-out pairs."""
    generator = torch.Generator().manual_seed(1000 + seed)
    fresh, rows = make_rows(held_out, 0.0, generator), make_rows(pairs, noise, generator)
    model = make_model(seed)
    with torch.no_grad():
        before = find_margins(model, fresh)
        references = score_rows(model, rows)
    job = Job("")
    lora = LoraConfig(task_type="CAUSAL_LM", r=job.rank, lora_alpha=job.alpha, target_modules="all-linear")
    policy = get_peft_model(model, lora)
    options = build_loss(loss, sft_weight)
    train(policy, rows, references, options, beta=job.beta, epochs=job.epochs, generator=generator)
    with torch.no_grad():
        after = find_margins(policy, fresh)
    return round(float((after > before).float().mean()), 4)


def train(
    policy: Any,
    rows: list[Row],
    references: tuple[Tensor, Tensor],
    options: dict[str, Any],
    *,
    beta: float,
    epochs: int,
    generator: torch.Generator,
) -> None:
    """AdamW with a rate that falls as a cosine, batches of `BATCH`, no dropout."""
    learnt = [one for one in policy.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(learnt, lr=LEARNING_RATE, weight_decay=0.0)
    steps = epochs * (len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(epochs):
        order = torch.randperm(len(rows), generator=generator)
        for at in range(0, len(rows) - BATCH + 1, BATCH):
            chosen = order[at : at + BATCH]
            scores = score_rows(policy, [rows[index] for index in chosen.tolist()])
            loss = compute_loss(options, scores, (references[0][chosen], references[1][chosen]), beta=beta)
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
            schedule.step()


def compute_loss(
    options: dict[str, Any], scores: tuple[Tensor, Tensor], references: tuple[Tensor, Tensor], *, beta: float
) -> Tensor:
    """The mean loss of a batch, as TRL 1.16 computes it; `tests/learning/test_noise_losses.py` compares the two.

    Axes: n = pairs. `scores` and `references` are summed log-probabilities in nats of chosen and rejected, float32 [n];
    every answer has `ANSWER` tokens.
    """
    delta = scores[0] - references[0] - (scores[1] - references[1])
    noise = options.get("label_smoothing", 0.0)
    losses = {
        "sigmoid": lambda: -logsigmoid(beta * delta),
        "sigmoid_norm": lambda: -logsigmoid(beta * delta / ANSWER),
        "ipo": lambda: (delta / ANSWER - 1 / (2 * beta)) ** 2,
        "robust": lambda: (
            (noise * logsigmoid(-beta * delta) - (1 - noise) * logsigmoid(beta * delta)) / (1 - 2 * noise)
        ),
        "sft": lambda: -scores[0] / ANSWER,
    }
    parts = zip(options["loss_type"], options["loss_weights"], strict=True)
    return torch.stack([weight * losses[name]().mean() for name, weight in parts]).sum()


def score_rows(model: Any, rows: list[Row]) -> tuple[Tensor, Tensor]:
    """Summed log-probability in nats of chosen and rejected answers, [n] each."""
    texts = [row["prompt_ids"] + row[f"{side}_ids"] for side in ("chosen", "rejected") for row in rows]
    ids = torch.tensor(texts)
    logits = model(input_ids=ids, use_cache=False, logits_to_keep=ANSWER + 1).logits[:, :-1]
    scores = torch.log_softmax(logits, dim=-1).gather(2, ids[:, -ANSWER:, None]).sum(dim=(1, 2))
    return scores[: len(rows)], scores[len(rows) :]


def find_margins(model: Any, rows: list[Row]) -> Tensor:
    """log p(chosen) - log p(rejected) of each pair, in nats."""
    chosen, rejected = score_rows(model, rows)
    return chosen - rejected


def build_figures(cells: dict[str, dict[float, list[float]]]) -> dict[str, Any]:
    """Means by loss and noise, and those of the night's default."""
    means = {
        name: {f"{noise:.0%}": round(statistics.mean(found), 3) for noise, found in by_noise.items()}
        for name, by_noise in cells.items()
    }
    own = means.get(name_loss(Job("").loss, Job("").sft_weight), {})
    return {"default_at_20": own.get("20%"), "default_at_40": own.get("40%"), "accuracy": means}


def name_loss(loss: str, sft_weight: float) -> str:
    """As tables call it."""
    return f"{loss} + {sft_weight:g} sft" if sft_weight else loss


def build_table(cells: dict[str, dict[float, list[float]]]) -> Table:
    """The same for people: mean and the worst seed."""
    table = Table("loss", *(f"{noise:.0%} flipped" for noise in NOISES), title="held-out accuracy, mean (worst seed)")
    for name, by_noise in cells.items():
        table.add_row(name, *(f"{statistics.mean(found):.3f} ({min(found):.3f})" for found in by_noise.values()))
    return table


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--losses", default=",".join(LOSSES), show_default=True, help="Losses, with commas.")
@click.option("--sft", default="0,0.25,1", show_default=True, help="Weights of the SFT term, with commas.")
@click.option("--seeds", default=5, show_default=True, help="Trainings of each cell.")
@click.option("--pairs", default=2000, show_default=True, help="Training pairs.")
@click.option("--held-out", default=400, show_default=True, help="Held-out pairs.")
@click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
def main(losses: str, sft: str, seeds: int, pairs: int, held_out: int, json_only: bool) -> None:
    """Train, measure, print."""
    console = Console(quiet=json_only, width=120)
    conditions = read_conditions(seeds)
    console.print(conditions.line())
    torch.set_num_threads(1)
    cells: dict[str, dict[float, list[float]]] = {}
    sizes = {"pairs": pairs, "held_out": held_out}
    for sft_weight in map(float, sft.split(",")):
        for loss in losses.split(","):
            cells[name_loss(loss, sft_weight)] = {
                noise: [measure(loss, sft_weight, noise, seed=seed, **sizes) for seed in range(seeds)]
                for noise in NOISES
            }
            console.print(name_loss(loss, sft_weight), cells[name_loss(loss, sft_weight)])
    console.print(build_table(cells))
    figures = build_figures(cells) | {"seeds": seeds, "pairs": pairs, "held_out": held_out}
    print(json.dumps(figures | asdict(conditions)))


if __name__ == "__main__":
    main()
