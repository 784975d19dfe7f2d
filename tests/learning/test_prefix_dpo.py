"""Prefix-shared DPO computes what TRL's own trainer computes: log-probabilities, loss, metrics and gradients."""

from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DPOTrainer

from learning.prefix_dpo import PrefixSharedDPOTrainer

MAX_LOG_PROB_ERROR = 1e-3
MAX_GRADIENT_ERROR = 1e-4

# Two prompts, the first with three rejected answers and one chosen answer.
ROWS = [
    {"prompt_ids": [1, 7, 9, 4, 5], "chosen_ids": [30, 31, 2], "rejected_ids": [40, 2]},
    {"prompt_ids": [1, 7, 9, 4, 5], "chosen_ids": [30, 31, 2], "rejected_ids": [30, 41, 42, 43, 2]},
    {"prompt_ids": [1, 7, 9, 4, 5], "chosen_ids": [30, 31, 2], "rejected_ids": [50, 51, 52, 2]},
    {"prompt_ids": [1, 8, 9, 3, 11, 12, 13, 14], "chosen_ids": [21, 2], "rejected_ids": [22, 23, 24, 25, 26, 2]},
]
REFERENCES = {"ref_chosen_logps": -9.5, "ref_rejected_logps": -12.25}
SIZES: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 48,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": 2,
    "attn_implementation": "sdpa",
    "initializer_range": 0.2,
}
LOSSES: dict[str, dict[str, Any]] = {
    "as the job uses it": {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.5]},
    "ipo": {"loss_type": ["ipo"]},
    "robust": {"loss_type": ["robust"], "label_smoothing": 0.2},
    "sigmoid_norm": {"loss_type": ["sigmoid_norm"]},
    "length-desensitised": {"loss_type": ["sigmoid"], "ld_alpha": 0.4},
}


def build(kind: type, tokenizer: Any, folder: Path, *, rows: list[dict[str, Any]], **options: Any) -> Any:
    """A trainer whose LoRA is no longer zero, on the same weights each time."""
    torch.manual_seed(0)
    settings = DPOConfig(
        output_dir=str(folder),
        use_cpu=True,
        bf16=False,
        report_to=[],
        gradient_checkpointing=False,
        max_length=None,
        **options,
    )
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules="all-linear")
    model = LlamaForCausalLM(LlamaConfig(**SIZES))
    trainer = kind(
        model=model, args=settings, train_dataset=Dataset.from_list(rows), processing_class=tokenizer, peft_config=lora
    )
    torch.manual_seed(1)
    for name, parameter in trainer.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    trainer.model.train()
    return trainer


class Stock(DPOTrainer):
    """TRL's trainer on rows that are tokenised already."""

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset

    def _send_telemetry(self) -> None: ...


@pytest.fixture(scope="module")
def tokenizer(base_model: Path) -> Any:
    return AutoTokenizer.from_pretrained(base_model)


def run_step(trainer: Any, rows: list[dict[str, Any]]) -> tuple[float, torch.Tensor, dict[str, float]]:
    """Loss, gradients of all LoRA weights, and TRL's metrics of one batch."""
    batch = trainer.data_collator([row | REFERENCES for row in rows])
    trainer.precompute_ref_logps = True
    loss = trainer.compute_loss(trainer.model, batch)
    loss.backward()
    gradients = [parameter.grad.flatten() for parameter in trainer.model.parameters() if parameter.grad is not None]
    metrics = {name: values[-1] for name, values in trainer._metrics["train"].items()}
    return loss.item(), torch.cat(gradients), metrics


@pytest.mark.parametrize("name", LOSSES)
def test_loss_gradients_and_metrics_are_those_of_trl(name: str, tokenizer: Any, tmp_path: Path) -> None:
    loss, gradients, metrics = run_step(build(Stock, tokenizer, tmp_path, rows=ROWS, **LOSSES[name]), ROWS)

    trainer = build(PrefixSharedDPOTrainer, tokenizer, tmp_path, rows=ROWS, **LOSSES[name])
    shared_loss, shared_gradients, shared_metrics = run_step(trainer, ROWS)

    assert shared_loss == pytest.approx(loss, abs=1e-5)
    assert (shared_gradients - gradients).norm() / gradients.norm() < MAX_GRADIENT_ERROR
    assert shared_metrics == pytest.approx(metrics, abs=MAX_LOG_PROB_ERROR)


def test_reference_scores_are_those_of_trl(tokenizer: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {"rows": ROWS, "precompute_ref_log_probs": True}
    expected = build(Stock, tokenizer, tmp_path, **options).train_dataset

    found = build(PrefixSharedDPOTrainer, tokenizer, tmp_path, **options).train_dataset

    for column in REFERENCES:
        assert found[column] == pytest.approx(expected[column], abs=MAX_LOG_PROB_ERROR)


def test_a_prompt_is_encoded_once_for_all_its_answers(tokenizer: Any, tmp_path: Path) -> None:
    trainer = build(PrefixSharedDPOTrainer, tokenizer, tmp_path, rows=ROWS)
    seen: list[int] = []
    backbone = trainer.model.get_base_model().model
    backbone.register_forward_hook(
        lambda module, inputs, options, output: seen.append(options["input_ids"].shape[1]), with_kwargs=True
    )

    run_step(trainer, ROWS)

    assert seen == [5 + 3 + 2 + 5 + 4, 8 + 2 + 6]


def test_known_references_are_taken_as_they_are(tokenizer: Any, tmp_path: Path) -> None:
    rows = [row | REFERENCES for row in ROWS]

    trainer = build(PrefixSharedDPOTrainer, tokenizer, tmp_path, rows=rows)

    assert trainer.precompute_ref_logps and trainer.train_dataset["ref_chosen_logps"] == [-9.5] * 4


def test_a_model_with_windows_of_attention_is_refused(tokenizer: Any, tmp_path: Path) -> None:
    model = MistralForCausalLM(MistralConfig(sliding_window=8, **SIZES))
    settings = DPOConfig(output_dir=str(tmp_path), use_cpu=True, bf16=False, report_to=[])
    with pytest.raises(ValueError, match="sliding_window"):
        PrefixSharedDPOTrainer(
            model=model,
            args=settings,
            train_dataset=Dataset.from_list(ROWS),
            processing_class=tokenizer,
            peft_config=LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear"),
        )
