"""Functions for points, estimators, initial points and files, as in scikit-optimize."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy, deepcopy
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt._results import create_result, expected_minimum
from sparktune.skopt._results import (
    expected_minimum_random_sampling as expected_minimum_random_sampling,
)
from sparktune.skopt.space import Categorical, Dimension, Space

__all__ = [
    "check_dimension_names",
    "check_list_types",
    "check_x_in_space",
    "cook_estimator",
    "cook_initial_point_generator",
    "create_result",
    "dimensions_aslist",
    "dump",
    "eval_callbacks",
    "expected_minimum",
    "expected_minimum_random_sampling",
    "has_gradients",
    "is_2Dlistlike",
    "is_listlike",
    "load",
    "normalize_dimensions",
    "point_asdict",
    "point_aslist",
    "use_named_args",
]

ESTIMATORS = ("GP", "ET", "RF", "GBRT", "DUMMY")


def dump(res: Any, filename: Any, store_objective: bool = True, **kwargs: Any) -> None:
    """Write a result or an optimizer to a file, with joblib.

    Args:
        filename: a path or an open file.
        store_objective: whether to store the objective, which must then be picklable.
        kwargs: arguments for `joblib.dump`, such as `compress`.
    """
    import joblib

    if not store_objective and "func" in res.specs["args"]:
        args = {k: v for k, v in res.specs["args"].items() if k != "func"}
        res = copy(res)
        res.specs = {**res.specs, "args": args}
    joblib.dump(res, filename, **kwargs)


def load(filename: Any, **kwargs: Any) -> Any:
    """Read a result or an optimizer that `dump` wrote. Load only files that you trust: a file can
    contain code, which is run.

    Args:
        filename: a path or an open file.
        kwargs: arguments for `joblib.load`.
    """
    import joblib

    return joblib.load(filename, **kwargs)


def is_listlike(x: Any) -> bool:
    """Whether x is a list or a tuple."""
    return isinstance(x, (list, tuple))


def is_2Dlistlike(x: Any) -> bool:
    """Whether all elements of x are lists or tuples."""
    return bool(np.all([is_listlike(each) for each in x]))


def check_x_in_space(x: Any, space: Space) -> None:
    """Check that a point, or every point of a list, is in a space.

    Raises:
        ValueError: a point has the wrong length, is out of bounds, or violates the constraint.
    """
    if len(x) and is_2Dlistlike(x):
        if any(len(each) != len(space) for each in x):
            raise InvalidArgument(
                f"Not all points have the same dimensions as the space, which has {len(space)}"
            )
        for each in x:
            _check_point(each, space)
        return
    if len(x) != len(space):
        raise InvalidArgument(
            f"Dimensions of point {x} and of the space, which has {len(space)}, differ"
        )
    _check_point(x, space)


def _check_point(x: Any, space: Space) -> None:
    if x in space:
        return
    if all(value in dimension for value, dimension in zip(x, space.dimensions, strict=True)):
        raise InvalidArgument(f"point {x} does not satisfy the constraint of the space")
    raise InvalidArgument(f"point {x} is not within the bounds {space.bounds}")


def eval_callbacks(callbacks: Sequence[Callable[[Any], Any]] | None, result: Any) -> bool:
    """Call every callback with the result; returns whether any of them returned True."""
    return any([bool(each(result)) for each in callbacks or []])


def check_callback(callback: Any) -> list[Callable[[Any], Any]]:
    """Return callbacks, given as None, a function or a list of functions, as a list.

    Raises:
        ValueError: callback is none of these.
    """
    if callback is None:
        return []
    if callable(callback):
        return [callback]
    if isinstance(callback, (list, tuple)) and all(map(callable, callback)):
        return list(callback)
    raise InvalidArgument(
        f"callback should be either a callable or a list of callables, got {callback!r}"
    )


def has_gradients(estimator: Any) -> bool:
    """Whether the predictions of a model have gradients. Those of Gaussian processes do, unless all
    dimensions are categorical.
    """
    from sparktune.skopt._models import single
    from sparktune.skopt.learning import GaussianProcessRegressor
    from sparktune.skopt.learning.gaussian_process.kernels import HammingKernel

    estimator = single(estimator)
    return isinstance(estimator, GaussianProcessRegressor) and not isinstance(
        estimator.kernel, HammingKernel
    )


def cook_estimator(base_estimator: Any, space: Any = None, **kwargs: Any) -> Any:
    """Return the model with this name.

    Args:
        base_estimator: "GP", "ET", "RF", "GBRT", or "DUMMY", for which None is returned; or a
            regressor, which is returned as it is.
        space: the search space, for the kernel of a Gaussian process.
        kwargs: parameters of the named model; parameters that it does not have are ignored.

    Raises:
        ValueError: base_estimator is neither one of these names nor a regressor.
    """
    from sklearn.base import is_regressor

    from sparktune.skopt import learning
    from sparktune.skopt.learning.gaussian_process.gpr import cooked_process
    from sparktune.skopt.learning.gbrt import quantile_boosting

    if base_estimator is None or not isinstance(base_estimator, str):
        if base_estimator is not None and not _regressor(base_estimator, is_regressor):
            raise InvalidArgument(f"base_estimator has to be a regressor, got {base_estimator!r}")
        return base_estimator
    name = base_estimator.upper()
    if name not in ESTIMATORS:
        raise InvalidArgument(
            "base_estimator must be one of 'RF', 'ET', 'GP', 'GBRT' or 'DUMMY', "
            f"or a regressor; got {base_estimator!r}"
        )
    if name == "DUMMY":
        return None
    if name == "GP":
        model = cooked_process(None if space is None else Space(space))
    elif name == "GBRT":
        model = learning.GradientBoostingQuantileRegressor(base_estimator=quantile_boosting(30))
    else:
        kind = learning.RandomForestRegressor if name == "RF" else learning.ExtraTreesRegressor
        model = kind(n_estimators=100, min_samples_leaf=3)
    known = model.get_params()
    return model.set_params(**{k: v for k, v in kwargs.items() if k in known})


def _regressor(given: Any, is_regressor: Callable[[Any], bool]) -> bool:
    return not isinstance(given, type) and hasattr(given, "fit") and bool(is_regressor(given))


def cook_initial_point_generator(generator: Any, **kwargs: Any) -> Any:
    """Return the initial point generator with this name; None for "random". A generator is returned
    as it is. Options of `kwargs` that it does not have are ignored.

    Raises:
        ValueError: generator is neither a known name nor an `InitialPointGenerator`.
    """
    from sparktune.skopt import sampler

    made: dict[str, Any] = {
        "sobol": sampler.Sobol,
        "halton": sampler.Halton,
        "hammersly": sampler.Hammersly,
        "lhs": sampler.Lhs,
        "grid": sampler.Grid,
    }
    if generator is None or isinstance(generator, str):
        name = "random" if generator is None else generator.lower()
        if name == "random":
            return None
        if name not in made:
            raise InvalidArgument(
                "initial_point_generator must be 'random', "
                f"{', '.join(map(repr, made))} or an InitialPointGenerator; got {generator!r}"
            )
        generator = made[name]()
    if not isinstance(generator, sampler.InitialPointGenerator):
        raise InvalidArgument(
            f"initial_point_generator must be a name or an InitialPointGenerator, got {generator!r}"
        )
    known = {k: v for k, v in kwargs.items() if k in generator.get_params()}
    return generator.set_params(**known) if known else generator


def normalize_dimensions(dimensions: Any) -> Space:
    """Return a space with copies of these dimensions that are transformed to [0, 1]; categories are
    one-hot encoded.
    """
    given = Space(dimensions)
    space = Space([deepcopy(each) for each in given.dimensions], constraint=given.constraint)
    for dimension in space.dimensions:
        dimension.set_transformer("onehot" if isinstance(dimension, Categorical) else "normalize")
    return space


def dimensions_aslist(search_space: Mapping[str, Any]) -> list[Any]:
    """Return the dimensions of {name: dimension} as a list, sorted by name."""
    return [search_space[name] for name in sorted(search_space)]


def point_asdict(search_space: Mapping[str, Any], point_as_list: Sequence[Any]) -> dict[str, Any]:
    """Return a point, whose values are sorted by name, as {name: value}."""
    return dict(zip(sorted(search_space), point_as_list, strict=True))


def point_aslist(search_space: Mapping[str, Any], point_as_dict: Mapping[str, Any]) -> list[Any]:
    """Return the values of {name: value} as a point, sorted by name."""
    return [point_as_dict[name] for name in sorted(search_space)]


def check_list_types(x: Iterable[Any], types: Any) -> None:
    """Check that all elements have one of these types.

    Raises:
        ValueError: an element has another type.
    """
    if wrong := [each for each in x if not isinstance(each, types)]:
        raise InvalidArgument(f"all elements must be of {types}, got {wrong!r}")


def check_dimension_names(dimensions: Iterable[Any]) -> None:
    """Check that all dimensions have names.

    Raises:
        ValueError: a dimension has no name.
    """
    if wrong := [each for each in dimensions if each.name is None]:
        raise InvalidArgument(f"all dimensions must have names; these do not: {wrong!r}")


def use_named_args(
    dimensions: Sequence[Dimension],
) -> Callable[[Callable[..., Any]], Callable[[Sequence[Any]], Any]]:
    """Decorate a function of keyword arguments so that it can be called with a point, a list. The
    keywords are the names of the dimensions.

        @use_named_args([Real(0, 1, name="x"), Integer(1, 3, name="k")])
        def objective(x, k): ...

    Raises:
        ValueError: a dimension has no name, or an element is not a `Dimension`.
    """
    check_list_types(dimensions, Dimension)
    check_dimension_names(dimensions)
    names = [str(each.name) for each in dimensions]

    def decorator(func: Callable[..., Any]) -> Callable[[Sequence[Any]], Any]:
        @functools.wraps(func)
        def wrapper(x: Sequence[Any]) -> Any:
            return func(**dict(zip(names, x, strict=True)))

        return wrapper

    return decorator
