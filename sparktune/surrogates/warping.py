"""Losses on a scale that suits a stationary model: how much worse a bad loss is matters little.

    y       (n,)   losses; infinite where a trial failed
    slope   (n,)   dw/dy

With fewer than 30 finite losses:

    q              their lower quartile
    s              the median of those above the smallest one, less that one
    w       (n,)   asinh((y - q) / s)

Differences between losses up to the median stay nearly unchanged, and so does the share of noise in
them: their slopes differ by a factor of sqrt(2) at most. A bad loss counts by its logarithm. With
30 or more, most of which are near the best one as a search goes on, s would be so small that noise
counts like signal. Then only bad losses change:

    m              the median
    s              the median of those above m, less m
    w       (n,)   y up to the median; above, m + s log(1 + (y - m) / s)

Ranks (Song et al. 2024, arXiv:2408.11527) would make noise as large as the signal.
"""

from __future__ import annotations

import numpy as np

from sparktune.surrogates import Array

_FAILED = 0.5
"""How much worse than the worst loss a failure counts, in ranges of the losses."""

_MANY = 30
"""With at least this many losses, those up to the median stay as they are."""

_STEEPEST = 1e150
"""Largest slope, so that its square is finite."""


def warped(y: Array) -> Array:
    """w of the losses y (n,), with mean 0 and variance 1. Failures are worse than all others.

    Multiplying the losses by a positive number, or adding one, changes nothing.
    """
    return warped_with_slope(y)[0]


def warped_with_slope(y: Array) -> tuple[Array, Array]:
    """w of the losses y (n,), and dw/dy, by which a small noise of them is multiplied."""
    finite = np.isfinite(y)
    w, slope, unit = y.copy(), np.ones(len(y)), 1.0
    if finite.any():
        unit = float(np.abs(y[finite]).max()) or 1.0  # so that no difference overflows
        w[finite], slope[finite] = _calmed(y[finite] / unit)
    scaled, _, scale = centred(w)
    with np.errstate(over="ignore"):
        return scaled, np.minimum(slope / unit / scale, _STEEPEST)


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


def _calmed(y: Array) -> tuple[Array, Array]:
    return _bad_ones(y) if len(y) >= _MANY else _all(y)


def _all(y: Array) -> tuple[Array, Array]:
    above = y > y.min()
    if not above.any():
        return y, np.ones(len(y))
    s = max(float(np.median(y[above]) - y.min()), 1e-12)
    t = (y - np.quantile(y, 0.25)) / s
    return np.arcsinh(t), 1 / (s * np.hypot(1, t))


def _bad_ones(y: Array) -> tuple[Array, Array]:
    m = float(np.median(y))
    above = y > m
    w, slope = y.copy(), np.ones(len(y))
    if above.any():
        s = max(float(np.median(y[above])) - m, 1e-12)
        t = (y[above] - m) / s
        w[above], slope[above] = m + s * np.log1p(t), 1 / (1 + t)
    return w, slope
