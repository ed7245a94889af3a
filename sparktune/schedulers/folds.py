"""Cross-validation fold by fold: clearly worse configurations get no more folds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparktune.arguments import whole
from sparktune.errors import InvalidArgument
from sparktune.history import CODES, View
from sparktune.schedulers.work import New, Promote
from sparktune.trial import Status

RULES = ("forgiving", "paired", "both")
OF_RULES = '"forgiving", "paired" or "both"'

_LEAST = 2  # smallest number of folds of a configuration
_PAIRED = 3  # smallest number of folds for the paired rule
_ERRORS = 1.0  # standard errors of the paired rule
_OK, _CANCELLED = CODES[Status.OK], CODES[Status.CANCELLED]


@dataclass(frozen=True, slots=True)
class Folds:
    """Each evaluation is one more fold of a configuration. All have them in the same order.

        tune(objective, space, scheduler=Folds(5), max_trials=100)

    The budget is the number of folds done so far, and the loss is their mean. Every configuration
    gets at least two folds. It gets no more when

    *   its mean is worse than the worst fold of the best configuration that has all folds (the
        forgiving rule of E. Bergman et al., "Don't Waste Your Time: Early Stopping
        Cross-Validation", AutoML 2024); or
    *   after three folds, it is worse than the best one on the same folds by more than one standard
        error of the mean difference (the paired rule).

    Until one configuration has all folds, none is stopped. Further folds come before new
    configurations.

    Args:
        k: the number of folds.
        rule: "forgiving", "paired", or "both".

    Raises:
        InvalidArgument: k is not an integer >= 2, or the rule is unknown.
    """

    k: int
    rule: str = "both"

    def __post_init__(self) -> None:
        whole("k", self.k, 2)
        if self.rule not in RULES:
            raise InvalidArgument(f"rule must be {OF_RULES}, got {self.rule!r}")

    @property
    def rungs(self) -> tuple[float, ...]:
        """The budgets: 1 to k folds."""
        return tuple(float(i) for i in range(1, self.k + 1))

    @property
    def max_budget(self) -> float:
        """The budget of a full evaluation: k folds."""
        return float(self.k)

    def schedule(self, history: View, free: int) -> list[New | Promote]:
        """One more fold for each configuration that no rule stops, the most folds first; then new
        configurations.
        """
        rows = self._going_on(history)
        order = rows[np.argsort(-history.budget[rows], kind="stable")]
        work: list[New | Promote] = [
            Promote(int(row), float(history.budget[row] + 1)) for row in order[:free]
        ]
        if not history.exhausted:
            work += [New(1.0) for _ in range(free - len(work))]
        return work

    def scores(self, history: View) -> View:
        """A row for each configuration. Its loss is the mean over its folds of its excess over the
        average of all configurations on that fold. So a fold that is hard for all does not count
        against those that had it.
        """
        losses = _losses(history, self.k)
        roots = np.flatnonzero(history.parent < 0)
        seen = np.isfinite(losses[roots])
        losses = losses[roots]
        n = np.maximum(seen.sum(axis=0), 1)
        usual = np.where(seen, losses, 0).sum(axis=0) / n
        told = seen.sum(axis=1)
        above = np.where(seen, losses - usual, 0).sum(axis=1) / np.maximum(told, 1)
        mean = float(usual[seen.any(axis=0)].mean()) if seen.any() else 0.0
        return replace(
            history,
            X=history.X[roots],
            loss=np.where(told > 0, above + mean, np.nan),
            status=np.where(told > 0, _OK, history.status[roots]).astype(np.int8),
            budget=np.ones(len(roots)),
            spent=np.ones(len(roots)),
            asked=history.asked[roots],
            started=history.started[roots],
            finished=history.finished[roots],
            parent=np.full(len(roots), -1, dtype=np.intp),
            root=np.arange(len(roots)),
            explore=history.explore[roots],
            variance=np.full(len(roots), np.nan),
            full=1.0,
            known_ends=None,
        )

    def _going_on(self, history: View) -> NDArray[np.intp]:
        """The rows of the configurations that get one more fold now."""
        climbed = np.zeros(len(history), dtype=bool)
        children = (history.parent >= 0) & (history.status != _CANCELLED)
        climbed[history.parent[children]] = True
        rows = np.flatnonzero(history.ok & ~climbed & (history.budget < self.k))
        losses = _losses(history, self.k)
        complete = np.flatnonzero(np.isfinite(losses).all(axis=1))
        if not len(complete):
            return rows
        best = losses[complete[np.argmin(losses[complete].mean(axis=1))]]
        may_win = [i for i in rows if self._may_win(losses[history.root[i]], best)]
        return np.array(may_win, dtype=np.intp)

    def _may_win(self, losses: NDArray[np.float64], best: NDArray[np.float64]) -> bool:
        """Whether a configuration with these folds may still beat the best one."""
        done = np.isfinite(losses)
        n = int(done.sum())
        if n < _LEAST:
            return True
        if self.rule != "paired" and losses[done].mean() > best.max():
            return False
        if self.rule == "forgiving" or n < _PAIRED:
            return True
        worse = losses[done] - best[done]
        return bool(worse.mean() <= _ERRORS * worse.std(ddof=1) / np.sqrt(n))


def _losses(history: View, k: int) -> NDArray[np.float64]:
    """(n, k) losses of the folds of the configurations, at their first rows; NaN where there are
    none. They are computed from the records, which hold means of all folds so far.
    """
    losses = np.full((len(history), k), np.nan)
    total = history.budget * history.loss
    before = np.where(history.parent >= 0, total[history.parent], 0.0)
    rows = np.flatnonzero(history.ok & (history.budget <= k))
    losses[history.root[rows], history.budget[rows].astype(int) - 1] = (total - before)[rows]
    return losses
