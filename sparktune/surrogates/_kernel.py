"""The stationary part of the Gaussian process's kernel: Matern-3/2 with a length for each group of
features (ARD). The other part is `_trend`.

Z, X    (n, p), (m, p)   rows of features
l       (g,)             length of each group; feature f belongs to group `groups[f]`
A, B    (n, p), (m, p)   rows in units of their lengths: A[:, f] = Z[:, f] / l[groups[f]]
d2      (n, m)           squared distances of the rows A and B
r       (n, m)           sqrt(3 d2)
k       (n, m)           (1 + r) exp(-r), times the signal variance sf2 elsewhere
slope   (n, m)           -2 dk/d(d2) = 3 exp(-r)
"""

from __future__ import annotations

import numpy as np

from sparktune.surrogates import Array


def correlation(A: Array, B: Array) -> Array:
    """k between the rows of A and B."""
    r = _distances(A, B)
    return _correlation(r, np.exp(-r))


def with_slope(A: Array, B: Array) -> tuple[Array, Array]:
    """k and slope between the rows of A and B."""
    r = _distances(A, B)
    slope = np.exp(-r)
    k = _correlation(r, slope)
    slope *= 3
    return k, slope


def _distances(A: Array, B: Array) -> Array:
    """r, computed in place, because suggestions spend most of their time with such arrays."""
    r: Array = A @ B.T
    r *= -2
    r += np.einsum("ij,ij->i", A, A)[:, None]
    r += np.einsum("ij,ij->i", B, B)
    np.maximum(r, 0.0, out=r)
    r *= 3
    return np.sqrt(r, out=r)


def _correlation(r: Array, decay: Array) -> Array:
    """k, by exp(-r)."""
    k = r + 1
    k *= decay
    return k
