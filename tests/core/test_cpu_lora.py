"""Our LoRA arithmetic for vLLM on a CPU, held against the plain sum and against vLLM's own."""

import warnings
from typing import Any

import pytest
import torch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    lora = pytest.importorskip("core.cpu_lora", reason="vLLM's CPU build is not installed")
    from vllm.lora.layers import LoRAMapping
    from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU
    from vllm.platforms import current_platform

from core.vllm_plugin import WRAPPER, register

SLOTS, RANK, INPUTS, OUTPUTS = 2, 4, 24, 16
# Two requests with adapters 7 and 9, one without: 5, 3 and 4 tokens.
TOKENS = (7,) * 5 + (0,) * 4 + (9,) * 3


def make_weights() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(SLOTS, 1, RANK, INPUTS), torch.randn(SLOTS, 1, OUTPUTS, RANK)


def apply(wrapper_class: Any, tokens: tuple[int, ...], *, prefill: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """What an adapter adds to each token, [t, o], and the tokens' inputs, [t, i]."""
    wrapper = wrapper_class(max_num_batched_tokens=32, max_batches=8, device="cpu")
    requests = tuple(dict.fromkeys(tokens)) if prefill else tokens
    wrapper.update_metadata(LoRAMapping(tokens, requests, is_prefill=prefill), [7, 9], SLOTS, 100)
    first, second = make_weights()
    inputs = torch.randn(len(tokens), INPUTS)
    added = torch.zeros(len(tokens), OUTPUTS)
    wrapper.add_lora_linear(added, inputs, (first,), (second,), 0.5, (OUTPUTS,))
    return added, inputs


@pytest.mark.parametrize("prefill", [True, False])
def test_each_token_gets_its_own_adapter_and_none_gets_none(prefill: bool) -> None:
    added, inputs = apply(lora.GroupedLora, TOKENS, prefill=prefill)
    first, second = make_weights()
    slot_of = {7: 0, 9: 1}
    for place, adapter in enumerate(TOKENS):
        wanted = torch.zeros(OUTPUTS)
        if adapter:
            slot = slot_of[adapter]
            wanted = 0.5 * (second[slot, 0] @ (first[slot, 0] @ inputs[place]))
        torch.testing.assert_close(added[place], wanted)


@pytest.mark.parametrize("prefill", [True, False])
def test_is_what_vllm_computes_where_every_token_has_an_adapter(prefill: bool) -> None:
    tokens = (7,) * 5 + (9,) * 3
    ours, _ = apply(lora.GroupedLora, tokens, prefill=prefill)
    theirs, _ = apply(PunicaWrapperCPU, tokens, prefill=prefill)
    torch.testing.assert_close(ours, theirs)


def test_a_prompt_is_weighed_beside_other_requests() -> None:
    """Rows are the tokens of one prompt, where the batch holds two requests."""
    wrapper: Any = lora.GroupedLora(max_num_batched_tokens=32, max_batches=8, device="cpu")
    wrapper.update_metadata(LoRAMapping((7,) * 5 + (9,) * 3, (7, 9), is_prefill=True), [7, 9], SLOTS, 100)
    first, second = torch.zeros(SLOTS, 1, RANK, INPUTS), torch.zeros(SLOTS, 1, OUTPUTS, RANK)
    logits = torch.ones(5, OUTPUTS)
    wrapper.add_lora_logits(logits, torch.randn(5, INPUTS), first, second, 1.0)
    torch.testing.assert_close(logits, torch.ones(5, OUTPUTS))


def test_neighbours_with_one_slot_are_one_group() -> None:
    assert lora.group_tokens([1, 1, -1, 0, 1]) == [(1, slice(0, 2)), (0, slice(3, 4)), (1, slice(4, 5))]


def test_vllm_takes_it_on_a_cpu() -> None:
    before = current_platform.get_punica_wrapper()
    register()
    assert current_platform.get_punica_wrapper() == WRAPPER != before
