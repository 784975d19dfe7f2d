"""Small plots as inline SVG: no script, no font, no request; colours are the page's, so they follow its theme."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from unicodedata import east_asian_width

WIDTH = 640
LABEL_WIDTH = 190
# Of half the width of a Korean letter.
LABEL_CELLS = 20
# Of a line in a field of a matrix.
MATRIX_CELLS = 27


def draw_shares(rows: Sequence[Mapping[str, Any]], *, mark: float | None = None, percent: str = "{:.0f} %") -> str:
    """Horizontal bars of shares in [0, 1] with their intervals.

    Args:
        rows: `label`, `share`, `low`, `high` and the `kind` that colours the bar.
        mark: a share that all are held against.
        percent: how one is written, of a number out of 100.
    """
    height = 34 * len(rows) + 26
    room = WIDTH - LABEL_WIDTH - 60
    parts = [_line(LABEL_WIDTH + room * tick / 4, 4, height - 22, "grid") for tick in range(5)]
    for tick in range(5):
        parts.append(_text(LABEL_WIDTH + room * tick / 4, height - 6, percent.format(tick * 25), "axis", "middle"))
    for at, row in enumerate(rows):
        top = 6 + 34 * at
        parts.append(_text(LABEL_WIDTH - 10, top + 16, _fit(row["label"]), "label", "end"))
        parts.append(_bar(LABEL_WIDTH, top, room * row["share"], 22, row["kind"]))
        parts.append(_whiskers(LABEL_WIDTH + room * row["low"], LABEL_WIDTH + room * row["high"], top + 11))
        parts.append(_text(WIDTH - 4, top + 16, percent.format(row["share"] * 100), "value", "end"))
    if mark is not None:
        parts.append(_line(LABEL_WIDTH + room * mark, 2, height - 22, "mark"))
    return _frame(parts, height)


def draw_days(rows: Sequence[Mapping[str, Any]], *, most: str = "max {count}") -> str:
    """Likes above the line and dislikes below it, one column a day (`day`, `liked`, `disliked`).

    Args:
        most: words for the `count` of the highest column.
    """
    if not rows:
        return ""
    top = max(*(row["liked"] for row in rows), *(row["disliked"] for row in rows), 1)
    step, middle, reach = WIDTH / len(rows), 70, 58
    parts = [_line_across(middle, "zero")]
    for at, row in enumerate(rows):
        left, width = at * step + 1.5, step - 3
        title = f"<title>{escape(str(row['day']))}: +{row['liked']} −{row['disliked']}</title>"
        up, down = reach * row["liked"] / top, reach * row["disliked"] / top
        columns = _bar(left, middle - 1 - up, width, up, "good") + _bar(left, middle + 1, width, down, "bad")
        parts.append(f"<g>{title}{columns}</g>")
    parts.append(_text(0, 154, str(rows[0]["day"]), "axis", "start"))
    parts.append(_text(WIDTH, 154, str(rows[-1]["day"]), "axis", "end"))
    parts.append(_text(WIDTH / 2, 154, most.format(count=top), "axis", "middle"))
    return _frame(parts, 160)


def draw_histogram(values: Sequence[float], *, bins: int = 21) -> str:
    """How many values fall into each of equal bins around zero; values in nats, those below zero in the bad colour."""
    if not values:
        return ""
    reach = max(1e-6, *(abs(value) for value in values))
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value + reach) / (2 * reach) * bins))] += 1
    step, top = WIDTH / bins, max(counts)
    parts = [_line(WIDTH / 2, 112, 118, "zero")]
    for at, count in enumerate(counts):
        kind = "good" if at > bins // 2 else "bad" if at < bins // 2 else "neutral"
        size = 104 * count / top
        parts.append(_bar(at * step + 2, 112 - size, step - 4, size, kind))
        if count:
            parts.append(_text(at * step + step / 2, 108 - size, str(count), "axis", "middle"))
    parts += [
        _text(0, 130, f"−{reach:.2g}", "axis", "start"),
        _text(WIDTH / 2, 130, "0", "axis", "middle"),
        _text(WIDTH, 130, f"+{reach:.2g}", "axis", "end"),
    ]
    return _frame(parts, 136, top=-12)


def draw_curve(values: Sequence[float]) -> str:
    """A line of numbers over steps, with its first and last value."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    points = [
        (at * (WIDTH - 60) / (len(values) - 1), 8 + 84 * (high - value) / span) for at, value in enumerate(values)
    ]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    parts = [_line_across(98, "grid"), f'<path class="curve" d="{path}"/>']
    parts.append(_text(WIDTH, points[-1][1] + 4, f"{values[-1]:.3g}", "value", "end"))
    parts.append(_text(0, points[0][1] - 10, f"{values[0]:.3g}", "axis", "start"))
    return _frame(parts, 104, top=-20)


