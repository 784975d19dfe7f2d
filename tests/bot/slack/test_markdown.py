"""Words of models and documents as Markdown: nothing of theirs becomes a link or a mention, nothing is cut in two."""

import pytest

from bot.slack.markdown import make_safe, settle_start, split_markdown

HOME = "https://nightbake.example/passages/7"
TABLE = "| Days | Years |\n|---|---|\n"


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


def test_a_paragraph_is_cut_at_words() -> None:
    assert split_markdown("one two three", 9) == ["one two", "three"]


def test_a_short_text_is_one_piece() -> None:
    assert split_markdown("one\n\ntwo", 100) == ["one\n\ntwo"]


def test_code_that_is_cut_is_code_on_both_sides() -> None:
    pieces = split_markdown("```sql\n" + "SELECT 1\n" * 6 + "```", 40)
    assert pieces == ["```sql\nSELECT 1\nSELECT 1\nSELECT 1\n```"] * 2


def test_a_table_that_is_cut_has_its_header_again() -> None:
    pieces = split_markdown(TABLE + "| 23 | 2 |\n" * 4, len(TABLE) + 22)
    assert pieces == [f"{TABLE}| 23 | 2 |\n| 23 | 2 |"] * 2


def test_a_cut_goes_around_a_link() -> None:
    link = f"[[1]]({HOME})"
    assert split_markdown(f"word {link} word", len(link)) == ["word", link, "word"]


def test_a_table_and_code_move_on_whole() -> None:
    text = f"{'word ' * 10}\n\n{TABLE}| 23 | 2 |\n\n```\ncode\n```"
    assert split_markdown(text, 60)[1] == f"{TABLE}| 23 | 2 |\n\n```\ncode\n```"
