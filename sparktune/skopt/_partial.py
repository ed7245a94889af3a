"""Partial dependence: the prediction of a model as a function of one or two dimensions, averaged
over the other dimensions (Friedman 2001, section 8.2).

    samples   (s, p)   transformed points, over whose other dimensions predictions are averaged
    xi, yi             values of a dimension; for categories, their indices
    zi                 the mean of the predictions
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt._results import expected_minimum, expected_minimum_random_sampling
from sparktune.skopt.space import Categorical, Dimension, Space

_AT_ONCE = 20_000
"""The largest number of rows in one call of the model."""


def partial_dependence(
    space: Space,
    model: Any,
    i: int,
    j: int | None = None,
    sample_points: Any = None,
    n_samples: int = 250,
    n_points: int = 40,
    x_eval: Any = None,
) -> Any:
    """Compute the partial dependence on dimension i, or on dimensions i and j.

    Args:
        sample_points: transformed points (s, p) to average over; None: random points.
        n_samples: number of random points.
        n_points: number of values of each dimension.
        x_eval: a point to use instead of samples.

    Returns:
        For one dimension: xi (n,) and zi (n,). For two dimensions: xi (m,) of dimension j, yi (n,)
        of dimension i, and zi (n, m).
    """
    if x_eval is not None:
        sample_points = space.transform([x_eval])
    elif sample_points is None:
        sample_points = space.transform(space.rvs(n_samples))
    if j is None:
        return partial_dependence_1D(space, model, i, sample_points, n_points)
    return partial_dependence_2D(space, model, i, j, sample_points, n_points)


def partial_dependence_1D(
    space: Space, model: Any, i: int, samples: Any, n_points: int = 40
) -> tuple[Any, Any]:
    """Compute the partial dependence on dimension i: xi (n,) and zi (n,)."""
    samples = np.asarray(samples, dtype=float)
    xi, numbers = evenly(space.dimensions[i], n_points)
    where = _columns(space, i)
    rows = np.repeat(samples[None], len(xi), axis=0)
    rows[:, :, where] = numbers[:, None, :]
    return xi, _means(model, rows)


def partial_dependence_2D(
    space: Space, model: Any, i: int, j: int, samples: Any, n_points: int = 40
) -> tuple[Any, Any, Any]:
    """Compute the partial dependence on dimensions i and j: xi (m,) of j, yi (n,) of i, and zi
    (n, m).
    """
    samples = np.asarray(samples, dtype=float)
    xi, numbers_j = evenly(space.dimensions[j], n_points)
    yi, numbers_i = evenly(space.dimensions[i], n_points)
    found = []
    for number in numbers_i:
        rows = np.repeat(samples[None], len(xi), axis=0)
        rows[:, :, _columns(space, i)] = number
        rows[:, :, _columns(space, j)] = numbers_j[:, None, :]
        found.append(_means(model, rows))
    return xi, yi, np.array(found)


def evenly(dimension: Dimension, n: int) -> tuple[Any, Any]:
    """Return evenly spaced values (m,) of a dimension, and the same values transformed (m, q). For
    categories, the values are their indices.
    """
    if isinstance(dimension, Categorical):
        xi = np.linspace(0, len(dimension.categories) - 1, min(n, len(dimension.categories)))
        xi = np.unique(xi.round().astype(int))
        numbers = dimension.transform([dimension.categories[k] for k in map(int, xi)])
    else:
        low, high = (float(each) for each in dimension.bounds)
        spaced = np.geomspace if dimension.prior == "log-uniform" else np.linspace
        xi = np.clip(spaced(low, high, n), low, high)
        numbers = dimension.transform(xi)
    return xi, np.asarray(numbers, dtype=float).reshape(len(xi), -1)


def _columns(space: Space, i: int) -> slice:
    first = sum(each.transformed_size for each in space.dimensions[:i])
    return slice(first, first + space.dimensions[i].transformed_size)


def _means(model: Any, rows: Any) -> Any:
    """Average the predictions at rows (n, s, p) over the samples; returns (n,)."""
    flat = rows.reshape(-1, rows.shape[2])
    parts = [model.predict(flat[k : k + _AT_ONCE]) for k in range(0, len(flat), _AT_ONCE)]
    return np.concatenate(parts).reshape(rows.shape[:2]).mean(axis=1)


def chosen_point(
    result: Any,
    params: Any = "result",
    n_minimum_search: int | None = None,
    random_state: Any = None,
) -> Any:
    """Return the point that `params` describes.

    Args:
        params: "result", the best evaluated point; "expected_minimum" or "expected_minimum_random",
            the minimum of the last model; or a point.
        n_minimum_search: number of starts (20) or random points (100,000) for that minimum.

    Raises:
        ValueError: params is neither a list nor one of these names.
    """
    if not isinstance(params, str):
        if not isinstance(params, (list, tuple)):
            raise InvalidArgument(f"a point must be a list or a name, got {params!r}")
        return list(params)
    if params == "result":
        return result.x
    n = n_minimum_search
    if params == "expected_minimum":
        return expected_minimum(result, n or 20, random_state)[0]
    if params == "expected_minimum_random":
        return expected_minimum_random_sampling(result, n or 100_000, random_state)[0]
    raise InvalidArgument(
        "a point must be a list, 'result', 'expected_minimum' or 'expected_minimum_random', "
        f"got {params!r}"
    )
