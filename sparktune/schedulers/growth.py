"""The height of a ladder that grows only while its rungs rank configurations differently (O. Bohdal
et al., "PASHA", ICLR 2023).

    m      number of configurations that have losses in both of the upper two rungs
    below  (m,)  their losses in the rung below these two, NaN where there is none
    low    (m,)  their losses in the lower one of the two
    high   (m,)  their losses in the upper one of the two
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparktune.history import View

_FIRST = 1  # highest rung at the beginning, so that the ladder has two rungs
_SIZES = (2, 3, 4, 6, 9, 13, 19, 28, 42, 63, 94, 141, 211)  # values of m at which to compare
_NOISE = 0.9  # quantile of the differences that count as noise


def highest_rung(history: View, rung: NDArray[np.intp], last: int) -> int:
    """The highest rung to which configurations may go now.

    At first it is the second rung. As long as the upper two rungs rank configurations differently,
    the next rung is added, up to the last one. Explored configurations do not count. The comparison
    uses the first 2, 3, 4, 6, ... configurations of a rung, so that an open rung stays open.

    Args:
        history: n evaluations.
        rung: (n,) their rungs.
        last: the rung of the full budget.
    """
    known = history.ok & ~history.explored & (rung <= last)
    losses = np.full((last + 1, len(history)), np.nan)
    losses[rung[known], history.root[known]] = history.loss[known]
    for top in range(_FIRST, last):
        here = history.root[known & (rung == top)]
        both = here[np.isfinite(losses[top - 1, here])]
        below = losses[top - 2, both] if top > 1 else np.full(len(both), np.nan)
        low, high = losses[top - 1, both], losses[top, both]
        if not any(_differ(below[:m], low[:m], high[:m]) for m in _SIZES if m <= len(both)):
            return top
    return last


def _differ(
    below: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> bool:
    """Whether two rungs rank configurations differently, by more than noise.

    The configurations at some place of the two rankings must differ by more than the noise in their
    losses in the lower rung. Noise is measured on pairs that changed places on the way to the lower
    rung, and changed back on the way to the upper one.
    """
    apart = np.abs(low[np.argsort(low, kind="stable")] - low[np.argsort(high, kind="stable")])
    return bool((apart > _noise(below, low, high)).any())


def _noise(
    below: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> float:
    i, j = np.triu_indices(len(low), 1)
    first, second, third = (np.sign(losses[i] - losses[j]) for losses in (below, low, high))
    back = (first * second < 0) & (second * third < 0)
    return float(np.quantile(np.abs(low[i] - low[j])[back], _NOISE)) if back.any() else 0.0
