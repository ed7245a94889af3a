"""Checks and conversions of the arguments of `Optimizer`."""

from __future__ import annotations

import warnings
from typing import Any

from sparktune.arguments import is_real, is_whole
from sparktune.errors import InvalidArgument
from sparktune.skopt._acquire import NAMES
from sparktune.skopt._models import single
from sparktune.skopt.space import Space
from sparktune.skopt.utils import (
    cook_estimator,
    cook_initial_point_generator,
    has_gradients,
    normalize_dimensions,
)

DEFAULTS = {"kappa": 1.96, "xi": 0.01, "eta": 1.0, "n_thompson": 10}
"""The defaults of `acq_func_kwargs`."""

STRATEGIES = ("cl_min", "cl_mean", "cl_max")


def initial_points(n: int, former: int | None) -> int:
    """Return the number of initial points.

    Args:
        n: the argument `n_initial_points`.
        former: the deprecated argument `n_random_starts`, which takes precedence; None: not given.

    Raises:
        ValueError: the number is negative or not an integer.
    """
    if former is not None:
        warnings.warn(
            "n_random_starts is deprecated; use n_initial_points", DeprecationWarning, stacklevel=3
        )
        n = former
    if not is_whole(n) or n < 0:
        raise InvalidArgument(f"Expected an integer `n_initial_points` >= 0, got {n!r}")
    return n


def acquisition_options(given: dict[str, Any] | None) -> dict[str, Any]:
    """Return the options of the acquisition functions, completed with their defaults.

    Raises:
        ValueError: an option is not a number.
    """
    options = DEFAULTS | (given or {})
    for name in DEFAULTS:
        value = options[name]
        if not is_real(value) and not (name == "kappa" and value == "inf"):
            raise InvalidArgument(f"{name} must be a number, got {value!r}")
    return options


def known_acquisition(name: Any) -> str:
    """Return the name of an acquisition function.

    Raises:
        ValueError: there is no acquisition function with this name.
    """
    if name not in NAMES:
        raise InvalidArgument(
            f"acq_func must be one of {', '.join(map(repr, NAMES))}, got {name!r}"
        )
    return str(name)


def model_of(given: Any, dimensions: Any, rng: Any, n_jobs: int, acq_func: str) -> Any:
    """Return the model with a random seed; None for random search. For acquisition functions per
    second, it has a second output for the logarithm of seconds.
    """
    seed = int(rng.randint(2**31 - 1))
    cooked = cook_estimator(given, space=dimensions, random_state=seed, n_jobs=n_jobs)
    if cooked is None:
        return None
    from sklearn.base import clone
    from sklearn.multioutput import MultiOutputRegressor

    cooked = clone(cooked)
    if cooked.get_params().get("random_state", seed) is None:
        cooked.set_params(random_state=seed)
    if not acq_func.endswith("ps"):
        return cooked
    return cooked if isinstance(cooked, MultiOutputRegressor) else MultiOutputRegressor(cooked)


def suggesting_model(estimator: Any) -> Any:
    """Return the model that the sampler needs. Our Gaussian process is returned without its
    `MultiOutputRegressor`, because the sampler fits separate processes to losses and seconds.
    """
    inner = single(estimator)
    return inner if getattr(inner, "ours", False) else estimator


def search_method(given: Any, estimator: Any, acq_func: str) -> str:
    """Return the value of `acq_optimizer` with "auto" resolved: "sampling" or "lbfgs".

    Raises:
        ValueError: the name is unknown, or "lbfgs" is given for a model without gradients.
    """
    if given not in ("auto", "sampling", "lbfgs"):
        raise InvalidArgument(f"acq_optimizer must be 'auto', 'sampling' or 'lbfgs', got {given!r}")
    smooth = estimator is not None and has_gradients(estimator) and acq_func not in ("MES", "PVRS")
    if given == "lbfgs" and estimator is not None and not smooth and not _unknown(estimator):
        raise InvalidArgument(
            f"the model {type(estimator).__name__} should run with acq_optimizer='sampling', "
            "because it has no gradients"
        )
    return ("lbfgs" if smooth else "sampling") if given == "auto" else str(given)


def _unknown(estimator: Any) -> bool:
    """Whether a model is defined outside this package, so that it may have gradients."""
    return not type(single(estimator)).__module__.startswith("sparktune.")


def space_of(dimensions: Any, estimator: Any, constraint: Any) -> Space:
    """Return the search space; for a Gaussian process, with normalised copies of the dimensions.

    Raises:
        ValueError: there are no dimensions.
    """
    from sparktune.skopt.learning import GaussianProcessRegressor

    if isinstance(single(estimator), GaussianProcessRegressor):
        space = normalize_dimensions(dimensions)
    else:
        space = Space(dimensions)
    if not len(space):
        raise InvalidArgument("there are no dimensions; give at least one")
    return Space(space, constraint=constraint) if constraint is not None else space


def design(generator: Any, space: Space, n: int, rng: Any) -> list[list[Any]]:
    """Return the n initial points of a generator, without those that violate the constraint."""
    cooked = cook_initial_point_generator(generator)
    if cooked is None:
        return [space.rvs(random_state=rng)[0] for _ in range(n)]
    points = cooked.generate(space.dimensions, n, random_state=rng) if n else []
    return [point for point in points if point in space]


def check_batch(n: Any, strategy: Any) -> int:
    """Return the number of points to ask for at once.

    Raises:
        ValueError: it is not a positive integer, or the strategy is unknown.
    """
    if not is_whole(n) or n < 1:
        raise InvalidArgument(f"n_points should be int > 0, got {n!r}")
    if strategy not in STRATEGIES:
        raise InvalidArgument(
            f"Expected parallel_strategy to be one of {STRATEGIES}, got {strategy!r}"
        )
    return int(n)
