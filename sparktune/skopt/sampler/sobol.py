"""Sobol' points."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparktune.skopt.sampler.base import InitialPointGenerator, seed_of


class Sobol(InitialPointGenerator):
    """Sobol' points (Sobol' 1967), by scipy; best in numbers that are powers of two.

    Args:
        skip: points to leave out.
        randomize: whether to scramble them.
    """

    def __init__(self, skip: int = 0, randomize: bool = True) -> None:
        self.skip = skip
        self.randomize = randomize

    def cube(self, n_dim: int, n_samples: int, rng: np.random.RandomState) -> Any:
        """n points (n, d) of the unit cube."""
        from scipy.stats import qmc

        engine = qmc.Sobol(n_dim, scramble=self.randomize, seed=seed_of(rng))
        # scipy warns of a first part whose length is not a power of two.
        power = (self.skip + n_samples - 1).bit_length()
        return engine.random_base2(power)[self.skip : self.skip + n_samples]
