"""Packing sequences that begin alike into a tree."""

import pytest
import torch

from learning.prefix_tree import Chat, build_tree, plain_tokens, shared_prefix
from learning.tree_attention import tree_attention

CHATS = [
    Chat((1, 7, 9, 4, 5, 30, 31, 2), 5, (2.0, 1.0, 1.0)),
    Chat((1, 7, 9, 4, 6, 8, 40, 2), 6),
    Chat((1, 7, 9, 4, 11, 12, 13, 50, 51, 52, 2), 7, (1.0, 1.0, 1.0, 1.0)),
]


def test_a_tree_holds_the_prefix_once_and_restarts_positions():
    tree = build_tree(CHATS)

    assert tree.tokens.tolist() == [[1, 7, 9, 4, 5, 30, 31, 2, 6, 8, 40, 2, 11, 12, 13, 50, 51, 52, 2]]
    assert tree.positions.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 8, 9, 10]]
    assert (tree.prefix, tree.lengths) == (4, (4, 4, 7))
    assert tree.sources.tolist() == [4, 5, 6, 9, 10, 14, 15, 16, 17]
    assert tree.weights.tolist() == [2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert plain_tokens(tree) == 8 + 8 + 11


def test_one_chat_alone_is_a_tree_of_one_branch():
    tree = build_tree(CHATS[:1])

    assert (tree.prefix, tree.lengths) == (5, (3,))
    assert tree.sources.tolist() == [4, 5, 6]


def test_tree_attention_is_dense_attention_under_the_trees_mask() -> None:
    """Prefix of 2, branches of 2 and 1."""
    mask = torch.tensor(
        [
            [1, 0, 0, 0, 0],
            [1, 1, 0, 0, 0],
            [1, 1, 1, 0, 0],
            [1, 1, 1, 1, 0],
            [1, 1, 0, 0, 1],
        ]
    ).bool()
    query, key, value = torch.randn(3, 1, 2, 5, 4, generator=torch.Generator().manual_seed(0))

    found = tree_attention(query, key, value, 2, (2, 1), 0.5)

    expected = ((query @ key.mT) * 0.5).masked_fill(~mask, float("-inf")).softmax(dim=-1) @ value
    assert torch.allclose(found, expected, atol=1e-6)


def test_chats_without_a_common_beginning_are_refused():
    with pytest.raises(ValueError, match="share their first tokens"):
        shared_prefix([(1, 2), (3, 2)])
