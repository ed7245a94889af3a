"""`Hammersly`: the points of a Hammersley set, spelt as in scikit-optimize."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparktune.skopt.sampler.halton import Halton


class Hammersly(Halton):
    """The points of a Hammersley set (Hammersley 1960): a Halton sequence in all dimensions but the
    last, which has n evenly spaced numbers. The options are those of `Halton`.
    """

    def cube(self, n_dim: int, n_samples: int, rng: np.random.RandomState) -> Any:
        """Return n points (n, d) in the unit cube."""
        even = (np.arange(n_samples) + 0.5) / n_samples
        if n_dim == 1:
            return even[:, None]
        return np.column_stack([super().cube(n_dim - 1, n_samples, rng), even])
