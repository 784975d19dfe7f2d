"""Scores of answers, computed together, are those of the model's own forward pass."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

from learning.losses import Tokens, score_answers, tokenize_pair
from learning.prefix_tree import find_obstacles

SIZES: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 48,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "initializer_range": 0.2,
    "attn_implementation": "sdpa",
}
ANSWERS = [Tokens([1, 7, 9, 4, 5, 6, 30, 31, 2], 6), Tokens([1, 7, 9, 4, 5, 6, 40, 2], 6)]


def build(kind: str) -> Any:
    torch.manual_seed(0)
    if kind == "plain":
        return LlamaForCausalLM(LlamaConfig(**SIZES)).eval()
    return MistralForCausalLM(MistralConfig(sliding_window=3, **SIZES)).eval()


@pytest.mark.parametrize(("kind", "obstacles"), [("plain", []), ("windowed", ["sliding_window"])])
def test_answers_are_scored_as_each_alone(kind: str, obstacles: list[str]) -> None:
    model = build(kind)
    assert find_obstacles(model) == obstacles
    expected = []
    for answer in ANSWERS:
        ids = torch.tensor([answer.ids])
        log_probs = model(ids).logits[0, answer.prompt_length - 1 : -1].log_softmax(dim=-1)
        expected.append(log_probs.gather(1, ids[0, answer.prompt_length :, None]).sum().item())

    assert score_answers(model, ANSWERS) == pytest.approx(expected, abs=1e-4)


def test_both_answers_begin_where_either_leaves_the_prompt(base_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(base_model)
    row = {
        "prompt": [{"role": "user", "content": "why?"}],
        "chosen": [{"role": "assistant", "content": "so"}],
        "rejected": [{"role": "assistant", "content": ""}],
    }

    pair = tokenize_pair(tokenizer, row)

    prompt = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=True)["input_ids"]
    assert [tokens.ids[: tokens.prompt_length] for tokens in pair.values()] == [prompt, prompt]
    assert tokenizer.decode(pair["chosen"].ids[len(prompt) :]) == "so<|im_end|>\n"
    assert pair["rejected"].answer_length == 2
