"""Plots of parameters: values, histograms, losses, parallel coordinates, importance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from sparktune.plots import drawing
from sparktune.results.importance import Importance
from sparktune.results.scales import Coordinates, Histogram, Values
from sparktune.results.series import top

_INACTIVE = -0.12  # height at which a line passes the axis of an inactive parameter


def draw_values(data: Sequence[Values]) -> Figure:
    """Draw the values of each parameter over the trials, with a star on the best trial."""
    figure, axes = drawing.panels(len(data))
    drawing.titles(axes, [each.scale for each in data])
    last = max(int(each.id.max()) for each in data)
    for ax, each in zip(axes, data, strict=True):
        size = drawing.point_size(len(each.id))
        usable = each.usable
        ax.scatter(
            each.id[usable],
            each.spread[usable],
            color=drawing.SKY,
            s=size,
            linewidths=0,
            label="finite loss",
        )
        ax.scatter(
            each.id[~usable],
            each.spread[~usable],
            color=drawing.RED,
            marker="x",
            s=size,
            linewidths=0.7,
            label="no finite loss",
        )
        if each.best is not None:
            _star(ax, each.id[each.best], each.value[each.best])
        drawing.parameter_axis(ax, "y", each.scale)
        ax.set_xlim(-0.02 * last - 0.5, 1.02 * last + 0.5)
        drawing.whole_ticks(ax)
    figure.supxlabel("trial", fontsize=9)
    _figure_legend(figure, axes)
    return figure


def draw_histograms(data: Sequence[Histogram]) -> Figure:
    """Draw a histogram for each parameter: the first study filled, the others as outlines."""
    figure, axes = drawing.panels(len(data))
    drawing.titles(axes, [each.scale for each in data])
    for ax, each in zip(axes, data, strict=True):
        for i, (name, shares) in enumerate(each.shares.items()):
            colour = drawing.CYCLE[i % len(drawing.CYCLE)]
            ax.stairs(
                shares,
                each.edges,
                fill=i == 0,
                color=colour,
                alpha=0.45 if i == 0 else 1.0,
                linewidth=1.4,
                label=drawing.plain(name),
            )
        drawing.parameter_axis(ax, "x", each.scale)
        drawing.percent(ax.yaxis)
    figure.supylabel("share of trials where active", fontsize=9)
    if len(data[0].shares) > 1:
        _figure_legend(figure, axes)
    return figure


def draw_scatter(data: Sequence[Values]) -> Figure:
    """Draw the loss over each parameter, coloured from early to late trials."""
    figure, axes = drawing.panels(len(data), share_y=True)
    drawing.titles(axes, [each.scale for each in data])
    losses = np.concatenate([each.loss for each in data])
    norm = Normalize(0, max(1, *(int(each.id.max()) for each in data)))
    dots: Any = None
    for ax, each in zip(axes, data, strict=True):
        cut = drawing.loss_axis(ax, losses)
        ax.set_ylabel("")
        usable = each.usable
        dots = drawing.losses(
            ax,
            each.spread[usable],
            each.loss[usable],
            cut,
            c=each.id[usable],
            cmap=drawing.COLOUR_MAP,
            norm=norm,
            s=drawing.point_size(len(each.id)),
            linewidths=0,
        )
        if each.best is not None:
            _star(ax, each.value[each.best], each.loss[each.best])
        drawing.parameter_axis(ax, "x", each.scale)
    figure.supylabel("loss", fontsize=9)
    drawing.colour_bar(figure, axes, dots, "trial")
    return figure


def _star(ax: Axes, x: float, y: float) -> None:
    """Draw a star on the best trial."""
    ax.scatter(
        [x],
        [y],
        marker="*",
        color=drawing.ORANGE,
        edgecolors=drawing.BLACK,
        linewidths=0.7,
        s=110,
        zorder=3,
        label="best",
    )


def _figure_legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """Draw one legend above all panels."""
    entries: dict[str, Any] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        entries.update(zip(labels, handles, strict=True))
    figure.legend(
        entries.values(),
        entries.keys(),
        loc="outside upper left",
        ncols=min(len(entries), 6),
        frameon=False,
        fontsize=8,
    )


def draw_coordinates(data: Coordinates, ax: Axes | None) -> Figure:
    """Draw a line for each trial through its values, the best on top; the last axis is the loss."""
    d = len(data.scales)
    figure, ax = drawing.one_axes(ax, float(np.clip(1.4 * d + 2, 6, 14)), 4.2)
    cut, least = top(data.loss), float(data.loss.min())
    norm = Normalize(least, cut if cut > least else least + 1.0)
    height = np.clip(norm(data.loss), 0, 1)
    lines = np.column_stack([np.nan_to_num(data.position, nan=_INACTIVE), height])
    spots = np.broadcast_to(np.arange(d + 1), lines.shape)
    drawn = LineCollection(
        list(np.stack([spots, lines], axis=2)),
        array=data.loss,
        cmap=drawing.COLOUR_MAP,
        norm=norm,
        linewidths=0.7,
        alpha=float(np.clip(60 / len(data.loss), 0.25, 0.8)),
    )
    ax.add_collection(drawn)
    ax.plot(range(d + 1), lines[-1], color=drawing.RED, linewidth=2, label="best trial")
    _axes_of_coordinates(ax, data, norm, inactive=bool(np.isnan(data.position).any()))
    beyond = "max" if data.loss.max() > cut else "neither"
    drawing.colour_bar(figure, [ax], drawn, "loss", extend=beyond)
    drawing.legend_above(ax)
    return figure


def _axes_of_coordinates(ax: Axes, data: Coordinates, norm: Normalize, inactive: bool) -> None:
    """Draw the vertical axes, labelled with the values at their ends or the names of options."""
    ends = [*zip(data.low, data.high, strict=True), (norm.vmin, norm.vmax)]
    text: dict[str, Any] = {
        "fontsize": 7,
        "color": "#333333",
        "ha": "left",
        "va": "center",
        "zorder": 4,
    }
    text["bbox"] = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.5}
    for j, (low, high) in enumerate(ends):
        ax.plot([j, j], [0, 1], color="#444444", linewidth=1, zorder=3)
        options = data.scales[j].options if j < len(data.scales) else ()
        places = np.linspace(0, 1, len(options)) if len(options) > 1 else [0, 1]
        names = [drawing.shortened(n) for n in options] or [drawing.number(v) for v in (low, high)]
        for place, name in zip(places, names, strict=False):
            ax.text(j + 0.04, place, name, **text)
    ax.set_xticks(
        range(len(ends)), [*(drawing.plain(scale.label) for scale in data.scales), "loss"]
    )
    ax.set_yticks([_INACTIVE] if inactive else [], ["inactive"] if inactive else [])
    ax.set_ylim((_INACTIVE if inactive else 0) - 0.05, 1.05)
    ax.set_xlim(-0.15, len(ends) - 0.6)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(length=0, labelsize=8)


def draw_importance(data: Importance, ax: Axes | None) -> Figure:
    """Draw a bar for each parameter, the most important one on top, and a bar for the rest."""
    n = len(data.labels)
    figure, ax = drawing.one_axes(ax, 6.5, 1.5 + 0.32 * (n + 1))
    place = np.arange(n)
    ax.barh(place, data.share, 0.65, color=drawing.BLUE)
    ax.hlines(place, data.low, data.high, color=drawing.BLACK, linewidth=1)
    ax.barh([n], [data.rest], 0.65, color="#CCCCCC")
    for at, share in zip([*place, n], [*data.share, data.rest], strict=True):
        edge = max(share, data.high[at]) if at < n else share
        ax.text(edge + 0.01, at, f"{share:.1%}", va="center", fontsize=8)
    ax.set_yticks([*place, n], [*map(drawing.plain, data.labels), "interactions, noise"])
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.set_xlim(left=0)
    drawing.percent(ax.xaxis)
    ax.set_xlabel(
        "share of the variance of the loss that a parameter explains by itself\n"
        f"functional ANOVA of a random forest over {data.trials} trials (Hutter et al., ICML 2014);"
        "\nlines: quartiles over its trees",
        fontsize=8,
    )
    return figure
