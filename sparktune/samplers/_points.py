"""Rows of a space as inputs of TPE's density model.

z    latent values of the numeric columns, in units of the prior: (latent - centre) / scale
h    width of the cell that a grid value stands for, in the same units; 0 off the grid
c    number of numeric columns
C    number of options of a categorical column
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparktune.space.distributions import Array
from sparktune.space.space import Space


@dataclass(frozen=True)
class Points:
    """Rows of a space in latent values; z is NaN where inactive."""

    space: Space
    X: Array
    z: Array
    h: Array

    @staticmethod
    def of(space: Space, X: Array) -> Points:
        """The rows X in latent values."""
        layout = space.layout
        z = layout.latent(X)
        h = np.broadcast_to(layout.step, z.shape)
        if layout.curved:
            h = h.copy()
            for i in layout.curved:
                low, high = layout.cells(i, X)
                h[:, i] = (high - low) / layout.scale[i]
        return Points(space, X, z, h)

    def features(self) -> Array:
        """The features, in which the log density is linear, shape (M, 3 c + sum of C): z^2, z and 1
        for active numeric columns, and 1 for each chosen option.
        """
        layout = self.space.layout
        active = ~np.isnan(self.z)
        z = np.where(active, self.z, 0.0)
        taken = [
            self.X[:, j, None] == np.arange(len(p))
            for j, p in zip(layout.categorical, layout.options, strict=True)
        ]
        return np.concatenate([z**2, z, active, *taken], axis=1)