def draw_lines(series: Sequence[tuple[str, Sequence[float | None]]], *, title: str = "") -> str:
    """Shares in [0, 1] over nights, a line a series with its name at its end; None is a night without one.

    The line's class is `line-N` with N from 0 for as many colours as the page has.
    """
    length = max((len(values) for _, values in series), default=0)
    left, right, bottom = 40, 170, 184
    step = (WIDTH - left - right) / max(1, length - 1)
    parts = [_text(left, 10, title, "label", "start")] if title else []
    for tick in range(5):
        y = bottom - 40 * tick
        parts += [
            f'<path class="grid" d="M{left} {y}H{WIDTH - right}"/>',
            _text(left - 8, y + 4, f"{tick * 25}%", "axis", "end"),
        ]
    ends = _spread([_last(values) for _, values in series], bottom)
    for at, ((name, values), end) in enumerate(zip(series, ends, strict=True)):
        points = [(left + x * step, bottom - 160 * value) for x, value in enumerate(values) if value is not None]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        if points:
            parts.append(f'<path class="line line-{at}" d="{path}"/>')
            parts.append(_text(WIDTH - right + 8, end + 4, name, f"axis name-{at}", "start"))
    parts += [_text(left + x * step, bottom + 18, str(x), "axis", "middle") for x in range(length)]
    return _frame(parts, bottom + 26)


def draw_seconds(rows: Sequence[tuple[str, float, str]]) -> str:
    """Horizontal bars of durations: label, seconds, and the duration in words."""
    if not rows:
        return ""
    longest = max(1e-9, *(seconds for _, seconds, _ in rows))
    room = WIDTH - LABEL_WIDTH - 110
    parts: list[str] = []
    for at, (label, seconds, words) in enumerate(rows):
        top = 4 + 28 * at
        parts.append(_text(LABEL_WIDTH - 10, top + 14, label, "label", "end"))
        parts.append(_bar(LABEL_WIDTH, top, max(2, room * seconds / longest), 18, "neutral"))
        parts.append(_text(WIDTH - 4, top + 14, words, "value", "end"))
    return _frame(parts, 28 * len(rows) + 6)


def draw_grid(rows: Sequence[str], columns: Sequence[str], shares: Sequence[Sequence[float | None]]) -> str:
    """Shares in [0, 1] by row and column, the fuller the better; None is an empty cell.

    Axes of `shares`: rows, columns. The colour is the page's `--good`; the number is written in each cell.
    """
    height, left = 34, 70
    width = (WIDTH - left) / len(columns)
    parts: list[str] = []
    for y, (label, line) in enumerate(zip(rows, shares, strict=True)):
        parts.append(_text(left - 10, y * height + 21, label, "axis", "end"))
        for x, share in enumerate(line):
            if share is None:
                continue
            box = f'x="{left + x * width + 1:.1f}" y="{y * height + 1}" width="{width - 2:.1f}" height="{height - 2}"'
            parts.append(f'<rect class="cell" {box} rx="3" fill-opacity="{0.08 + 0.92 * share:.2f}"/>')
            kind = "value full" if share > 0.5 else "value"
            parts.append(_text(left + (x + 0.5) * width, y * height + 22, f"{share:.0%}", kind, "middle"))
    below = len(rows) * height
    parts += [_text(left + (x + 0.5) * width, below + 16, name, "axis", "middle") for x, name in enumerate(columns)]
    return _frame(parts, below + 22)


