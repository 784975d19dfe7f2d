"""Log-probabilities of answers under a model: what DPO's margin is made of, computed for reference and evaluation.

Answers to one prompt are scored together: the prompt is computed once (`learning/prefix_tree.py`), and the
language-model head is applied to the answers' positions only. Most of a RAG sequence is prompt, and a full-vocabulary
row for each prompt token costs as much as the model itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from learning.prefix_tree import Chat, answer_states, build_tree, find_obstacles

SIDES = ("chosen", "rejected")

Scores = dict[str, float]
"""Summed log-probability in nats of each side's answer."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One prompt with one answer: token ids of both together; the first `prompt_length` are the prompt."""

    ids: list[int]
    prompt_length: int

    @property
    def answer_length(self) -> int:
        """Tokens of the answer, its end-of-turn tokens included."""
        return len(self.ids) - self.prompt_length


def tokenize_pair(tokenizer: Any, row: Mapping[str, Any]) -> dict[str, Tokens]:
    """Token ids of both sides through the chat template, nothing cut off.

    The answers begin where either text leaves the prompt's, as in TRL 1.16 (`DPOTrainer._prepare_dataset`).
    """
    options: dict[str, Any] = {"tokenize": True, "return_dict": True}
    prompt = tokenizer.apply_chat_template(list(row["prompt"]), add_generation_prompt=True, **options)["input_ids"]
    ids = {
        side: list(tokenizer.apply_chat_template([*row["prompt"], *row[side]], **options)["input_ids"])
        for side in SIDES
    }
    length = min(_common_length(prompt, ids[side]) for side in SIDES)
    return {side: Tokens(ids[side], length) for side in SIDES}


def _common_length(prompt: Sequence[int], ids: Sequence[int]) -> int:
    pairs = enumerate(zip(prompt, ids, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(prompt), len(ids)))


def sum_log_probs(logits: Tensor, targets: Tensor) -> Tensor:
    """Summed log-probability in nats of the targets.

    Axes: t = answer tokens, v = vocabulary. `logits` [t, v] in any float type, `targets` [t] ids; the result is a
    float32 scalar. Row i of `logits` predicts target i: the caller has shifted them already.
    """
    return torch.log_softmax(logits.float(), dim=-1).gather(1, targets[:, None]).sum()


@torch.inference_mode()
def score_answers(model: Any, answers: Sequence[Tokens]) -> list[float]:
    """Log-probability in nats of each answer to one prompt; the model must be in evaluation mode.

    Args:
        model: a causal LM, with or without PEFT around it. One that a tree is not exact for takes them one by one.
    """
    base = find_causal_lm(model)
    if find_obstacles(base):
        return [_score_alone(base, answer) for answer in answers]
    tree = build_tree([Chat(tuple(answer.ids), answer.prompt_length) for answer in answers])
    with autocast(base):
        logits = base.get_output_embeddings()(answer_states(base, tree))
    targets, owners = tree.targets.to(logits.device), tree.owners.to(logits.device)
    return [float(sum_log_probs(logits[owners == n], targets[owners == n])) for n in range(len(answers))]


def score_pair(model: Any, pair: Mapping[str, Tokens]) -> Scores:
    """Both sides' scores, the prompt computed once."""
    return dict(zip(SIDES, score_answers(model, [pair[side] for side in SIDES]), strict=True))


def _score_alone(base: Any, answer: Tokens) -> float:
    ids = torch.tensor([answer.ids], device=base.device)
    with autocast(base):
        logits = base(input_ids=ids, use_cache=False, logits_to_keep=answer.answer_length + 1).logits[0]
    return float(sum_log_probs(logits[:-1], ids[0, answer.prompt_length :]))


def find_causal_lm(model: Any) -> Any:
    """The causal LM inside a PEFT model, its LoRA layers in it; or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def autocast(model: Any) -> AbstractContextManager:
    """bfloat16 products where the weights are bfloat16, as the trainer multiplies them; else float32 throughout."""
    return torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=model.dtype == torch.bfloat16)


def check_turn_ends(tokenizer: Any, pairs: Iterable[Mapping[str, Tokens]]) -> None:
    """A model that never sees the end of a turn never learns to stop.

    Raises:
        ValueError: the end-of-sequence token is not among the last tokens of an answer.
    """
    for tokens in (pair[side] for pair in pairs for side in SIDES):
        if tokenizer.eos_token_id not in tokens.ids[-3:]:
            raise ValueError(
                f"expected the chat template to end a turn with {tokenizer.eos_token!r}; mend the template"
            )
