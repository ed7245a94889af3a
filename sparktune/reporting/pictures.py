"""SVG pictures, for readers without scripts and for comparisons.

Colours are classes of the style sheet, so that pictures follow a dark or light page. All texts of a
study are escaped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparktune.reporting.encoding import text
from sparktune.results.cells import number
from sparktune.results.importance import Importance
from sparktune.results.series import Array

_WIDTH, _HEIGHT = 720, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 12, 34
_POINTS = 600  # of one line or one cloud
_COLOURS = 7  # classes c0 to c6 of the style sheet
_NARROW, _BESIDE, _LABEL = 480, 170, 24  # width of bars, room and characters beside them


@dataclass(frozen=True, slots=True)
class Line:
    """A staircase through (x, y), and a band from `low` to `high` if these are given."""

    name: str
    x: Array
    y: Array
    low: Array | None = None
    high: Array | None = None


@dataclass(frozen=True, slots=True)
class _Frame:
    """Converts values to positions in the picture."""

    x: tuple[float, float]
    y: tuple[float, float]

    def across(self, value: float) -> float:
        low, high = self.x
        return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def down(self, value: float) -> float:
        low, high = self.y
        share = (min(value, high) - low) / (high - low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def losses(
    lines: Sequence[Line], points: tuple[Array, Array] | None, high: float, title: str
) -> str:
    """Staircases over trials, and points behind them. Values above `high` are drawn on the upper
    edge.
    """
    clouds = [] if points is None else [points]
    every = np.concatenate([line.y for line in lines] + [y for _, y in clouds])
    finite = every[np.isfinite(every)]
    if not len(finite):
        return ""
    ends = np.concatenate([line.x for line in lines] + [x for x, _ in clouds])
    frame = _Frame(_widened(ends.min(), ends.max()), _widened(float(finite.min()), high))
    parts = _axes(frame)
    for x, y in clouds:
        parts += _cloud(frame, x, y)
    for i, line in enumerate(lines):
        parts += _staircase(frame, line, f"c{i % _COLOURS}")
    return _svg(parts, _HEIGHT, title)


def bars(found: Importance, grey: bool) -> str:
    """A bar for each parameter, with a whisker between the quartiles over trees."""
    room, most = _BESIDE, _NARROW - _BESIDE - 50
    parts = []
    for i, label in enumerate(found.labels):
        y = 8 + 24 * i
        width = most * float(found.share[i])
        low, high = (room + most * float(each[i]) for each in (found.low, found.high))
        shown = label if len(label) <= _LABEL else f"{label[: _LABEL - 1]}…"
        kind = "grey" if grey else "c0"
        parts += [
            f'<text x="{room - 8}" y="{y + 13}" text-anchor="end">{text(shown)}</text>',
            f'<rect class="bar {kind}" x="{room}" y="{y}" height="18" width="{max(width, 1):.1f}"'
            "/>",
            f'<path class="whisker" d="M{low:.1f} {y + 9}H{high:.1f}M{low:.1f} {y + 4}v10'
            f'M{high:.1f} {y + 4}v10"/>',
            f'<text x="{max(high, room + width) + 6:.1f}" y="{y + 13}">'
            f"{float(found.share[i]):.0%}</text>",
        ]
    height = 16 + 24 * len(found.labels)
    return _svg(parts, height, "Importance of each parameter", _NARROW)


def _svg(parts: Sequence[str], height: int, title: str, width: int = _WIDTH) -> str:
    return (
        f'<svg class="picture" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{text(title)}">{"".join(parts)}</svg>'
    )


def _widened(low: float, high: float) -> tuple[float, float]:
    """The range from `low` to `high` with a margin."""
    margin = 0.04 * (high - low) or abs(low) * 0.1 or 1.0
    if not math.isfinite(margin):
        margin = 0.0
    return low - margin, high + margin


def _axes(frame: _Frame) -> list[str]:
    parts = [f'<path class="axis" d="M{_LEFT} {_TOP}V{_HEIGHT - _BOTTOM}H{_WIDTH - _RIGHT}"/>']
    for tick in _ticks(*frame.y):
        y = frame.down(tick)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number(tick)}</text>'
        )
    for tick in _ticks(*frame.x):
        if tick == round(tick):
            x = frame.across(tick)
            y = _HEIGHT - _BOTTOM + 16
            parts.append(f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{tick:.0f}</text>')
    return parts


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between two values, about five."""
    step = 10 ** math.floor(math.log10((high - low) / 4)) if math.isfinite(high - low) else 0.0
    if not step:
        return []
    step *= next((m for m in (1, 2, 5) if (high - low) / (step * m) <= 6), 10)
    first = math.ceil(low / step)
    count = int((high - first * step) / step) + 1
    return [round((first + i) * step, 12) for i in range(count)]


def _cloud(frame: _Frame, x: Array, y: Array) -> list[str]:
    at = np.flatnonzero(np.isfinite(y))
    at = at[:: max(1, math.ceil(len(at) / _POINTS))]
    return [
        f'<circle class="dot" cx="{frame.across(x[i]):.1f}" cy="{frame.down(y[i]):.1f}" r="2.5"/>'
        for i in at
    ]


def _staircase(frame: _Frame, line: Line, colour: str) -> list[str]:
    seen = np.flatnonzero(np.isfinite(line.y))
    if not len(seen):
        return []
    steps = seen[np.append(True, np.diff(line.y[seen]) != 0)]
    parts = []
    if line.low is not None and line.high is not None:
        parts.append(_band(frame, line, colour))
    path = f"M{frame.across(line.x[steps[0]]):.1f} {frame.down(line.y[steps[0]]):.1f}"
    for i in steps[1:]:
        path += f"H{frame.across(line.x[i]):.1f}V{frame.down(line.y[i]):.1f}"
    parts.append(f'<path class="line {colour}" d="{path}H{frame.across(line.x[-1]):.1f}"/>')
    return parts


def _band(frame: _Frame, line: Line, colour: str) -> str:
    assert line.low is not None
    assert line.high is not None
    seen = np.flatnonzero(np.isfinite(line.high))
    seen = seen[:: max(1, math.ceil(len(seen) / _POINTS))]
    there = [f"{frame.across(line.x[i]):.1f} {frame.down(line.low[i]):.1f}" for i in seen]
    back = [f"{frame.across(line.x[i]):.1f} {frame.down(line.high[i]):.1f}" for i in seen[::-1]]
    return f'<path class="band {colour}" d="M{"L".join([*there, *back])}Z"/>' if there else ""
