"""What the standing prompt asks of an answer, rule by rule."""

import pytest

from core.prompt import REFUSALS, Language, PromptPassage, build_messages
from learning.style import count_passages, find_faults


@pytest.mark.parametrize(
    ("answer", "language", "faults"),
    [
        ("Employees have 23 days. [1]", "en", []),
        ("They have 23 days. They carry over five [1][2].", "en", []),
        ("직원은 23일을 씁니다 [2]", "ko", []),
        (REFUSALS["ko"], "ko", []),
        (REFUSALS["en"], "ko", ["refusal"]),
        (f"{REFUSALS['en']} Ask your lead about it.", "en", ["refusal"]),
        ("One. Two words. Three of them. [1]", "en", ["length"]),
        ("직원은 23일을 씁니다 [1]", "en", ["language"]),
        ("They have 23 days.", "en", ["citation"]),
        ("By [1] they have 23 days.", "en", ["citation"]),
        ("They have 23 days. [3]", "en", ["citation"]),
        ("", "en", ["length", "citation"]),
    ],
)
def test_each_rule_is_told(answer: str, language: Language, faults: list[str]) -> None:
    assert find_faults(answer, language, passages=2) == faults


def test_passages_are_counted_in_the_last_turn() -> None:
    passages = [PromptPassage("Leave", "", "23 days.\nSee [9] there."), PromptPassage("Travel", "", "Ask.")]
    assert count_passages(build_messages("How many?", passages)) == 2
