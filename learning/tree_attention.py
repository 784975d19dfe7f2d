"""Attention over a packed tree without the pairs that its mask would throw away.

A dense mask computes every pair of packed tokens and hides most of them. Here the prefix attends itself once,
causally, and each branch attends the prefix and itself: the same numbers, about a third of the pairs.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "nightbake_tree"


def tree_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, prefix: int, lengths: Sequence[int], scale: float
) -> torch.Tensor:
    """Attention of a packed tree.

    Args:
        query: [1, h, t, d], where t = prefix + sum of `lengths`; key and value alike, with heads repeated to h.
        prefix: tokens that all branches see.
        lengths: tokens of each branch, in packed order.
        scale: factor on the scores, usually 1 / sqrt(d).

    Returns:
        [1, h, t, d], equal to dense attention under `supervised.tree_mask`.
    """
    shared_key, shared_value = key[:, :, :prefix], value[:, :, :prefix]
    parts = [
        functional.scaled_dot_product_attention(
            query[:, :, :prefix], shared_key, shared_value, is_causal=True, scale=scale
        )
    ]
    start = prefix
    for length in lengths:
        end = start + length
        mask = torch.full((length, prefix + length), float("-inf"), dtype=query.dtype, device=query.device)
        parts.append(
            functional.scaled_dot_product_attention(
                query[:, :, start:end],
                torch.cat((shared_key, key[:, :, start:end]), dim=2),
                torch.cat((shared_value, value[:, :, start:end]), dim=2),
                attn_mask=mask.triu(prefix + 1),
                scale=scale,
            )
        )
        start = end
    return torch.cat(parts, dim=2)


def _forward(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    tree: tuple[int, Sequence[int]] | None = None,
    **rest: Any,
) -> tuple[torch.Tensor, None]:
    """The transformers attention interface: tree attention when `tree` is passed to the model, sdpa otherwise."""
    if tree is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **rest)
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    return tree_attention(query, key, value, *tree, scaling).transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, _forward)
AttentionMaskInterface.register(NAME, sdpa_mask)
