"""Rank correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Spearman's rank correlation of `a` and `b`, where equal values have their mean rank. 0 if all
    values of `a` or all of `b` are equal.
    """
    x, y = (_ranks(values) - (len(values) - 1) / 2 for values in (a, b))
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale else 0.0


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    mean: NDArray[np.float64] = np.cumsum(count) - (count + 1) / 2
    return mean[place]
