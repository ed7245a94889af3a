"""Axes of single dimensions, and matrices of axes for pairs of dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.plots.drawing import BLUE
from sparktune.skopt.space import Categorical, Dimension

_LONGEST = 12
"""The largest number of characters shown of a category."""


def chosen(result: Any, plot_dims: Any) -> list[tuple[int, Dimension]]:
    """Return (index, dimension) of the dimensions to draw; None: all that are not constant."""
    space = result.space
    if plot_dims is None:
        return [(i, each) for i, each in enumerate(space.dimensions) if not each.is_constant]
    dims = [space[each] for each in plot_dims]
    if any(i is None for i, _ in dims):
        raise InvalidArgument(
            f"plot_dims must be names or indices of the dimensions {space.dimension_names}, "
            f"got {plot_dims!r}"
        )
    return dims


def matrix(n: int, size: float, wspace: float, hspace: float, ax: Any) -> tuple[Any, Any]:
    """Return the axes that the matrix replaces, and the matrix of axes (n, n). Axes above the
    diagonal are hidden.
    """
    if ax is None:
        ax = plt.figure(figsize=(size * n, size * n)).add_subplot()
    ax.set_axis_off()
    axes = np.asarray(ax.figure.subplots(n, n, squeeze=False))
    ax.figure.subplots_adjust(
        left=0.1, right=0.95, bottom=0.1, top=0.95, hspace=hspace, wspace=wspace
    )
    for row in range(n):
        for column in range(row + 1, n):
            axes[row, column].set_visible(False)
    return ax, axes


def labelled(
    axes: Any, dims: list[tuple[int, Dimension]], names: Sequence[str], diagonal: str
) -> None:
    """Set the scales, ticks and labels of a matrix; `diagonal` labels y axes on the diagonal."""
    n = len(dims)
    for row in range(n):
        for column in range(row + 1):
            ax = axes[row, column]
            scale(ax.xaxis, ax, dims[column][1], "x")
            ax.tick_params(labelsize=8)
            if row == n - 1:
                ax.set_xlabel(names[column])
                ax.tick_params(axis="x", rotation=45)
            elif row != column:
                ax.set_xticklabels([])
            if row == column:
                ax.yaxis.tick_right()
                ax.yaxis.set_label_position("right")
                ax.set_ylabel(diagonal)
                ax.xaxis.tick_bottom() if row == n - 1 else ax.xaxis.tick_top()
                continue
            scale(ax.yaxis, ax, dims[row][1], "y")
            if column == 0:
                ax.set_ylabel(names[row])
            else:
                ax.set_yticklabels([])


def scale(axis: Any, ax: Any, dimension: Dimension, which: str) -> None:
    if isinstance(dimension, Categorical):
        n = len(dimension.categories)
        axis.set_ticks(range(n), [_short(each) for each in dimension.categories])
        limits = (-0.5, n - 0.5)
    else:
        limits = tuple(dimension.bounds)
        if dimension.prior == "log-uniform":
            ax.set_xscale("log") if which == "x" else ax.set_yscale("log")
    ax.set_xlim(limits) if which == "x" else ax.set_ylim(limits)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def names_of(dims: list[tuple[int, Dimension]], result: Any, given: Any) -> list[str]:
    if given is not None:
        if len(given) != len(dims):
            raise InvalidArgument(f"{len(dims)} dimensions need as many names, got {len(given)}")
        return list(given)
    return [result.space.dimension_names[i].replace("X_", "$X_") + "$" * (d.name is None)
            for i, d in dims]  # fmt: skip


def values_of(dimension: Dimension, points: Sequence[Any], i: int) -> Any:
    """Return the values of points in dimension i; for categories, their indices."""
    if isinstance(dimension, Categorical):
        return np.array([dimension.position(point[i]) for point in points], dtype=float)
    return np.array([point[i] for point in points], dtype=float)


def histogram(ax: Any, dimension: Dimension, values: Any, bins: int) -> None:
    if isinstance(dimension, Categorical):
        n = len(dimension.categories)
        ax.bar(range(n), np.bincount(values.astype(int), minlength=n), color=BLUE)
        return
    low, high = (float(each) for each in dimension.bounds)
    log = dimension.prior == "log-uniform"
    edges = np.geomspace(low, high, bins + 1) if log else np.linspace(low, high, bins + 1)
    ax.hist(values, bins=edges, color=BLUE)
