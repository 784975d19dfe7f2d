"""Sequences that begin alike, packed into a tree: the shared tokens once, then each one's own tokens as a branch.

A branch sees the prefix and itself only, and its positions go on where the prefix ends, so every branch is computed
exactly as if it stood alone. The LM head is for the answers' positions only. Shared by supervised training, DPO and
the scoring of held-out pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from learning import tree_attention

LOGIT_SCALES = ("final_logit_softcapping", "logit_scale", "output_multiplier", "lm_head_multiplier", "logits_scaling")


@dataclass(frozen=True, slots=True)
class Chat:
    """One tokenised chat: `tokens` of the whole, of which the last ones, from `answer_start`, are learnt.

    `weights` are the answer tokens' weights in the loss, one for each; none given stands for 1 each.
    """

    tokens: tuple[int, ...]
    answer_start: int
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """A packed group. Axes: t = packed tokens, a = answer tokens of all branches.

    tokens, positions: int64 [1, t]. lengths: tokens of each branch behind the prefix. sources: int64 [a], the packed
    place whose hidden state predicts the answer token. targets: int64 [a]. weights: float32 [a]. owners: int64 [a],
    the branch of each answer token. `prefix` is the number of shared tokens.
    """

    tokens: torch.Tensor
    positions: torch.Tensor
    sources: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor
    owners: torch.Tensor
    prefix: int
    lengths: tuple[int, ...]


def build_tree(chats: Sequence[Chat]) -> Tree:
    """Pack chats into one tree. The prefix is what all of them share, at most up to the first answer token.

    Raises:
        ValueError: no chats, or an answer that starts at the very first token.
    """
    prefix = shared_prefix([chat.tokens[: chat.answer_start] for chat in chats])
    tokens, positions = list(chats[0].tokens[:prefix]), list(range(prefix))
    sources, targets, weights, owners = [], [], [], []
    for number, chat in enumerate(chats):
        offset = len(tokens) - prefix
        for place in range(chat.answer_start, len(chat.tokens)):
            sources.append(place - 1 if place - 1 < prefix else place - 1 + offset)
            targets.append(chat.tokens[place])
            owners.append(number)
        weights += chat.weights or [1.0] * (len(chat.tokens) - chat.answer_start)
        tokens += chat.tokens[prefix:]
        positions += range(prefix, len(chat.tokens))
    return Tree(
        tokens=torch.tensor([tokens]),
        positions=torch.tensor([positions]),
        sources=torch.tensor(sources),
        targets=torch.tensor(targets),
        weights=torch.tensor(weights, dtype=torch.float32),
        owners=torch.tensor(owners),
        prefix=prefix,
        lengths=tuple(len(chat.tokens) - prefix for chat in chats),
    )


def shared_prefix(sequences: Sequence[Sequence[int]]) -> int:
    """Length of the longest common beginning.

    Raises:
        ValueError: nothing is shared; such sequences are no group.
    """
    length = 0
    for column in zip(*sequences, strict=False):
        if len(set(column)) > 1:
            break
        length += 1
    if not length:
        raise ValueError("expected chats that share their first tokens, got none shared; group chats by passages")
    return length


def plain_tokens(tree: Tree) -> int:
    """Tokens that the branches would take one by one, without a shared prefix."""
    return tree.tokens.shape[1] + (len(tree.lengths) - 1) * tree.prefix


def answer_states(model: Any, tree: Tree) -> torch.Tensor:
    """Hidden states that predict the answer tokens, [a, h], in the order of `tree.targets`.

    Side effect: switches the model from sdpa to `tree_attention`, which is sdpa for everything but trees.

    Args:
        model: a causal LM without `find_obstacles`, with or without LoRA layers in it.
    """
    if model.config._attn_implementation != tree_attention.NAME:
        model.set_attn_implementation(tree_attention.NAME)
    device = model.device
    states = model.base_model(
        input_ids=tree.tokens.to(device),
        position_ids=tree.positions.to(device),
        # Not used by tree attention; its four dimensions keep transformers from building one of t x t.
        attention_mask=torch.ones(1, 1, 1, 1, dtype=torch.bool, device=device),
        tree=(tree.prefix, tree.lengths),
        use_cache=False,
    ).last_hidden_state[0]
    return states[tree.sources.to(states.device)]


def find_obstacles(model: Any) -> list[str]:
    """What a tree is not exact for in a causal LM: attention with windows, state or its own kernel, scaled logits."""
    text = model.config.get_text_config()
    kinds = {str(kind) for kind in getattr(text, "layer_types", None) or ()} - {"full_attention"}
    if getattr(text, "sliding_window", None) and not getattr(text, "layer_types", None):
        kinds.add("sliding_window")
    kinds |= {name for name in LOGIT_SCALES if getattr(text, name, None) not in (None, 1)}
    if model.config._attn_implementation not in ("sdpa", tree_attention.NAME):
        kinds.add(f"{model.config._attn_implementation} attention")
    if not model._supports_attention_backend:
        kinds.add("attention that cannot be replaced")
    return sorted(kinds)
