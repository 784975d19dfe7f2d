"""Pictures of text: recognised where Tesseract is installed, and its absence named."""

import io

import pytest
from PIL import Image, ImageDraw, ImageFont

from core.errors import InvalidInputError
from retrieval.formats import ocr
from retrieval.formats.registry import extract
from tests.retrieval.formats.fonts import find_korean_font

needs_ocr = pytest.mark.skipif(not ocr.is_installed(), reason=ocr.MISSING)


def draw(text: str, *, size: int = 40) -> Image.Image:
    """A white page with one line of text."""
    picture = Image.new("RGB", (1200, 200), "white")
    ImageDraw.Draw(picture).text((40, 60), text, fill="black", font=ImageFont.truetype(str(find_korean_font()), size))
    return picture


def save(picture: Image.Image, form: str, **options: object) -> bytes:
    stored = io.BytesIO()
    picture.save(stored, form, **options)
    return stored.getvalue()


@needs_ocr
@pytest.mark.parametrize(("form", "name"), [("PNG", "a.png"), ("JPEG", "a.jpg"), ("TIFF", "a.tiff")])
def test_english_text_is_recognised(form: str, name: str) -> None:
    text = " ".join(block.text for block in extract(save(draw("Meals are paid up to 40,000 won"), form), name).blocks)
    assert "Meals are paid up to 40,000 won" in text


@needs_ocr
def test_korean_text_is_recognised() -> None:
    text = "".join(block.text for block in extract(save(draw("휴가 규정을 안내합니다"), "PNG"), "a.png").blocks)
    assert "휴가규정을안내합니다" in text.replace(" ", "")


@needs_ocr
def test_frames_of_a_tiff_are_pages() -> None:
    content = save(draw("first page here"), "TIFF", save_all=True, append_images=[draw("second page here")])
    found = extract(content, "fax.tif").blocks
    assert [(block.text, block.page) for block in found] == [("first page here", 1), ("second page here", 2)]


@needs_ocr
def test_a_picture_without_text_is_named() -> None:
    with pytest.raises(InvalidInputError, match="no text was recognised"):
        extract(save(Image.new("L", (200, 200), "white"), "PNG"), "a.png")


def test_where_tesseract_is_missing_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InvalidInputError, match="install tesseract-ocr and tesseract-ocr-kor"):
        extract(save(Image.new("L", (20, 20)), "PNG"), "a.png")


def test_a_picture_of_too_many_pixels_is_refused_unopened() -> None:
    with pytest.raises(InvalidInputError, match="at most 60,000,000 pixels, got 100,000,000"):
        extract(save(Image.new("1", (10_000, 10_000)), "PNG"), "a.png")


@pytest.mark.parametrize("content", [b"", b"\x89PNG", b"GIF89a", b"<svg/>"])
def test_a_broken_picture_says_what_to_do(content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="expected a picture, got a broken one"):
        extract(content, "a.png")
