"""`forest_minimize`: optimisation with a forest of regression trees."""

from __future__ import annotations

from typing import Any

from sparktune.skopt.optimizer._derived import derived


@derived(
    "func dimensions base_estimator n_calls n_random_starts n_initial_points acq_func "
    "initial_point_generator x0 y0 random_state verbose callback n_points xi kappa n_jobs "
    "model_queue_size space_constraint",
)
def forest_minimize(base_estimator: Any = "ET") -> dict[str, Any]:
    """Minimise a function with a forest of regression trees.

    Args:
        base_estimator: "ET", extremely randomised trees; "RF", a random forest; or a regressor
            whose `predict` takes `return_std`.

    All other arguments, the result and the errors are those of `base_minimize`.
    """
    return {"base_estimator": base_estimator, "acq_optimizer": "sampling"}
