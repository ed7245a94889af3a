"""Grid search: every combination of a few values of each parameter, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from sparktune.arguments import is_whole
from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.samplers._options import require, with_options
from sparktune.space.columns import Column
from sparktune.space.distributions import Array, Categorical
from sparktune.space.space import Space

LARGEST = 100_000
_KNOWN: WeakKeyDictionary[Space, tuple[Grid, Array]] = WeakKeyDictionary()
"""The last grid of each space, and its points."""


@dataclass(frozen=True)
class Grid:
    """Every point of a grid over the space, each once. The run ends when all have been tried.
    Parameters that a choice makes inactive do not multiply the points.

    Args:
        n_steps: grid size of continuous parameters: the prior's quantiles at (i + 1/2) / n_steps.
            Discrete parameters use all their values.
        grids: {label: values} for parameters with other values. The values of a choice are the
            indices of its options.
        shuffle: try the points in random order. Otherwise the last parameter of the space, or of an
            option, changes fastest.

    Raises:
        InvalidArgument: an option is out of range; from `suggest`: `grids` does not fit the space,
            or the grid has more than 100,000 points.
    """

    n_steps: int = 10
    grids: Mapping[str, Sequence[float]] | None = None
    shuffle: bool = False

    def __post_init__(self) -> None:
        several = is_whole(self.n_steps) and self.n_steps >= 1
        require(self, "n_steps", several, "an integer >= 1")
        labelled = isinstance(self.grids, (Mapping, type(None)))
        wanted = "a dict {label: values}, for example {'x': [0.1, 1, 10]}"
        require(self, "grids", labelled, wanted)
        require(self, "shuffle", isinstance(self.shuffle, bool), "True or False")

    learns = False
    __call__ = with_options

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """Up to n rows, shape (<= n, d); fewer if no more are left."""
        points = self._points(space)
        order = rng.permutation(len(points)) if self.shuffle else np.arange(len(points))
        seen = {row.tobytes() for row in history.X}
        X = points[order[: n + len(seen)]]  # at most len(seen) of them are not new
        new = [i for i, row in enumerate(X) if row.tobytes() not in seen]
        return X[new[:n]]

    def _points(self, space: Space) -> Array:
        """All points of the grid, cached while the space exists."""
        sampler, points = _KNOWN.get(space, (None, None))
        if sampler is not self or points is None:
            values = self._values(space)
            points = enumerate_rows(space, values)
            if points is None:
                raise _too_large(_sizes(space, values))
            _KNOWN[space] = self, points
        return points

    def _values(self, space: Space) -> list[Array]:
        """The values to try of each column."""
        grids = dict(self.grids or {})
        if unknown := [label for label in grids if label not in space.labels]:
            raise InvalidArgument(
                f"grid.suggest: grids has the unknown parameter {', '.join(map(repr, unknown))}; "
                f"the space has {', '.join(map(repr, space.labels))}"
            )
        return [
            _values_of(space, j, grids[column.label])
            if column.label in grids
            else self._default(column)
            for j, column in enumerate(space.columns)
        ]

    def _default(self, column: Column) -> Array:
        """The values of a parameter without a grid from the user."""
        prior = column.distribution
        if isinstance(prior, Categorical):
            return np.flatnonzero(prior.p).astype(float)
        if not prior.q or not isfinite(prior.size):
            return np.unique(prior.ppf((np.arange(self.n_steps) + 0.5) / self.n_steps))
        if prior.size > LARGEST:
            raise _too_large(f"{column.label!r} alone has {prior.size:.0f}")
        first, last = (round(bound / prior.q) for bound in prior.support)
        return np.arange(first, last + 1, dtype=np.float64) * prior.q


def _values_of(space: Space, j: int, values: Any) -> Array:
    """A user's values of column j, each once."""
    label = space.labels[j]
    if isinstance(values, (str, Mapping)) or not hasattr(values, "__iter__"):
        raise InvalidArgument(f"grid.suggest: grids[{label!r}] must be a list, got {values!r}")
    numbers = dict.fromkeys(float(space.encode({label: value})[j]) + 0.0 for value in values)
    if not numbers:
        raise InvalidArgument(f"grid.suggest: grids[{label!r}] is empty; give at least one value")
    return np.array(list(numbers))


def _too_large(what: str) -> InvalidArgument:
    return InvalidArgument(
        f"grid.suggest: the grid has more than {LARGEST:,} points ({what}); lower n_steps, give "
        "fewer values in grids={label: values}, or use another algorithm"
    )


def enumerate_rows(space: Space, values: Sequence[Array]) -> Array | None:
    """Every combination of values of the columns, shape (n, d), NaN where inactive; None if there
    are more than 100,000. The column that comes last in its option changes fastest.
    """
    X: dict[int, Array] = {}
    n = 1
    for j in _choices_before_their_own(space):
        conditions = space.columns[j].conditions
        holds = [X[parent] == option for parent, option in conditions]
        active = np.logical_or.reduce(holds) if holds else np.ones(n, dtype=bool)
        repeats = np.where(active, len(values[j]), 1)
        n = int(repeats.sum())
        if n > LARGEST:
            return None
        X = {i: np.repeat(x, repeats) for i, x in X.items()}
        X[j] = np.full(n, np.nan)
        X[j][np.repeat(active, repeats)] = np.tile(values[j], int(active.sum()))
    rows: Array = np.array([X[j] for j in range(len(space))]).reshape(len(space), n).T.copy()
    return rows


def _choices_before_their_own(space: Space) -> list[int]:
    """The columns in an order in which a choice comes directly before those that depend on it."""
    parents = [{parent for parent, _ in column.conditions} for column in space.columns]
    placed: dict[int, None] = {}

    def place(j: int) -> None:
        placed[j] = None
        for i, needed in enumerate(parents):
            if i not in placed and j in needed and needed <= placed.keys():
                place(i)

    for j in range(len(parents)):
        if j not in placed:
            place(j)
    return list(placed)


def _sizes(space: Space, values: list[Array]) -> str:
    sizes = zip(space.labels, values, strict=True)
    return "values: " + ", ".join(f"{label!r} {len(each)}" for label, each in sizes)


suggest = Grid()
"""Grid search with its defaults: `fmin(..., algo=grid.suggest)`."""
