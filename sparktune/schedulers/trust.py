"""The lowest rung whose losses correlate with those at the full budget."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparktune.history import View
from sparktune.ranks import rank_correlation

_LEAST = 0.2  # smallest rank correlation with the losses at the full budget
_PAIRS = 6  # smallest number of configurations with both losses
_LEAST_OF_GOOD = 0.3  # the same of configurations that their losses have promoted
_PAIRS_OF_GOOD = 8


def first_rung(history: View, rung: NDArray[np.intp], last: int) -> int:
    """The lowest rung whose losses predict those at the full budget. It is the last rung if no
    other one predicts.

    Losses predict if Spearman's rank correlation is at least 0.2 over the configurations that have
    both losses, and at least 0.3 over those of them that were promoted by their losses: bad
    configurations may be bad at every budget, while the best at a small one are not the best at the
    full one. Fewer than 6 and 8 configurations do not count.

    Args:
        history: n evaluations.
        rung: (n,) their rungs.
        last: the rung of the full budget.
    """
    explored = history.explored
    for k in range(last):
        low, full, chosen = _both(history, rung, k, last, ~explored)
        if _predict(low, full, _PAIRS, _LEAST) and _predict(
            low[chosen], full[chosen], _PAIRS_OF_GOOD, _LEAST_OF_GOOD
        ):
            return k
    return last


def _predict(low: NDArray[np.float64], full: NDArray[np.float64], pairs: int, least: float) -> bool:
    return len(full) < pairs or rank_correlation(low, full) >= least


def _both(
    history: View, rung: NDArray[np.intp], k: int, last: int, promoted: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """(losses in rung k, losses in the last rung, whether their losses promoted them) of the
    configurations that have both.
    """
    at = np.full((2, len(history)), np.nan)
    for row, number in zip(at, (k, last), strict=True):
        here = np.flatnonzero(history.ok & (rung == number))
        row[history.root[here]] = history.loss[here]
    known = ~np.isnan(at).any(axis=0)
    return at[0, known], at[1, known], promoted[known]
