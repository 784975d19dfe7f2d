"""Chunks: exact offsets, whole coverage, within the budget, under their headings."""

import re
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.chunking import Chunk, lay_out, split_into_chunks
from retrieval.formats.blocks import Block, Kind


def count_words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def cut(blocks: Sequence[Block], max_tokens: int = 10, title: str = "Handbook") -> tuple[str, list[Chunk]]:
    text, spans = lay_out(blocks)
    return text, split_into_chunks(text, spans, title=title, count_tokens=count_words, max_tokens=max_tokens)


KINDS: list[Kind] = ["heading", "paragraph", "item", "row", "code"]
WORDS = st.text("abc 가나.!?\n", min_size=1, max_size=80).map(str.strip).filter(bool)
BLOCKS = st.lists(st.builds(Block, st.sampled_from(KINDS), WORDS, st.integers(1, 4), st.integers(1, 3)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(BLOCKS, st.integers(1, 12))
def test_a_chunk_is_the_text_at_its_offsets(blocks: list[Block], max_tokens: int) -> None:
    text, chunks = cut(blocks, max_tokens)
    assert all(text[chunk.start : chunk.end] == chunk.text and chunk.text.strip() for chunk in chunks)


@settings(max_examples=60, deadline=None)
@given(BLOCKS, st.integers(1, 12))
def test_every_word_outside_headings_is_in_a_chunk_and_only_cut_sentences_overlap(
    blocks: list[Block], max_tokens: int
) -> None:
    text, spans = lay_out(blocks)
    _, chunks = cut(blocks, max_tokens)
    covered = [place for chunk in chunks for place in range(chunk.start, chunk.end)]
    body = {
        place
        for span in spans
        if span.block.kind != "heading"
        for place in range(span.start, span.end)
        if not text[place].isspace()
    }
    repeated = [text[after.start : before.end] for before, after in pairwise(chunks) if after.start < before.end]
    assert body <= set(covered)
    assert not any(re.search(r"[.!?]\s|\n", piece) for piece in repeated)


@settings(max_examples=60, deadline=None)
@given(BLOCKS, st.integers(1, 12))
def test_no_chunk_is_over_the_budget(blocks: list[Block], max_tokens: int) -> None:
    assert all(count <= max_tokens for count in count_words([chunk.text for chunk in cut(blocks, max_tokens)[1]]))


def test_the_heading_path_is_the_headings_above_without_the_title() -> None:
    _, chunks = cut(
        [
            Block("heading", "Handbook", 1),
            Block("paragraph", "welcome"),
            Block("heading", "Leave", 2),
            Block("heading", "Annual  leave", 3),
            Block("paragraph", "23 days"),
            Block("heading", "Travel", 2),
            Block("paragraph", "by train"),
        ]
    )
    assert [(chunk.heading_path, chunk.text) for chunk in chunks] == [
        ("", "welcome"),
        ("Leave > Annual leave", "23 days"),
        ("Travel", "by train"),
    ]


def test_a_heading_with_nothing_below_is_found_too() -> None:
    _, chunks = cut([Block("heading", "Call 1234 for help", 2), Block("heading", "Leave", 2), Block("item", "- a", 0)])
    assert [chunk.text for chunk in chunks] == ["Call 1234 for help", "- a"]


def test_a_long_section_is_cut_into_equal_parts() -> None:
    _, chunks = cut([Block("paragraph", f"number {number} ends. ") for number in range(8)], max_tokens=18)
    assert count_words([chunk.text for chunk in chunks]) == [12, 12]


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    _, chunks = cut([Block("paragraph", "One two three four. Five six seven eight. 아홉 열 하나 둘.")], max_tokens=5)
    assert [chunk.text for chunk in chunks] == ["One two three four.", "Five six seven eight.", "아홉 열 하나 둘."]


def test_a_chunk_has_the_page_it_begins_on() -> None:
    _, chunks = cut([Block("paragraph", "a b c", page=2), Block("paragraph", "d e f", page=3)], max_tokens=3)
    assert [chunk.page for chunk in chunks] == [2, 3]


def test_a_cut_sentence_is_repeated_in_part() -> None:
    words = " ".join(f"w{number}" for number in range(40))
    _, chunks = cut([Block("paragraph", words)], max_tokens=16)
    assert [chunk.text.split()[0] for chunk in chunks] == ["w0", "w11", "w25"]
    assert [chunk.text.split()[-1] for chunk in chunks] == ["w12", "w26", "w39"]


def test_what_announces_a_list_stays_with_it() -> None:
    blocks = [
        Block("paragraph", "one two three four five six seven"),
        Block("paragraph", "You need:"),
        Block("item", "- a b c d e f"),
    ]
    _, chunks = cut(blocks, max_tokens=10)
    assert [chunk.text for chunk in chunks] == ["one two three four five six seven", "You need:\n\n- a b c d e f"]


def test_long_headings_take_from_the_chunks_below_them() -> None:
    blocks = [Block("heading", "word " * 8, 2), Block("paragraph", "a b c. d e f. g h i.")]
    _, chunks = cut(blocks, max_tokens=12, title="T")
    assert count_words([chunk.text for chunk in chunks]) == [6, 3]
