"""Ruled tables of a PDF page: the lines drawn around cells, as columns and rows. Pure geometry."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from ctypes import byref, c_float
from dataclasses import dataclass
from typing import Any, cast

import pypdfium2.raw  # pyright: ignore[reportMissingTypeStubs]

pdfium = cast(Any, pypdfium2.raw)

# Points: thinner is a line, nearer is the same line, shorter is no cell's border.
_SAME = 3.0
_LEAST_LENGTH = 6.0
# A page with more is a drawing, and so is a path with more parts.
_MAX_PATHS = 5000
_MAX_SEGMENTS = 2000
_MAX_RULES = 400


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line along one axis: at a place on the other, from begin to end, in points."""

    at: float
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Grid:
    """A ruled table.

    Attributes:
        xs: left edges of the columns and the last one's right, ascending; ys: lower edges of the rows and the first
            one's upper, ascending from the page's lower edge.
    """

    xs: tuple[float, ...]
    ys: tuple[float, ...]

    def find_column(self, x: float) -> int:
        """Column that a place lies in, the outermost where it lies outside."""
        return min(max(bisect_right(self.xs, x) - 1, 0), len(self.xs) - 2)

    def find_row(self, y: float) -> int:
        """Row from the top, from 0."""
        below = min(max(bisect_right(self.ys, y) - 1, 0), len(self.ys) - 2)
        return len(self.ys) - 2 - below

    def holds(self, x: float, y: float) -> bool:
        """Whether a place lies inside."""
        return self.xs[0] - _SAME <= x <= self.xs[-1] + _SAME and self.ys[0] <= y <= self.ys[-1]


def find_grids(page: Any) -> list[Grid]:
    """Tables of at least two columns and two rows whose borders are drawn; raw page of PDFium."""
    upright: list[Rule] = []
    level: list[Rule] = []
    for x1, y1, x2, y2 in _find_segments(page):
        if abs(x1 - x2) < _SAME / 2 and abs(y1 - y2) >= _LEAST_LENGTH:
            upright.append(Rule((x1 + x2) / 2, min(y1, y2), max(y1, y2)))
        elif abs(y1 - y2) < _SAME / 2 and abs(x1 - x2) >= _LEAST_LENGTH:
            level.append(Rule((y1 + y2) / 2, min(x1, x2), max(x1, x2)))
    upright, level = _merge(upright), _merge(level)
    if not 0 < len(upright) + len(level) <= _MAX_RULES:
        return []
    grids = (_build(group) for group in _find_connected(upright, level))
    return [grid for grid in grids if len(grid.xs) > 2 and len(grid.ys) > 2]


def _find_segments(page: Any) -> Iterator[tuple[float, float, float, float]]:
    """Straight lines drawn on a page, in its own points."""
    paths = 0
    for number in range(pdfium.FPDFPage_CountObjects(page)):
        drawn = pdfium.FPDFPage_GetObject(page, number)
        if pdfium.FPDFPageObj_GetType(drawn) != pdfium.FPDF_PAGEOBJ_PATH:
            continue
        paths += 1
        if paths > _MAX_PATHS:
            return
        yield from _read_path(drawn)


def _read_path(path: Any) -> Iterator[tuple[float, float, float, float]]:
    count = pdfium.FPDFPath_CountSegments(path)
    matrix = pdfium.FS_MATRIX()
    if not 0 < count <= _MAX_SEGMENTS or not pdfium.FPDFPageObj_GetMatrix(path, matrix):
        return
    x, y = c_float(), c_float()
    start = here = (0.0, 0.0)
    for number in range(count):
        segment = pdfium.FPDFPath_GetPathSegment(path, number)
        pdfium.FPDFPathSegment_GetPoint(segment, byref(x), byref(y))
        before = here
        here = (matrix.a * x.value + matrix.c * y.value + matrix.e, matrix.b * x.value + matrix.d * y.value + matrix.f)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            start = here
        elif kind == pdfium.FPDF_SEGMENT_LINETO:
            yield before[0], before[1], here[0], here[1]
        if pdfium.FPDFPathSegment_GetClose(segment):
            yield here[0], here[1], start[0], start[1]


def _merge(rules: Iterable[Rule]) -> list[Rule]:
    """Rules on one line that touch or overlap as one: borders are drawn cell by cell, and twice between cells."""
    lines: dict[float, list[Rule]] = defaultdict(list)
    at = float("-inf")
    for rule in sorted(rules, key=lambda rule: rule.at):
        at = rule.at if rule.at - at > _SAME else at
        lines[at].append(rule)
    merged: list[Rule] = []
    for at, found in lines.items():
        begin = end = None
        for rule in sorted(found, key=lambda rule: rule.begin):
            if end is not None and begin is not None and rule.begin <= end + _SAME:
                end = max(end, rule.end)
                continue
            if begin is not None and end is not None:
                merged.append(Rule(at, begin, end))
            begin, end = rule.begin, rule.end
        if begin is not None and end is not None:
            merged.append(Rule(at, begin, end))
    return merged


def _find_connected(upright: Sequence[Rule], level: Sequence[Rule]) -> list[tuple[list[Rule], list[Rule]]]:
    """Sets of rules that cross or touch each other."""
    groups: list[tuple[list[Rule], list[Rule]]] = []
    for rule in upright:
        crossing = [other for other in level if _cross(rule, other)]
        joined: tuple[list[Rule], list[Rule]] = ([rule], crossing)
        apart: list[tuple[list[Rule], list[Rule]]] = []
        for group in groups:
            if any(other in group[1] for other in crossing):
                joined = (joined[0] + group[0], joined[1] + [other for other in group[1] if other not in joined[1]])
            else:
                apart.append(group)
        groups = [*apart, joined]
    return groups


def _cross(upright: Rule, level: Rule) -> bool:
    across = level.begin - _SAME <= upright.at <= level.end + _SAME
    return across and upright.begin - _SAME <= level.at <= upright.end + _SAME


def _build(group: tuple[list[Rule], list[Rule]]) -> Grid:
    """Edges of columns and rows; the outermost are often not drawn, there the other rules' ends stand for them."""
    upright, level = group
    xs = [rule.at for rule in upright] + [side for rule in level for side in (rule.begin, rule.end)]
    ys = [rule.at for rule in level] + [side for rule in upright for side in (rule.begin, rule.end)]
    return Grid(_thin(xs), _thin(ys))


def _thin(places: Iterable[float]) -> tuple[float, ...]:
    thinned: list[float] = []
    for place in sorted(places):
        if not thinned or place - thinned[-1] > 2 * _SAME:
            thinned.append(place)
    return tuple(thinned)
