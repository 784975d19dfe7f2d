"""Every screen in both languages, also with words that would be markup."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from bot.reply import FinishedAnswer, Source
from bot.teams.render import render_answer, render_stop, render_text
from bot.teams.render_experts import render_offer, render_request, render_told
from bot.teams.render_feedback import render_form, render_thanks
from bot.teams.render_help import render_help
from bot.web.wording import SUGGESTIONS
from core.prompt import Language
from core.records import Feedback
from tests.bot.assistant import BASE_URL
from tests.bot.teams.screens import SCREENS, check_screen

LANGUAGES = get_args(Language)
HOSTILE = "**Urgent** [press](https://evil.example) <at>everyone</at>"
EVE = {"id": "29:1eve", "name": "Eve <b>"}
PASSAGES = [{"number": 1, "chunk_id": 7, "title": HOSTILE, "heading_path": "Annual leave " * 9}]


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers(language: Language) -> None:
    source = Source(1, "Leave <b>policy</b>", "Annual leave", 3, f"{BASE_URL}/passages/7", "Employees have 23 days.")
    answer = FinishedAnswer(12, language, f"23 days. [1] {HOSTILE}", "generated", sources=[source])
    check_screen(f"answer_{language}", render_answer(answer, BASE_URL))
    human = FinishedAnswer(12, language, "23 days. [1]", "quoted", "Notice:", [source], can_ask_human=True)
    check_screen(f"answer_human_{language}", render_answer(human, BASE_URL))
    check_screen(f"partial_{language}", [render_text("23 days of"), render_stop(5, language)])


@pytest.mark.parametrize("language", LANGUAGES)
def test_forms(language: Language) -> None:
    check_screen(f"form_{language}", render_form(12, language, PASSAGES, None, in_dialog=False))
    standing = Feedback(12, "p", -1, "teams_form", "25 days", "wrong", right_chunk_id=7, right_source="Handbook")
    check_screen(f"dialog_again_{language}", render_form(12, language, PASSAGES, standing, in_dialog=True))
    check_screen(f"thanks_{language}", render_thanks(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_help(language: Language) -> None:
    check_screen(f"help_{language}", render_help(language, [], is_welcome=False))
    check_screen(f"welcome_{language}", render_help(language, SUGGESTIONS[language], is_welcome=True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_experts(language: Language) -> None:
    request = render_request(
        language=language,
        asker="Ann *",
        question=HOSTILE,
        answer="**23** days [1]",
        link="https://teams.microsoft.com/l/message/1/2",
    )
    check_screen(f"expert_request_{language}", request)
    withheld = render_request(language=language, asker="Ann", question="How many?", answer=None, link=None)
    check_screen(f"expert_withheld_{language}", withheld)
    check_screen(f"expert_offer_{language}", render_offer(7, language, "Ann", EVE))
    check_screen(f"expert_told_{language}", render_told(language, asker=EVE, expert="Eve", reply=HOSTILE))
    check_screen(f"expert_told_alone_{language}", render_told(language, asker=None, expert="Eve", reply="25 days"))


@pytest.mark.parametrize("file", sorted(SCREENS.glob("*.json")), ids=lambda file: file.stem)
def test_no_screen_holds_a_link_or_mention_of_somebody_elses(file: Path) -> None:
    assert "](https://evil" not in file.read_text()
    for text in find_texts(json.loads(file.read_text())):
        assert not re.search("<(?!at>Eve &lt;b&gt;</at>|/at>)", text), text


def find_texts(screen: Any) -> Iterator[str]:
    """What is read as Markdown."""
    if isinstance(screen, list):
        for item in screen:  # type: ignore[reportUnknownVariableType]
            yield from find_texts(item)
    if isinstance(screen, dict):
        for name, value in screen.items():  # type: ignore[reportUnknownVariableType]
            yield from [value] if name == "text" and isinstance(value, str) else find_texts(value)
