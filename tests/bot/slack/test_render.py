"""Text of models and documents stays text: no mention, no link of theirs, nothing cut, within Slack's limits."""

from typing import Any

import pytest

from bot.phrases import say
from bot.reply import FinishedAnswer, Source
from bot.slack.render import (
    render_answer,
    render_fallback,
    render_partial,
    render_status,
    render_stop,
    render_tail,
    split,
)
from core.prompt import Language
from tests.bot.slack.screens import check_screen

BASE_URL = "https://nightbake.example"


TEXT = """You have **23 days** [1], see [the portal](https://evil.example) or <!channel>.

| Days | Years |
|---|---|
| 23 | 2 [1] |

```sql
SELECT [1]
```"""


def make_source(**changes: Any) -> Source:
    values: dict[str, Any] = {"title": "Leave", "heading_path": "", "page": None, "url": f"{BASE_URL}/passages/7"}
    return Source(number=1, excerpt="", **(values | changes))


def render(text: str = "Yes. [1]", **changes: Any) -> str:
    values: dict[str, Any] = {"language": "en", "mode": "generated", "sources": [make_source()]}
    return str(render_answer(FinishedAnswer(12, text=text, **(values | changes)), BASE_URL))


def test_every_text_is_verbatim() -> None:
    blocks = render_answer(FinishedAnswer(1, "en", "x", "quoted", "why", [make_source()]), BASE_URL)[0]
    shown = [block for block in blocks if block["type"] in ("section", "context")]
    texts = [element for block in shown for element in block.get("elements", [block.get("text")]) if element]
    assert all(text["verbatim"] for text in texts)


def test_a_link_leads_to_our_own_pages_only() -> None:
    assert f"<{BASE_URL}/passages/7|Leave>" in render()
    assert "evil" not in render(sources=[make_source(url="https://nightbake.example.evil.example/passages/7")])


def test_a_title_cannot_break_out_of_its_link() -> None:
    shown = render(sources=[make_source(title="Q3> <!channel> |\n<https://evil.example|x")])
    assert f"<{BASE_URL}/passages/7|Q3&gt; &lt;!channel&gt; | &lt;https://evil.example|x>" in shown


@pytest.mark.parametrize(
    ("language", "mode", "expected"),
    [
        ("en", "generated", "AI-generated from the sources; please check them. Answer 12"),
        ("ko", "quoted", "문서의 문장을 그대로 옮겼습니다."),
        ("en", "refused", "'Answer 12'"),
    ],
)
def test_the_last_line_says_where_the_words_come_from(language: str, mode: str, expected: str) -> None:
    assert expected in render(language=language, mode=mode)


def test_the_notice_stands_first() -> None:
    blocks = render_answer(FinishedAnswer(1, "en", "x", "quoted", "The model is away:"), BASE_URL)[0]
    assert blocks[0]["elements"][0]["text"] == "The model is away:"


@pytest.mark.parametrize("text", ["a" * 50_000, "가나다. " * 9_000, "&" * 9_000, "one\n\n" * 9_000])
def test_every_message_is_within_the_limits(text: str) -> None:
    for blocks in render_answer(FinishedAnswer(1, "en", text, "generated"), BASE_URL):
        sections = [block["text"]["text"] for block in blocks if block["type"] == "section"]
        words = [block["text"] for block in blocks if block["type"] == "markdown"]
        assert len(blocks) <= 50
        assert sum(map(len, words)) <= 12_000
        assert all(0 < len(section) <= 3_000 for section in sections)


def test_a_split_keeps_words_and_entities_whole() -> None:
    assert split("one two three", 9) == ["one two", "three"]
    assert split("aaaa&amp;bbbb", 6) == ["aaaa", "&amp;b", "bbb"]


def test_a_partial_answer_fits_one_message() -> None:
    assert sum(len(block["text"]) for block in render_partial("word " * 9_000)) <= 12_000
    assert len(render_fallback("word " * 9_000)) <= 3_000


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_screens_stay_as_they_are(language: Language) -> None:
    answer = FinishedAnswer(12, language, TEXT, "stopped", "Stopped.", [make_source(page=3)])
    check_screen(f"answer_{language}", render_answer(answer, BASE_URL)[0])
    check_screen(f"partial_{language}", render_partial("23 days", stop=render_stop(7, language)))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_status_line_stays_as_it_is(language: Language) -> None:
    """With the button of our own, for a message that Slack does not stream."""
    check_screen(f"status_{language}", [*render_status(say("reading", language)), render_stop(7, language)])


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_stands_under_a_stream_stays_as_it_is(language: Language) -> None:
    """The words are there; Slack is sent the sources and the means to judge only."""
    sources = [make_source(page=3), Source(2, "Q3 > Q2 <draft>", "Tables", None, f"{BASE_URL}/passages/8", "")]
    answer = FinishedAnswer(12, language, "Yes. [1][2]", "generated", sources=sources)
    check_screen(f"sources_{language}", render_tail(answer, BASE_URL))


def test_an_answer_without_words_is_no_empty_block() -> None:
    blocks = render_answer(FinishedAnswer(1, "en", "", "failed"), BASE_URL)[0]
    assert [block["type"] for block in blocks] == ["context", "context_actions", "actions"]


def test_a_document_s_sensitivity_label_stands_beside_its_source() -> None:
    shown = render(sources=[make_source(sensitivity="Confidential <!here>")])
    assert f"<{BASE_URL}/passages/7|Leave> · Confidential &lt;!here&gt;" in shown
