"""Our supervised trainer computes what TRL's own computes, and the child process teaches what rows say."""

from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from learning.prefix_sft import PrefixSharedSFTTrainer
from learning.trainer import read_evaluation, read_manifest, run_trainer, write_job

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers.*"),
    pytest.mark.timeout(300),  # training starts a process that imports torch, which takes a busy machine minutes
]

ANSWERS = {"What is A?": "It is one.", "What is B?": "It is not known to us.", "What is C?": "Three, and no more."}


def make_row(question: str, answer: str) -> dict[str, Any]:
    turns = {"prompt": ("user", question), "completion": ("assistant", answer)}
    return {side: [{"role": role, "content": text}] for side, (role, text) in turns.items()}


def build(kind: type, base_model: Path, folder: Path) -> Any:
    """A trainer whose LoRA is no longer zero, on the same weights each time; all rows are one batch."""
    tokenizer = AutoTokenizer.from_pretrained(base_model)
    model = AutoModelForCausalLM.from_pretrained(base_model)
    config = SFTConfig(
        output_dir=str(folder),
        use_cpu=True,
        bf16=False,
        report_to=[],
        gradient_checkpointing=False,
        max_length=None,
        completion_only_loss=True,
        per_device_train_batch_size=4,
        train_sampling_strategy="sequential",
    )
    # The first question twice, so that two rows share a prompt.
    rows = [
        make_row(*one) for one in [("What is A?", "It is one."), ("What is A?", "One."), *list(ANSWERS.items())[1:]]
    ]
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules="all-linear")
    trainer = kind(
        model=model, args=config, train_dataset=Dataset.from_list(rows), processing_class=tokenizer, peft_config=lora
    )
    torch.manual_seed(0)
    for name, weights in trainer.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.1)
    return trainer


def step(trainer: Any) -> tuple[float, dict[str, torch.Tensor], dict[str, list[float]]]:
    """Loss, gradients and metrics of the first batch."""
    batch = next(iter(trainer.get_train_dataloader()))
    trainer.model.train()
    loss = trainer.compute_loss(trainer.model, dict(batch))
    loss.backward()
    gradients = {name: one.grad for name, one in trainer.model.named_parameters() if one.grad is not None}
    return float(loss.detach()), gradients, dict(trainer._metrics["train"])


def test_loss_gradients_and_metrics_are_those_of_trl(base_model: Path, tmp_path: Path) -> None:
    (loss, gradients, metrics), (expected, wanted, stock) = (
        step(build(kind, base_model, tmp_path)) for kind in (PrefixSharedSFTTrainer, SFTTrainer)
    )
    assert loss == pytest.approx(expected, abs=1e-5) and loss > 1
    assert gradients.keys() == wanted.keys()
    largest = max(float(one.abs().max()) for one in wanted.values())
    assert max(float((gradients[name] - wanted[name]).abs().max()) for name in wanted) < 1e-4 * largest
    assert metrics.keys() == stock.keys()
    for name, values in stock.items():
        assert metrics[name] == pytest.approx(values, abs=1e-4), name


async def test_a_child_learns_the_answers_alone_and_says_that_it_was_supervised(
    base_model: Path, tmp_path: Path
) -> None:
    job = {
        "base_model": str(base_model),
        "method": "sft",
        "rank": 8,
        "alpha": 16,
        "threads": 1,
        "learning_rate": 1e-2,
        "batch_pairs": 3,
    }
    supervised = [make_row(*one) | {"sha256": str(at)} for at, one in enumerate(list(ANSWERS.items()) * 20)]
    held_out = [
        {
            "prompt": make_row(question, answer)["prompt"],
            "chosen": make_row(question, answer)["completion"],
            "rejected": make_row(question, "Ask the cook.")["completion"],
            "sha256": question,
            "language": "en",
        }
        for question, answer in ANSWERS.items()
    ]

    async def ignore(_: dict[str, Any]) -> None:
        """Progress is not looked at."""

    write_job(tmp_path / "sft", job, train=[], held_out=held_out, supervised=supervised)
    await run_trainer(tmp_path / "sft", progress=ignore)
    manifest = read_manifest(tmp_path / "sft" / "adapter")
    assert manifest and (manifest["trained"], manifest["supervised"], manifest["pairs"]) == ("sft", 60, 0)
    assert (manifest["steps"], manifest["prefix_shared"]) == (20, True)
    for scored in read_evaluation(tmp_path / "sft" / "adapter")["pairs"]:
        assert scored["candidate"]["chosen"] > scored["base"]["chosen"] + 5
        assert scored["candidate"]["chosen"] > scored["candidate"]["rejected"]

    # DPO goes on from it, and it is the reference: pairs that it was taught already move it little.
    going_on = job | {"method": "dpo", "anchor": str(tmp_path / "sft" / "adapter"), "learning_rate": 1e-4}
    pairs = [row | {"sha256": f"{at:064d}"} for at, row in enumerate(held_out)]
    write_job(tmp_path / "dpo", going_on, train=pairs[:2], held_out=pairs[2:])
    await run_trainer(tmp_path / "dpo", progress=ignore)
    after = read_manifest(tmp_path / "dpo" / "adapter")
    assert after and (after["trained"], after["anchor"]) == ("dpo", "adapter")
    (taught,) = [one for one in read_evaluation(tmp_path / "sft" / "adapter")["pairs"] if one["sha256"] == "What is C?"]
    (scored,) = read_evaluation(tmp_path / "dpo" / "adapter")["pairs"]
    assert scored["candidate"]["chosen"] == pytest.approx(taught["candidate"]["chosen"], abs=1.0)
    assert after["curve"][0]["margin"] == pytest.approx(0.0, abs=1e-3)
