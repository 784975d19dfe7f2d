"""The noise bench computes the losses that the night's trainer computes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from peft import LoraConfig
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast
from trl.trainer.dpo_config import DPOConfig

from benchmarks.dpo_noise import compute_loss, make_model, make_rows, rate, score_rows
from learning.prefix_dpo import PreparedDPOTrainer
from learning.train import LOSSES, build_loss

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers.*"),
    pytest.mark.timeout(300),
]


@pytest.mark.parametrize("sft_weight", [0.0, 0.5])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_benchs_loss_is_trls(loss: str, sft_weight: float, tmp_path: Path) -> None:
    rows = make_rows(3, 0.0, torch.Generator().manual_seed(1))
    model, options = make_model(0), build_loss(loss, sft_weight)
    with torch.no_grad():
        scores = score_rows(model, rows)
    references = scores[0] - torch.tensor([1.0, -2.0, 0.5]), scores[1] + torch.tensor([0.3, 0.0, -4.0])
    own = compute_loss(options, scores, references, beta=0.1)
    trainer = build_stock_trainer(model, rows, references, options, tmp_path)
    batch = trainer._prepare_inputs(trainer.data_collator(list(trainer.train_dataset)))
    with torch.no_grad():
        assert float(own) == pytest.approx(float(trainer.compute_loss(trainer.model, batch)), rel=1e-4)


def build_stock_trainer(
    model: Any, rows: list[Any], references: tuple[torch.Tensor, torch.Tensor], options: dict[str, Any], folder: Path
) -> Any:
    columns = [
        row | {"ref_chosen_logps": float(chosen), "ref_rejected_logps": float(rejected)}
        for row, chosen, rejected in zip(rows, *references, strict=True)
    ]
    words = Tokenizer(models.WordLevel({"<pad>": 0}, "<pad>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<pad>")
    config = DPOConfig(
        output_dir=str(folder), beta=0.1, max_length=None, bf16=False, use_cpu=True, report_to=[], **options
    )
    # Fresh LoRA weights change nothing; without them TRL looks for a reference model by name.
    return PreparedDPOTrainer(
        model=model,
        args=config,
        train_dataset=Dataset.from_list(columns),
        processing_class=tokenizer,
        peft_config=LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear"),
    )


def test_pairs_are_turned_round_as_often_as_votes_are_wrong() -> None:
    rows = make_rows(2000, 0.2, torch.Generator().manual_seed(1))
    flipped = sum(rate(row["chosen_ids"]) < rate(row["rejected_ids"]) for row in rows)
    # Three standard deviations of 2000 draws at 0.2 are 54.
    assert abs(flipped - 400) < 54
