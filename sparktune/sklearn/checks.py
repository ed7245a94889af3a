"""What a search checks before anything is evaluated."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn import clone

from sparktune.errors import InvalidArgument
from sparktune.limits import seed_of
from sparktune.sklearn.flattening import Flatten
from sparktune.space.space import Space


def points(space: Space) -> Iterator[Any]:
    """Some points of the space."""
    for row in space.sample(np.random.default_rng(0), 32):
        with contextlib.suppress(Exception):  # an expression that some values break, not a name
            yield space.decode(space.values(row))


def check_parameters(estimator: Any, space: Space, flatten: Flatten) -> None:
    """Try points of the space on the estimator; rare options may be missed, and fail later. Of
    points that set the same parameters to values of the same types, one is tried.
    """
    tried = set[frozenset[tuple[str, type]]]()
    try:
        for point in points(space):
            parameters = flatten(point)
            kinds = frozenset((name, type(value)) for name, value in parameters.items())
            nested = any(hasattr(value, "get_params") for value in parameters.values())
            if nested or kinds not in tried:
                clone(estimator).set_params(**clone(parameters, safe=False))
                tried.add(kinds)
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidArgument(f"the space does not fit the estimator: {error}") from error


def seeded(random_state: Any) -> int | None:
    if random_state is None:
        return None
    try:
        return seed_of(None, random_state)
    except InvalidArgument:
        raise InvalidArgument(
            "random_state must be an integer >= 0, a numpy Generator, a RandomState or None, "
            f"got {random_state!r}"
        ) from None
