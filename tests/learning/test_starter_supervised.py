"""Prefix-shared training computes what training on every chat alone would compute."""

import json

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from learning.supervised import (
    Chat,
    Recipe,
    add_lora,
    answer_losses,
    build_tree,
    load_lora,
    plain_tokens,
    rate_share,
    save_adapter,
    shared_prefix,
    train_adapter,
    tree_loss,
    tree_mask,
)

CHATS = [
    Chat((1, 7, 9, 4, 5, 30, 31, 2), 5, (2.0, 1.0, 1.0)),
    Chat((1, 7, 9, 4, 6, 8, 40, 2), 6, (1.0, 3.0)),
    Chat((1, 7, 9, 4, 11, 12, 13, 50, 51, 52, 2), 7, (1.0, 1.0, 1.0, 1.0)),
]


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=48,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=64,
        attn_implementation="sdpa",
    )
    return LlamaForCausalLM(config)


def alone(model, chat: Chat) -> torch.Tensor:
    """Answer losses of one chat by the library's own forward pass, [a]."""
    tokens = torch.tensor([chat.tokens])
    logits = model(tokens).logits[0, chat.answer_start - 1 : -1].float()
    return torch.nn.functional.cross_entropy(logits, tokens[0, chat.answer_start :], reduction="none")


def gradients(model) -> torch.Tensor:
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None])


def test_each_branch_is_computed_as_if_it_stood_alone(model):
    expected = torch.cat([alone(model, chat) for chat in CHATS])

    packed = answer_losses(model, build_tree(CHATS))

    assert torch.allclose(packed, expected, atol=1e-5)


def test_gradients_agree_with_those_of_separate_chats(model):
    weights = torch.cat([torch.tensor(chat.weights) for chat in CHATS])
    separate = torch.cat([alone(model, chat) for chat in CHATS])
    ((separate * weights).sum() / weights.sum()).backward()
    expected = gradients(model)
    model.zero_grad()

    tree_loss(model, build_tree(CHATS)).backward()

    assert (gradients(model) - expected).abs().max() < 1e-5


def test_a_tree_holds_the_prefix_once_and_restarts_positions():
    tree = build_tree(CHATS)

    assert tree.tokens.tolist() == [[1, 7, 9, 4, 5, 30, 31, 2, 6, 8, 40, 2, 11, 12, 13, 50, 51, 52, 2]]
    assert tree.positions.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 8, 9, 10]]
    assert (tree.prefix, tree.lengths) == (4, (4, 4, 7))
    assert tree.sources.tolist() == [4, 5, 6, 9, 10, 14, 15, 16, 17]
    assert plain_tokens(tree) == 8 + 8 + 11


def test_one_chat_alone_is_a_tree_of_one_branch():
    tree = build_tree(CHATS[:1])

    assert (tree.prefix, tree.lengths) == (5, (3,))
    assert tree.sources.tolist() == [4, 5, 6]


def test_a_branch_sees_the_prefix_and_itself_only():
    mask = tree_mask(2, (2, 1))

    assert mask.int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 1, 1, 0],
        [1, 1, 0, 0, 1],
    ]


def test_chats_without_a_common_beginning_are_refused():
    with pytest.raises(ValueError, match="share their first tokens"):
        shared_prefix([(1, 2), (3, 2)])


def test_the_learning_rate_rises_then_falls_to_zero():
    assert [round(rate_share(spent, 0.1), 6) for spent in (0.05, 0.1, 0.55, 1.0)] == [0.5, 1.0, 0.5, 0.0]


def test_training_lowers_the_loss_and_stops_with_its_budget(model):
    tree = build_tree(CHATS)
    before = tree_loss(model, tree).item()
    seconds = iter(range(1000))

    progress = train_adapter(
        add_lora(model, Recipe(minutes=1)),
        (tree for _ in range(1000)),
        Recipe(minutes=0.5, learning_rate=1e-2, groups_per_step=2),
        clock=lambda: float(next(seconds)),
    )

    assert progress.steps == 15
    assert progress.examples == 15 * 2 * 3
    assert tree_loss(model, tree).item() < before - 0.5


def test_training_on_nothing_is_refused(model):
    with pytest.raises(ValueError, match="at least one group"):
        train_adapter(add_lora(model, Recipe(minutes=1)), [], Recipe(minutes=1))


def test_a_saved_adapter_comes_back_as_it_was(model, tmp_path):
    adapted = add_lora(model, Recipe(minutes=1))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.constant_(parameter, 0.125)
    tree = build_tree(CHATS)
    expected = answer_losses(adapted.get_base_model(), tree).detach()
    save_adapter(adapted, tmp_path / "adapter", base_name="maker/base")

    again = load_lora(adapted.unload(), tmp_path / "adapter")

    assert torch.allclose(answer_losses(again.get_base_model(), tree), expected, atol=5e-2)
    saved = {path.name for path in (tmp_path / "adapter").iterdir()}
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert saved == {"adapter_model.safetensors", "adapter_config.json"}
    assert config["base_model_name_or_path"] == "maker/base"


def test_a_folder_without_an_adapter_is_named_in_the_error(model, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"adapter_config\.json"):
        load_lora(model, tmp_path)
