"""Prefix-shared training computes what training on every chat alone would compute."""

import json

import pytest
import torch

from learning.prefix_tree import Chat, build_tree
from learning.supervised import (
    Recipe,
    add_lora,
    answer_losses,
    load_lora,
    rate_share,
    save_adapter,
    train_adapter,
    tree_loss,
)
from tests.learning.tiny_chat import make_llama

CHATS = [
    Chat((1, 7, 9, 4, 5, 30, 31, 2), 5, (2.0, 1.0, 1.0)),
    Chat((1, 7, 9, 4, 6, 8, 40, 2), 6, (1.0, 3.0)),
    Chat((1, 7, 9, 4, 11, 12, 13, 50, 51, 52, 2), 7, (1.0, 1.0, 1.0, 1.0)),
]


@pytest.fixture
def model():
    return make_llama(
        0, vocab_size=64, hidden_size=48, intermediate_size=64, num_hidden_layers=3, num_attention_heads=6
    )


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
