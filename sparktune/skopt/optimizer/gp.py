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
        base_estimator: another model; None: a Gaussian process.
        noise: of the losses: "gaussian", unknown; or its variance, as a share of theirs.

    All other arguments, what is returned and what is raised are those of `base_minimize`.
    """
    if base_estimator is None:
        noise_variance(noise)  # refuse now what the first model would
        base_estimator = cook_estimator("GP", space=dimensions, noise=noise)
    return {"base_estimator": base_estimator}
