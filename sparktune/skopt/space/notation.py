"""Short notations of a dimension."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.space.categorical import Categorical
from sparktune.skopt.space.dimension import Dimension
from sparktune.skopt.space.numeric import Integer, Real


def check_dimension(dimension: Any, transform: str | None = None) -> Dimension:
    """Return a dimension, which may be given in short notation.

    Args:
        dimension: a `Dimension`, which is returned as it is; or `(low, high)`, `(low, high, prior)`
            with the prior "uniform" or "log-uniform", or `(low, high, "log-uniform", base)`, for an
            `Integer` if both bounds are integers and else a `Real`; or another list or tuple, for a
            `Categorical` of its elements.
        transform: the transformation for models; None: the default.

    Raises:
        ValueError: dimension is not a `Dimension`, a list or a tuple, or is invalid.
    """
    if isinstance(dimension, Dimension):
        return dimension
    if not isinstance(dimension, (list, tuple, np.ndarray)):
        raise InvalidArgument(
            f"Dimension has to be a list or tuple, got {dimension!r}; give (low, high), "
            "(low, high, 'log-uniform'), a list of categories, or Real, Integer or Categorical"
        )
    given = [each.item() if isinstance(each, np.generic) else each for each in dimension]
    if not _is_range(given):
        return Categorical(given, transform=transform)
    whole = all(isinstance(each, int) for each in given[:2])
    kind: Any = Integer if whole else Real
    bounds = given[:2] if whole else map(float, given[:2])
    return kind(*bounds, *given[2:], transform=transform)  # type: ignore[no-any-return]


def _is_range(given: Sequence[Any]) -> bool:
    if not 2 <= len(given) <= 4:
        return False
    low, high, *rest = given
    if any(isinstance(each, bool) or not isinstance(each, (int, float)) for each in (low, high)):
        return False
    if not rest:
        return True
    if len(rest) == 2:
        return rest[0] == "log-uniform" and isinstance(rest[1], (int, float))
    return rest[0] in ("uniform", "log-uniform")
