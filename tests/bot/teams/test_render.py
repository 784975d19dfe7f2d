"""Text of models and documents stays text: no link or image of theirs, no tag, nothing cut, within Teams' limits."""

from typing import Any

import pytest

from bot.reply import FinishedAnswer, Source
from bot.teams.markdown import MESSAGE_CHARACTERS, split, to_markdown
from bot.teams.render import render_answer, render_text

BASE_URL = "https://nightbake.example"


def make_source(**changes: Any) -> Source:
    values: dict[str, Any] = {"title": "Leave", "heading_path": "", "page": None, "url": f"{BASE_URL}/passages/7"}
    values |= {"excerpt": "23 days."} | changes
    return Source(number=1, **values)


def render(**changes: Any) -> list[dict[str, Any]]:
    values: dict[str, Any] = {"language": "en", "text": "Yes. [1]", "mode": "generated", "sources": [make_source()]}
    return render_answer(FinishedAnswer(12, **(values | changes)), BASE_URL)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[press here](https://evil.example)", "press here"),
        ("![pixel](https://evil.example/p.png)", "pixel"),
        ("see https://evil.example/x now", "see `https://evil.example/x` now"),
        ("see `https://a.example`", "see `https://a.example`"),
        ("see www.evil.example", "see `www.evil.example`"),
        ("[a][1]\n[1]: https://evil.example", "[a][1]\n"),
        ("<img src=x> <at>Bob</at>", "&lt;img src=x> &lt;at>Bob&lt;/at>"),
        ("**23 days** of R&D", "**23 days** of R&D"),
    ],
)
def test_links_and_tags_become_text(written: str, shown: str) -> None:
    assert to_markdown(written) == shown


@pytest.mark.parametrize(
    ("mode", "label"), [("generated", ["AIGeneratedContent"]), ("quoted", None), ("refused", None)]
)
def test_what_a_model_wrote_is_labelled(mode: str, label: list[str] | None) -> None:
    assert render(mode=mode)[0]["entities"][0].get("additionalType") == label


def test_a_link_leads_to_our_own_pages_only() -> None:
    (message,) = render(sources=[make_source(url="https://nightbake.example.evil.example/passages/7")])
    assert "evil" not in str(message)


def test_a_title_cannot_break_out_of_its_link() -> None:
    (message,) = render(sources=[make_source(title="A](https://evil.example) [b")])
    assert message["text"].count("](") == 1


def test_a_citation_keeps_teams_limits() -> None:
    (message,) = render(sources=[make_source(title="t" * 300, excerpt="e" * 300)])
    appearance = message["entities"][0]["citation"][0]["appearance"]
    assert (len(appearance["name"]), len(appearance["abstract"])) == (80, 160)


def test_only_the_first_message_takes_thumbs_and_only_the_last_lists_sources() -> None:
    messages = render(text="word " * 4_000, language="ko")
    assert [("channelData" in message, "**출처**" in message["text"]) for message in messages] == [
        (True, False),
        (False, False),
        (False, True),
    ]


def test_the_notice_stands_first() -> None:
    assert render(notice="The model is away:")[0]["text"].startswith("*The model is away:*\n\nYes. [1]")


@pytest.mark.parametrize("text", ["a" * 30_000, "가나다. " * 9_000, "one\n\n" * 9_000])
def test_a_split_loses_nothing(text: str) -> None:
    pieces = split(text)
    assert all(0 < len(piece) <= MESSAGE_CHARACTERS for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_partial_answer_fits_one_message() -> None:
    assert len(render_text("word " * 9_000)["text"]) <= MESSAGE_CHARACTERS


def test_a_document_s_sensitivity_label_is_shown_at_its_citation() -> None:
    (message,) = render(sources=[make_source(sensitivity="Confidential <b>")])
    appearance = message["entities"][0]["citation"][0]["appearance"]
    assert appearance["usageInfo"] == {"@type": "CreativeWork", "name": "Confidential <b>"}
    assert f"1. [Leave]({BASE_URL}/passages/7) · Confidential &lt;b>" in message["text"]
    (without,) = render()
    assert "usageInfo" not in str(without)