def draw_comparison(
    rows: Sequence[Mapping[str, Any]], *, titles: tuple[str, str], percent: str = "{:.0f} %", points: str = "{:+.1f}"
) -> str:
    """Shares in [0, 1] as bars, and beside each its difference from the first as a dot around zero, with intervals.

    Looks the same in a page and as a file of its own: it takes the page's colours where there are any.

    Args:
        rows: `label`, `share`, `low`, `high`, the `kind` that colours it, and `gain`, a difference in [-1, 1] with its
            `low` and `high`, or None.
        titles: of the bars and of the differences.
        percent: how a share is written, of a number out of 100; points: how a difference is.
    """
    top, step, room, left, width = 30, 34, 150, 436, 148
    height = top + step * len(rows) + 24
    gains = [row["gain"] for row in rows if row["gain"] is not None]
    reach = max([0.05, *(abs(end) for gain in gains for end in (gain["low"], gain["high"]))])
    middle, scale = left + width / 2, width / 2 / reach
    parts = [_text(LABEL_WIDTH, 14, titles[0], "label", "start"), _text(middle, 14, titles[1], "label", "middle")]
    for tick in (0, 0.5, 1):
        parts.append(_line(LABEL_WIDTH + room * tick, top - 6, height - 22, "grid"))
        parts.append(_text(LABEL_WIDTH + room * tick, height - 6, percent.format(tick * 100), "axis", "middle"))
    parts.append(_line(middle, top - 6, height - 22, "zero"))
    for end, anchor in ((-1, "start"), (0, "middle"), (1, "end")):
        sign = points.format(end * reach * 100) if end else "0"
        parts.append(_text(middle + end * width / 2, height - 6, sign, "axis", anchor))
    for at, row in enumerate(rows):
        line = top + step * at + 11
        parts.append(_text(LABEL_WIDTH - 10, line + 5, _fit(row["label"]), "label", "end"))
        parts.append(_bar(LABEL_WIDTH, line - 11, room * row["share"], 22, row["kind"]))
        parts.append(_whiskers(LABEL_WIDTH + room * row["low"], LABEL_WIDTH + room * row["high"], line))
        parts.append(_text(left - 14, line + 5, percent.format(row["share"] * 100), "value", "end"))
        if gain := row["gain"]:
            parts.append(_whiskers(middle + scale * gain["low"], middle + scale * gain["high"], line))
            dot = f'cx="{middle + scale * gain["value"]:.1f}" cy="{line}" r="5"'
            parts.append(f'<circle class="{escape(row["kind"])}" {dot}/>')
            parts.append(_text(WIDTH - 4, line + 5, points.format(gain["value"] * 100), "value", "end"))
    body = "".join(parts)
    return _frame([f'<style>{COMPARISON_STYLE}</style><g class="comparison">{body}</g>'], height)


def stack(plots: Sequence[str], *, gap: int = 18) -> str:
    """Plots of this module below each other in one, on a white ground."""
    parts: list[str] = []
    height = float(gap)
    for plot in plots:
        box = _BOX.search(plot)
        assert box, "a plot says its size"
        tall = float(box[1])
        parts.append(plot.replace("<svg ", f'<svg x="{gap}" y="{height:g}" width="{WIDTH}" height="{tall:g}" ', 1))
        height += tall + gap
    width = WIDTH + 2 * gap
    ground = f'<rect width="{width}" height="{height:g}" fill="#fff"/>'
    size = f'viewBox="0 0 {width} {height:g}" width="{width}" height="{height:g}"'
    return f'<svg {size} xmlns="http://www.w3.org/2000/svg">{ground}{"".join(parts)}</svg>'


_BOX = re.compile(r'viewBox="0 \S+ \d+ ([^"]+)"')
COMPARISON_STYLE = (
    ".comparison{font-family:system-ui,sans-serif}"
    ".comparison text{font-size:13px;fill:var(--soft,#6d675d)}"
    ".comparison .label,.comparison .value{fill:var(--ink,#23211d)}"
    ".comparison .good{fill:var(--good,#2f7d55)}.comparison .bad{fill:var(--bad,#b8503a)}"
    ".comparison .neutral,.comparison .base{fill:var(--neutral,#8a8f98)}"
    ".comparison .grid{stroke:var(--line,#ddd8ce)}.comparison .zero{stroke:var(--soft,#6d675d)}"
    ".comparison .interval{stroke:var(--ink,#23211d);stroke-width:1.6;fill:none;opacity:.75}"
)


