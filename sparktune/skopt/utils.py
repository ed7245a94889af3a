"""Small things around spaces, estimators and results, as scikit-optimize has them."""

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
    """Write a result, or an optimizer, to a file by joblib.

    Args:
        filename: a path or an open file.
        store_objective: whether to keep the objective, which must then be possible to pickle.
        kwargs: for `joblib.dump`, such as `compress`.
    """
    import joblib

    if not store_objective and "func" in res.specs["args"]:
        args = {k: v for k, v in res.specs["args"].items() if k != "func"}
        res = copy(res)
        res.specs = {**res.specs, "args": args}
    joblib.dump(res, filename, **kwargs)


def load(filename: Any, **kwargs: Any) -> Any:
    """Read what `dump` wrote. Only files that you trust: they can run code.

    Args:
        filename: a path or an open file.
        kwargs: for `joblib.load`.
    """
    import joblib

    return joblib.load(filename, **kwargs)


def is_listlike(x: Any) -> bool:
    """Whether x is a list or a tuple."""
    return isinstance(x, (list, tuple))


def is_2Dlistlike(x: Any) -> bool:
    """Whether x is a list or a tuple of such."""
    return bool(np.all([is_listlike(each) for each in x]))


def check_x_in_space(x: Any, space: Space) -> None:
    """Refuse a point, or a list of points, that is not in a space.

    Raises:
        ValueError: it is not.
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
    """Call each with the result; whether any wants to stop."""
    return any([bool(each(result)) for each in callbacks or []])


def check_callback(callback: Any) -> list[Callable[[Any], Any]]:
    """The callbacks that are meant by None, a function, or several.

    Raises:
        ValueError: it is something else.
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
    """Whether a model's predictions have gradients: those of Gaussian processes do, unless all
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
    """The model of a name: "GP", "ET", "RF", "GBRT", or "DUMMY", which is None; or the regressor
    that is given.

    Args:
        space: of a Gaussian process.
        kwargs: the model's parameters.

    Raises:
        ValueError: it is neither.
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
    """The generator of a name, as `initial_point_generator` takes it; None for "random".

    Raises:
        ValueError: there is none.
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
            "initial_point_generator has to be the name of one, or an InitialPointGenerator, "
            f"got {generator!r}"
        )
    known = {k: v for k, v in kwargs.items() if k in generator.get_params()}
    return generator.set_params(**known) if known else generator


def normalize_dimensions(dimensions: Any) -> Space:
    """A space of copies of these dimensions, whose numbers models see as from 0 to 1."""
    given = Space(dimensions)
    space = Space([deepcopy(each) for each in given.dimensions], constraint=given.constraint)
    for dimension in space.dimensions:
        dimension.set_transformer("onehot" if isinstance(dimension, Categorical) else "normalize")
    return space


def dimensions_aslist(search_space: Mapping[str, Any]) -> list[Any]:
    """The dimensions of {name: dimension}, by their names in order."""
    return [search_space[name] for name in sorted(search_space)]


def point_asdict(search_space: Mapping[str, Any], point_as_list: Sequence[Any]) -> dict[str, Any]:
    """{name: value} of a point."""
    return dict(zip(sorted(search_space), point_as_list, strict=True))


def point_aslist(search_space: Mapping[str, Any], point_as_dict: Mapping[str, Any]) -> list[Any]:
    """The point of {name: value}."""
    return [point_as_dict[name] for name in sorted(search_space)]


def check_list_types(x: Iterable[Any], types: Any) -> None:
    """Refuse a list with elements of other types.

    Raises:
        ValueError: it has.
    """
    if wrong := [each for each in x if not isinstance(each, types)]:
        raise InvalidArgument(f"all elements must be of {types}, got {wrong!r}")


def check_dimension_names(dimensions: Iterable[Any]) -> None:
    """Refuse dimensions without names.

    Raises:
        ValueError: there are.
    """
    if wrong := [each for each in dimensions if each.name is None]:
        raise InvalidArgument(f"all dimensions must have names; these do not: {wrong!r}")


def use_named_args(
    dimensions: Sequence[Dimension],
) -> Callable[[Callable[..., Any]], Callable[[Sequence[Any]], Any]]:
    """Make a function of arguments by keyword, named as the dimensions are, one of a list.

        @use_named_args([Real(0, 1, name="x"), Integer(1, 3, name="k")])
        def objective(x, k): ...

    Raises:
        ValueError: a dimension has no name, or is not one.
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
