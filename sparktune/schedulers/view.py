"""The history as samplers see it: one row for each configuration with its evaluations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sparktune.history import CODES, View
from sparktune.schedulers.rungs import Standing
from sparktune.trial import Status

_OK, _CANCELLED = CODES[Status.OK], CODES[Status.CANCELLED]


def by_configuration(history: View, standing: Standing) -> View:
    """A row for each configuration, in the order of their first evaluations.

    Losses at different budgets cannot be compared: they rise with the size of a sample, and fall
    with epochs. So the loss here is a configuration's expected quantile among all m that began at
    the same rung. At place p among the n that reached its highest rung, that is
    (p + 1/2) / n * n / m = (p + 1/2) / m. A configuration that failed after a promotion is the last
    of the rung below. One whose promotion is running keeps its loss. Configurations without a loss
    in a rung that predicts are left out.
    """
    score = _scores(history, standing)
    status = history.status.copy()
    status[np.isfinite(score)] = _OK
    tells = np.isfinite(score) | (~history.ok & (standing.rung >= standing.first))
    roots = np.flatnonzero((history.parent < 0) & tells)
    n = len(roots)
    return replace(
        history,
        X=history.X[roots],
        loss=score[roots],
        status=status[roots],
        budget=np.ones(n),
        spent=np.ones(n),
        asked=history.asked[roots],
        started=history.started[roots],
        finished=history.finished[roots],
        parent=np.full(n, -1, dtype=np.intp),
        root=np.arange(n),
        explore=history.explore[roots],
        variance=np.full(n, np.nan),
        full=1.0,
        known_ends=None,
    )


def _scores(history: View, standing: Standing) -> NDArray[np.float64]:
    """(n,) the loss of each configuration, in its first row; NaN where there is none."""
    score = np.full(len(history), np.nan)
    ended = ~(history.ok | history.pending | (history.status == _CANCELLED))
    failed = np.flatnonzero(ended & (history.parent >= 0) & standing.earned)
    above = standing.rung[history.parent[failed]]
    for start in np.unique(standing.started):
        begun = 0
        for k in range(int(start), len(standing.size)):
            rows = standing.best(k)
            rows = rows[standing.started[rows] == start]
            begun = begun or len(rows)
            score[history.root[rows]] = (np.arange(len(rows)) + 0.5) / max(begun, 1)
            last = failed[(above == k) & (standing.started[failed] == start)]
            score[history.root[last]] = len(rows) / max(begun, 1)
    return score
