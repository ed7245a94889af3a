"""Points that fill a space evenly, whatever is in it already: the start of a run.

A low-discrepancy design made one point at a time: of random candidates the one is taken that lies
where the points so far leave most room, by the kernel of the wrap-around L2-discrepancy (Hickernell
1998) for numbers, extended to categories. What matters is evenness in every projection on few
parameters. Unlike a sequence it needs no state, fills the gaps around points that a user gave, and
follows conditions: where a parameter is inactive, only the others count.

    U, V   (n, c), (m, c)   numeric columns as prior probabilities, NaN where inactive
    k(t)   1 + _STRENGTH (1/6 - t (1 - t)) at distance t: how much two points crowd each other in
           one parameter; 1 on average
"""

from __future__ import annotations

import numpy as np

from sparktune.space.distributions import Array
from sparktune.space.layout import Layout

_STRENGTH = 3.0


def crowding(layout: Layout, X: Array, points: Array) -> Array:
    """How much of `points` (m, d) is near each row of X (n, d), shape (n,)."""
    factors = np.ones((len(X), len(points)))
    U, V = layout.unit(X), layout.unit(points)
    for u, v in zip(U.T, V.T, strict=True):
        t = np.abs(u[:, None] - v)
        factors *= np.nan_to_num(1 + _STRENGTH * (1 / 6 - t * (1 - t)), nan=1.0)
    for j, p in zip(layout.categorical, layout.options, strict=True):
        x, y = X[:, j, None], points[:, j]
        share = p[np.nan_to_num(y).astype(int)]
        same = np.where(x == y, 1 / np.maximum(share, 1e-6), 0.0)
        factors *= np.where(np.isnan(x) | np.isnan(y), 1.0, (1 + same) / 2)
    total: Array = factors.sum(axis=1)
    return total
