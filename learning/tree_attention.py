"""Attention over a packed tree without the pairs that a dense mask would compute and throw away.

The prefix attends itself once, causally, and each branch attends the prefix and itself: the same numbers from less
than half of the pairs. Where no tree is passed to the model, it attends as with `sdpa`.
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
        [1, h, t, d], equal to dense attention where a token sees the earlier ones of the prefix and of its own branch.
    """
    attend = functional.scaled_dot_product_attention
    queries, keys, values = (heads.split((prefix, *lengths), dim=2) for heads in (query, key, value))
    parts = [attend(queries[0], keys[0], values[0], is_causal=True, scale=scale)]
    for number, length in enumerate(lengths, start=1):
        seen = (torch.cat((heads[0], heads[number]), dim=2) for heads in (keys, values))
        mask = torch.ones(length, prefix + length, dtype=torch.bool, device=query.device).tril(prefix)
        parts.append(attend(queries[number], *seen, attn_mask=mask, scale=scale))
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
    """The transformers attention interface."""
    if tree is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **rest)
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    return tree_attention(query, key, value, *tree, scaling).transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, _forward)
AttentionMaskInterface.register(NAME, sdpa_mask)
