"""Pictures of results, as scikit-optimize has them; drawn with matplotlib's pyplot, and returned as
`Axes`, of a matrix of pictures as an array of them.

Needs matplotlib: pip install 'sparktune[plots]'. `sparktune.plots` draws the `study` of a result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.results.packages import require
from sparktune.skopt._partial import (
    chosen_point as _evaluate_min_params,
)
from sparktune.skopt._partial import (
    partial_dependence,
    partial_dependence_1D,
    partial_dependence_2D,
)
from sparktune.skopt.acquisition import _gaussian_acquisition
from sparktune.skopt.space import Categorical, Dimension

require("matplotlib", "sparktune.skopt.plots", "matplotlib", "plots")

import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.colors import LogNorm  # noqa: E402

from sparktune.plots.drawing import BLUE, COLOUR_MAP, CYCLE, ORANGE, RED  # noqa: E402

__all__ = [
    "partial_dependence",
    "partial_dependence_1D",
    "partial_dependence_2D",
    "plot_convergence",
    "plot_evaluations",
    "plot_gaussian_process",
    "plot_histogram",
    "plot_objective",
    "plot_objective_2D",
    "plot_regret",
]

_LONGEST = 12
"""Of the text of a category, so many characters are shown."""


def plot_convergence(
    *results: Any, true_minimum: float | None = None, yscale: str | None = None, ax: Any = None
) -> Any:
    """The smallest loss so far against the number of calls.

    Args:
        results: results; lists of results, whose mean is drawn; or (name, one of them).
        true_minimum: drawn as a line.
        yscale: of the axis, such as "log".
        ax: where to draw; None: the current axes.
    """
    ax = plt.gca() if ax is None else ax
    ax.set(title="Convergence plot", xlabel="Number of calls $n$")
    ax.set_ylabel(r"$\min f(x)$ after $n$ calls")
    _traces(ax, results, np.minimum.accumulate)
    return _finished(ax, true_minimum, yscale, len(results))


def plot_regret(
    *results: Any, true_minimum: float | None = None, yscale: str | None = None, ax: Any = None
) -> Any:
    """The sum of the losses above the minimum against the number of calls. Arguments as for
    `plot_convergence`; without `true_minimum` it is the smallest loss of all.
    """
    ax = plt.gca() if ax is None else ax
    ax.set(title="Cumulative regret plot", xlabel="Number of calls $n$")
    ax.set_ylabel(r"$\sum_{i=0}^n(f(x_i) - f_{min})$ after $n$ calls")
    given = [result for _, listed in map(_named, results) for result in listed]
    least = min(float(res.fun) for res in given) if true_minimum is None else true_minimum

    def regret(losses: Any) -> Any:
        finite = losses[np.isfinite(losses)]
        return np.cumsum(np.where(np.isfinite(losses), losses, finite.max(initial=least)) - least)

    _traces(ax, results, regret)
    return _finished(ax, None, yscale, len(results))


def _named(given: Any) -> tuple[str | None, list[Any]]:
    """The name and the results of an argument."""
    name = None
    if isinstance(given, tuple):
        name, given = given
    return name, list(given) if isinstance(given, list) else [given]


def _traces(ax: Any, results: Sequence[Any], of: Any) -> None:
    for colour, given in zip(_colours(), results, strict=False):
        name, listed = _named(given)
        traces = [of(np.asarray(res.func_vals, dtype=float)) for res in listed]
        for trace in traces:
            trace[~np.isfinite(trace)] = np.nan
            several = len(traces) > 1
            ax.plot(
                np.arange(1, len(trace) + 1), trace, c=colour,
                alpha=0.3 if several else 1.0, marker=None if several else ".",
                markersize=9, lw=1 if several else 2, label=None if several else name,
            )  # fmt: skip
        if len(traces) > 1:
            n = min(map(len, traces))
            mean = np.mean([trace[:n] for trace in traces], axis=0)
            ax.plot(np.arange(1, n + 1), mean, c=colour, lw=2, label=name)


def _colours() -> Iterator[str]:
    while True:
        yield from CYCLE


def _finished(ax: Any, minimum: float | None, yscale: str | None, n: int) -> Any:
    ax.grid(alpha=0.4)
    if minimum is not None:
        ax.axhline(minimum, ls="--", c=RED, lw=1, label="True minimum")
    if yscale is not None:
        ax.set_yscale(yscale)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="best")
    return ax


def plot_gaussian_process(
    res: Any,
    ax: Any = None,
    n_calls: int = -1,
    objective: Any = None,
    n_points: int = 1000,
    noise_level: float = 0,
    show_legend: bool = True,
    show_title: bool = True,
    show_acq_func: bool = False,
    show_next_point: bool = False,
    show_observations: bool = True,
    show_mu: bool = True,
) -> Any:
    """The model of a function of one real number: its mean, and a band of 1.96 standard deviations.

    Args:
        res: a result with a model.
        ax: where to draw; None: the current axes.
        n_calls: which model; -1: the last.
        objective: the function, drawn as a line.
        n_points: values at which all are computed.
        noise_level: standard deviation of the noise of the objective, drawn as a band.
        show_legend, show_title, show_acq_func, show_next_point, show_observations, show_mu: what
            to draw; the acquisition is drawn instead of the model.

    Raises:
        ValueError: there are several dimensions, or it is no number.
    """
    space = res.space
    if space.n_dims != 1 or space.is_categorical:
        raise InvalidArgument("plot_gaussian_process needs one dimension, of numbers")
    ax = plt.gca() if ax is None else ax
    n = len(res.x_iters) if n_calls < 0 else len(res.x_iters) - len(res.models) + 1 + n_calls
    model = res.models[n_calls]
    low, high = (float(each) for each in space.bounds[0])
    x = np.linspace(low, high, n_points)
    numbers = space.transform([[value] for value in x])
    losses = np.asarray(res.func_vals[:n])
    if show_acq_func:
        _draw_acquisition(ax, res, model, x, numbers, float(losses.min()), show_next_point)
    else:
        _draw_objective(ax, objective, x, noise_level)
        _draw_model(ax, model, x, numbers, show_mu)
        if show_observations:
            ax.plot(np.ravel(res.x_iters[:n]), losses, ".", c=RED, ms=8, label="Observations")
        if show_next_point:
            at = x[int(np.argmax(_acquired(res, model, numbers, float(losses.min()))))]
            ax.axvline(at, c=ORANGE, ls=":", label="Next point")
    if show_title:
        ax.set_title(f"x* = {res.x[0]:.4f}, f(x*) = {res.fun:.4f}")
    if show_legend:
        ax.legend(loc="best")
    ax.grid(alpha=0.4)
    ax.set_xlabel("x")
    ax.set_ylabel("acquisition" if show_acq_func else "f(x)")
    return ax


def _draw_objective(ax: Any, objective: Any, x: Any, noise: float) -> None:
    if objective is None:
        return
    values = np.array([objective([value]) for value in x])
    ax.plot(x, values, "-", c="black", lw=1, label="True (unknown)")
    if noise:
        band = 1.96 * noise
        ax.fill_between(x, values - band, values + band, color="black", alpha=0.15)


def _draw_model(ax: Any, model: Any, x: Any, numbers: Any, wanted: bool) -> None:
    if not wanted:
        return
    mean, sd = model.predict(numbers, return_std=True)
    ax.plot(x, mean, "--", c=BLUE, label=r"$\mu(x)$")
    ax.fill_between(x, mean - 1.96 * sd, mean + 1.96 * sd, color=BLUE, alpha=0.2, label="CI")


def _acquired(res: Any, model: Any, numbers: Any, best: float) -> Any:
    """The acquisition of a result, the larger the better; EI where it was chosen by chance."""
    args = (res.specs or {}).get("args", {})
    name = args.get("acq_func", "EI")
    name = name.removesuffix("ps") if name.removesuffix("ps") in ("EI", "PI", "LCB") else "EI"
    options = {key: args[key] for key in ("xi", "kappa") if key in args}
    return -_gaussian_acquisition(numbers, model, best, name, acq_func_kwargs=options)


def _draw_acquisition(
    ax: Any, res: Any, model: Any, x: Any, numbers: Any, best: float, next_point: bool
) -> None:
    values = _acquired(res, model, numbers, best)
    ax.plot(x, values, c=BLUE, label="acquisition")
    ax.fill_between(x, values.min(), values, color=BLUE, alpha=0.2)
    if next_point:
        top = int(np.argmax(values))
        ax.plot(x[top], values[top], "o", c=ORANGE, label="Next point")


# Matrices of dimensions


def _chosen(result: Any, plot_dims: Any) -> list[tuple[int, Dimension]]:
    """The dimensions to draw: those named, or all that are not constant."""
    space = result.space
    if plot_dims is None:
        return [(i, each) for i, each in enumerate(space.dimensions) if not each.is_constant]
    found = [space[each] for each in plot_dims]
    if any(i is None for i, _ in found):
        raise InvalidArgument(f"plot_dims must name dimensions of {space.dimension_names}")
    return found


def _matrix(n: int, size: float, wspace: float, hspace: float, ax: Any) -> Any:
    """Axes (n, n), those above the diagonal hidden."""
    if ax is None:
        figure, axes = plt.subplots(n, n, figsize=(size * n, size * n), squeeze=False)
    else:
        figure, axes = ax.figure, np.asarray(ax.figure.subplots(n, n, squeeze=False))
        ax.set_axis_off()
    figure.subplots_adjust(left=0.1, right=0.95, bottom=0.1, top=0.95, hspace=hspace, wspace=wspace)
    for row in range(n):
        for column in range(row + 1, n):
            axes[row, column].set_visible(False)
    return axes


def _labelled(
    axes: Any, dims: list[tuple[int, Dimension]], names: Sequence[str], diagonal: str
) -> Any:
    """Scales, ticks and names of a matrix; the one pair of axes if there is one."""
    n = len(dims)
    for row in range(n):
        for column in range(row + 1):
            ax = axes[row, column]
            _scale(ax.xaxis, ax, dims[column][1], "x")
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
            _scale(ax.yaxis, ax, dims[row][1], "y")
            if column == 0:
                ax.set_ylabel(names[row])
            else:
                ax.set_yticklabels([])
    return axes[0, 0] if n == 1 else axes


def _scale(axis: Any, ax: Any, dimension: Dimension, which: str) -> None:
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


def _names(dims: list[tuple[int, Dimension]], result: Any, given: Any) -> list[str]:
    if given is not None:
        if len(given) != len(dims):
            raise InvalidArgument(f"there are {len(dims)} dimensions, and {len(given)} names")
        return list(given)
    return [result.space.dimension_names[i].replace("X_", "$X_") + "$" * (d.name is None)
            for i, d in dims]  # fmt: skip


def _values(dimension: Dimension, points: Sequence[Any], i: int) -> Any:
    """The values of points in dimension i, positions of categories."""
    if isinstance(dimension, Categorical):
        return np.array([dimension.position(point[i]) for point in points], dtype=float)
    return np.array([point[i] for point in points], dtype=float)


def _histogram(ax: Any, dimension: Dimension, values: Any, bins: int) -> None:
    if isinstance(dimension, Categorical):
        n = len(dimension.categories)
        ax.bar(range(n), np.bincount(values.astype(int), minlength=n), color=BLUE)
        return
    low, high = (float(each) for each in dimension.bounds)
    log = dimension.prior == "log-uniform"
    edges = np.geomspace(low, high, bins + 1) if log else np.linspace(low, high, bins + 1)
    ax.hist(values, bins=edges, color=BLUE)


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
    dims = _chosen(result, plot_dims)
    axes = _matrix(len(dims), size, wspace, hspace, ax)
    columns = [_values(dimension, result.x_iters, i) for i, dimension in dims]
    best = [_values(dimension, [result.x], i)[0] for i, dimension in dims]
    for row, (_, dimension) in enumerate(dims):
        _histogram(axes[row, row], dimension, columns[row], bins)
        for column in range(row):
            there = axes[row, column]
            order = range(len(columns[row]))
            there.scatter(columns[column], columns[row], c=order, s=20, lw=0, cmap=cmap)
            there.scatter(best[column], best[row], c=RED, s=80, marker="*", lw=0)
    return _labelled(axes, dims, _names(dims, result, dimensions), "Number of samples")


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
    """A matrix of dimensions: what the last model expects in dependence on each on its diagonal, on
    two of them below it; a star and a line where the minimum is.

    Args:
        levels: of the contours.
        n_points: values of each dimension.
        n_samples: random points over which the other dimensions are averaged.
        zscale: of losses, "linear" or "log".
        sample_source: "random": average; a point as in `minimum`: the other dimensions are its.
        minimum: "result", the best point; "expected_minimum" and "expected_minimum_random", where
            the model expects it; or a point.
        n_minimum_search: starts, or points, of the search for it.
        show_points: whether to draw the evaluated points.

    All others as for `plot_evaluations`.

    Raises:
        ValueError: an argument is wrong, or the result has no model.
    """
    model, samples, best = _prepared(result, sample_source, n_samples, minimum, n_minimum_search)
    dims = _chosen(result, plot_dims)
    axes = _matrix(len(dims), size, wspace, hspace, ax)
    columns = [_values(dimension, result.x_iters, i) for i, dimension in dims]
    at = [_values(dimension, [best], i)[0] for i, dimension in dims]
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
    return _labelled(axes, dims, _names(dims, result, dimensions), "Partial dependence")


def _prepared(
    result: Any, source: Any, n_samples: int, minimum: Any, n_search: int | None
) -> tuple[Any, Any, Any]:
    """The last model, the samples to average over, and the point of the minimum."""
    if not result.models:
        raise InvalidArgument(
            "the result has no model, which needs more calls than n_initial_points; "
            "plot_evaluations needs none"
        )
    space = result.space
    if isinstance(source, str) and source == "random":
        samples = space.transform(space.rvs(n_samples, random_state=0))
    else:
        samples = space.transform([_evaluate_min_params(result, source, n_search)])
    best = _evaluate_min_params(result, minimum, n_search)
    return result.models[-1], samples, best


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
    """What the last model expects in dependence on two dimensions, given by names or indices. All
    other arguments as for `plot_objective`.
    """
    model, samples, best = _prepared(result, sample_source, n_samples, minimum, n_minimum_search)
    dims = _chosen(result, [dimension_identifier1, dimension_identifier2])
    (i, first), (j, second) = dims
    ax = plt.gca() if ax is None else ax
    grid = partial_dependence_2D(result.space, model, j, i, samples, n_points)
    drawn = _contours(ax, grid, levels, zscale, "viridis_r")
    x, y = _values(first, result.x_iters, i), _values(second, result.x_iters, j)
    ax.scatter(x, y, c="black", s=10, lw=0, label="Sampled points")
    at = _values(first, [best], i), _values(second, [best], j)
    ax.scatter(*at, c=RED, s=100, marker="*", lw=0, label="Minimum")
    _scale(ax.xaxis, ax, first, "x")
    _scale(ax.yaxis, ax, second, "y")
    names = _names(dims, result, None)
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.figure.colorbar(drawn, ax=ax)
    ax.legend(loc="best")
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
    ((i, dimension),) = dims = _chosen(result, [dimension_identifier])
    ax = plt.gca() if ax is None else ax
    _histogram(ax, dimension, _values(dimension, result.x_iters, i), bins)
    _scale(ax.xaxis, ax, dimension, "x")
    ax.tick_params(axis="x", rotation=rotate_labels)
    ax.set(xlabel=_names(dims, result, None)[0], ylabel="Sample count")
    return ax
