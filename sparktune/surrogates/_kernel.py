"""The kernel of the Gaussian process: Matern-5/2 with a length for each group of features (ARD),
and a trend, which is the sum of a linear and a quadratic effect of every single feature.

The trend sees from few observations which way each feature leads, where the other part, which knows
nothing but distances, would need many. It is what linear regression on these effects would find, if
their weights were normal with mean 0 (Rasmussen and Williams 2006, section 2.7).

Z, X    (n, p), (m, p)   rows of features
l       (g,)             length of each group; feature f belongs to group `groups[f]`
A, B    (n, p), (m, p)   rows in units of their lengths: A[:, f] = Z[:, f] / l[groups[f]]
d2      (n, m)           squared distances of the rows A and B
r       (n, m)           sqrt(5 d2)
k       (n, m)           (1 + r + r^2 / 3) exp(-r), times the signal variance sf2 elsewhere
slope   (n, m)           -2 dk/d(d2) = 5/3 (1 + r) exp(-r)
c       (p,)             the point that effects are measured from
t       (n, p)           2 (Z - c): between -1 and 1 where features are between 0 and 1
T       (n, 2p)          effects: t and 3/2 (t^2 - 1/3), over sqrt(g)
"""

from __future__ import annotations

import numpy as np

from sparktune.surrogates import Array

_CURVE = 1.5
"""The size of a quadratic effect beside a linear one."""


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


def effects(Z: Array, c: Array, g: int) -> Array:
    """T of the rows Z."""
    t = 2 * (Z - c)
    found: Array = np.concatenate([t, _CURVE * (t**2 - 1 / 3)], axis=1) / np.sqrt(max(g, 1))
    return found


def slopes_of_effects(z: Array, c: Array, g: int) -> tuple[Array, Array]:
    """The derivatives of both effects of each feature at z (p,), both (p,)."""
    linear = np.full(len(z), 2 / np.sqrt(max(g, 1)))
    return linear, 4 * _CURVE * (z - c) * linear


def _distances(A: Array, B: Array) -> Array:
    """r, in one array, as arrays of this size are what a suggestion spends its time with."""
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
