"""The Matern-5/2 kernel with a length for each group of features (ARD).

Z, X   (n, p), (m, p)   rows of features
l      (g,)             length of each group; feature f belongs to group `groups[f]`
A, B   (n, p), (m, p)   rows in units of their lengths: A[:, f] = Z[:, f] / l[groups[f]]
d2     (n, m)           squared distances of the rows A and B
r      (n, m)           sqrt(5 d2)
k      (n, m)           (1 + r + r^2 / 3) exp(-r), times the signal variance sf2 elsewhere
slope  (n, m)           -2 dk/d(d2) = 5/3 (1 + r) exp(-r)
"""

from __future__ import annotations

import numpy as np

from sparktune.surrogates import Array


def correlation(A: Array, B: Array) -> tuple[Array, Array]:
    """k and slope between the rows of A and B."""
    d2 = (A**2).sum(axis=1)[:, None] + (B**2).sum(axis=1) - 2 * (A @ B.T)
    r = np.sqrt(5 * np.maximum(d2, 0.0, out=d2))
    decay = np.exp(-r)
    slope = (1 + r) * decay
    k: Array = slope + r**2 / 3 * decay
    return k, slope * (5 / 3)
