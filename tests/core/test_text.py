"""Whatever people, documents and models send becomes text that PostgreSQL can hold."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from core.text import clean_text

# Surrogates too: JSON from outside may carry half a pair.
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_nothing_unfit_is_left(text: str) -> None:
    unfit = [one for one in clean_text(text) if unicodedata.category(one) in ("Cc", "Cs") and one not in "\t\n"]
    assert unfit == []


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)


@given(st.text(st.characters(categories=("L", "N"), max_codepoint=0x24F), max_size=50))
def test_words_stay_as_they_are(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert clean_text(composed) == composed


def test_line_ends_become_one_kind() -> None:
    assert clean_text("a\r\nb\rc\nd\te") == "a\nb\nc\nd\te"


def test_korean_typed_in_parts_becomes_syllables() -> None:
    assert clean_text(unicodedata.normalize("NFD", "휴가")) == "휴가"
