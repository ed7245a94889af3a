"""From a point of the space to the parameters of a candidate, as a function that travels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Parameters: TypeAlias = dict[str, Any]
Flatten: TypeAlias = Callable[[Any], Parameters]


def flattening(estimator: Any) -> Flatten:
    """The function that makes one dict of parameters out of a point of the space."""
    names = frozenset(estimator.get_params())

    def flatten(point: Any) -> Parameters:
        if not isinstance(point, dict):
            raise TypeError(
                f"the space must give dicts of parameters, as {{'C': hp.uniform('C', 0, 1)}} "
                f"does; got {point!r}"
            )
        parameters: Parameters = {}
        for name, value in point.items():
            group = isinstance(value, dict) and name not in names and "__" not in str(name)
            parameters.update(flatten(value) if group else {name: value})
        return parameters

    return flatten
