"""Words of models and documents as Markdown: nothing of theirs becomes a link or a mention."""

import pytest

from bot.markdown import settle_start
from bot.slack.markdown import make_safe

HOME = "https://nightbake.example/passages/7"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a < b & c > d", "a < b & c > d"),
        ("<!channel> <@U1> <https://a.example|b>", "<\u2060!channel> <\u2060@U1> <\u2060`https://a.example`|b>"),
        ("tell @channel and @Here", "tell @\u2060channel and @\u2060Here"),
        ("**two words** and *one*", "**two words** and *one*"),
        ("[press here](https://evil.example) ![pixel](https://evil.example/p.png)", "press here pixel"),
        ("[a](b(c))", "[a]\u2060(b(c))"),
        ("[a][b]\n[b]: https://evil.example", "[a]\u2060[b]\n[b]\u2060: `https://evil.example`"),
        ("at www.evil.example now", "at `www.evil.example` now"),
        ("days [1] and [2]", f"days [[1]]({HOME}) and [2]"),
        ("`x[1](y)` stays", "`x[1](y)` stays"),
        ("```\n[a](b) [1]\n```\n[1]", f"```\n[a](b) [1]\n```\n[[1]]({HOME})"),
        ("`<@U1> <div>`", "`<\u2060@U1> <div>`"),
    ],
)
def test_words_are_made_safe(text: str, safe: str) -> None:
    assert make_safe(text, {1: HOME}) == safe


@pytest.mark.parametrize(
    "text",
    [
        "See [the portal](https://evil.example) for **23 days** [1]. Then ask.",
        "Read https://hr.example/leave and `code [1]` and <@U1> now.",
        "So:\n```py\n[a](b)\n```\nand | a table |\nends.",
        "연차는 23일입니다. [1] 자세한 내용은 [여기](https://hr.example)를 보세요.",
    ],
)
def test_a_growing_text_only_ever_grows(text: str) -> None:
    shown = [make_safe(settle_start(text[:length])) for length in range(len(text))]
    assert all(later.startswith(earlier) for earlier, later in zip(shown, [*shown[1:], make_safe(text)], strict=True))
    assert len(shown[-1]) > len(text) // 2
