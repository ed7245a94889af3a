"""Budgets that grow by a factor, and the ranks of evaluations with equal budgets.

    n          number of evaluations, the rows of a history
    K          number of rungs: budgets r_0 < ... < r_(K-1), the last one of a full evaluation
    eta        the factor between neighbouring budgets
    rung       (n,)  the index of the rung of an evaluation
    place      (n,)  rank among the losses of its rung, 0 for the smallest; -1 for none
    size       (K,)  number of ranked losses of a rung
    limit      (K,)  size // eta, the number of configurations of a rung that may be promoted

An explored configuration climbs whatever its losses are. It is not ranked in a rung that its losses
would not have reached: its place is -1 there, and the rung's size does not count it. Rungs up to
`first` need no such merit, because losses below do not predict those at the full budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparktune.arguments import is_real
from sparktune.errors import InvalidArgument
from sparktune.history import CODES, View
from sparktune.schedulers.trust import first_rung
from sparktune.trial import Status

_CANCELLED = CODES[Status.CANCELLED]
_MOST = 20  # largest number of rungs; more are a mistake


def geometric(smallest: float, largest: float, eta: float) -> tuple[float, ...]:
    """`largest` divided by 1, eta, eta^2, ..., down to `smallest`, in ascending order. They are
    whole numbers if both ends are, without repetition.

    Raises:
        InvalidArgument: there is no such ladder.
    """
    for name, value in (("min_budget", smallest), ("max_budget", largest), ("eta", eta)):
        if not is_real(value) or not 0 < value < float("inf"):
            raise InvalidArgument(f"{name} must be a number > 0, got {value!r}")
    if eta <= 1:
        raise InvalidArgument(f"eta must be larger than 1, such as 3, got {eta!r}")
    if smallest >= largest:
        raise InvalidArgument(
            f"min_budget must be smaller than max_budget, got {smallest!r} and {largest!r}"
        )
    whole = float(smallest).is_integer() and float(largest).is_integer()
    exact = [largest / eta**k for k in range(_MOST)]
    rungs = sorted({round(rung) if whole else rung for rung in exact})
    kept = tuple(rung for rung in rungs if rung >= smallest * (1 - 1e-9))
    if len(kept) < 2:
        raise InvalidArgument(
            f"there is no budget between min_budget={smallest:g} and max_budget={largest:g}: "
            f"{largest:g} / {eta:g} is less than {smallest:g}; give a smaller min_budget or eta"
        )
    return kept


@dataclass(frozen=True, slots=True)
class Standing:
    """The ranks of a history's evaluations: `rung`, `place`, `size` and `limit` as above.

    first          the lowest rung whose losses predict, by `first_rung`
    started  (n,)  the rung at which the configuration began, `first` at least
    climbed  (n,)  whether the configuration was evaluated, or is, at the rung above
    earned   (n,)  whether the configuration reached this rung by its losses, or began there
    """

    rung: NDArray[np.intp]
    place: NDArray[np.intp]
    size: NDArray[np.intp]
    limit: NDArray[np.intp]
    first: int
    started: NDArray[np.intp]
    climbed: NDArray[np.bool_]
    earned: NDArray[np.bool_]

    @staticmethod
    def of(history: View, rungs: Sequence[float], eta: float) -> Standing:
        """The ranks of the rows of a history."""
        n = len(history)
        rung = np.searchsorted(np.asarray(rungs), history.budget).astype(np.intp)
        place, size = np.full(n, -1), np.zeros(len(rungs), dtype=np.intp)
        first = first_rung(history, rung, len(rungs) - 1)
        explored = history.explored
        top, earned = np.zeros(n, dtype=bool), np.ones(n, dtype=bool)
        for k in range(len(rungs)):
            here = np.flatnonzero(rung == k)
            parent = history.parent[here]
            earned[here] = ~explored[here] | (parent < 0) | top[parent] | (k <= first)
            ranked = here[history.ok[here] & earned[here]]
            ranked = ranked[np.argsort(history.loss[ranked], kind="stable")]
            place[ranked], size[k] = np.arange(len(ranked)), len(ranked)
            top[ranked[: int(len(ranked) / eta)]] = True
        climbed = np.zeros(n, dtype=bool)
        promoted = (history.parent >= 0) & (history.status != _CANCELLED)
        climbed[history.parent[promoted]] = True
        limit = (size / eta).astype(np.intp)
        started = np.maximum(rung[history.root], first)
        return Standing(rung, place, size, limit, first, started, climbed, earned)

    def best(self, k: int) -> NDArray[np.intp]:
        """The ranked rows of rung k, best first."""
        rows = np.flatnonzero((self.rung == k) & (self.place >= 0))
        ordered: NDArray[np.intp] = rows[np.argsort(self.place[rows])]
        return ordered
