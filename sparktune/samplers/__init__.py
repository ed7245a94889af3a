"""Samplers: `suggest(space, history, n, rng) -> (n, d)` rows, a pure function of its arguments."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sparktune.history import View
from sparktune.space.distributions import Array
from sparktune.space.space import Space


class Sampler(Protocol):
    """Where to evaluate next. A pure function of its arguments."""

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """Up to n rows, shape (<= n, d); fewer only when the space is exhausted."""
