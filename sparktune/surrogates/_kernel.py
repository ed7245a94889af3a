"""The stationary part of the Gaussian process's kernel: Matern-5/2 with a length for each group of
features (ARD). The other part is `_trend`.

Z, X    (n, p), (m, p)   rows of features
l       (g,)             length of each group; feature f belongs to group `groups[f]`
A, B    (n, p), (m, p)   rows in units of their lengths: A[:, f] = Z[:, f] / l[groups[f]]
d2      (n, m)           squared distances of the rows A and B
r       (n, m)           sqrt(5 d2)
k       (n, m)           (1 + r + r^2 / 3) exp(-r), times the signal variance sf2 elsewhere
slope   (n, m)           -2 dk/d(d2) = 5/3 (1 + r) exp(-r)
"""

from __future__ import annotations

import numpy as np

from sparktune.surrogates import Array


def correlation(A: Array, B: Array) -> Array:
    """k between the rows of A and B."""
    return _correlation(_distances(A, B))[0]


def with_slope(A: Array, B: Array) -> tuple[Array, Array]:
    """k and slope between the rows of A and B."""
    r = _distances(A, B)
    k, decay = _correlation(r)
    r += 1
    r *= decay
    r *= 5 / 3
    return k, r


def _distances(A: Array, B: Array) -> Array:
    """r, computed in place, because suggestions spend most of their time with such arrays."""
    r: Array = A @ B.T
    r *= -2
    r += np.einsum("ij,ij->i", A, A)[:, None]
    r += np.einsum("ij,ij->i", B, B)
    np.maximum(r, 0.0, out=r)
    r *= 5
    return np.sqrt(r, out=r)


def _correlation(r: Array) -> tuple[Array, Array]:
    """k and exp(-r)."""
    decay = np.exp(-r)
    k = r / 3
    k += 1
    k *= r
    k += 1
    k *= decay
    return k, decay
