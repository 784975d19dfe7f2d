"""Pictures of text (PNG, JPEG, TIFF with several pages), read by text recognition."""

import io
import warnings

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from core.errors import InvalidInputError
from retrieval.formats import ocr
from retrieval.formats.blocks import Block, Extracted, build_extracted

MAX_PIXELS = 60_000_000
_FORMATS = ("PNG", "JPEG", "TIFF")
_LONGEST_SIDE = 4000


def extract_image(content: bytes, file_name: str) -> Extracted:
    """Read a picture; each frame of a TIFF is a page.

    Raises:
        InvalidInputError: broken, too large, without text, or text recognition is not installed.
    """
    try:
        # Pillow warns of what is checked here, and of metadata that nobody needs.
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            blocks = _read_frames(picture)
    except InvalidInputError:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise InvalidInputError("expected a picture, got a broken one; save it again as PNG") from error
    if not blocks:
        raise InvalidInputError("no text was recognised in the picture; remove it from the folder, or scan it again")
    return build_extracted(blocks, file_name=file_name)


def _read_frames(picture: Image.Image) -> list[Block]:
    _check_size(picture)
    if not ocr.is_installed():
        raise InvalidInputError(ocr.MISSING)
    blocks: list[Block] = []
    frames = getattr(picture, "n_frames", 1)
    if frames > ocr.MAX_PAGES:
        raise InvalidInputError(f"expected at most {ocr.MAX_PAGES} pages, got {frames}; split the picture")
    for page, frame in enumerate(ImageSequence.Iterator(picture), start=1):
        _check_size(frame)
        upright = ImageOps.exif_transpose(frame).convert("L")
        upright.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        blocks += ocr.recognise(upright, page if frames > 1 else None)
    return blocks


def _check_size(picture: Image.Image) -> None:
    """The size stands in the file's first bytes: nothing is unpacked yet."""
    if picture.width * picture.height > MAX_PIXELS:
        raise InvalidInputError(
            f"expected at most {MAX_PIXELS:,} pixels, got {picture.width * picture.height:,}; make the picture smaller"
        )
