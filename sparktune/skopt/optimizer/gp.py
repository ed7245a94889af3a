"""`gp_minimize`: Bayesian optimisation with a Gaussian process."""

from __future__ import annotations

from typing import Any

from sparktune.skopt.learning.gaussian_process.gpr import noise_variance
from sparktune.skopt.optimizer._derived import derived
from sparktune.skopt.utils import cook_estimator


@derived(
    "func dimensions base_estimator n_calls n_random_starts n_initial_points "
    "initial_point_generator acq_func acq_optimizer x0 y0 random_state verbose callback n_points "
    "n_restarts_optimizer xi kappa noise n_jobs model_queue_size space_constraint",
    acq_func="gp_hedge",
    acq_optimizer="auto",
)
def gp_minimize(
    dimensions: Any, base_estimator: Any = None, noise: Any = "gaussian"
) -> dict[str, Any]:
    """Minimise a function by Bayesian optimisation with a Gaussian process.

    Args:
        base_estimator: a regressor to use instead of a Gaussian process; None: a Gaussian process.
        noise: the variance of the noise as a share of the variance of the losses; "gaussian": the
            variance is estimated.

    All other arguments, the result and the errors are those of `base_minimize`.
    """
    if base_estimator is None:
        noise_variance(noise)  # raise now rather than when the first model is fitted
        base_estimator = cook_estimator("GP", space=dimensions, noise=noise)
    return {"base_estimator": base_estimator}
