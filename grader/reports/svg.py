"""Small pictures as inline SVG: heatmaps, curves, bars, and an icon for each verdict.

Colours come from the page's style sheet by class, so that light, dark and print each have their
own. Nothing but numbers and escaped text goes in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from urllib.parse import quote

from markupsafe import Markup, escape

from grader.reports.legible import number_text

Row = Sequence[float | None]

LARGEST = 32
"""Rows and columns of a heatmap that are drawn."""

_NUMBERED = 8
_DOTTED = 24
_CURVE_WIDTH = 320
_CURVE_HEIGHT = 130
_PLOT = (46, 8, 312, 104)
"""Left, top, right and bottom of a curve's plot, in units of its view box."""

_ICONS = {
    "pass": '<circle cx="8" cy="8" r="8"/><path class="ink" d="M4.2 8.4l2.6 2.6 5-5.6"/>',
    "fail": '<rect width="16" height="16" rx="3"/><path class="ink" d="M5 5l6 6M11 5l-6 6"/>',
    "error": '<path d="M8 .6L16 15H0z"/><path class="ink" d="M8 6v4M8 12.3v.3"/>',
    "blocked": '<circle cx="8" cy="8" r="8"/><path class="ink" d="M4.4 8h7.2"/>',
    "broken": '<path d="M5 0h6l5 5v6l-5 5H5l-5-5V5z"/><path class="ink" d="M5 5.6h6M5 10.4h6"/>',
    "pending": '<circle class="open" cx="8" cy="8" r="6.9"/>'
    '<path class="line" d="M8 4.4V8l2.6 1.8"/>',
}


def _marked(svg: str) -> Markup:
    """The one place that vouches for what this module puts together."""
    return Markup(svg)


def icon(verdict: str) -> Markup:
    """A mark of its own shape for each verdict; the word stands beside it in the page."""
    start = '<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">'
    return _marked(f"{start}{_ICONS[verdict]}</svg>")


def icon_masks() -> Markup:
    """Style rules that draw the mark of each verdict before the text of a cell of its class.

    A table of thousands of cells would be several times as large with a picture in each.
    """
    ink = 'fill="none" stroke="{}" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
    drawn = {'class="ink"': ink.format("#000"), 'class="line"': ink.format("#fff")}
    drawn['class="open"'] = drawn['class="line"']
    rules = []
    for verdict, shape in _ICONS.items():
        for name, attributes in drawn.items():
            shape = shape.replace(name, attributes)
        picture = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="#fff">{shape}'
        address = quote(f"{picture}</svg>".replace('"', "'"), safe="/:=' ")
        rules.append(f'.v.{verdict}::before{{mask-image:url("data:image/svg+xml,{address}")}}')
    return _marked("\n".join(rules))


def bounds(*matrices: Sequence[Row]) -> tuple[float, float]:
    """The least and the greatest finite value; (0, 0) where there is none."""
    values = [value for rows in matrices for row in rows for value in row if value is not None]
    return (min(values), max(values)) if values else (0.0, 0.0)


