"""`gp_minimize`: Bayesian optimisation with a Gaussian process."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from sparktune.executors.platforms import Platform
from sparktune.skopt.optimizer.base import base_minimize
from sparktune.skopt.utils import cook_estimator


def gp_minimize(
    func: Callable[[list[Any]], Any],
    dimensions: Any,
    base_estimator: Any = None,
    n_calls: int = 100,
    n_random_starts: int | None = None,
    n_initial_points: int = 10,
    initial_point_generator: Any = "random",
    acq_func: str = "gp_hedge",
    acq_optimizer: str = "auto",
    x0: Any = None,
    y0: Any = None,
    random_state: Any = None,
    verbose: bool = False,
    callback: Any = None,
    n_points: int = 10000,
    n_restarts_optimizer: int = 5,
    xi: float = 0.01,
    kappa: Any = 1.96,
    noise: Any = "gaussian",
    n_jobs: int = 1,
    model_queue_size: int | None = None,
    space_constraint: Callable[[list[Any]], bool] | None = None,
    *,
    on: Platform | None = None,
    journal: str | os.PathLike[str] | None = None,
) -> Any:
    """Minimise a function by Bayesian optimisation with a Gaussian process.

    Args:
        base_estimator: another model; None: a Gaussian process.
        noise: of the losses: "gaussian", unknown; or its variance, as a share of theirs.

    All other arguments, what is returned and what is raised are those of `base_minimize`.
    """
    if base_estimator is None:
        base_estimator = cook_estimator("GP", space=dimensions, noise=noise)
    return base_minimize(
        func,
        dimensions,
        base_estimator,
        n_calls,
        n_random_starts,
        n_initial_points,
        initial_point_generator,
        acq_func,
        acq_optimizer,
        x0,
        y0,
        random_state,
        verbose,
        callback,
        n_points,
        n_restarts_optimizer,
        xi,
        kappa,
        n_jobs,
        model_queue_size,
        space_constraint,
        on=on,
        journal=journal,
    )
