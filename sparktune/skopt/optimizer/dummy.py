"""`dummy_minimize`: random search."""

from __future__ import annotations

from typing import Any

from sparktune.skopt.optimizer._derived import derived
from sparktune.skopt.utils import cook_initial_point_generator, is_2Dlistlike


@derived(
    "func dimensions n_calls initial_point_generator x0 y0 random_state verbose callback "
    "model_queue_size init_point_gen_kwargs space_constraint"
)
def dummy_minimize(
    n_calls: int,
    initial_point_generator: Any,
    x0: Any,
    y0: Any,
    init_point_gen_kwargs: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Minimise a function by random search, or at the points of a generator.

    Args:
        init_point_gen_kwargs: options of the initial point generator.

    All other arguments, the result and the errors are those of `base_minimize`.
    """
    generator = cook_initial_point_generator(
        initial_point_generator, **(init_point_gen_kwargs or {})
    )
    new = n_calls
    if x0 is not None and y0 is None and len(x0):
        new -= len(x0) if is_2Dlistlike(x0) else 1
    return {
        "base_estimator": "DUMMY",
        "n_initial_points": max(new, 0),
        "initial_point_generator": generator,
        "acq_optimizer": "sampling",
    }
