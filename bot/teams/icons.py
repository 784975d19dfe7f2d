"""The app's two icons, a moon over a loaf, drawn here: Teams wants 192 x 192 in colour and 32 x 32 in white.

A shape is a question about a point, with x and y in [0, 1] from the upper left; a pixel is as opaque as the share of
its samples that lie inside.
"""

import struct
import zlib
from collections.abc import Callable, Iterator

COLOUR_PIXELS, OUTLINE_PIXELS = 192, 32
# A pixel is looked at in so many places, in each direction.
SAMPLES = 4

ACCENT = "#1F2A44"
_NIGHT, _BREAD, _WHITE = (0x1F, 0x2A, 0x44), (0xF2, 0xB0, 0x5E), (0xFF, 0xFF, 0xFF)

Shape = Callable[[float, float], bool]
Colour = tuple[int, int, int]


def draw_colour() -> bytes:
    """A PNG: white moon and golden loaf on the colour of the night."""
    return _to_png(COLOUR_PIXELS, [(lambda _x, _y: True, _NIGHT), (_is_moon, _WHITE), (_is_loaf, _BREAD)])


def draw_outline() -> bytes:
    """A PNG: both in white on nothing."""
    return _to_png(OUTLINE_PIXELS, [(lambda x, y: _is_moon(x, y) or _is_loaf(x, y), _WHITE)])


def _is_moon(x: float, y: float) -> bool:
    return _is_in_circle(x, y, 0.5, 0.33, 0.2) and not _is_in_circle(x, y, 0.6, 0.28, 0.18)


def _is_loaf(x: float, y: float) -> bool:
    """A dome over a base."""
    dome = ((x - 0.5) / 0.32) ** 2 + ((y - 0.76) / 0.17) ** 2 <= 1 and y <= 0.76
    return dome or (0.22 <= x <= 0.78 and 0.76 <= y <= 0.84)


def _is_in_circle(x: float, y: float, at_x: float, at_y: float, radius: float) -> bool:
    return (x - at_x) ** 2 + (y - at_y) ** 2 <= radius**2


def _to_png(pixels: int, layers: list[tuple[Shape, Colour]]) -> bytes:
    """Layers from the lowest to the uppermost, each painted over those below.

    Source: Portable Network Graphics, third edition: signature, IHDR, IDAT, IEND; 8 bits, RGBA, no filter.
    """
    rows = b"".join(b"\0" + b"".join(_paint_row(pixels, row, layers)) for row in range(pixels))
    header = struct.pack(">IIBBBBB", pixels, pixels, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_to_chunk(name, held) for name, held in chunks)


def _paint_row(pixels: int, row: int, layers: list[tuple[Shape, Colour]]) -> Iterator[bytes]:
    for column in range(pixels):
        colour, opacity = (0.0, 0.0, 0.0), 0.0
        for shape, (red, green, blue) in layers:
            share = _cover(pixels, row, column, shape)
            if share:
                total = share + opacity * (1 - share)
                kept = opacity * (1 - share) / total
                colour = tuple(
                    new * (1 - kept) + old * kept for new, old in zip((red, green, blue), colour, strict=True)
                )
                opacity = total
        yield bytes((*(round(part) for part in colour), round(255 * opacity)))


def _cover(pixels: int, row: int, column: int, shape: Shape) -> float:
    """Share of a pixel that a shape covers; looked at closely only where its corners differ."""
    corners = {shape((column + right) / pixels, (row + down) / pixels) for right in (0, 1) for down in (0, 1)}
    if len(corners) == 1:
        return float(corners.pop())
    places = [(place + 0.5) / SAMPLES for place in range(SAMPLES)]
    inside = [shape((column + right) / pixels, (row + down) / pixels) for right in places for down in places]
    return sum(inside) / len(inside)


def _to_chunk(name: bytes, held: bytes) -> bytes:
    return struct.pack(">I", len(held)) + name + held + struct.pack(">I", zlib.crc32(name + held))
