"""Open reading sets as groups of questions that share one list of passages.

A group is what prefix-shared training wants: the passages are paid for once and every question about them is one
branch. Questions whose answer was cut out of the shown passages become refusals, so the refusals are as hard as
the answers. All of it is pure and seeded; nothing here touches a model.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.prompt import REFUSALS, Language, PromptPassage, detect_language
from learning.starter_readings import Judge, Reading

_PASSAGE_CHARACTERS: dict[Language, tuple[int, int]] = {"en": (130, 620), "ko": (45, 130)}
_PREFIX_CHARACTERS: dict[Language, int] = {"en": 1500, "ko": 240}
REFUSAL_SHARE = 0.14


@dataclass(frozen=True, slots=True)
class Branch:
    """One question over the passages of its group, with the answer the model should learn.

    `gold` are the strings of which one must stand in a right answer, `passage` is the number to cite (None for a
    refusal), and `judge` says how `gold` is compared: by containment, or by overlap where no short answer exists.
    """

    question: str
    answer: str
    language: Language
    gold: tuple[str, ...]
    passage: int | None
    judge: Judge


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that share one list of passages, in the order in which they are numbered."""

    source: str
    passages: tuple[PromptPassage, ...]
    branches: tuple[Branch, ...]


def build_groups(
    readings: Sequence[Reading], source: str, seed: int, *, branches: int = 10, refusal_share: float = REFUSAL_SHARE
) -> Iterator[Group]:
    """Groups without end, in a new order and with other cuts on every pass.

    Args:
        branches: the most answerable questions one group holds.
        refusal_share: share of questions, on average, that the shown passages do not answer.
    """
    rng = random.Random(seed)
    parts: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        parts[reading.part].append(reading)
    asked = [reading for reading in readings if reading.items]
    if not asked:
        return
    while True:
        rng.shuffle(asked)
        for reading in asked:
            group = _build_group(reading, parts[reading.part], asked, source, branches, refusal_share, rng)
            if group.branches:
                yield group


def refusal(question: str) -> Branch:
    """The branch for a question that the shown passages do not answer."""
    language = detect_language(question)
    return Branch(question, REFUSALS[language], language, (), None, "contains")


def _build_group(
    reading: Reading,
    siblings: Sequence[Reading],
    others: Sequence[Reading],
    source: str,
    most: int,
    refusal_share: float,
    rng: random.Random,
) -> Group:
    """Passages cut from `reading`, its siblings and strangers, in random order, and the questions about them."""
    wanted = rng.choice((1, 2, 2, 3, 3, 4, 5))
    budget = _PREFIX_CHARACTERS[reading.language]
    chosen, cuts, used = [reading], [_cut(reading, rng, keep_item=True)], 0
    used = len(" ".join(cuts[0]))
    while len(chosen) < wanted and used < budget:
        near = [other for other in siblings if other not in chosen]
        other = rng.choice(near) if near and rng.random() < 0.7 else rng.choice(others)
        cut = _cut(other, rng, keep_item=bool(other.items))
        if other in chosen or used + len(" ".join(cut)) > budget:
            break
        chosen.append(other)
        cuts.append(cut)
        used += len(" ".join(cut))
    order = rng.sample(range(len(chosen)), len(chosen))
    chosen, cuts = [chosen[place] for place in order], [cuts[place] for place in order]
    passages = tuple(
        PromptPassage(text.title, text.heading_path if rng.random() < 0.6 else "", " ".join(cut))
        for text, cut in zip(chosen, cuts, strict=True)
    )
    strangers = [*siblings, *(rng.choice(others) for _ in range(3))]
    return Group(source, passages, tuple(_build_branches(chosen, cuts, passages, strangers, most, refusal_share, rng)))


def _cut(reading: Reading, rng: random.Random, *, keep_item: bool) -> tuple[str, ...]:
    """A run of whole sentences of random length, around a sentence that is asked about where `keep_item` is set."""
    low, high = _PASSAGE_CHARACTERS[reading.language]
    limit = rng.randint(low, high)
    sentences = reading.sentences
    start = end = rng.randrange(len(sentences))
    if keep_item and reading.items:
        start = end = sentences.index(rng.choice(reading.items).sentence)
    end += 1
    while True:
        sides = [side for side in ("left", "right") if (start > 0 if side == "left" else end < len(sentences))]
        if not sides:
            return sentences[start:end]
        side = rng.choice(sides)
        grown = (start - 1, end) if side == "left" else (start, end + 1)
        if len(" ".join(sentences[slice(*grown)])) > limit:
            return sentences[start:end]
        start, end = grown


def _build_branches(
    chosen: Sequence[Reading],
    cuts: Sequence[tuple[str, ...]],
    passages: Sequence[PromptPassage],
    strangers: Sequence[Reading],
    most: int,
    refusal_share: float,
    rng: random.Random,
) -> list[Branch]:
    answerable, missing = [], []
    for number, (reading, cut) in enumerate(zip(chosen, cuts, strict=True), start=1):
        for item in reading.items:
            if item.sentence in cut:
                answer = f"{item.sentence} [{number}]"
                language = detect_language(item.question)
                answerable.append(Branch(item.question, answer, language, item.gold, number, item.judge))
            else:
                missing.append(item)
    missing += [item for reading in strangers if reading not in chosen for item in reading.items]
    shown = "\n".join(f"{passage.title} {passage.heading_path} {passage.text}" for passage in passages).lower()
    absent = [item for item in missing if not any(gold.lower() in shown for gold in item.gold)]
    rng.shuffle(answerable)
    answerable = answerable[:most]
    expected = max(len(answerable), 2) * refusal_share / (1 - refusal_share)
    count = min(len(absent), int(expected) + (rng.random() < expected % 1))
    refusals = [refusal(item.question) for item in rng.sample(absent, count)]
    both = answerable + refusals
    rng.shuffle(both)
    return both
