"""Conversion between the points of `skopt.Space`, which are lists, and the rows of
`sparktune.space.Space`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, inf, log, nextafter
from typing import Any

import numpy as np

from sparktune.skopt.space import Categorical, Dimension, Integer, Space
from sparktune.skopt.space.transformers import key_of, positions
from sparktune.space import hp
from sparktune.space.distributions import Array
from sparktune.space.expression import Literal
from sparktune.space.space import Space as Columns


@dataclass(frozen=True, eq=False)
class Bridge:
    """Converts points of `space` into rows and back. `columns` is the same space with one column
    for each dimension, in the same order; `labels` are the names of the columns.

    Numbers are clipped to their bounds, because the bounds of logarithms are rounded.
    """

    space: Space
    labels: tuple[str, ...]
    columns: Columns

    @staticmethod
    def of(space: Space) -> Bridge:
        """Return the bridge for a space. Dimensions with equal names are labelled X_0, X_1, ..."""
        labels = space.dimension_names
        if len(set(labels)) < len(labels):
            labels = [f"X_{i}" for i in range(len(labels))]
        return Bridge(space, tuple(labels), Columns([*_nodes(space, labels).values()]))

    @property
    def named(self) -> Columns:
        """The same columns as a space whose configurations are dicts {label: value}."""
        return Columns(_nodes(self.space, self.labels))

    def values(self, point: Sequence[Any]) -> dict[str, Any]:
        """Convert a point to {label: value}; the value of a category is its index."""
        return {
            label: _value(dimension, index, x)
            for label, dimension, index, x in zip(
                self.labels, self.space.dimensions, self._indices, point, strict=True
            )
        }

    def point(self, values: Mapping[str, Any]) -> list[Any]:
        """Convert {label: value} to a point, a list of Python scalars and categories."""
        pairs = zip(self.labels, self.space.dimensions, strict=True)
        return [_read(dimension, values[label]) for label, dimension in pairs]

    def key(self, point: Sequence[Any]) -> tuple[Any, ...]:
        """Return a hashable key that is equal for equal points only."""
        return tuple(self.values(point).values())

    def row(self, point: Sequence[Any]) -> Array:
        """Convert a point to a row (d,)."""
        return np.array([float(x) for x in self.values(point).values()])

    def of_row(self, row: Array) -> list[Any]:
        """Convert a row (d,) to a point."""
        return self.point(dict(zip(self.labels, row.tolist(), strict=True)))

    def numbers(self, X: Array) -> Array:
        """Transform rows (n, d) to the features (n, p) of the models."""
        parts = [
            self._table(j)[X[:, j].astype(int)]
            if isinstance(dimension, Categorical)
            else np.asarray(dimension.transform(np.clip(X[:, j], *dimension.bounds)), dtype=float)[
                :, None
            ]
            for j, dimension in enumerate(self.space.dimensions)
        ]
        return np.hstack(parts)

    def listed(self, func: Callable[[list[Any]], Any], timed: bool) -> Callable[[Any], Any]:
        """Return an objective for `tune` that calls `func` with a list.

        With `timed`, `func` returns (loss, seconds).
        """
        readers = [_reader(each) for each in self.space.dimensions]
        return _listed(func, readers, timed)

    def _table(self, j: int) -> Array:
        dimension: Any = self.space.dimensions[j]
        found = np.asarray(dimension.transform(list(dimension.categories)), dtype=float)
        return found.reshape(len(dimension.categories), -1)

    @cached_property
    def _indices(self) -> list[dict[Hashable, int]]:
        return [
            {key_of(x): i for i, x in reversed([*enumerate(getattr(each, "categories", ()))])}
            for each in self.space.dimensions
        ]


def _nodes(space: Space, labels: Sequence[str]) -> dict[str, Any]:
    pairs = zip(labels, space.dimensions, strict=True)
    return {label: _node(label, dimension) for label, dimension in pairs}


def _node(label: str, dimension: Dimension) -> Any:
    if isinstance(dimension, Categorical):
        options = [Literal(each) for each in dimension.categories]
        if dimension.prior is None:
            return hp.choice(label, options)
        return hp.pchoice(label, list(zip(dimension.prior_.tolist(), options, strict=True)))
    low, high = dimension.bounds
    if isinstance(dimension, Integer):
        if dimension.prior == "uniform":
            return hp.randint(label, low, high + 1)
        return hp.qloguniform(label, log(low - 0.4999), log(high + 0.4999), 1)
    if dimension.prior == "uniform":
        return hp.uniform(label, low, high)
    return hp.loguniform(label, *_inside(low, high))


def _inside(low: float, high: float) -> tuple[float, float]:
    """Return log(low) and log(high), moved inwards by as few floating-point steps as are needed for
    exp of them to lie within [low, high].
    """
    least, most = log(low), log(high)
    while exp(nextafter(least, -inf)) < low:
        least = nextafter(least, inf)
    while exp(nextafter(most, inf)) > high:
        most = nextafter(most, -inf)
    return least, most


def _value(dimension: Dimension, index: dict[Hashable, int], x: Any) -> float:
    if isinstance(dimension, Categorical):
        return positions(index, [x])[0]
    return round(float(x)) if isinstance(dimension, Integer) else float(x)


def _read(dimension: Dimension, value: Any) -> Any:
    if isinstance(dimension, Categorical):
        return dimension.categories[int(value)]
    low, high = dimension.bounds
    kept = min(max(value, low), high)
    return round(kept) if isinstance(dimension, Integer) else float(kept)


def _reader(dimension: Dimension) -> tuple[str, float, float]:
    """Describe a dimension as plain data (kind, low, high). Workers convert values with it, because
    this package is not installed there.
    """
    if isinstance(dimension, Categorical):
        return "category", 0, 0
    low, high = dimension.bounds
    return ("integer" if isinstance(dimension, Integer) else "real"), low, high


def _listed(
    func: Any, readers: list[tuple[str, float, float]], timed: bool
) -> Callable[[Any], Any]:
    def objective(config: Any) -> dict[str, Any]:
        from math import isfinite
        from numbers import Real

        point: list[Any] = []
        for value, (kind, low, high) in zip(config, readers, strict=True):
            if kind == "category":
                point.append(value)
            else:
                kept = min(max(value, low), high)
                point.append(round(kept) if kind == "integer" else float(kept))
        returned = func(point) if timed else (func(point), None)
        if not isinstance(returned, (list, tuple)) or len(returned) != 2:
            raise TypeError(f"`func` should return (loss, seconds), got {returned!r}")
        loss, seconds = returned
        if getattr(loss, "shape", None) == ():
            loss = loss.item()
        if not isinstance(loss, Real):
            raise ValueError(f"`func` should return a scalar, got {loss!r}")
        extra = {} if seconds is None else {"seconds": float(seconds)}
        ended = {"status": "ok", "loss": float(loss)} if isfinite(loss) else {"status": "fail"}
        return {**ended, **extra}

    objective.__name__ = getattr(func, "__name__", type(func).__name__)
    return objective
