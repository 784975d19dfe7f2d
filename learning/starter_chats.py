"""From groups of questions to tokenised chats, exactly as they are served, and the order in which sets take turns."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.prompt import build_messages
from learning.prefix_tree import Chat, Tree, build_tree
from learning.starter_examples import Group

OWN_SHARE = 0.34
"""Share of packed tokens that our own exercises take; the open sets share the rest."""

_FIRST_TOKENS, _FIRST_WEIGHT, _CITATION_WEIGHT = 3, 2.0, 3.0
_TURN_END = "<|im_end|>"


def render_prompt(group: Group, question: str, tokenizer: Any) -> str:
    """The served prompt of one question, ending where the assistant begins to speak."""
    messages = build_messages(question, group.passages)
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def build_chats(group: Group, tokenizer: Any) -> list[Chat]:
    """One chat a branch, tokenised as a whole.

    The first answer tokens choose the sentence (or the refusal) and the number chooses the passage; the rest is
    copying. Those few therefore weigh more in the loss than the many that copy.
    """
    chats = []
    for branch in group.branches:
        prompt = tokenizer.encode(render_prompt(group, branch.question, tokenizer), add_special_tokens=False)
        answer = tokenizer.encode(branch.answer + _TURN_END, add_special_tokens=False)
        chats.append(Chat((*prompt, *answer), len(prompt), answer_weights(len(answer), branch.passage is not None)))
    return chats


def answer_weights(tokens: int, cites: bool) -> tuple[float, ...]:
    """Loss weights of an answer of so many tokens. A citing answer ends in the four tokens ` [`, number, `]`, end."""
    weights = [_FIRST_WEIGHT if place < _FIRST_TOKENS else 1.0 for place in range(tokens)]
    if cites and tokens > 3:
        weights[-3] = _CITATION_WEIGHT
    return tuple(weights)


def share_tokens(counts: Mapping[str, int], own: Sequence[str]) -> dict[str, float]:
    """Share of packed tokens for each source: open sets by the square root of their questions, own ones alike."""
    roots = {name: math.sqrt(count) for name, count in counts.items() if count}
    open_share = 1 - OWN_SHARE if roots and own else float(bool(roots))
    shares = {name: open_share * root / sum(roots.values()) for name, root in roots.items()}
    return shares | {name: (1 - open_share) / len(own) for name in own}


def take_turns(
    sources: Mapping[str, Iterator[Group]], shares: Mapping[str, float], tokenizer: Any, most_tokens: int = 1000
) -> Iterator[tuple[str, Tree]]:
    """Packed groups, always from the source that is furthest behind its share of tokens.

    Groups longer than `most_tokens` lose branches from the end: attention cost grows with the square of the length.
    """
    taken = dict.fromkeys(shares, 0)
    while True:
        name = min(taken, key=lambda name: taken[name] / shares[name])
        group = next(sources[name])
        tree = build_tree(_fit(build_chats(group, tokenizer), most_tokens))
        taken[name] += tree.tokens.shape[1]
        yield name, tree


def _fit(chats: list[Chat], most_tokens: int) -> list[Chat]:
    """As many chats, from the first, as stay within the bound when their prompts' shared part is counted once."""
    kept, used = [chats[0]], len(chats[0].tokens)
    shared = chats[0].answer_start - 40
    for chat in chats[1:]:
        used += len(chat.tokens) - shared
        if used > most_tokens:
            break
        kept.append(chat)
    return kept
