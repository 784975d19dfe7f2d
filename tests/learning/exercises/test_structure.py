"""What is read from the form of a section, and what only looks like it."""

import pytest

from learning.exercises.structure import find_asked, find_definitions, find_entries, find_sentences, find_tables
from tests.learning.exercises.making import FERRY, GLOSSARY, REGIONS, make_section


def test_rows_of_the_same_columns_are_one_table() -> None:
    (table,) = find_tables(make_section(f"Paid by the day.\n\n{REGIONS}\n\nThat is all: no more."))
    assert table.columns == ("Region", "Daily allowance", "Hotel")
    assert (len(table.rows), table.rows[2]) == (5, ("Europe", "83 dollars", "166 dollars"))


def test_a_table_in_which_a_key_stands_twice_asks_nothing_clear() -> None:
    assert find_tables(make_section("Day: Monday | Meal: rice\nDay: Monday | Meal: fish")) == []


def test_a_glossary_is_a_list_of_terms_and_a_single_line_is_none() -> None:
    entries = find_entries(make_section(GLOSSARY))
    assert [entry.term for entry in entries] == ["Skipper", "Bell", "Buddy", "Mate"]
    assert entries[2].definition == "the colleague who looks after a newcomer."
    assert find_entries(make_section("Questions: write to the harbour desk.")) == []


def test_marks_of_markdown_are_no_part_of_a_term() -> None:
    lines = (
        "**Wet pallet**: stood in the rain",
        "- **Dry dock:** a basin that is pumped empty",
        "`LOA`: leave of absence",
    )
    entries = find_entries(make_section("\n".join(lines)))
    assert [(entry.term, entry.definition) for entry in entries] == [
        ("Wet pallet", "stood in the rain"),
        ("Dry dock", "a basin that is pumped empty"),
        ("LOA", "leave of absence"),
    ]


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ('"EOD" at Orumnal means 15:40, not midnight.', "EOD"),
        ("The second factor is a hardware key, never a text message.", "second factor"),
        ("젖은 팔레트란 비를 10분 넘게 맞은 팔레트를 말합니다.", "젖은 팔레트"),
        ("ASAP은 근무일 기준 나흘 안에 해 달라는 뜻입니다.", "ASAP"),
    ],
)
def test_a_sentence_that_defines_names_its_term(text: str, term: str) -> None:
    assert [entry.term for entry in find_definitions(make_section(text))] == [term]


@pytest.mark.parametrize(
    "text",
    [
        "통화할 때는 먼저 그날의 암호명을 말한다.",
        "It is the best of all the days we had.",
        "The person who submits it is the author of each line.",
        "The rule is the same for adoption as for birth.",
    ],
)
def test_what_only_sounds_like_a_definition_is_none(text: str) -> None:
    assert find_definitions(make_section(text)) == []


def test_a_heading_that_asks_is_answered_by_what_stands_below() -> None:
    section = make_section("A. Until 13:00 on the same day.", heading="Meals > Q3. Until when can I order dinner?")
    assert find_asked(section) == ("Until when can I order dinner?", "Until 13:00 on the same day.")
    assert find_asked(make_section("Until 13:00.", heading="Dinner")) is None


def test_sentences_are_whole_across_lines_and_without_rows_marks_and_page_numbers() -> None:
    text = f"(1) Cover begins on\nthe 15th day.\n(2) It ends at 10:20. Nobody calls.\n- 1 -\n\n{REGIONS}"
    assert find_sentences(make_section(text)) == [
        "Cover begins on the 15th day.",
        "It ends at 10:20.",
        "Nobody calls.",
    ]
    assert len(find_sentences(make_section(FERRY))) == 3
