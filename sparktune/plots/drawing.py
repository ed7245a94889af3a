"""Elements that all plots share: figures without pyplot, colours, axes of parameters and losses.

The colours are from M. Okabe and K. Ito, "Color Universal Design" (2008). People with any kind of
colour vision can tell them apart.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from sparktune.history import STATUSES
from sparktune.printable import printable
from sparktune.results.scales import Scale
from sparktune.results.series import Array, Whole, top
from sparktune.trial import Status

BLUE, ORANGE, RED, BLACK, GREY = "#0072B2", "#E69F00", "#D55E00", "#000000", "#999999"
GREEN, PURPLE, SKY = "#009E73", "#CC79A7", "#56B4E9"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, BLACK, RED)
STATUS_COLOURS = {
    Status.NEW: "#CCCCCC",
    Status.RUNNING: SKY,
    Status.OK: BLUE,
    Status.FAIL: ORANGE,
    Status.ERROR: RED,
    Status.CRASHED: BLACK,
    Status.TIMEOUT: PURPLE,
    Status.CANCELLED: GREY,
}
MARKERS = {
    Status.OK: "d",  # the objective returned an infinite loss
    Status.FAIL: "x",
    Status.ERROR: "+",
    Status.CRASHED: "s",
    Status.TIMEOUT: "^",
    Status.CANCELLED: "|",
}
COLOUR_MAP = "viridis"
_COLUMNS = 4  # most panels in a row
_DECADES = 200.0  # an axis with a larger ratio of its ends has labels at powers of ten only
_LONGEST = 14  # most characters of the name of an option
_ACROSS = 24  # characters that fit below a panel


class Picture(Figure):
    """A figure that a notebook displays without pyplot and without a magic command."""

    def _repr_png_(self) -> bytes:
        png = io.BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()


def one_axes(ax: Axes | None, width: float = 7.0, height: float = 4.0) -> tuple[Figure, Axes]:
    """The given axes and their figure; or new ones, `width` times `height` inches."""
    if ax is None:
        ax = Picture(figsize=(width, height), layout="constrained").subplots()
    ax.spines[["top", "right"]].set_visible(False)
    figure: Any = ax.figure
    return (figure if isinstance(figure, Figure) else figure.figure), ax


def panels(n: int, *, share_y: bool = False) -> tuple[Figure, list[Axes]]:
    """A new figure with n axes, in a grid that is about square and has at most four columns."""
    across = min(_COLUMNS, math.ceil(math.sqrt(n)))
    down = math.ceil(n / across)
    size = (max(3.0 * across, 4.5), 2.3 * down + 0.4)
    figure = Picture(figsize=size, layout="constrained")
    grid = figure.subplots(down, across, squeeze=False, sharey=share_y)
    flat = list(grid.flat)
    for ax in flat[n:]:
        ax.remove()
    for ax in flat[:n]:
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(which="both", labelsize=8)
    return figure, flat[:n]


def point_size(n: int) -> float:
    """The area of a dot, in square points, at which n dots can be told apart."""
    return float(np.clip(2500 / max(n, 1), 5, 18))


def parameter_axis(ax: Axes, which: Literal["x", "y"], scale: Scale) -> None:
    """Set the scale and the ticks of the x or y axis for a parameter whose values are drawn."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    if scale.log:
        getattr(ax, f"set_{which}scale")("log")
        _log_ticks(axis, *getattr(ax, f"get_{which}lim")())
        ax.tick_params(axis=which, which="minor", length=1.5)
    elif scale.options:
        names = [shortened(name) for name in scale.options]
        axis.set_ticks(range(len(names)), names)
        getattr(ax, f"set_{which}lim")(-0.5, len(names) - 0.5)
        if which == "x" and sum(map(len, names)) > _ACROSS:
            ax.tick_params(axis="x", rotation=25)
    else:
        axis.set_major_locator(MaxNLocator(5, integer=scale.whole))


