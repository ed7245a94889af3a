"""Losses on a scale where a stationary model fits them: small ones stay apart, large ones do not
matter (Song et al. 2024, arXiv:2408.11527, section 4.1, for losses that are minimised).

    y       (n,)   losses; infinite where a trial failed
    m              the median of the finite ones
    s              root mean square distance from m of those below it
    t       (n,)   t = y below m; above, the k-th of the N - n_below others is m + s Phi^-1(u_k)
    w       (n,)   log1p(_BEND (t - min t) / (max t - min t))
"""

from __future__ import annotations

import numpy as np

from sparktune.surrogates import Array

_BEND = 0.5
_FAILED = 0.5
"""How much worse than the worst loss a failure is, in ranges of the others."""


def warped(y: Array) -> Array:
    """The losses y (n,) by their ranks where they are worse than the median, with differences near
    the best one stretched; with mean 0 and variance 1. Failures are worse than all others.

    Multiplying the losses by a positive number, or adding one, changes nothing.
    """
    finite = np.isfinite(y)
    if not finite.any():
        return np.zeros(len(y))
    w = np.empty(len(y))
    unit = np.abs(y[finite]).max() or 1.0  # so that no square overflows
    w[finite] = _bent(_ranked(y[finite] / unit))
    w[y == np.inf] = w[finite].max() + _FAILED * (np.ptp(w[finite]) or 1.0)
    w[y == -np.inf] = w[finite].min()
    return centred(w)[0]


def centred(y: Array) -> tuple[Array, float, float]:
    """The losses y (n,) less an offset, in units of a scale, with mean 0 and variance 1 unless all
    are equal; the offset and the scale.
    """
    finite = np.isfinite(y)
    if not finite.any():
        return np.zeros(len(y)), 0.0, 1.0
    unit = float(np.abs(y[finite]).max()) or 1.0  # so that no square overflows
    y = y / unit
    low, high = float(y[finite].min()), float(y[finite].max())
    y = np.nan_to_num(y, posinf=high + _FAILED * (high - low or 1.0), neginf=low)
    offset, spread = float(y.mean()), float(y.std())
    scale = spread if spread > 1e-12 else 1.0
    scaled: Array = (y - offset) / scale
    return scaled, unit * offset, unit * scale


def _ranked(y: Array) -> Array:
    """Losses above the median by their rank alone."""
    from scipy.special import ndtri

    m = np.median(y)
    above = y > m
    if not above.any():
        return y
    s = np.sqrt(np.mean((y[~above] - m) ** 2)) or 1.0
    _, place, counts = np.unique(y[above], return_inverse=True, return_counts=True)
    ranks = (~above).sum() + np.cumsum(counts) - 0.5 * counts
    t: Array = y.copy()
    t[above] = (m + s * ndtri(ranks / len(y)))[place]
    return t


def _bent(t: Array) -> Array:
    width = np.ptp(t)
    if width == 0:
        return np.zeros(len(t))
    bent: Array = np.log1p(_BEND * (t - t.min()) / width)
    return bent
