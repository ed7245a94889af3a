"""Plots of losses against the number of calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from sparktune.plots.drawing import CYCLE, RED


def plot_convergence(
    *results: Any, true_minimum: float | None = None, yscale: str | None = None, ax: Any = None
) -> Any:
    """Draw the smallest loss so far against the number of calls.

    Args:
        results: any number of results; of lists of results, whose mean is drawn, too; or of pairs
            (name, result or list).
        true_minimum: a loss to draw as a line; None: no line.
        yscale: scale of the y axis, such as "log"; None: unchanged.
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
    """Draw the cumulative regret, which is the sum of loss - minimum, against the number of calls.
    Arguments are those of `plot_convergence`; the minimum is `true_minimum`, or else the smallest
    loss of all results.
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
    """Return the name, or None, and the list of results of an argument."""
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
