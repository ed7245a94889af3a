"""The points that have been tried, so that none is repeated while an untried one is left."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from sparktune.history import CODES, View
from sparktune.space.distributions import Array, Categorical, Distribution
from sparktune.space.space import Space
from sparktune.trial import Status

_DRAWS = 20
_MOST = 100_000
"""Points of a finite space up to which they are counted."""


class Seen:
    """The rows of a history, and those chosen since.

    Args:
        space: their space.
        X: rows, shape (n, d).
    """

    def __init__(self, space: Space, X: Array) -> None:
        self._space = space
        self._X = X
        self._chosen: set[bytes] = set()
        sizes = [column.distribution.size for column in space.columns]
        self._order = np.argsort(sizes, kind="stable")[::-1]  # what tells most points apart first
        self._finite = bool(np.isfinite(sizes).all())

    @staticmethod
    def of(space: Space, history: View) -> Seen:
        """The points of a history that were or are evaluated."""
        return Seen(space, history.X[history.status != CODES[Status.CANCELLED]])

    def first_new(self, rows: Array) -> Array | None:
        """The first of the rows that is new, which is seen from now on; None if none is."""
        new: Array | None = next((row for row in rows if self._is_new(row)), None)
        if new is not None:
            self._chosen.add(new.tobytes())
        return new

    def drawn(self, rng: np.random.Generator) -> Array | None:
        """A random point that is new, which is seen from now on; None where all have been seen."""
        row = self.first_new(self._space.sample(rng, _DRAWS))
        return self.first_new(self.others(1, rng)) if row is None else row

    def others(self, n: int, rng: np.random.Generator) -> Array:
        """Up to n random points that are new, shape (<= n, d); none where all have been seen.

        Of a space with too many points to look at each, n draws from the prior.
        """
        every = points_of(self._space)
        if every is None:
            return self._space.sample(rng, n)
        shuffled = every[rng.permutation(len(every))]
        return np.array([row for row in shuffled if self._is_new(row)][:n]).reshape(
            -1, every.shape[1]
        )

    @cached_property
    def _tried(self) -> set[bytes]:
        """The rows of the history as bytes."""
        return {_key(row) for row in self._X}

    def _is_new(self, row: Array) -> bool:
        if row.tobytes() in self._chosen:
            return False
        if self._finite:  # where many rows in turn have been tried
            return _key(row) not in self._tried
        same = self._X
        for j in self._order:
            x, column = row[j], same[:, j]
            same = same[column == x if x == x else np.isnan(column)]
            if not len(same):
                return True
        return False


def _key(row: Array) -> bytes:
    """Equal for rows whose values are equal, as are 0.0 and -0.0."""
    return (row + 0.0).tobytes()


def points_of(space: Space) -> Array | None:
    """All points of a finite space, shape (n, d); None if there are more than 100,000 or no end of
    them.
    """
    X = np.empty((1, 0))
    for j, column in enumerate(space.columns):
        values = values_of(column.distribution)
        if values is None or len(X) * len(values) > _MOST:
            return None
        width = np.full((len(X), len(space) - j), np.nan)
        active = space.active(np.hstack([X, width]))[:, j]
        inactive = np.column_stack([X[~active], np.full((~active).sum(), np.nan)])
        repeated = np.repeat(X[active], len(values), axis=0)
        X = np.vstack([inactive, np.column_stack([repeated, np.tile(values, active.sum())])])
    return X


def values_of(distribution: Distribution) -> Array | None:
    """All values of a parameter; None if there are more than 100,000 or no end of them."""
    if isinstance(distribution, Categorical):
        return np.flatnonzero(distribution.p).astype(float)
    if distribution.q is None or distribution.size > _MOST:
        return None
    first = round(distribution.support[0] / distribution.q)
    steps = np.arange(first, first + round(distribution.size), dtype=np.float64)
    return steps * distribution.q + 0.0