def heatmap(rows: Sequence[Row], low: float, high: float, text: str) -> Markup:
    """A matrix as coloured cells, small ones with their numbers.

    Args:
        rows: the values; None where one is not finite.
        low: least value of the colour scale, which maps that share a scale have in common.
        high: greatest value of the colour scale.
        text: what the picture shows, for people who do not see it.
    """
    shown = [row[:LARGEST] for row in rows[:LARGEST]]
    columns = max((len(row) for row in shown), default=0)
    numbered = columns <= _NUMBERED and len(shown) <= _NUMBERED
    cell = 34 if numbered else max(6, 208 // max(columns, len(shown)))
    width, height = 18 + columns * cell + 1, 14 + len(shown) * cell + 1
    largest = max(abs(low), abs(high))
    cells = "".join(
        _cell(value, 18 + x * cell, 14 + y * cell, cell, largest, numbered)
        for y, row in enumerate(shown)
        for x, value in enumerate(row)
    )
    across = "".join(
        f'<text x="{18 + x * cell + cell / 2:g}" y="10">{x}</text>' for x in _ticks(columns)
    )
    down = "".join(
        f'<text x="9" y="{14 + y * cell + cell / 2 + 3:g}">{y}</text>' for y in _ticks(len(shown))
    )
    return _marked(
        f'<svg class="heat" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(text)}">{across}{down}{cells}</svg>'
    )


def _cell(value: float | None, x: int, y: int, size: int, largest: float, numbered: bool) -> str:
    place = f'x="{x}" y="{y}" width="{size - 1}" height="{size - 1}"'
    middle = f'x="{x + (size - 1) / 2:g}" y="{y + size / 2 + 3:g}"'
    if value is None:
        return f'<rect class="nan" {place}/><text class="nan" {middle}>x</text>'
    strength = min(1.0, abs(value) / largest) if largest else 0.0
    sign = "n" if value < 0 else "p"
    rect = f'<rect class="{sign}" fill-opacity="{strength:.2f}" {place}/>'
    if not numbered:
        return rect
    tone = ' class="on"' if strength > 0.6 else ' class="off"'
    return f"{rect}<text{tone} {middle}>{_short(value)}</text>"


def _short(value: float) -> str:
    """A number in at most five characters, to fit a cell."""
    if value == 0:
        return "0"
    if abs(value) >= 0.005:
        text = f"{value:.2f}" if abs(value) < 10 else f"{value:.3g}"
        return text if len(text) <= 5 else f"{value:.0e}".replace("e+0", "e").replace("e+", "e")
    return f"{value:.0e}".replace("e-0", "e-")


def _ticks(count: int) -> range:
    return range(0, count, 1 if count <= 12 else 4)


def curve(rows: Sequence[Row], text: str, counted: bool = True) -> Markup:
    """Lines over steps or positions: the first one solid, the second dashed.

    Args:
        rows: the lines; None where a value is not finite, which leaves a gap.
        text: what the picture shows, for people who do not see it.
        counted: whether the number of a step means something and stands below.
    """
    low, high = bounds(rows)
    steps = max((len(row) for row in rows), default=0)
    left, top, right, bottom = _PLOT
    lines = "".join(
        _line(row, steps, low, high, "first" if index == 0 else "second")
        for index, row in enumerate(rows[:2])
    )
    frame = f'<path class="axis" d="M{left} {top}V{bottom}H{right}"/>'
    labels = (
        f'<text class="end" x="{left - 4}" y="{top + 6}">{_tick(high, low)}</text>'
        f'<text class="end" x="{left - 4}" y="{bottom}">{_tick(low, high)}</text>'
    )
    if counted:
        labels += (
            f'<text x="{left}" y="{bottom + 14}">0</text>'
            f'<text x="{right}" y="{bottom + 14}">{max(steps - 1, 0)}</text>'
        )
    return _marked(
        f'<svg class="curve" viewBox="0 0 {_CURVE_WIDTH} {_CURVE_HEIGHT}" '
        f'width="{_CURVE_WIDTH}" height="{_CURVE_HEIGHT}" role="img" '
        f'aria-label="{escape(text)}">{frame}{lines}{labels}</svg>'
    )


def _tick(value: float, other: float) -> str:
    """An end of the axis; what rounding leaves beside the other end is nothing."""
    return number_text(0.0 if abs(value) < 1e-9 * abs(other) else value, 3)


def _line(row: Row, steps: int, low: float, high: float, name: str) -> str:
    left, top, right, bottom = _PLOT
    across = (right - left) / max(steps - 1, 1)
    down = (bottom - top) / (high - low) if high > low else 0.0
    points = [
        None
        if value is None
        else (left + index * across, bottom - (value - low) * down if down else (top + bottom) / 2)
        for index, value in enumerate(row)
    ]
    strokes = "".join(
        f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in run)}"/>'
        for run in _runs(points)
    )
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for run in _runs(points) for x, y in run
    )
    if len(row) > _DOTTED:
        dots = ""
    return f'<g class="{name}">{strokes}{dots}</g>'


def _runs(points: Sequence[tuple[float, float] | None]) -> Iterator[list[tuple[float, float]]]:
    for _, group in groupby(points, key=lambda point: point is None):
        run = [point for point in group if point is not None]
        if run:
            yield run


def bar(shares: Sequence[tuple[str, float]], text: str) -> Markup:
    """A lying bar of stretches, each a class name and a share of the whole between 0 and 1."""
    parts = []
    start = 0.0
    for name, share in shares:
        wide = max(0.0, min(share, 1 - start))
        place = f'x="{start * 100:.2f}" width="{wide * 100:.2f}" height="8"'
        parts.append(f'<rect class="{escape(name)}" {place}/>')
        start += wide
    return _marked(
        f'<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(text)}"><rect class="rest" width="100" height="8"/>'
        f"{''.join(parts)}</svg>"
    )


def histogram(counts: Sequence[int], text: str) -> Markup:
    """Ten standing bars, one for each tenth of the possible points, with their counts."""
    most = max([*counts, 1])
    parts = []
    for index, count in enumerate(counts):
        tall = round(84 * count / most, 1)
        x = 4 + index * 32
        parts.append(f'<rect class="h" x="{x}" y="{100 - tall}" width="28" height="{tall}"/>')
        if count:
            parts.append(f'<text x="{x + 14}" y="{96 - tall}">{count}</text>')
        parts.append(f'<text class="tick" x="{x}" y="114">{index * 10}</text>')
    parts.append('<text class="tick" x="324" y="114">100%</text>')
    return _marked(
        f'<svg class="histogram" viewBox="0 0 348 120" role="img" aria-label="{escape(text)}">'
        f'<path class="axis" d="M2 100.5H324"/>{"".join(parts)}</svg>'
    )
