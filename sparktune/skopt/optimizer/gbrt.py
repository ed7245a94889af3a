"""`gbrt_minimize`: optimisation with boosted quantiles."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from sparktune.executors.platforms import Platform
from sparktune.skopt.optimizer.base import base_minimize


def gbrt_minimize(
    func: Callable[[list[Any]], Any],
    dimensions: Any,
    base_estimator: Any = None,
    n_calls: int = 100,
    n_random_starts: int | None = None,
    n_initial_points: int = 10,
    initial_point_generator: Any = "random",
    acq_func: str = "LCB",
    acq_optimizer: str = "auto",
    x0: Any = None,
    y0: Any = None,
    random_state: Any = None,
    verbose: bool = False,
    callback: Any = None,
    n_points: int = 10000,
    xi: float = 0.01,
    kappa: Any = 1.96,
    n_jobs: int = 1,
    model_queue_size: int | None = None,
    space_constraint: Callable[[list[Any]], bool] | None = None,
    *,
    on: Platform | None = None,
    journal: str | os.PathLike[str] | None = None,
) -> Any:
    """Minimise a function with gradient boosting of three quantiles.

    Args:
        base_estimator: a `GradientBoostingQuantileRegressor`; None: its default.
        acq_optimizer: taken, and not needed, as there are no gradients.

    All other arguments, what is returned and what is raised are those of `base_minimize`.
    """
    return base_minimize(
        func,
        dimensions,
        "GBRT" if base_estimator is None else base_estimator,
        n_calls=n_calls,
        n_random_starts=n_random_starts,
        n_initial_points=n_initial_points,
        initial_point_generator=initial_point_generator,
        acq_func=acq_func,
        acq_optimizer="sampling",
        x0=x0,
        y0=y0,
        random_state=random_state,
        verbose=verbose,
        callback=callback,
        n_points=n_points,
        xi=xi,
        kappa=kappa,
        n_jobs=n_jobs,
        model_queue_size=model_queue_size,
        space_constraint=space_constraint,
        on=on,
        journal=journal,
    )
