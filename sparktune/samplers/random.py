"""Random search: independent draws from the prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparktune.history import View
from sparktune.samplers._options import with_options
from sparktune.space.distributions import Array
from sparktune.space.space import Space


@dataclass(frozen=True)
class Random:
    """Draws every point from the prior, whatever the results are."""

    learns = False
    __call__ = with_options

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d)."""
        return space.sample(rng, n)


suggest = Random()
"""Random search with its defaults: `fmin(..., algo=rand.suggest)`."""
