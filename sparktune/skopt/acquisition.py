"""Acquisition functions of a model, as in scikit-optimize. A good point has a large `gaussian_ei`
and `gaussian_pi`, and a small `gaussian_lcb`.

    mean, sd   predicted loss at the rows X and its standard deviation, from
               `model.predict(X, return_std=True)`
    t          (y_opt - xi - mean) / sd
    phi, Phi   density and distribution function of the standard normal distribution
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt._acquire import MaxValueEntropy, smallest

__all__ = [
    "gaussian_acquisition_1D",
    "gaussian_ei",
    "gaussian_lcb",
    "gaussian_mes",
    "gaussian_pi",
    "gaussian_pvrs",
]


def gaussian_acquisition_1D(
    X: Any,
    model: Any,
    y_opt: float | None = None,
    acq_func: str = "LCB",
    acq_func_kwargs: dict[str, Any] | None = None,
    return_grad: bool = True,
) -> Any:
    """Return the acquisition at one row X (p,), to be minimised, and its gradient if wanted.

    Raises:
        ValueError: X is not one row, or acq_func is unknown.
    """
    return _gaussian_acquisition(
        np.expand_dims(X, axis=0), model, y_opt, acq_func, return_grad, acq_func_kwargs
    )


def _gaussian_acquisition(
    X: Any,
    model: Any,
    y_opt: float | None = None,
    acq_func: str = "LCB",
    return_grad: bool = False,
    acq_func_kwargs: dict[str, Any] | None = None,
) -> Any:
    """Return the acquisition (m,) at the rows X (m, p), to be minimised: LCB, -EI or -PI. With
    `return_grad`, X is one row, and the gradient (p,) is returned, too.

    For "EIps" and "PIps" the model has two `estimators_`: the first one predicts losses, the
    second one logarithms of seconds.

    Raises:
        ValueError: X is not 2-dimensional, or acq_func is unknown.
    """
    X = np.asarray(X)
    if X.ndim != 2:
        raise InvalidArgument(f"X is {X.ndim}-dimensional, however, it must be 2-dimensional.")
    options = acq_func_kwargs or {}
    kind = acq_func.removesuffix("ps")
    if kind not in ("EI", "PI", "LCB"):
        raise InvalidArgument(f"acq_func must be EI, PI, LCB, EIps or PIps, got {acq_func!r}")
    timed = acq_func.endswith("ps")
    losses = model.estimators_[0] if timed else model
    if kind == "LCB":
        return gaussian_lcb(X, losses, options.get("kappa", 1.96), return_grad)
    function: Callable[..., Any] = gaussian_ei if kind == "EI" else gaussian_pi
    value: Any = function(X, losses, y_opt, options.get("xi", 0.01), return_grad)
    gradient: Any = None
    if return_grad:
        value, gradient = value
    if timed:
        rate, change = _rate(X, model.estimators_[1], return_grad)
        gradient = None if gradient is None else gradient * rate + value * change
        value = value * rate
    return (-value, -gradient) if return_grad else -value


def gaussian_lcb(X: Any, model: Any, kappa: Any = 1.96, return_grad: bool = False) -> Any:
    """Return the lower confidence bound mean - kappa sd (m,) at the rows X (m, p), or -sd if kappa
    is "inf". With `return_grad`, X is one row, and the gradient (p,) is returned, too.
    """
    mean, sd, mean_grad, sd_grad = _predicted(X, model, return_grad)
    weight, share = (1.0, 0.0) if kappa == "inf" else (kappa, 1.0)
    value = share * mean - weight * sd
    return (value, share * mean_grad - weight * sd_grad) if return_grad else value


def gaussian_pi(
    X: Any, model: Any, y_opt: float = 0.0, xi: float = 0.01, return_grad: bool = False
) -> Any:
    """Return the probability Phi(t) (m,) that the loss at the rows X (m, p) is below y_opt - xi.
    With `return_grad`, X is one row, and the gradient (p,) is returned, too.
    """
    from scipy.special import ndtr

    mean, sd, mean_grad, sd_grad = _predicted(X, model, return_grad)
    t = (y_opt - xi - mean) / sd
    value = np.where(sd > 0, ndtr(t), 0.0)
    if not return_grad:
        return value
    return value, -_phi(t) * (mean_grad + t * sd_grad) / sd


def gaussian_ei(
    X: Any, model: Any, y_opt: float = 0.0, xi: float = 0.01, return_grad: bool = False
) -> Any:
    """Return the expected improvement sd (phi(t) + t Phi(t)) (m,) on y_opt - xi at the rows X
    (m, p). With `return_grad`, X is one row, and the gradient (p,) is returned, too.
    """
    from scipy.special import ndtr

    mean, sd, mean_grad, sd_grad = _predicted(X, model, return_grad)
    t = (y_opt - xi - mean) / sd
    value = np.where(sd > 0, sd * (_phi(t) + t * ndtr(t)), 0.0)
    if not return_grad:
        return value
    return value, _phi(t) * sd_grad - ndtr(t) * mean_grad


def gaussian_mes(X: Any, model: Any, n_min_samples: int = 1000) -> Any:
    """Return the information (m,) that an evaluation at each of the rows X (m, p) gives about the
    smallest loss, which is drawn `n_min_samples` times (`MaxValueEntropy`). Every call uses the
    same random numbers.
    """
    mean, sd, _, _ = _predicted(X, model, False)
    draws = smallest(mean, np.maximum(sd, 1e-10), n_min_samples, np.random.default_rng(0))
    return MaxValueEntropy(draws)(mean, np.maximum(sd, 1e-10))


def gaussian_pvrs(X: Any, model: Any, n_thompson: int = 10) -> Any:
    """Return the reduction (m,) of the variance at the minima of `n_thompson` draws of a Gaussian
    process by an evaluation at each of the rows X (m, p) (Nguyen et al. 2017, predictive variance
    reduction search). Every call uses the same random numbers.
    """
    mean, covariances = model.predict(X, return_cov=True)
    rng = np.random.default_rng(0)
    draws = rng.multivariate_normal(mean, covariances, size=n_thompson, method="eigh")
    shared = covariances[:, np.unique(draws.argmin(axis=1))]
    return (shared**2).sum(axis=1) / np.maximum(np.diag(covariances), 1e-300)


def _predicted(X: Any, model: Any, gradients: bool) -> tuple[Any, Any, Any, Any]:
    """Return mean and sd at the rows X, and their gradients if wanted; sd is always positive."""
    if np.ndim(X) != 2:
        raise InvalidArgument(f"X is {np.ndim(X)}-dimensional, however, it must be 2-dimensional.")
    if gradients:
        found = model.predict(X, return_std=True, return_mean_grad=True, return_std_grad=True)
    else:
        found = (*model.predict(X, return_std=True), None, None)
    mean, sd, mean_grad, sd_grad = found
    return mean, np.maximum(sd, 1e-300), mean_grad, sd_grad


def _rate(X: Any, model: Any, gradients: bool) -> tuple[Any, Any]:
    """Return the expected 1 / seconds at the rows X, exp(-mean + sd^2 / 2), and its gradient if
    wanted.
    """
    mean, sd, mean_grad, sd_grad = _predicted(X, model, gradients)
    rate = np.exp(0.5 * sd**2 - mean)
    return rate, rate * (sd * sd_grad - mean_grad) if gradients else None


def _phi(t: Any) -> Any:
    return np.exp(-0.5 * np.square(t)) / np.sqrt(2 * np.pi)
