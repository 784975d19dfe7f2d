"""Presentations: slides are pages under their titles, with bullets, tables, groups and notes."""

import io

import pytest
from pptx import Presentation
from pptx.util import Inches

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block
from retrieval.formats.registry import extract
from tests.retrieval.formats.packages import put_bomb


def save(presentation: Presentation) -> bytes:
    stored = io.BytesIO()
    presentation.save(stored)
    return stored.getvalue()


def test_slides_are_pages_with_titles_bullets_tables_and_notes() -> None:
    presentation = Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[1])
    first.shapes.title.text = "휴가 제도"
    body = first.placeholders[1].text_frame
    body.text = "연차 15일"
    deeper = body.add_paragraph()
    deeper.text, deeper.level = "입사 1년 뒤", 1
    first.notes_slide.notes_text_frame.text = "질문이 많은 쪽"
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    second.shapes.title.text = "Travel"
    table = second.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for place, text in enumerate(["Site", "Limit", "Seoul", "40,000 won"]):
        table.cell(place // 2, place % 2).text = text
    extracted = extract(save(presentation), "deck.pptx")
    assert extracted.title == "휴가 제도"
    assert extracted.blocks == [
        Block("heading", "휴가 제도", 1, 1),
        Block("item", "- 연차 15일", 0, 1),
        Block("item", "- 입사 1년 뒤", 1, 1),
        Block("paragraph", "질문이 많은 쪽", 0, 1),
        Block("heading", "Travel", 1, 2),
        Block("row", "Site: Seoul | Limit: 40,000 won", 0, 2),
    ]


def test_a_slide_without_a_title_is_named_by_its_number() -> None:
    presentation = Presentation()
    for text in ("Meals are paid.", "식비를 지급합니다."):
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        slide.shapes.add_textbox(Inches(1), Inches(1), Inches(4), Inches(1)).text_frame.text = text
    headings = [block.text for block in extract(save(presentation), "deck.pptx").blocks if block.kind == "heading"]
    assert headings == ["Slide 1", "슬라이드 2"]


def test_text_in_groups_is_read_and_hidden_slides_are_not() -> None:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(Inches(1), Inches(1), Inches(4), Inches(1)).text_frame.text = "inside a group"
    hidden = presentation.slides.add_slide(presentation.slide_layouts[5])
    hidden.shapes.title.text = "Draft"
    hidden.element.set("show", "0")
    assert [block.text for block in extract(save(presentation), "deck.pptx").blocks] == ["Slide 1", "inside a group"]


def test_a_broken_presentation_says_what_to_do() -> None:
    with pytest.raises(InvalidInputError, match=r"got a broken one; open it, save it again as \.pptx"):
        extract(save(Presentation())[:2000], "deck.pptx")


def test_entities_that_multiply_are_refused() -> None:
    presentation = Presentation()
    presentation.slides.add_slide(presentation.slide_layouts[5]).shapes.title.text = "words &e9; here"
    with pytest.raises(InvalidInputError, match="got a broken one"):
        extract(put_bomb(save(presentation), "ppt/slides/slide1.xml"), "bomb.pptx")


def test_an_encrypted_presentation_says_what_to_do() -> None:
    with pytest.raises(InvalidInputError, match=r"save it as \.pptx without a password"):
        extract(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100), "secret.pptx")
