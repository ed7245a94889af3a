"""Hammersley's points, spelt as in scikit-optimize."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparktune.skopt.sampler.halton import Halton


class Hammersly(Halton):
    """Hammersley's points (Hammersley 1960): Halton's, and n evenly spaced numbers in the last
    dimension. Options as for `Halton`.
    """

    def cube(self, n_dim: int, n_samples: int, rng: np.random.RandomState) -> Any:
        """n points (n, d) of the unit cube."""
        even = (np.arange(n_samples) + 0.5) / n_samples
        if n_dim == 1:
            return even[:, None]
        return np.column_stack([super().cube(n_dim - 1, n_samples, rng), even])
