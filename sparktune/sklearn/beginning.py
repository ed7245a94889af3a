"""A sampler whose first points are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparktune.history import View
from sparktune.samplers import Sampler, learns
from sparktune.samplers._seen import Seen
from sparktune.space.distributions import Array
from sparktune.space.space import Space


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
        seen = Seen.of(space, history)
        new: list[Array] = []
        while len(new) < n and (row := seen.first_new(rows)) is not None:
            new.append(row)
        if len(new) == n:
            return np.array(new)
        return np.vstack([*new, self.sampler.suggest(space, history, n - len(new), rng)])
