"""Plots of the partial dependence of the last model on one or two dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from sparktune.errors import InvalidArgument
from sparktune.plots.drawing import BLUE, RED
from sparktune.skopt._partial import chosen_point, partial_dependence_1D, partial_dependence_2D
from sparktune.skopt._results import last_model
from sparktune.skopt.plots._matrix import chosen, labelled, matrix, names_of, scale, values_of


def plot_objective(
    result: Any,
    levels: int = 10,
    n_points: int = 40,
    n_samples: int = 250,
    size: float = 2,
    wspace: float = 0.35,
    hspace: float = 0.35,
    zscale: str = "linear",
    dimensions: Sequence[str] | None = None,
    sample_source: Any = "random",
    minimum: Any = "result",
    n_minimum_search: int | None = None,
    plot_dims: Sequence[Any] | None = None,
    show_points: bool = True,
    cmap: str = "viridis_r",
    ax: Any = None,
) -> Any:
    """Draw the partial dependence of the last model as a matrix of plots, with a row and a column
    for each dimension.

    The diagonal shows the dependence on one dimension, the plots below it the dependence on two
    dimensions. A line and a star mark the minimum.

    Args:
        levels: number of contour levels.
        n_points: number of values of each dimension.
        n_samples: number of random points over which the other dimensions are averaged.
        zscale: scale of the losses, "linear" or "log".
        sample_source: "random": average over random points; or a point, given as in `minimum`, that
            fixes the other dimensions.
        minimum: "result", the best evaluated point; "expected_minimum" or
            "expected_minimum_random", the minimum of the model; or a point.
        n_minimum_search: number of starts or random points of the search for that minimum.
        show_points: whether to draw the evaluated points.

    All other arguments are those of `plot_evaluations`.

    Raises:
        ValueError: an argument is invalid, or the result has no model.
    """
    model, samples, best = _prepared(result, sample_source, n_samples, minimum, n_minimum_search)
    dims = chosen(result, plot_dims)
    ax, axes = matrix(len(dims), size, wspace, hspace, ax)
    columns = [values_of(dimension, result.x_iters, i) for i, dimension in dims]
    at = [values_of(dimension, [best], i)[0] for i, dimension in dims]
    lowest: list[float] = []
    for row, (i, _) in enumerate(dims):
        xi, yi = partial_dependence_1D(result.space, model, i, samples, n_points)
        lowest += [float(yi.min()), float(yi.max())]
        axes[row, row].plot(xi, yi, c=BLUE)
        axes[row, row].axvline(at[row], ls="--", c=RED, lw=1)
        if zscale == "log":
            axes[row, row].set_yscale("log")
        for column in range(row):
            grid = partial_dependence_2D(result.space, model, i, dims[column][0], samples, n_points)
            there = axes[row, column]
            _contours(there, grid, levels, zscale, cmap)
            if show_points:
                there.scatter(columns[column], columns[row], c="black", s=8, lw=0)
            there.scatter(at[column], at[row], c=RED, s=80, marker="*", lw=0)
    if zscale != "log":
        margin = 0.05 * (max(lowest) - min(lowest)) or 1.0
        for row in range(len(dims)):
            axes[row, row].set_ylim(min(lowest) - margin, max(lowest) + margin)
    labelled(axes, dims, names_of(dims, result, dimensions), "Partial dependence")
    return ax


def _prepared(
    result: Any, source: Any, n_samples: int, minimum: Any, n_search: int | None
) -> tuple[Any, Any, Any]:
    """Return the last model, the samples to average over, and the minimum as a point."""
    model = last_model(result)
    space = result.space
    if isinstance(source, str) and source == "random":
        samples = space.transform(space.rvs(n_samples, random_state=0))
    else:
        samples = space.transform([chosen_point(result, source, n_search)])
    best = chosen_point(result, minimum, n_search)
    return model, samples, best


def _contours(ax: Any, grid: tuple[Any, Any, Any], levels: int, zscale: str, cmap: str) -> Any:
    if zscale not in ("linear", "log"):
        raise InvalidArgument(f"zscale must be 'linear' or 'log', got {zscale!r}")
    xi, yi, zi = grid
    if zscale == "log" and (zi > 0).all() and zi.max() > zi.min():
        steps = np.geomspace(zi.min(), zi.max(), levels + 1)
        return ax.contourf(xi, yi, zi, steps, norm=LogNorm(), cmap=cmap, alpha=0.8)
    return ax.contourf(xi, yi, zi, levels, cmap=cmap, alpha=0.8)


def plot_objective_2D(
    result: Any,
    dimension_identifier1: Any,
    dimension_identifier2: Any,
    n_points: int = 40,
    n_samples: int = 250,
    levels: int = 10,
    zscale: str = "linear",
    sample_source: Any = "random",
    minimum: Any = "result",
    n_minimum_search: int | None = None,
    ax: Any = None,
) -> Any:
    """Draw the partial dependence of the last model on two dimensions, given by name or index. All
    other arguments are those of `plot_objective`.
    """
    model, samples, best = _prepared(result, sample_source, n_samples, minimum, n_minimum_search)
    dims = chosen(result, [dimension_identifier1, dimension_identifier2])
    (i, first), (j, second) = dims
    ax = plt.gca() if ax is None else ax
    grid = partial_dependence_2D(result.space, model, j, i, samples, n_points)
    drawn = _contours(ax, grid, levels, zscale, "viridis_r")
    x, y = values_of(first, result.x_iters, i), values_of(second, result.x_iters, j)
    ax.scatter(x, y, c="black", s=10, lw=0, label="Sampled points")
    at = values_of(first, [best], i), values_of(second, [best], j)
    ax.scatter(*at, c=RED, s=100, marker="*", lw=0, label="Minimum")
    scale(ax.xaxis, ax, first, "x")
    scale(ax.yaxis, ax, second, "y")
    names = names_of(dims, result, None)
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.figure.colorbar(drawn, ax=ax)
    ax.legend(loc="best")
    return ax
