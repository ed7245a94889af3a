"""Plot of the model of a function of one number."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.plots.drawing import BLUE, GREEN, ORANGE, RED
from sparktune.skopt._results import last_model
from sparktune.skopt.acquisition import _gaussian_acquisition


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
    """Draw the model of a function of one number: its mean, and a band of 1.96 standard deviations.

    Args:
        res: a result with a model.
        ax: where to draw; None: the current axes.
        n_calls: index of the model in `res.models`; -1: the last model.
        objective: the function itself, drawn as a line; None: not drawn.
        n_points: number of values at which the curves are computed.
        noise_level: standard deviation of the noise of the objective, drawn as a band.
        show_legend, show_title, show_next_point, show_observations, show_mu: whether to draw the
            legend, the title, the next point, the evaluated points and the model.
        show_acq_func: whether to draw the acquisition function, with an axis of its own if anything
            else is drawn.

    Raises:
        ValueError: the space has several dimensions, its dimension is categorical, or the result
            has no model.
    """
    low, high = _range(res.space)
    ax = plt.gca() if ax is None else ax
    n = len(res.x_iters) if n_calls < 0 else len(res.x_iters) - len(res.models) + 1 + n_calls
    model = last_model(res) if n_calls == -1 else res.models[n_calls]
    x = np.linspace(low, high, n_points)
    numbers = res.space.transform([[value] for value in x])
    losses = np.asarray(res.func_vals[:n])
    _draw_objective(ax, objective, x, noise_level)
    _draw_model(ax, model, x, numbers, show_mu)
    if show_observations:
        ax.plot(np.ravel(res.x_iters[:n]), losses, ".", c=RED, ms=8, label="Observations")
    best = float(losses.min())
    shared = show_mu or show_observations or objective is not None
    other = ax.twinx() if shared and show_acq_func else ax
    if show_acq_func:
        _draw_acquisition(other, res, model, x, numbers, best, show_next_point)
    elif show_next_point:
        at = x[int(np.argmax(_acquired(res, model, numbers, best)))]
        ax.axvline(at, c=ORANGE, ls=":", label="Next point")
    if show_title:
        ax.set_title(f"x* = {res.x[0]:.4f}, f(x*) = {res.fun:.4f}")
    if show_legend:
        drawn = [
            h for each in dict.fromkeys((ax, other)) for h in each.get_legend_handles_labels()[0]
        ]
        other.legend(handles=drawn, loc="best")
    ax.grid(alpha=0.4)
    ax.set_xlabel("x")
    ax.set_ylabel("f(x)" if shared or not show_acq_func else "acquisition")
    return ax


def _range(space: Any) -> tuple[float, float]:
    if space.n_dims != 1 or space.is_categorical:
        raise InvalidArgument("plot_gaussian_process needs a space with one dimension, of numbers")
    low, high = space.bounds[0]
    return float(low), float(high)


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
    """Return the acquisition of a result at the rows, to be maximised; EI for "gp_hedge", "MES" and
    "PVRS".
    """
    args = (res.specs or {}).get("args", {})
    name = args.get("acq_func", "EI")
    name = name.removesuffix("ps") if name.removesuffix("ps") in ("EI", "PI", "LCB") else "EI"
    given = args | (args.get("acq_func_kwargs") or {})
    options = {key: given[key] for key in ("xi", "kappa") if key in given}
    return -_gaussian_acquisition(numbers, model, best, name, acq_func_kwargs=options)


def _draw_acquisition(
    ax: Any, res: Any, model: Any, x: Any, numbers: Any, best: float, next_point: bool
) -> None:
    values = _acquired(res, model, numbers, best)
    ax.plot(x, values, c=GREEN, label="acquisition")
    ax.fill_between(x, values.min(), values, color=GREEN, alpha=0.2)
    ax.set_ylabel("acquisition")
    if next_point:
        top = int(np.argmax(values))
        ax.plot(x[top], values[top], "o", c=ORANGE, label="Next point")
