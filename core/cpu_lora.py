"""LoRA in vLLM's CPU build, one matrix product a request instead of one copy of the weights a token.

vLLM 0.32 gathers an adapter's matrices once for every token, so a prompt of 900 tokens through an adapter took 13.8 s
where the base model takes 2.5 s; and in a batch it gives requests without an adapter the one in its last slot. Here
tokens are grouped by adapter, which is what its GPU kernels do. This module is imported by vLLM's processes only.
"""

from itertools import groupby
from typing import Any

import torch
from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU


class GroupedLora(PunicaWrapperCPU):
    """`y += x A B` for the tokens of each adapter together.

    Axes: t = tokens of the batch, i and o = inputs and outputs of a layer, r = rank, s = adapter slots.
    """

    _groups: list[tuple[int, slice]]

    def update_metadata(self, *args: Any, **kwargs: Any) -> None:
        """Once a batch: which tokens belong to which slot."""
        vllm: Any = super()
        vllm.update_metadata(*args, **kwargs)
        slots: Any = self.token_lora_indices
        self._groups = group_tokens(slots.tolist())

    def _apply_shrink(self, y: torch.Tensor, x: torch.Tensor, w_t_all: torch.Tensor, scale: float) -> None:
        """`y[t, r] = scale * x[t, i] A[r, i]`; `w_t_all` is A, [s, 1, r, i]."""
        for slot, tokens in self._groups:
            weights = w_t_all[slot].view(-1, w_t_all.shape[-1])
            y[tokens, : len(weights)] = scale * (x[tokens].to(y.dtype) @ weights.to(y.dtype).T)

    def _apply_expand(
        self,
        y: torch.Tensor,
        x: torch.Tensor,
        w_t_all: torch.Tensor,
        y_offset: int,
        y_slice_size: int,
        add_inputs: bool = True,
    ) -> None:
        """`y[t, offset:offset + o] += x[t, r] B[o, r]`; `w_t_all` is B, [s, 1, o, r]."""
        columns = slice(y_offset, y_offset + y_slice_size)
        if not add_inputs:
            y[:, columns] = 0
        for slot, tokens in self._groups:
            weights = w_t_all[slot].view(-1, w_t_all.shape[-1])[:y_slice_size]
            y[tokens, columns] += x[tokens].to(y.dtype) @ weights.to(y.dtype).T

    def add_lora_logits(self, y: torch.Tensor, x: torch.Tensor, *args: Any, **kwargs: Any) -> None:
        """Nothing: our adapters change linear layers only, and PEFT counts the head as none.

        vLLM would gather the head's zeros, 3 MB a row. It takes a row for each request too, so that it dies of the
        log-probabilities of a prompt, which have a row for each token, as soon as a second request is in the batch.
        """


def group_tokens(slots: list[int]) -> list[tuple[int, slice]]:
    """Runs of neighbouring tokens with the same slot; those without an adapter (-1) are left out."""
    groups: list[tuple[int, slice]] = []
    start = 0
    for slot, run in groupby(slots):
        end = start + len(list(run))
        if slot >= 0:
            groups.append((slot, slice(start, end)))
        start = end
    return groups