def draw_matrix(
    cells: Sequence[Sequence[Mapping[str, Any]]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    axes: tuple[str, str],
    below: str,
) -> str:
    """Counts in a grid with what they are made of, and words below it; the same in a page and as a file of its own.

    Axes of `cells`: rows, columns.

    Args:
        cells: `count`, and `lines` of a label, a note below it, and whether it is the one to look at first.
        axes: titles of the rows' and of the columns' axis.
    """
    left, top, line, gap = 56, 48, 36, 6
    width = (WIDTH - left) / len(columns)
    parts = [_text(left + (WIDTH - left) / 2, 14, axes[1], "axis", "middle")]
    parts += [_text(left + (x + 0.5) * width, 36, name, "label", "middle") for x, name in enumerate(columns)]
    for name, across in zip(rows, cells, strict=True):
        height = 54 + line * max(1, *(len(cell["lines"]) for cell in across))
        middle = top + height / 2
        parts.append(f'<g transform="rotate(-90 42 {middle:.1f})">{_text(42, middle, name, "label", "middle")}</g>')
        for x, cell in enumerate(across):
            at = left + x * width
            kind = "field" if cell["count"] else "field none"
            size = f'width="{width - gap:.1f}" height="{height - gap:.1f}"'
            parts.append(f'<rect class="{kind}" x="{at + gap / 2:.1f}" y="{top:.1f}" {size} rx="8"/>')
            parts.append(_text(at + 14, top + 32, str(cell["count"]), "count", "start"))
            for number, (label, note, is_first) in enumerate(cell["lines"]):
                y = top + 56 + line * number
                if is_first:
                    parts.append(
                        f'<rect class="first" x="{at + 8:.1f}" y="{y - 15:.1f}" '
                        f'width="{width - 16:.1f}" height="{line - 1}" rx="6"/>'
                    )
                parts.append(_text(at + 14, y, _fit(label, MATRIX_CELLS), "label", "start"))
                parts.append(_text(at + 14, y + 15, _fit(note, MATRIX_CELLS), "axis", "start"))
        top += height
    middle = (48 + top) / 2
    title = f'<g transform="rotate(-90 18 {middle:.1f})">{_text(18, middle, axes[0], "axis", "middle")}</g>'
    words = [_text(left, top + 22 + 19 * at, text, "label", "start") for at, text in enumerate(_wrap(below, 74))]
    height = top + 16 + 19 * len(words)
    ground = f'<rect class="ground" width="{WIDTH}" height="{height:.1f}" rx="10"/>'
    body = "".join([ground, title, *parts, *words])
    return _frame([f'<style>{MATRIX_STYLE}</style><g class="matrix">{body}</g>'], height)


MATRIX_STYLE = (
    ".matrix{font-family:system-ui,'Apple SD Gothic Neo','Noto Sans KR',sans-serif}"
    ".matrix .ground{fill:var(--card,#fffdf9)}"
    ".matrix text{font-size:12px;fill:var(--soft,#6d675d)}"
    ".matrix .label{font-size:13px;fill:var(--ink,#23211d)}"
    ".matrix .count{font-size:24px;font-weight:600;fill:var(--ink,#23211d)}"
    ".matrix .field{fill:var(--accent,#b06f1f);fill-opacity:.13}"
    ".matrix .none{fill:var(--neutral,#8a8f98);fill-opacity:.09}"
    ".matrix .first{fill:none;stroke:var(--good,#2f7d55);stroke-width:1.8}"
)


def _whiskers(low: float, high: float, middle: float) -> str:
    ends = f"M{low:.1f} {middle - 5}v10M{high:.1f} {middle - 5}v10"
    return f'<path class="interval" d="M{low:.1f} {middle}H{high:.1f}{ends}"/>'


def _last(values: Sequence[float | None]) -> float:
    return next((value for value in reversed(values) if value is not None), 0.0)


def _spread(values: Sequence[float], bottom: float, gap: float = 15) -> list[float]:
    """Heights of names at the ends of lines, moved apart so that none lies on another."""
    heights = [bottom - 160 * value for value in values]
    lowest = bottom
    for at in sorted(range(len(heights)), key=lambda at: -heights[at]):
        heights[at] = min(heights[at], lowest)
        lowest = heights[at] - gap
    return heights


def _fit(label: str, most: int = LABEL_CELLS) -> str:
    """A label that is cut in its middle where it is too long: what it ends with tells it from others."""
    if _count_cells(label) <= most:
        return label
    kept, _, end = label.rpartition(" ")
    while kept and _count_cells(f"{kept}… {end}") > most:
        kept = kept[:-1]
    return f"{kept}… {end}"


def _wrap(text: str, most: int) -> list[str]:
    """A text in lines of so many cells at most, broken between words."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if _count_cells(longer) > most and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _count_cells(text: str) -> int:
    return sum(1 + (east_asian_width(letter) in "WF") for letter in text)


def _frame(parts: Sequence[str], height: float, *, top: float = 0) -> str:
    box = f"0 {top} {WIDTH} {height - top}"
    return f'<svg viewBox="{box}" role="img" xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'


def _bar(left: float, top: float, width: float, height: float, kind: str) -> str:
    return (
        f'<rect class="{escape(kind)}" x="{left:.1f}" y="{top:.1f}" width="{max(0, width):.1f}" '
        f'height="{max(0, height):.1f}" rx="3"/>'
    )


def _line(x: float, top: float, bottom: float, kind: str) -> str:
    return f'<path class="{kind}" d="M{x:.1f} {top:.1f}V{bottom:.1f}"/>'


def _line_across(y: float, kind: str) -> str:
    return f'<path class="{kind}" d="M0 {y:.1f}H{WIDTH}"/>'


def _text(x: float, y: float, text: str, kind: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
