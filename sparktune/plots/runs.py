"""Plots of whole runs: losses over trials, comparison of methods, slots over time, rungs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from sparktune.history import CODES, STATUSES
from sparktune.plots import drawing
from sparktune.results.rungs import Curves
from sparktune.results.series import Array, Convergence, LossHistory, Timeline
from sparktune.trial import Status

_UNITS = ((7200.0, 3600.0, "h"), (300.0, 60.0, "min"), (0.0, 1.0, "s"))  # least, length, name
_THICKNESS = 0.8  # of a bar, as a share of its lane


def draw_history(data: LossHistory, ax: Axes | None) -> Figure:
    """Draw losses as dots, the best loss so far as a line, and trials without a loss as marks."""
    figure, ax = drawing.one_axes(ax)
    usable = np.isfinite(data.loss)
    cut = drawing.loss_axis(ax, data.loss)
    drawing.losses(
        ax,
        data.id[usable],
        data.loss[usable],
        cut,
        color=drawing.SKY,
        s=drawing.point_size(len(data.id)),
        alpha=0.8,
        linewidths=0,
        label=f"ok ({usable.sum()})",
    )
    seen = np.isfinite(data.best)
    ax.step(
        data.id[seen],
        data.best[seen],
        where="post",
        color=drawing.BLACK,
        linewidth=1.4,
        label=f"best so far: {drawing.number(data.best[-1])}",
    )
    drawing.failures(ax, data.id[~usable], data.status[~usable])
    above = int(np.sum(data.loss[usable] > cut))
    if above:
        ax.scatter([], [], marker="^", color=drawing.SKY, s=18, label=f"off the axis ({above})")
    ax.set_xlabel("trial")
    drawing.whole_ticks(ax)
    drawing.legend_above(ax)
    return figure


def draw_convergence(data: Sequence[Convergence], ax: Axes | None) -> Figure:
    """Draw the median of the best loss so far of each method, with a band between the quartiles."""
    figure, ax = drawing.one_axes(ax)
    for i, each in enumerate(data):
        colour = drawing.CYCLE[i % len(drawing.CYCLE)]
        done = np.arange(1, len(each.median) + 1)
        runs = f"{each.runs} runs" if each.runs > 1 else "1 run"
        style = ("-", "--", ":")[i // len(drawing.CYCLE) % 3]
        label = f"{drawing.plain(each.name)} ({runs})"
        ax.step(done, _finite(each.median), style, where="post", color=colour, label=label)
        if each.runs > 1:
            ax.fill_between(
                done,
                _finite(each.low),
                _finite(each.high),
                step="post",
                color=colour,
                alpha=0.18,
                linewidth=0,
            )
    drawing.loss_axis(ax, np.concatenate([bound for e in data for bound in (e.low, e.high)]))
    ax.set_xlabel("evaluations")
    ax.set_ylabel("best loss so far: median and quartiles of runs")
    drawing.whole_ticks(ax)
    drawing.legend_above(ax)
    return figure


def _finite(values: Array) -> Array:
    """The values with NaN, which is not drawn, in place of infinite ones."""
    return np.where(np.isfinite(values), values, np.nan)


def draw_timeline(data: Timeline, ax: Axes | None) -> Figure:
    """Draw a bar for each trial in its lane, coloured by status; successful trials by their budget
    if there are several.
    """
    figure, ax = drawing.one_axes(ax, 9.0, float(np.clip(1.2 + 0.3 * data.lanes, 2.2, 10.0)))
    span = float(data.end.max())
    length, unit = next((length, name) for least, length, name in _UNITS if span >= least)
    begin, end = data.begin / length, data.end / length
    low, high = data.lane + 1 - _THICKNESS / 2, data.lane + 1 + _THICKNESS / 2
    corners = np.stack([begin, low, begin, high, end, high, end, low], axis=1).reshape(-1, 4, 2)
    kinds, colours = _kinds(data)
    crowded = np.bincount(data.lane).max() > 100
    bars = PolyCollection(
        list(corners),
        facecolors=[colours[kind] for kind in kinds],
        edgecolors="none" if crowded else "white",
        linewidths=0.0 if crowded else 0.6,
    )
    ax.add_collection(bars)
    ax.set_xlim(0.0, span / length or 1.0)
    ax.set_ylim(data.lanes + 0.6, 0.4)
    ax.yaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.set_xlabel(f"time since the first trial began ({unit}); slots busy {data.busy:.0%} of it")
    ax.set_ylabel("slot")
    counts = Counter(kinds)
    handles = [
        Patch(color=colour, label=f"{kind} ({counts[kind]})") for kind, colour in colours.items()
    ]
    drawing.legend_above(ax, handles)
    return figure


def _kinds(data: Timeline) -> tuple[list[str], dict[str, Any]]:
    """The kind of each bar, and {kind: colour} in the order of the legend."""
    budgets = np.unique(data.budget[data.status == CODES[Status.OK]])
    if len(budgets) < 2:
        kinds = [STATUSES[code].value for code in data.status]
        found = [status for status in STATUSES if status.value in kinds]
        return kinds, {status.value: drawing.STATUS_COLOURS[status] for status in found}
    colours: dict[str, Any] = dict(
        zip([f"budget {budget:g}" for budget in budgets], rung_colours(len(budgets)), strict=True)
    )
    kinds = []
    for code, budget in zip(data.status, data.budget, strict=True):
        status = STATUSES[code]
        kinds.append(f"budget {budget:g}" if status is Status.OK else status.value)
        if status is not Status.OK:
            colours.setdefault(status.value, drawing.STATUS_COLOURS[status])
    return kinds, colours


def rung_colours(n: int) -> list[Any]:
    """Colours of n rungs, from pale to dark."""
    return list(colormaps["Blues"](np.linspace(0.3, 1.0, n)))


def draw_rungs(data: Curves, ax: Axes | None) -> Figure:
    """Draw the losses of each configuration as a line over its budgets."""
    figure, ax = drawing.one_axes(ax)
    x, y = np.concatenate(data.budget), np.concatenate(data.loss)
    cut = drawing.loss_axis(ax, y)
    ax.set_xscale("log")
    for explored, colour, label in (
        (False, drawing.SKY, "promoted"),
        (True, drawing.ORANGE, "explored"),
    ):
        lines = [
            np.column_stack([budget, np.minimum(loss, cut)])
            for budget, loss, each in zip(data.budget, data.loss, data.explored, strict=True)
            if len(budget) > 1 and each is explored
        ]
        if lines:
            named = f"{label} ({len(lines)})"
            ax.add_collection(LineCollection(lines, colors=colour, linewidths=0.9, label=named))
    style: dict[str, Any] = {"linewidths": 0, "alpha": 0.7, "zorder": 3, "color": drawing.GREY}
    style["label"] = f"evaluations ({len(x)})"
    drawing.losses(ax, x, y, cut, s=drawing.point_size(len(x)), **style)
    best = np.minimum(data.loss[data.best], cut)
    label = f"best: {drawing.number(data.loss[data.best][-1])}"
    line: dict[str, Any] = {"color": drawing.BLACK, "markersize": 4, "linewidth": 1.6, "zorder": 4}
    ax.plot(data.budget[data.best], best, "o-", label=label, **line)
    ax.set_xticks(data.rungs, [f"{rung:g}" for rung in data.rungs])
    ax.set_xticks([], minor=True)
    ax.set_xlabel("budget")
    drawing.legend_above(ax)
    return figure
