"""Plots of results, as in scikit-optimize. They are drawn with matplotlib's pyplot and returned as
`Axes`. For a matrix of plots, the `Axes` that the matrix replaces are returned; `figure.axes` has
all of them.

Needs matplotlib: pip install 'sparktune[plots]'. `sparktune.plots` draws the `study` of a result.
"""

from sparktune.results.packages import require

require("matplotlib", "sparktune.skopt.plots", "matplotlib", "plots")

from sparktune.skopt._partial import (  # noqa: E402
    chosen_point,
    partial_dependence,
    partial_dependence_1D,
    partial_dependence_2D,
)
from sparktune.skopt.plots._evaluations import plot_evaluations, plot_histogram  # noqa: E402
from sparktune.skopt.plots._objective import plot_objective, plot_objective_2D  # noqa: E402
from sparktune.skopt.plots._process import plot_gaussian_process  # noqa: E402
from sparktune.skopt.plots._traces import plot_convergence, plot_regret  # noqa: E402

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

_evaluate_min_params = chosen_point
"""The name of `chosen_point` in scikit-optimize."""
