"""How well a model answers from passages: greedy answers to questions that were held out, judged by plain rules."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from core.prompt import REFUSALS, Language, detect_language
from learning.prefix_tree import shared_prefix
from learning.starter_chats import render_prompt
from learning.starter_examples import Branch, Group
from learning.starter_readings import content

MAX_NEW_TOKENS: dict[Language, int] = {"en": 64, "ko": 128}
"""A Korean sentence takes about twice the tokens: the embedded model's vocabulary has almost no Korean."""

OVERLAP_NEEDED = 0.7

RULES = {
    "answer_in_output": "answerable questions whose output contains a gold answer (case, spaces and punctuation "
    f"ignored); where a set has no short answers, whose output holds at least {OVERLAP_NEEDED:.0%} of the content "
    "words (Korean: syllable pairs) of the supporting sentence",
    "citation": "answerable questions whose output cites the gold passage's number and no other",
    "refusal": "unanswerable questions whose output is the agreed refusal in the language of the question",
    "false_refusal": "answerable questions whose output contains a refusal; fewer is better",
    "same_language": "all questions whose output is in the language of the question",
}

_CITATION = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Judged:
    """One held-out question with the model's output and what the rules say; None where a rule does not apply."""

    source: str
    language: Language
    question: str
    expected: str
    output: str
    answer_in_output: bool | None
    citation: bool | None
    refusal: bool | None
    false_refusal: bool | None
    same_language: bool


def judge(source: str, branch: Branch, output: str) -> Judged:
    """Judge one output by the rules in `RULES`."""
    answerable = branch.passage is not None
    refused = any(_plain(text) in _plain(output) for text in REFUSALS.values())
    cited = set(_CITATION.findall(output))
    return Judged(
        source=source,
        language=branch.language,
        question=branch.question,
        expected=branch.answer,
        output=output,
        answer_in_output=_holds(branch, output) if answerable else None,
        citation=cited == {str(branch.passage)} if answerable else None,
        refusal=None if answerable else _plain(output) == _plain(REFUSALS[branch.language]),
        false_refusal=refused if answerable else None,
        same_language=detect_language(_CITATION.sub("", output)) == branch.language,
    )


def count_right(judged: Sequence[Judged]) -> dict[str, dict[str, dict[str, int]]]:
    """Counts by language and rule: `{"en": {"citation": {"right": 7, "of": 9}, …}, "ko": …}`."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for language in ("en", "ko"):
        own = [one for one in judged if one.language == language]
        counts[language] = {}
        for rule in RULES:
            verdicts = [verdict for one in own if (verdict := getattr(one, rule)) is not None]
            counts[language][rule] = {"right": sum(verdicts), "of": len(verdicts)}
    return counts


def choose_held_out(groups: Iterator[Group], answerable: int, unanswerable: int, per_group: int = 4) -> list[Group]:
    """Take groups until both counts are met, at most `per_group` answerable questions of each; looks at 2000."""
    chosen: list[Group] = []
    for _, group in zip(range(2000), groups, strict=False):
        if answerable <= 0 and unanswerable <= 0:
            break
        asked = [branch for branch in group.branches if branch.passage][: min(per_group, max(answerable, 0))]
        absent = [branch for branch in group.branches if not branch.passage][: max(unanswerable, 0)]
        if asked or absent:
            answerable -= len(asked)
            unanswerable -= len(absent)
            chosen.append(Group(group.source, group.passages, (*asked, *absent)))
    return chosen


def answer_groups(model: Any, tokenizer: Any, groups: Sequence[Group]) -> list[Judged]:
    """Greedy answers to every question of every group, judged."""
    model.eval()
    judged: list[Judged] = []
    for group in groups:
        outputs = generate_group(model, tokenizer, group)
        judged += [judge(group.source, branch, text) for branch, text in zip(group.branches, outputs, strict=True)]
    return judged


@torch.inference_mode()
def generate_group(model: Any, tokenizer: Any, group: Group) -> list[str]:
    """Greedy answers, one a branch, decoded side by side as one growing tree.

    The passages are encoded once and one key-value cache holds every branch: each step feeds the next token of all
    unfinished branches as one sequence, and a mask keeps them apart. Nothing is copied or padded, and what a branch
    answers does not depend on the others.
    """
    prompts = [
        tokenizer.encode(render_prompt(group, branch.question, tokenizer), add_special_tokens=False)
        for branch in group.branches
    ]
    prefix = min(shared_prefix(prompts), min(map(len, prompts)) - 1)
    device = next(model.parameters()).device
    head = torch.tensor([prompts[0][:prefix]], device=device)
    cache = model(head, use_cache=True, logits_to_keep=1).past_key_values
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    limits = [MAX_NEW_TOKENS[branch.language] for branch in group.branches]
    answers: list[list[int]] = [[] for _ in prompts]
    fed = {number: prompt[prefix:] for number, prompt in enumerate(prompts)}
    columns = [-1] * prefix
    while fed:
        columns += [number for number, tokens in fed.items() for _ in tokens]
        chosen = _feed(model, cache, fed, columns, device)
        for number, token in zip(list(fed), chosen, strict=True):
            fed[number] = [token]
            if token != end:
                answers[number].append(token)
            if token == end or len(answers[number]) >= limits[number]:
                del fed[number]
    return [tokenizer.decode(answer, skip_special_tokens=True).strip() for answer in answers]


def _feed(model: Any, cache: Any, fed: Mapping[int, list[int]], columns: Sequence[int], device: Any) -> list[int]:
    """Feed each branch its tokens; returns the likeliest next token of each.

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
    logits = model(
        torch.tensor([[token for tokens in fed.values() for token in tokens]], device=device),
        attention_mask=mask[None, None],
        position_ids=(mask.sum(-1) - 1)[None],
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=last,
    ).logits[0]
    return logits.argmax(-1).tolist()


def _holds(branch: Branch, output: str) -> bool:
    if branch.judge == "contains":
        return any(_plain(gold) in _plain(output) for gold in branch.gold)
    wanted = content(branch.gold[0])
    return len(wanted & content(output)) >= OVERLAP_NEEDED * len(wanted)


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
