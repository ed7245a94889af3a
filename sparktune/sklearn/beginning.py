"""A sampler whose first points are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparktune.history import CODES, View
from sparktune.samplers import Sampler, learns
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.trial import Status


@dataclass(frozen=True)
class Beginning:
    """Suggests given points, as far as they have not been evaluated, and then what a sampler does.

    Args:
        points: {label: value}, best first.
        sampler: for all other points.
    """

    points: tuple[Mapping[str, Any], ...]
    sampler: Sampler

    @property
    def learns(self) -> bool:
        """Whether suggestions depend on results."""
        return learns(self.sampler)

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d)."""
        rows = np.array([space.encode(space.check(point)) for point in self.points])
        known = history.X[history.status != CODES[Status.CANCELLED]]
        same = (rows[:, None] == known) | (np.isnan(rows)[:, None] & np.isnan(known))
        new: Array = rows[~same.all(axis=2).any(axis=1)][:n]
        if len(new) == n:
            return new
        return np.vstack([new, self.sampler.suggest(space, history, n - len(new), rng)])
