"""A needle in a haystack: does the model find one made-up fact at some depth of a prompt of some length?

After G. Kamradt's test of 2023, on the prompt that people's questions get: passages of the company's own documents,
one of which holds the fact.
"""

import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

from bot.sentences import split_sentences
from bot.side_by_side import take_answers
from core.errors import InvalidInputError
from core.fitting import FRAME_TOKENS, count_tokens, estimate_tokens
from core.model_server import ModelServer, Sampling
from core.prompt import Language, Message, PromptPassage, build_messages, render_passage

ANSWER_TOKENS = 64
# Passages that the server's tokenizer is measured on.
_MEASURED = 4
# What is left free: the tokens of some passages are more than the measured ones make expect.
SPARE = 0.08
_COLOURS: dict[Language, tuple[str, ...]] = {
    "en": ("blue", "green", "amber", "violet", "silver", "crimson"),
    "ko": ("파란색", "초록색", "노란색", "보라색", "은색", "빨간색"),
}
_FACT: dict[Language, str] = {
    "en": "The access code of the {colour} archive is {code}.",
    "ko": "{colour} 보관실의 출입 코드는 {code}입니다.",
}
_QUESTION: dict[Language, str] = {
    "en": "What is the access code of the {colour} archive?",
    "ko": "{colour} 보관실의 출입 코드는 무엇인가요?",
}


@dataclass(frozen=True, slots=True)
class Needle:
    """A fact that no document holds, the question that it answers, and what a right answer holds."""

    fact: str
    question: str
    code: str


@dataclass(frozen=True, slots=True)
class Haystack:
    """A prompt with a needle in it; `number` is that of the passage that holds it."""

    messages: list[Message]
    number: int


@dataclass(frozen=True, slots=True)
class Probe:
    """One question as it was answered.

    Attributes:
        length_tokens: what was aimed at, prompt and answer together.
        prompt_tokens: what the server counted.
        depth: 0 is the first sentence of the first passage, 1 the end of the last.
    """

    language: Language
    length_tokens: int
    depth: float
    prompt_tokens: int | None
    is_found: bool
    is_cited: bool
    answer: str


def make_needle(language: Language, source: random.Random) -> Needle:
    """A fact with a code of four digits."""
    colour, code = source.choice(_COLOURS[language]), str(source.randrange(1000, 10_000))
    fact = _FACT[language].format(colour=colour, code=code)
    return Needle(fact, _QUESTION[language].format(colour=colour), code)


def build_haystack(
    needle: Needle, hay: Sequence[PromptPassage], *, length_tokens: int, depth: float, tokens_per_estimate: float = 1.0
) -> Haystack:
    """Passages up to a length, as many as are needed and in turns where there are too few, with the fact among them.

    Args:
        length_tokens: prompt and answer together.
        depth: share of the passages' sentences that come before the fact.
        tokens_per_estimate: what the server's tokenizer makes of an estimated token in this language.

    Raises:
        InvalidInputError: not even one sentence fits beside the fact.
    """
    room = (length_tokens * (1 - SPARE) - ANSWER_TOKENS - FRAME_TOKENS) / tokens_per_estimate
    room -= count_tokens(build_messages(needle.question, [])) + estimate_tokens(needle.fact)
    chosen: list[PromptPassage] = []
    sentences: list[tuple[int, str]] = []
    for passage in cycle(hay):
        room -= estimate_tokens(render_passage(99, replace(passage, text="")))
        kept = _take_sentences(passage.text, room)
        if not kept:
            break
        room -= sum(estimate_tokens(sentence) for sentence in kept)
        chosen.append(passage)
        sentences += [(len(chosen), sentence) for sentence in kept]
    if not chosen:
        raise InvalidInputError(f"expected a length that holds a passage, got {length_tokens} tokens; try 512")
    return _hide(needle, chosen, sentences, depth)


async def probe(
    model_server: ModelServer,
    hay: Mapping[Language, list[PromptPassage]],
    *,
    lengths: Sequence[int],
    depths: Sequence[float],
    repeats: int,
    adapter: str | None,
    seed: int,
) -> AsyncGenerator[Probe]:
    """Ask at every length and depth in every language, a few questions at a time.

    The deepest place comes first, and of each depth the longest prompt, for the server's prefix cache: prompts of one
    round share all text before the fact, and those with the fact in front all text that the shorter one has.

    Side effects: requests to the model server, which this project's log does not see.

    Args:
        hay: passages with text, at least one a language.

    Raises:
        ModelServerError: it is away, or the prompt is longer than it takes.
        InvalidInputError: a length holds no passage.
    """
    source = random.Random(seed)
    for language, passages in hay.items():
        ratio = await _measure_ratio(model_server, language, passages, adapter)
        rounds = [(make_needle(language, source), source.sample(passages, len(passages))) for _ in range(repeats)]
        asked = (
            _ask(model_server, needle, in_order, language, length, depth, ratio, adapter)
            for needle, in_order in rounds
            for depth in sorted(depths, reverse=True)
            for length in sorted(lengths, reverse=True)
        )
        async for one in take_answers(asked):
            yield one


async def _ask(
    model_server: ModelServer,
    needle: Needle,
    hay: Sequence[PromptPassage],
    language: Language,
    length: int,
    depth: float,
    ratio: float,
    adapter: str | None,
) -> Probe:
    built = build_haystack(needle, hay, length_tokens=length, depth=depth, tokens_per_estimate=ratio)
    sampling = Sampling(max_tokens=ANSWER_TOKENS)
    done = await model_server.complete(built.messages, adapter=adapter, sampling=sampling)
    found, cited = needle.code in done.text, f"[{built.number}]" in done.text
    return Probe(language, length, depth, done.prompt_tokens, found, cited, done.text)


async def _measure_ratio(
    model_server: ModelServer, language: Language, hay: Sequence[PromptPassage], adapter: str | None
) -> float:
    """Tokens that the server counts for one that we estimate, which is a bound, in passages of this language.

    What stands around them is left out: it is the same in a prompt that holds none, and mostly English.
    """
    question = make_needle(language, random.Random(0)).question
    around, filled = (build_messages(question, passages) for passages in ((), hay[:_MEASURED]))
    sampling = Sampling(max_tokens=1)
    before, after = [
        (await model_server.complete(messages, adapter=adapter, sampling=sampling)).prompt_tokens
        for messages in (around, filled)
    ]
    if before is None or after is None or after <= before:
        return 1.0
    return min(1.0, (after - before) / (count_tokens(filled) - count_tokens(around)))


def _take_sentences(text: str, room: float) -> list[str]:
    """Sentences from the start of a text that fit into some estimated tokens."""
    kept: list[str] = []
    for sentence in split_sentences(text):
        room -= estimate_tokens(sentence)
        if room < 0:
            break
        kept.append(sentence)
    return kept


def _hide(
    needle: Needle, passages: Sequence[PromptPassage], sentences: Sequence[tuple[int, str]], depth: float
) -> Haystack:
    """Put the fact before the sentence at its depth, or after the last; sentences come with their passage's number."""
    before = round(depth * len(sentences))
    number = sentences[min(before, len(sentences) - 1)][0]
    hidden = [*sentences[:before], (number, needle.fact), *sentences[before:]]
    shown = [
        replace(passage, text=" ".join(text for at, text in hidden if at == place))
        for place, passage in enumerate(passages, start=1)
    ]
    return Haystack(build_messages(needle.question, shown), number)
