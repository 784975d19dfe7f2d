"""Log-probabilities of answers under a model: what DPO's margin is made of, computed for evaluation and proof.

The trainer computes its own during training (TRL); here the same numbers are taken without gradients, with the
language-model head on the answer's positions only: most of a RAG sequence is prompt, and a full-vocabulary
row for each prompt token costs as much as the model itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Tokens:
    """One prompt with one answer: token ids of both together; the first `prompt_length` are the prompt."""

    ids: list[int]
    prompt_length: int

    @property
    def answer_length(self) -> int:
        """Tokens of the answer, its end-of-turn tokens included."""
        return len(self.ids) - self.prompt_length


def tokenize_answer(tokenizer: Any, prompt: Sequence[Any], answer: Sequence[Any]) -> Tokens:
    """Token ids through the chat template, cut as TRL 1.16 cuts them: the answer begins where both texts diverge."""
    options: dict[str, Any] = {"tokenize": True, "return_dict": True}
    prompt_ids = tokenizer.apply_chat_template(list(prompt), add_generation_prompt=True, **options)["input_ids"]
    ids = tokenizer.apply_chat_template([*prompt, *answer], **options)["input_ids"]
    length = next((at for at, (a, b) in enumerate(zip(prompt_ids, ids, strict=False)) if a != b), len(prompt_ids))
    return Tokens(list(ids), min(length, len(ids)))


def sum_log_probs(logits: Tensor, targets: Tensor) -> Tensor:
    """Summed log-probability in nats of the targets.

    Axes: t = answer tokens, v = vocabulary. `logits` [t, v] in any float type, `targets` [t] ids; the result is a
    float32 scalar. Row i of `logits` predicts target i: the caller has shifted them already.
    """
    return torch.log_softmax(logits.float(), dim=-1).gather(1, targets[:, None]).sum()


@torch.inference_mode()
def score_answer(model: Any, tokens: Tokens) -> float:
    """Log-probability in nats of an answer given its prompt; the model must be in evaluation mode."""
    ids = torch.tensor([tokens.ids], device=model.device)
    logits = model(input_ids=ids, use_cache=False, logits_to_keep=tokens.answer_length + 1).logits[0]
    return float(sum_log_probs(logits[:-1], ids[0, tokens.prompt_length :]))