def _log_ticks(axis: Axis, low: float, high: float) -> None:
    """Set ticks with few labels: powers of ten, or other numbers on axes of few decades."""
    axis.set_minor_formatter(NullFormatter())
    if high / low > _DECADES:
        axis.set_major_locator(LogLocator(numticks=6))
        return
    axis.set_major_locator(MaxNLocator(4) if high / low < 10 else LogLocator(subs=(1.0, 3.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def shortened(text: str) -> str:
    """A name, cut to a length that fits beside an axis."""
    text = " ".join(text.split())
    return plain(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def plain(text: str) -> str:
    """A text that matplotlib draws literally: `$` begins no formula, and invisible characters are
    escaped.
    """
    return printable(text).replace("$", r"\$")


def number(value: float) -> str:
    """The text of a value with three digits."""
    return f"{value:.3g}"


def loss_axis(ax: Axes, loss: Array) -> float:
    """Set the y axis for losses, with room for marks at both ends; return its upper end."""
    high, low = top(loss), float(np.nanmin(loss))
    room = 0.08 * (high - low) or 0.08 * abs(high) or 1.0
    ax.set_ylim(low - 1.5 * room, high + room)
    ax.set_ylabel("loss")
    return high


def losses(ax: Axes, x: Array | Whole, loss: Array, cut: float, **style: Any) -> Any:
    """Draw losses as dots, and those above `cut` as triangles at `cut`; return the dots."""
    inside = loss <= cut
    colours = style.pop("c", None)
    dots = ax.scatter(
        x[inside], loss[inside], c=None if colours is None else colours[inside], **style
    )
    if not inside.all() and np.isfinite(loss[~inside]).any():
        style.pop("label", None)
        high = ~inside & np.isfinite(loss)
        ax.scatter(
            x[high],
            np.full(int(high.sum()), cut),
            c=None if colours is None else colours[high],
            **{**style, "marker": "^", "clip_on": False},
        )
    return dots


def failures(ax: Axes, x: Whole, status: Whole) -> None:
    """Draw trials without a loss as marks at the foot of the axes, one marker for each status."""
    for code in np.unique(status):
        here = x[status == code]
        kind = STATUSES[code]
        ax.scatter(
            here,
            np.full(len(here), 0.025),
            transform=ax.get_xaxis_transform(),
            marker=MARKERS[kind],
            color=STATUS_COLOURS[kind],
            s=18,
            linewidths=0.9,
            label=f"{'loss not finite' if kind is Status.OK else kind.value} ({len(here)})",
        )


def legend_above(ax: Axes, handles: Sequence[Any] = ()) -> None:
    """Draw a legend above the axes, of `handles` or else of all labelled artists."""
    shown = list(handles) or ax.get_legend_handles_labels()[0]
    ax.legend(
        handles=shown,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=min(len(shown), 4),
        frameon=False,
        fontsize=8,
        borderaxespad=0.2,
        handletextpad=0.4,
        columnspacing=1.2,
    )


def colour_bar(
    figure: Figure, axes: Sequence[Axes], drawn: Any, label: str, extend: str = "neither"
) -> None:
    """Draw a colour bar right of the axes. It is opaque, even if the dots are not."""
    bar: Any = figure.colorbar(drawn, ax=axes, label=label, extend=extend, pad=0.02, aspect=40)
    bar.solids.set_alpha(1)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8)


def whole_ticks(ax: Axes) -> None:
    """Set integer ticks on the x axis."""
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def percent(axis: Axis) -> None:
    """Label the ticks of an axis of shares, from 0 to 1, as percentages."""
    axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))


def titles(axes: Sequence[Axes], scales: Sequence[Scale]) -> None:
    """Set the label of each parameter as the title of its panel."""
    for ax, scale in zip(axes, scales, strict=True):
        ax.set_title(plain(scale.label), fontsize=9, loc="left")
