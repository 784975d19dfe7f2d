"""The thumbs, the form and the quiet word, as Slack is sent them."""

from dataclasses import asdict
from typing import Any

import pytest

from bot.judgement_form import LABEL_CHARACTERS
from bot.reply import FinishedAnswer
from bot.slack.render_feedback import render_feedback, render_thanks
from bot.slack.render_form import read_form, render_form
from core.prompt import Language
from core.records import Feedback
from tests.bot.assistant import BASE_URL, LEAVE
from tests.bot.recorded import TRAVEL
from tests.bot.slack.conftest import load
from tests.bot.slack.screens import check_screen

PASSAGES = [asdict(LEAVE), asdict(TRAVEL)]
LANGUAGES: list[Language] = ["en", "ko"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_controls_under_an_answer(language: Language) -> None:
    check_screen(f"feedback_{language}", render_feedback(FinishedAnswer(12, language, "x", "generated")))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "source", "value"), [("up", "slack_button", 1), ("down", "slack_button", -1), ("form", "slack_form", -1)]
)
def test_the_quiet_word(language: Language, name: str, source: str, value: int) -> None:
    _, blocks = render_thanks(source, value, 12, language)
    check_screen(f"thanks_{name}_{language}", blocks)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form(language: Language) -> None:
    check_screen(f"form_{language}", render_form(12, language, PASSAGES, None))


def test_the_form_holds_what_was_said_before() -> None:
    standing = Feedback(12, "p", -1, "slack_form", "25 days", "incomplete", right_chunk_id=8, right_source="my.pdf")
    check_screen("form_again", render_form(12, "en", PASSAGES, standing))


def test_without_passages_the_form_asks_for_the_source_in_words() -> None:
    blocks = render_form(12, "en", [], None)["blocks"]
    assert [block["block_id"] for block in blocks] == ["reason", "correction", "named"]


def test_a_long_title_fits_its_option() -> None:
    passage = {**PASSAGES[0], "title": "휴가 " * 60}
    options = render_form(12, "ko", [passage], None)["blocks"][2]["element"]["options"]
    assert len(options[0]["text"]["text"]) == LABEL_CHARACTERS


@pytest.mark.parametrize(
    ("named", "chunk"),
    [
        (f"{BASE_URL}/passages/41", 41),
        (f"<{BASE_URL}/passages/41#top>", 41),
        ("https://evil.example/passages/41", None),
        (f"{BASE_URL}/passages/41x", None),
        ("leave.pdf, page 3", None),
    ],
)
def test_a_link_to_a_passage_of_ours_names_it(named: str, chunk: int | None) -> None:
    view: dict[str, Any] = load("form_judgement")["view"]
    view["state"]["values"] = {"named": {"named": {"type": "plain_text_input", "value": named}}}
    read = read_form(view, BASE_URL)
    assert (read["right_chunk_id"], read["right_source"], read["reason"]) == (chunk, named, None)
