"""From what was measured to a table, the targets, and a plot."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

PEERS = ("nbgrader", "otter", "pytest", "unittest")
PAGE_WIDTH, LABEL_WIDTH, ROW_HEIGHT = 920, 390, 22
COLOURS = {"grader": "#0b6e4f", "battery": "#5fa88d", "battery-again": "#5fa88d", "floor": "#999"}
OTHER_COLOUR = "#b5523b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One tool in one setting."""

    tool: str
    """Name of the tool."""
    workers: int
    """Submissions at a time."""
    tuned: bool
    """Whether what its user can set is set."""

    @property
    def label(self) -> str:
        """What stands in the table."""
        told = {
            "grader": "grader grade, 20 comparisons",
            "battery": "grader grade, full battery",
            "battery-again": "grader grade, full battery, fingerprints kept",
            "floor": "bare fork",
        }.get(self.tool, f"{self.tool}, {'one thread' if self.tuned else 'as shipped'}")
        return f"{told}, {'two' if self.workers == 2 else 'one'} at a time"


ROWS = (
    *(
        Row(tool=tool, workers=workers, tuned=tuned)
        for tool in PEERS
        for workers, tuned in ((1, False), (2, False), (2, True))
    ),
    Row(tool="grader", workers=1, tuned=False),
    Row(tool="grader", workers=2, tuned=False),
    Row(tool="battery", workers=2, tuned=False),
    Row(tool="battery-again", workers=2, tuned=False),
    Row(tool="floor", workers=1, tuned=True),
    Row(tool="floor", workers=2, tuned=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a row came to for one size of the class; medians over the rounds."""

    row: Row
    """The tool and its setting."""
    count: int
    """Submissions."""
    rounds: int
    """How often it was measured; 0 where it is projected from a smaller class."""
    wall_seconds: float
    """The whole run."""
    spread: tuple[float, float]
    """Shortest and longest of the rounds, in seconds."""
    cpu_seconds: float
    """User and system time of all its processes."""
    peak_bytes: int
    """Most proportional set size of any round."""


def line_of(row: Row, count: int, costs: list[dict[str, float]]) -> Line:
    """The medians of one row's runs."""
    walls = [cost["wall_seconds"] for cost in costs]
    return Line(
        row=row,
        count=count,
        rounds=len(costs),
        wall_seconds=statistics.median(walls),
        spread=(min(walls), max(walls)),
        cpu_seconds=statistics.median(cost["cpu_seconds"] for cost in costs),
        peak_bytes=int(max(cost["peak_bytes"] for cost in costs)),
    )


def projected(line: Line, count: int) -> Line:
    """The same time for each submission in a larger class: a process each, so it grows so."""
    times = count / line.count
    low, high = line.spread
    return Line(
        row=line.row,
        count=count,
        rounds=0,
        wall_seconds=line.wall_seconds * times,
        spread=(low * times, high * times),
        cpu_seconds=line.cpu_seconds * times,
        peak_bytes=line.peak_bytes,
    )


def table(lines: list[Line], count: int) -> str:
    """The lines of one size as Markdown."""
    ours = next(
        (each for each in lines if each.row == Row(tool="grader", workers=2, tuned=False)), None
    )
    rows = [
        f"### {count} submissions",
        "",
        "| | rounds | wall, s | from, to | CPU, s | peak, MB | a second | times `grader -j 2` |",
        "|" + " --- |" * 8,
    ]
    for each in lines:
        ratio = f"{each.wall_seconds / ours.wall_seconds:.2f}" if ours else ""
        low, high = each.spread
        of = f"{low:.1f}, {high:.1f}"
        rows.append(
            f"| {each.row.label} | {each.rounds or 'projected'} | {each.wall_seconds:.1f} | {of} "
            f"| {each.cpu_seconds:.1f} "
            f"| {each.peak_bytes / 1e6:.0f} | {count / each.wall_seconds:.2f} | {ratio} |"
        )
    return "\n".join(rows)


def targets(lines: list[Line], count: int) -> list[str]:
    """The targets of one size, each with what was measured."""
    by_row = {each.row: each for each in lines}
    ours = by_row.get(Row(tool="grader", workers=2, tuned=False))
    if ours is None:
        return []
    wanted = (25, 12, 6) if count < 100 else (100, 40, 20)
    shipped = [each for each in lines if each.row.tool in PEERS and not each.row.tuned]
    tuned = [each for each in lines if each.row.tool in PEERS and each.row.tuned]
    groups = (
        ("nbgrader as shipped", [each for each in shipped if each.row.tool == "nbgrader"]),
        ("fastest peer as shipped", shipped),
        ("fastest peer, one thread", tuned),
    )
    said = []
    for (name, group), target in zip(groups, wanted, strict=True):
        for workers in (1, 2):
            some = [each for each in group if each.row.workers == workers]
            if some:
                best = min(some, key=lambda each: each.wall_seconds)
                ratio = best.wall_seconds / ours.wall_seconds
                at = "two" if workers == 2 else "one"
                of = "" if best.rounds else ", projected"
                said.append(
                    f"{name} ({best.row.tool}, {at} at a time{of}): {ratio:.1f} times "
                    f"(target {target}: {_met(ratio >= target)})"
                )
    floor = by_row.get(Row(tool="floor", workers=2, tuned=True))
    if floor is not None:
        ratio = ours.wall_seconds / floor.wall_seconds
        said.append(f"against the bare fork: {ratio:.2f} times (target 1.5: {_met(ratio <= 1.5)})")
    peak = ours.peak_bytes / 1e6
    said.append(f"peak memory: {peak:.0f} MB (target under 1000: {_met(peak < 1000)})")
    return [f"- {count}: {each}" for each in said]


def _met(is_met: bool) -> str:
    return "met" if is_met else "not met"


def plot(lines: Iterable[Line]) -> str:
    """Seconds a submission, one bar a row, on a logarithmic scale; an SVG."""
    drawn = list(lines)
    if not drawn:
        return ""
    seconds = [each.wall_seconds / each.count for each in drawn]
    low, high = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)))
    scale = (PAGE_WIDTH - LABEL_WIDTH - 90) / max(1, high - low)
    height = ROW_HEIGHT * (len(drawn) + 3)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{PAGE_WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<text x="8" y="16">seconds a submission, whole run, logarithmic</text>',
    ]
    for power in range(low, high + 1):
        x = LABEL_WIDTH + (power - low) * scale
        parts.append(f'<path d="M{x:.1f} 26V{height - 22}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{height - 6}" text-anchor="middle">{10.0**power:g}</text>'
        )
    for number, (each, spent) in enumerate(zip(drawn, seconds, strict=True)):
        y = 30 + number * ROW_HEIGHT
        width = (math.log10(spent) - low) * scale
        colour = COLOURS.get(each.row.tool, OTHER_COLOUR)
        name = f"{each.row.label} ({each.count}{'' if each.rounds else ', projected'})"
        parts.append(
            f'<text x="{LABEL_WIDTH - 6}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
        )
        parts.append(
            f'<rect x="{LABEL_WIDTH}" y="{y + 2}" width="{width:.1f}" height="{ROW_HEIGHT - 6}" '
            f'fill="{colour}" fill-opacity="{1 if each.rounds else 0.5}"/>'
        )
        parts.append(f'<text x="{LABEL_WIDTH + width + 5:.1f}" y="{y + 13}">{spent:.3g}</text>')
    return "\n".join([*parts, "</svg>\n"])
