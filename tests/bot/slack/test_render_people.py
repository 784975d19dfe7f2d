"""What one person alone sees, what is shared of it, and what commands list, in both languages."""

from typing import Any

import pytest

from bot.phrases import PHRASES
from bot.reply import FinishedAnswer, Source
from bot.slack.render_command import render_found, say_command
from bot.slack.whispers import render_share, render_shared
from core.prompt import Language
from tests.bot.assistant import BASE_URL, LEAVE
from tests.bot.slack.screens import check_screen

ANSWERS = {"en": "Employees have 23 days. [1]", "ko": "직원의 연차는 23일입니다. [1]"}


class Asked:
    """As much of an interaction as is shown."""

    asker = "slack:T0HOME:U0ANN"

    def __init__(self, language: Language) -> None:
        self.language = language


def build(language: Language) -> FinishedAnswer:
    source = Source(1, "Leave policy", "Annual leave", 3, f"{BASE_URL}/passages/7", "…")
    return FinishedAnswer(4, language, ANSWERS[language], "quoted", sources=[source])


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_is_shared(language: Language) -> None:
    interaction: Any = Asked(language)
    text, blocks = render_shared(interaction, build(language), BASE_URL, is_all=False)
    assert "<@U0ANN>" in text
    check_screen(f"shared_part_{language}", blocks)
    check_screen(f"share_{language}", render_share(build(language)))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_is_found(language: Language) -> None:
    _, blocks = render_found("leave", [LEAVE], BASE_URL, language)
    check_screen(f"found_{language}", blocks)
    text, blocks = render_found("<!channel>", [], BASE_URL, language)
    assert text == say_command("found_none", language, question="&lt;!channel&gt;")
    assert len(blocks) == 1


def test_a_title_of_a_document_cannot_leave_its_link() -> None:
    passage: Any = LEAVE
    hostile = type(passage)(**{**{name: getattr(passage, name) for name in passage.__slots__}, "title": "a|b> <!here>"})
    _, blocks = render_found("q", [hostile], BASE_URL, "en")
    assert "|a/b&gt; &lt;!here&gt; › Annual leave>" in blocks[1]["text"]["text"]


def test_every_phrase_stands_in_both_languages() -> None:
    assert set(PHRASES["en"]) == set(PHRASES["ko"])
