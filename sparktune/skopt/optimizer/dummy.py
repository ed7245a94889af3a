"""`dummy_minimize`: random search."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from sparktune.executors.platforms import Platform
from sparktune.skopt.optimizer.base import base_minimize
from sparktune.skopt.utils import cook_initial_point_generator, is_2Dlistlike


def dummy_minimize(
    func: Callable[[list[Any]], Any],
    dimensions: Any,
    n_calls: int = 100,
    initial_point_generator: Any = "random",
    x0: Any = None,
    y0: Any = None,
    random_state: Any = None,
    verbose: bool = False,
    callback: Any = None,
    model_queue_size: int | None = None,
    init_point_gen_kwargs: dict[str, Any] | None = None,
    space_constraint: Callable[[list[Any]], bool] | None = None,
    *,
    on: Platform | None = None,
    journal: str | os.PathLike[str] | None = None,
) -> Any:
    """Random search, or the points of a generator.

    Args:
        init_point_gen_kwargs: options of the generator.

    All other arguments, what is returned and what is raised are those of `base_minimize`.
    """
    generator = cook_initial_point_generator(
        initial_point_generator, **(init_point_gen_kwargs or {})
    )
    new = n_calls
    if x0 is not None and y0 is None and len(x0):
        new -= len(x0) if is_2Dlistlike(x0) else 1
    return base_minimize(
        func,
        dimensions,
        "DUMMY",
        n_calls=n_calls,
        n_initial_points=max(new, 0),
        initial_point_generator=generator,
        acq_optimizer="sampling",
        x0=x0,
        y0=y0,
        random_state=random_state,
        verbose=verbose,
        callback=callback,
        model_queue_size=model_queue_size,
        space_constraint=space_constraint,
        on=on,
        journal=journal,
    )
