"""`gbrt_minimize`: optimisation with gradient-boosted quantiles."""

from __future__ import annotations

from typing import Any

from sparktune.skopt.optimizer._derived import derived


@derived(
    "func dimensions base_estimator n_calls n_random_starts n_initial_points "
    "initial_point_generator acq_func acq_optimizer x0 y0 random_state verbose callback n_points "
    "xi kappa n_jobs model_queue_size space_constraint",
    acq_func="LCB",
)
def gbrt_minimize(base_estimator: Any = None, acq_optimizer: str = "auto") -> dict[str, Any]:
    """Minimise a function with three quantiles predicted by gradient boosting.

    Args:
        base_estimator: a `GradientBoostingQuantileRegressor`; None: its default.
        acq_optimizer: ignored, because the model has no gradients.

    All other arguments, the result and the errors are those of `base_minimize`.
    """
    estimator = "GBRT" if base_estimator is None else base_estimator
    return {"base_estimator": estimator, "acq_optimizer": "sampling"}
