"""Answers to several prompts, decoded side by side as one growing tree.

What the prompts share is encoded once and one key-value cache holds every branch: each step feeds the next token of all
unfinished branches as one sequence, and a mask keeps them apart. Nothing is copied or padded, and what a branch answers
does not depend on the others.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from learning.losses import find_causal_lm
from learning.prefix_tree import find_obstacles, shared_prefix


@torch.inference_mode()
def decode(
    model: Any,
    prompts: Sequence[Sequence[int]],
    *,
    end: int,
    limits: Sequence[int],
    temperatures: Sequence[float] = (),
    generator: torch.Generator | None = None,
) -> list[list[int]]:
    """Token ids of each prompt's answer, without the end token.

    Args:
        model: a causal LM in evaluation mode, with or without PEFT around it. One that a tree is not exact for takes
            them one by one, and draws from torch's own generator.
        prompts: that begin alike; attention costs the square of all of them together.
        limits: most tokens of each answer.
        temperatures: of each; 0, the likeliest token, where none are given.
        generator: on the CPU, so that the same seed draws the same answers.
    """
    heats = temperatures or [0.0] * len(prompts)
    if find_obstacles(find_causal_lm(model)):
        return [_decode_alone(model, *one, end=end) for one in zip(prompts, limits, heats, strict=True)]
    prefix = min(shared_prefix(prompts), min(map(len, prompts)) - 1)
    device = next(model.parameters()).device
    head = torch.tensor([prompts[0][:prefix]], device=device)
    cache = model(input_ids=head, use_cache=True, logits_to_keep=1).past_key_values
    answers: list[list[int]] = [[] for _ in prompts]
    fed = {number: list(prompt[prefix:]) for number, prompt in enumerate(prompts)}
    columns = [-1] * prefix
    while fed:
        columns += [number for number, tokens in fed.items() for _ in tokens]
        logits = _feed(model, cache, fed, columns, device)
        for row, number in enumerate(list(fed)):
            token = _choose(logits[row], heats[number], generator)
            fed[number] = [token]
            if token != end:
                answers[number].append(token)
            if token == end or len(answers[number]) >= limits[number]:
                del fed[number]
    return answers


def _decode_alone(model: Any, prompt: Sequence[int], limit: int, temperature: float, *, end: int) -> list[int]:
    ids = torch.tensor([list(prompt)], device=next(model.parameters()).device)
    warm = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0} if temperature else {}
    options = warm or {"do_sample": False, "temperature": None, "top_k": None, "top_p": None}
    made = model.generate(input_ids=ids, max_new_tokens=limit, eos_token_id=end, pad_token_id=end, **options)
    answer = made[0, len(prompt) :].tolist()
    return answer[: answer.index(end)] if end in answer else answer


def _choose(logits: torch.Tensor, temperature: float, generator: torch.Generator | None) -> int:
    if temperature == 0:
        return int(logits.argmax())
    chances = (logits.float() / temperature).softmax(dim=-1).cpu()
    return int(torch.multinomial(chances, 1, generator=generator))


def _feed(model: Any, cache: Any, fed: Mapping[int, list[int]], columns: Sequence[int], device: Any) -> torch.Tensor:
    """Feed each branch its tokens; the logits of each one's next, [branches, vocabulary].

    Args:
        fed: tokens by branch. The cache is changed in place.
        columns: branch of every place in the cache after this step, -1 for the prefix.
    """
    owner = torch.tensor(columns, device=device)
    rows = torch.arange(len(columns) - sum(map(len, fed.values())), len(columns), device=device)
    places = torch.arange(len(columns), device=device)
    own = (owner[None, :] == -1) | (owner[None, :] == owner[rows, None])
    mask = own & (places[None, :] <= rows[:, None])
    last = torch.tensor([len(tokens) for tokens in fed.values()], device=device).cumsum(0) - 1
    return model(
        input_ids=torch.tensor([[token for tokens in fed.values() for token in tokens]], device=device),
        attention_mask=mask[None, None],
        position_ids=(mask.sum(-1) - 1)[None],
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=last,
    ).logits[0]
