"""The trend of the Gaussian process: a linear and a quadratic effect of each feature, a bowl, which
is the sum of the quadratic effects, and from 30 observations on a level.

The trend shows from few observations which way each feature leads. The rest of the kernel knows
only distances, and would need many. The process finds what linear regression on the effects would
find if their weights were normal with mean 0 (Rasmussen and Williams 2006, section 2.7).

The bowl makes the curvatures of features alike: a loss that curves upwards along some of them is
expected to do so along the others. Without it the search tries corner after corner, because the
effects are least certain there. Features of options and of conditional parameters have no part in
the bowl: several of them share a length.

The level is the mean of the process, which it returns to far from all observations. A search
gathers its observations where losses are small, so that their mean is much less than what is to be
expected elsewhere. A process whose level is that mean hopes for too much there, and the search goes
to far corners again and again. First observations fill the space, and their mean is a good level.

Z       (n, p)      rows of features
g                   number of lengths
c       (p,)        the point that effects are measured from
alone   (p,)        1 for features that share their length with no other, else 0
t       (n, p)      2 (Z - c): between -1 and 1 where features are between 0 and 1
T       (n, 2p+2)   effects: t, 3/2 (t^2 - 1/3), and the sum of the latter where alone, all of these
                    over sqrt(g); the level
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparktune.surrogates import Array

_CURVE = 1.5
"""The size of a quadratic effect beside a linear one."""

_BOWL = 1.0
"""The size of the bowl beside the quadratic effects it is made of."""

_LEVEL, _GATHERED = 3.0, 30
"""The size of the level beside a linear effect in one dimension, with at least this many
observations.
"""


@dataclass(frozen=True, eq=False)
class Trend:
    """Effects that are measured from `centre` (p,), c. The last one is `level` everywhere."""

    centre: Array
    alone: Array
    g: int
    level: float

    @staticmethod
    def of(Z: Array, groups: NDArray[np.intp]) -> Trend:
        """The trend of observations at rows Z (n, p), measured from their mean."""
        centre = Z.mean(axis=0) if len(Z) else np.zeros(Z.shape[1])
        sizes = np.bincount(groups)
        level = _LEVEL if len(Z) >= _GATHERED else 0.0
        return Trend(centre, (sizes[groups] == 1).astype(float), len(sizes), level)

    def effects(self, Z: Array) -> Array:
        """T of the rows Z."""
        t = 2 * (Z - self.centre)
        curved = _CURVE * (t**2 - 1 / 3)
        bowl = _BOWL * (curved @ self.alone)
        varying = np.hstack([t, curved, bowl[:, None]]) / np.sqrt(max(self.g, 1))
        found: Array = np.hstack([varying, np.full((len(Z), 1), self.level)])
        return found

    def slopes(self, T: Array, z: Array) -> Array:
        """The derivatives of T @ t with respect to z (p,), where t are its effects; (n, p)."""
        p = len(z)
        linear = 2 / np.sqrt(max(self.g, 1))
        curved = T[:, p : 2 * p] + _BOWL * T[:, 2 * p : 2 * p + 1] * self.alone
        found: Array = linear * (T[:, :p] + 4 * _CURVE * (z - self.centre) * curved)
        return found
