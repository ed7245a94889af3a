"""Plots of the evaluated points."""

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
    """Draw the evaluated points as a matrix of plots, with a row and a column for each dimension.

    The diagonal shows histograms of the values. Below it, scatter plots show the points in two
    dimensions, coloured by the order of their evaluation, with a star at the best point.

    Args:
        bins: number of bins of each histogram.
        dimensions: labels of the dimensions; None: their names.
        plot_dims: names or indices of the dimensions to draw; None: all that are not constant.
        size: width and height of each plot in inches.
        wspace, hspace: space between plots, as a share of their width and height.
        cmap: name of a matplotlib colour map.
        ax: axes that the matrix replaces; None: a new figure.

    Raises:
        ValueError: a dimension is unknown, or the number of labels is wrong.
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
    """Draw a histogram of the evaluated values of one dimension.

    Args:
        dimension_identifier: name or index of the dimension.
        bins: number of bins.
        rotate_labels: rotation of the tick labels in degrees.
        ax: where to draw; None: the current axes.

    Raises:
        ValueError: the dimension is unknown.
    """
    ((i, dimension),) = dims = chosen(result, [dimension_identifier])
    ax = plt.gca() if ax is None else ax
    histogram(ax, dimension, values_of(dimension, result.x_iters, i), bins)
    scale(ax.xaxis, ax, dimension, "x")
    ax.tick_params(axis="x", rotation=rotate_labels)
    ax.set(xlabel=names_of(dims, result, None)[0], ylabel="Sample count")
    return ax
