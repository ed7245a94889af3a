"""Where the points are that were tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt

from sparktune.plots.drawing import COLOUR_MAP, RED
from sparktune.skopt.plots._matrix import (
    chosen,
    histogram,
    labelled,
    matrix,
    names_of,
    scale,
    values_of,
)


def plot_evaluations(
    result: Any,
    bins: int = 20,
    dimensions: Sequence[str] | None = None,
    plot_dims: Sequence[Any] | None = None,
    size: float = 2,
    wspace: float = 0.35,
    hspace: float = 0.35,
    cmap: str = COLOUR_MAP,
    ax: Any = None,
) -> Any:
    """A matrix of dimensions: how often values were tried on its diagonal, below it the points,
    coloured from early to late, with a star on the best.

    Args:
        bins: of the histograms.
        dimensions: names to write.
        plot_dims: names or indices of the dimensions to draw; None: all that are not constant.
        size: inches of each picture.
        wspace, hspace: room between them, as shares of their size.
        cmap: name of the colours.
        ax: in the place of which the matrix is drawn; None: a new figure.
    """
    dims = chosen(result, plot_dims)
    ax, axes = matrix(len(dims), size, wspace, hspace, ax)
    columns = [values_of(dimension, result.x_iters, i) for i, dimension in dims]
    best = [values_of(dimension, [result.x], i)[0] for i, dimension in dims]
    for row, (_, dimension) in enumerate(dims):
        histogram(axes[row, row], dimension, columns[row], bins)
        for column in range(row):
            there = axes[row, column]
            order = range(len(columns[row]))
            there.scatter(columns[column], columns[row], c=order, s=20, lw=0, cmap=cmap)
            there.scatter(best[column], best[row], c=RED, s=80, marker="*", lw=0)
    labelled(axes, dims, names_of(dims, result, dimensions), "Number of samples")
    return ax


def plot_histogram(
    result: Any, dimension_identifier: Any, bins: int = 20, rotate_labels: float = 0, ax: Any = None
) -> Any:
    """How often the values of a dimension, given by its name or index, were tried.

    Args:
        bins: of the histogram.
        rotate_labels: degrees by which the labels of the axis are turned.
        ax: where to draw; None: the current axes.
    """
    ((i, dimension),) = dims = chosen(result, [dimension_identifier])
    ax = plt.gca() if ax is None else ax
    histogram(ax, dimension, values_of(dimension, result.x_iters, i), bins)
    scale(ax.xaxis, ax, dimension, "x")
    ax.tick_params(axis="x", rotation=rotate_labels)
    ax.set(xlabel=names_of(dims, result, None)[0], ylabel="Sample count")
    return ax
