"""Which states may still be needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sparktune.history import CODES, View
from sparktune.trial import Status

_CANCELLED = CODES[Status.CANCELLED]
_SPARE = 2  # smallest number of states of a rung that are kept besides


def superfluous(
    history: View,
    sizes: Mapping[int, int],
    rungs: Sequence[float],
    most: float,
    finalists: int = 1,
) -> list[int]:
    """The rows whose states are not needed, or do not fit.

    A state is not needed once the next evaluation of its configuration has ended. It is also not
    needed if its configuration is unlikely to be promoted: if more than twice as many of its rung
    are better as will be promoted. At the full budget only the best one's state stays. Explored
    configurations are promoted whatever their losses are.

    Args:
        history: evaluations.
        sizes: {row: bytes} of the states that there are.
        rungs: budgets, smallest first.
        most: the limit in bytes of all states; those of the worst configurations go first.
        finalists: how many configurations get the full budget at least.
    """
    children = np.flatnonzero((history.parent >= 0) & (history.status != _CANCELLED))
    running = set(history.parent[children[history.pending[children]]].tolist())
    ended = set(history.parent[children].tolist()) - running
    place, count = _ranks(history)
    spare = max(_SPARE, finalists)
    gone: list[int] = []
    worst: list[tuple[float, int]] = []
    for row in sorted(sizes):
        rung = int(np.searchsorted(rungs, history.budget[row]))
        last = rung >= len(rungs) - 1
        allowed = 1.0 if last else 2 * count[row] * rungs[rung] / rungs[rung + 1] + spare
        climbs = not last and history.explore[history.root[row]]
        if row in running:
            continue
        if row in ended or not (climbs or place[row] < allowed):
            gone.append(row)
        else:
            worst.append((float(place[row] / count[row]), row))
    size = sum(sizes.values()) - sum(sizes[row] for row in gone)
    for _, row in sorted(worst, reverse=True):
        if size > most:
            gone.append(row)
            size -= sizes[row]
    return gone


def _ranks(history: View) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each row its place among the losses at the same budget, 0 for the smallest, and how many
    there are, at least 1.
    """
    place, count = np.zeros(len(history), dtype=np.intp), np.ones(len(history), dtype=np.intp)
    for budget in np.unique(history.budget):
        rows = np.flatnonzero(history.ok & (history.budget == budget))
        ordered = rows[np.argsort(history.loss[rows], kind="stable")]
        place[ordered], count[ordered] = np.arange(len(rows)), len(rows)
    return place, count
