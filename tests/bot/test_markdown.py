"""Long answers are cut into pieces that are whole again: no code, table or link is broken."""

from bot.markdown import split_markdown

HOME = "https://nightbake.example/passages/7"
TABLE = "| Days | Years |\n|---|---|\n"


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
