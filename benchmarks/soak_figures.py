"""What soaks and overloads measured: slopes of memory, shares of latencies, and a picture. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

COLOURS = ("#2f7d55", "#b06f1f", "#5a7fb0", "#b8503a", "#7a5aa6")
WIDTH, HEIGHT, LEFT, TOP = 900, 190, 70, 34
# A slope needs as many samples, or chance speaks.
LEAST_SAMPLES = 20
MOST_SAMPLES = 1_500


@dataclass(slots=True)
class Samples:
    """What was looked at again and again; times in seconds from the begin.

    Attributes:
        resident_mib: memory of each process, by a name that a restart changes.
        answered: questions answered so far.
        faults: what was done, and when.
    """

    resident_mib: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    waiting: list[tuple[float, float]] = field(default_factory=list)
    answered: list[tuple[float, float]] = field(default_factory=list)
    connections: list[tuple[float, float]] = field(default_factory=list)
    faults: list[tuple[float, str]] = field(default_factory=list)


def fit_slope(samples: Sequence[tuple[float, float]], *, warm_up_seconds: float) -> float | None:
    """Theil and Sen's slope, the median of those between all pairs, in units an hour; None for too few samples.

    One in four samples may be anything at all without changing it much: a garbage collection is no trend.

    Args:
        samples: seconds and value.
        warm_up_seconds: after the first sample, what is left out.
    """
    kept = [(at, value) for at, value in samples if at - samples[0][0] >= warm_up_seconds]
    if len(kept) < LEAST_SAMPLES:
        return None
    thinned = kept[:: -(-len(kept) // MOST_SAMPLES)]
    times, values = np.array(thinned).T
    first, second = np.triu_indices(len(times), k=1)
    apart = times[second] - times[first]
    steps = (values[second] - values[first])[apart > 0] / apart[apart > 0]
    return float(np.median(steps)) * 3600


def fit_memory(samples: Samples, *, warm_up_seconds: float) -> dict[str, float]:
    """MiB an hour of each process that lived long enough."""
    fitted = {
        name: fit_slope(rows, warm_up_seconds=warm_up_seconds) for name, rows in samples.resident_mib.items() if rows
    }
    return {name: slope for name, slope in fitted.items() if slope is not None}


def find_share(values: Sequence[float], share: float) -> float:
    """The value that this share of all stays within (nearest rank); not a number where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def draw(samples: Samples, *, title: str) -> str:
    """A picture of its own: answers a second, questions that wait, memory; a mark for each fault."""
    rates = _to_rates(samples.answered)
    memory = {name: rows for name, rows in samples.resident_mib.items() if len(rows) > 1}
    plots = [
        _plot("answers a second", {"answers": rates}, samples),
        _plot("questions that wait", {"waiting": samples.waiting}, samples),
        _plot("memory of each process, MiB", memory, samples),
    ]
    height = TOP + len(plots) * (HEIGHT + 20)
    body = "".join(
        f'<g transform="translate(0 {TOP + at * (HEIGHT + 20)})">{plot}</g>' for at, plot in enumerate(plots)
    )
    style = "text{font:13px sans-serif;fill:#333}path{fill:none;stroke-width:1.5}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"><style>{style}</style>'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/><text x="12" y="20">{title}</text>{body}</svg>'
    )


def _to_rates(answered: Sequence[tuple[float, float]], *, seconds: float = 10.0) -> list[tuple[float, float]]:
    """Answers a second, over so many seconds before each sample."""
    rates: list[tuple[float, float]] = []
    begin = 0
    for at, count in answered:
        while at - answered[begin][0] > seconds:
            begin += 1
        before, then = answered[begin]
        if at > before:
            rates.append((at, (count - then) / (at - before)))
    return rates


def _plot(label: str, series: Mapping[str, Sequence[tuple[float, float]]], samples: Samples) -> str:
    points = [point for rows in series.values() for point in rows]
    last, most = max((at for at, _ in points), default=1.0), max((value for _, value in points), default=1.0) or 1.0
    wide, high = WIDTH - LEFT - 20, HEIGHT - 40

    def place(at: float, value: float) -> str:
        return f"{LEFT + wide * at / last:.1f} {20 + high * (1 - value / most):.1f}"

    parts = [f'<text x="{LEFT}" y="12">{label}</text><text x="8" y="28">{most:.3g}</text>']
    parts.append(f'<path stroke="#999" d="M{LEFT} {20 + high}H{LEFT + wide}"/><text x="8" y="{24 + high}">0</text>')
    parts.append(f'<text x="{LEFT + wide - 60}" y="{36 + high}">{last / 60:.1f} min</text>')
    for at, what in samples.faults:
        x = LEFT + wide * min(at, last) / last
        parts.append(f'<path stroke="#ddd" d="M{x:.1f} 20V{20 + high}"><title>{what} at {at:.0f} s</title></path>')
    for number, rows in enumerate(series.values()):
        if rows:
            path = "L".join(place(at, value) for at, value in rows)
            parts.append(f'<path stroke="{COLOURS[number % len(COLOURS)]}" d="M{path}"/>')
    return "".join(parts)
