"""`Sobol`: the points of a Sobol' sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparktune.skopt.sampler.base import InitialPointGenerator, seed_of


class Sobol(InitialPointGenerator):
    """The points of a Sobol' sequence (Sobol' 1967), computed by scipy. They are most even if their
    number is a power of two.

    Args:
        skip: number of points to skip at the start.
        randomize: whether to scramble the sequence.
    """

    def __init__(self, skip: int = 0, randomize: bool = True) -> None:
        self.skip = skip
        self.randomize = randomize

    def cube(self, n_dim: int, n_samples: int, rng: np.random.RandomState) -> Any:
        """Return n points (n, d) in the unit cube."""
        from scipy.stats import qmc

        engine = qmc.Sobol(n_dim, scramble=self.randomize, seed=seed_of(rng))
        # scipy warns if the number of points drawn is not a power of two.
        power = (self.skip + n_samples - 1).bit_length()
        return engine.random_base2(power)[self.skip : self.skip + n_samples]
