"""The result of a search, and the minimum of its last model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from sparktune.errors import InvalidArgument
from sparktune.skopt.space import Space
from sparktune.skopt.space.dimension import generator


def create_result(
    Xi: Sequence[Any],
    yi: Sequence[Any],
    space: Space | None = None,
    rng: Any = None,
    specs: Any = None,
    models: Any = None,
) -> OptimizeResult:
    """Return the result of a search as an `OptimizeResult`.

    Args:
        Xi: the points, in the order of their evaluation.
        yi: the loss of each point, infinite if its evaluation failed; or pairs (loss, seconds).
        space: the search space.
        rng: the random generator of the search.
        specs: the name and the arguments of the call.
        models: the fitted models.

    Returns:
        A result with the best point `x` and its loss `fun`, all points `x_iters` and losses
        `func_vals`, `models`, `space`, `random_state`, `specs`, and, if seconds are given, their
        logarithms `log_time`.
    """
    res = OptimizeResult()
    losses = np.asarray(yi, dtype=float)
    if losses.ndim == 2:
        res.log_time = np.log(losses[:, 1])
        losses = losses[:, 0]
    best = int(np.argmin(losses))
    res.x = Xi[best]
    res.fun = losses[best]
    res.func_vals = losses
    res.x_iters = Xi
    res.models = models
    res.space = space
    res.random_state = rng
    res.specs = specs
    return res


def last_model(res: Any) -> Any:
    """Return the last model of a result.

    Raises:
        ValueError: the result has no model.
    """
    if not res.models:
        raise InvalidArgument(
            "the result has no model; run more evaluations than n_initial_points, with a model and "
            "not at random"
        )
    return res.models[-1]


def expected_minimum(
    res: Any, n_random_starts: int = 20, random_state: Any = None
) -> tuple[list[Any], float]:
    """Return the point where the last model predicts the smallest loss, and that loss.

    Numeric spaces are searched by L-BFGS-B; spaces with categories by 100,000 random points.

    Args:
        res: a result with at least one model.
        n_random_starts: random starts of L-BFGS-B, besides the best evaluated point.
        random_state: None, a seed or a generator.

    Raises:
        ValueError: the result has no model.
    """
    space, model = res.space, last_model(res)
    if space.is_partly_categorical:
        return expected_minimum_random_sampling(res, random_state=random_state)

    def expected(z: Any) -> float:
        return float(model.predict(z.reshape(1, -1))[0])

    starts = [res.x, *space.rvs(n_random_starts, random_state=random_state)]
    ends = [
        minimize(expected, x0=z, bounds=space.transformed_bounds) for z in space.transform(starts)
    ]
    best = min(ends, key=lambda end: float(end.fun))
    low, high = np.array(space.transformed_bounds, dtype=float).T
    z = np.clip(best.x, low, high)
    return space.inverse_transform(z.reshape(1, -1))[0], float(best.fun)


def expected_minimum_random_sampling(
    res: Any, n_random_starts: int = 100000, random_state: Any = None
) -> tuple[list[Any], float]:
    """Return the random point with the smallest predicted loss, and that loss.

    Args:
        res: a result with at least one model.
        n_random_starts: number of random points.
        random_state: None, a seed or a generator.

    Raises:
        ValueError: the result has no model.
    """
    model = last_model(res)
    points = res.space.rvs(n_random_starts, random_state=generator(random_state))
    numbers = res.space.transform(points)
    expected = np.concatenate(
        [model.predict(part) for part in np.array_split(numbers, len(points) // 2000 + 1)]
    )
    best = int(np.argmin(expected))
    return points[best], float(expected[best])
