"""A fact is hidden at its depth in a prompt of its length, and only an answer that holds it counts."""

import random
import re

import pytest

from bot.needle import ANSWER_TOKENS, build_haystack, make_needle, probe
from core.errors import InvalidInputError
from core.fitting import count_tokens
from core.model_server import ModelServer
from core.prompt import Language, PromptPassage
from tests.fakes.model_server import FakeModelServer, run_model_server

HAY = [
    PromptPassage(f"Page {number}", "Rules", f"Rule {number}a is short. Rule {number}b is longer than that.")
    for number in range(8)
]
NEEDLE = make_needle("en", random.Random(1))


class Reader(FakeModelServer):
    """Answers with the code that stands in the prompt, where it stands in one of the first passages."""

    reads_passages = 2

    def pieces(self) -> list[str]:
        said = self.requests[-1]["messages"][-1]["content"]
        for number, passage in re.findall(r"^\[(\d+)\] (.*?)(?=^\[|\Z)", said, re.DOTALL | re.MULTILINE):
            code = re.search(r"code of .*? (\d{4})\.", passage)
            if code and int(number) <= self.reads_passages:
                return [f"It is {code[1]}. [{number}]"]
        return ["The documents do not say."]


@pytest.mark.parametrize(("depth", "place"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_the_fact_stands_at_its_depth(depth: float, place: float) -> None:
    built = build_haystack(NEEDLE, HAY, length_tokens=900, depth=depth)
    said = built.messages[-1]["content"]
    before, after = said.split(NEEDLE.fact)
    assert before.count("Rule") / (before.count("Rule") + after.count("Rule")) == pytest.approx(place, abs=0.05)
    assert len(re.findall(r"^\[\d+\] ", before, re.MULTILINE)) == built.number


@pytest.mark.parametrize("length", [512, 1024, 4096])
def test_a_prompt_fills_its_length_and_no_more(length: int) -> None:
    built = build_haystack(NEEDLE, HAY, length_tokens=length, depth=0.5)
    assert length * 0.78 < count_tokens(built.messages) + ANSWER_TOKENS <= length


def test_a_length_that_holds_nothing_is_an_error() -> None:
    with pytest.raises(InvalidInputError, match="got 200 tokens"):
        build_haystack(NEEDLE, HAY, length_tokens=200, depth=0)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_question_does_not_hold_its_answer(language: Language) -> None:
    needle = make_needle(language, random.Random(2))
    assert needle.code in needle.fact
    assert needle.code not in needle.question


async def test_what_the_model_reads_is_found_and_the_rest_is_not() -> None:
    async with run_model_server(Reader()) as fake:
        server = ModelServer(fake.url, fake.model)
        asked = probe(server, {"en": HAY}, lengths=[900], depths=[0, 1], repeats=2, adapter=None, seed=3)
        probes = [one async for one in asked]
        await server.close()
    assert [(one.depth, one.is_found, one.is_cited) for one in probes] == [(1, False, False), (0, True, True)] * 2


async def test_prompts_share_what_comes_before_the_fact_and_a_fact_in_front_with_all() -> None:
    async with run_model_server(FakeModelServer()) as fake:
        server = ModelServer(fake.url, fake.model)
        asked = probe(server, {"en": HAY}, lengths=[700, 900], depths=[0, 1], repeats=1, adapter=None, seed=3)
        cells = [(one.depth, one.length_tokens) async for one in asked]
        await server.close()
    assert cells == [(1, 900), (1, 700), (0, 900), (0, 700)]
    # The first two measure the tokenizer.
    long_end, short_end, long_front, short_front = sorted(
        (request["messages"][-1]["content"] for request in fake.requests[2:]),
        key=lambda said: (said.index("code") < 100, -len(said)),
    )
    assert long_end.startswith(short_end[: short_end.index(" The access code")])
    # What ends the shorter one is its question.
    assert long_front.startswith(short_front[: short_front.index("\n\nQuestion")])


class Counting(FakeModelServer):
    """Counts two tokens for a Korean letter and one for four others."""

    def count_prompt(self) -> int:
        """Of the newest request."""
        said = "".join(message["content"] for message in self.requests[-1]["messages"])
        return sum(1 if character.isascii() else 8 for character in said) // 4


async def test_a_prompt_in_another_tokenizers_language_keeps_its_length() -> None:
    hay = [
        PromptPassage(f"문서 {number}", "규정", "직원은 매년 연차 휴가를 받습니다. 휴가 신청은 포털에서 합니다. " * 3)
        for number in range(30)
    ]
    async with run_model_server(Counting()) as fake:
        server = ModelServer(fake.url, fake.model)
        asked = probe(server, {"ko": hay}, lengths=[1200], depths=[0, 1], repeats=3, adapter=None, seed=3)
        probes = [one async for one in asked]
        await server.close()
    assert all(one.prompt_tokens and 800 < one.prompt_tokens <= 1200 - ANSWER_TOKENS for one in probes)
