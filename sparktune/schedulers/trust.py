"""The lowest rung whose losses correlate with those at the full budget."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparktune.history import View
from sparktune.ranks import rank_correlation

_LEAST = 0.2  # smallest rank correlation with the losses at the full budget
_PAIRS = 6  # smallest number of configurations with both losses


def first_rung(history: View, rung: NDArray[np.intp], last: int) -> int:
    """The lowest rung whose losses predict those at the full budget: Spearman's rank correlation is
    at least 0.2 over the configurations that have both. It is the lowest rung of all while fewer
    than 6 configurations have both, and the last rung if no other one predicts.

    Args:
        history: n evaluations.
        rung: (n,) their rungs.
        last: the rung of the full budget.
    """
    for k in range(last):
        low, full = both(history, rung, k, last)
        if len(full) < _PAIRS or rank_correlation(low, full) >= _LEAST:
            return k
    return last


def both(
    history: View, rung: NDArray[np.intp], k: int, last: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(losses in rung k, losses in the last rung) of the configurations that have both."""
    at = np.full((2, len(history)), np.nan)
    for row, number in zip(at, (k, last), strict=True):
        here = np.flatnonzero(history.ok & (rung == number))
        row[history.root[here]] = history.loss[here]
    known = ~np.isnan(at).any(axis=0)
    return at[0, known], at[1, known]
