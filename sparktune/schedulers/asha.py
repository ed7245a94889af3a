"""Asynchronous successive halving (ASHA) by promotion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparktune.arguments import is_real, whole
from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.schedulers.growth import highest_rung
from sparktune.schedulers.rungs import Standing, geometric
from sparktune.schedulers.view import by_configuration
from sparktune.schedulers.work import New, Promote

_RUNGS = 4  # number of rungs with the default of min_budget and eta=3
_UNGUIDED = 3  # one of so many new configurations is random


@dataclass(frozen=True, slots=True)
class ASHA:
    """Give many configurations a small budget, the best of them a larger one, and few a full one.

        def objective(config, budget, state=None):  # budget: the total number of epochs
            model, done = state or (build(config), 0)
            for _ in range(done, budget):
                model.partial_fit(X, y)
            return {"loss": loss(model), "status": "ok", "state": (model, budget)}

        tune(objective, space, scheduler=ASHA(min_budget=3, max_budget=81), max_trials=300)

    The budgets, called rungs, are `max_budget` divided by 1, eta, eta^2, ..., down to `min_budget`:
    here 81, 27, 9 and 3. Whenever a rung has eta more results, its best configuration that is not
    promoted yet is evaluated at the next rung. Nothing waits for a rung to be full, and no running
    trial is stopped (L. Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys
    2020, algorithm 2). Promotions go first. If there are none, a new configuration starts at the
    smallest budget. Four rules differ from the paper:

    *   At most n / eta of the n configurations of a rung are ever promoted (Y. Li et al.,
        "Hyper-Tune", VLDB 2022). Without this limit, nearly all points of a sampler that learns
        would be promoted, because each is among the best when it ends.
    *   One of three new configurations is random, as in BOHB (S. Falkner et al., ICML 2018). A
        sampler that learns would go to the optimum at the smallest budget, and stay there.
    *   When no new configurations are left, the best one continues to `max_budget`, so that a short
        run ends with a full evaluation, too.
    *   Random configurations that climb all rungs, whatever their losses, get the share `audit` of
        the budget. They show whether losses at a small budget predict those at the full one. If
        they do not, new configurations start at the first rung whose losses do.

    Args:
        min_budget: the smallest budget; None: max_budget / 27. An evaluation with it should take
            half a second or more, because a Spark job costs some hundredths of a second.
        max_budget: the budget of a full evaluation, such as a number of epochs, trees or rows.
        eta: one of eta configurations is promoted.
        audit: the share of the budget for random configurations that climb all rungs, 0 to 0.5.
            The first one starts when the run has spent 1 / audit full evaluations.
        finalists: how many configurations get the full budget at least.
        brackets: at how many of the smallest rungs new configurations may start. Each rung is
            chosen with a probability proportional to Hyperband's number of configurations there.
        grow: whether the ladder begins with its lowest two rungs. It then gets the next rung only
            when its highest two rank configurations differently, by more than noise: PASHA
            (O. Bohdal et al., ICLR 2023). This saves most where small budgets predict the full one
            well. The best configurations continue to `max_budget` at the end in any case.

    Raises:
        InvalidArgument: an argument is out of range, or there would be fewer than two rungs.
    """

    min_budget: float | None = None
    max_budget: float = 1.0
    eta: float = 3
    audit: float = 0.2
    finalists: int = 1
    brackets: int = 1
    grow: bool = False

    def __post_init__(self) -> None:
        rungs = self.rungs
        if not is_real(self.audit) or not 0 <= self.audit <= 0.5:
            raise InvalidArgument(f"audit must be a number from 0 to 0.5, got {self.audit!r}")
        whole("finalists", self.finalists, 1)
        if whole("brackets", self.brackets, 1) > len(rungs):
            shown = ", ".join(f"{rung:g}" for rung in rungs)
            raise InvalidArgument(
                f"brackets must be at most the number of rungs, which are {shown}; "
                f"got {self.brackets}"
            )
        if not isinstance(self.grow, bool) or (self.grow and self.brackets > 1):
            raise InvalidArgument(
                f"grow must be True or False, and True needs brackets=1; got "
                f"grow={self.grow!r}, brackets={self.brackets!r}"
            )

    @property
    def rungs(self) -> tuple[float, ...]:
        """The budgets, smallest first."""
        smallest = self.min_budget
        if smallest is None and is_real(self.max_budget):
            smallest = self.max_budget / 3 ** (_RUNGS - 1)
            if float(self.max_budget).is_integer() and self.max_budget > 1:
                smallest = max(round(smallest), 1)
        return geometric(smallest or 0, self.max_budget, self.eta)

    def schedule(self, history: View, free: int) -> list[New | Promote]:
        """Audits, then promotions from the top down, then new configurations, and finalists last.

        The list is empty while earlier work has to end first.
        """
        standing = Standing.of(history, self.rungs, self.eta)
        work = [*self._audits(history, standing), *self._promotions(history, standing)]
        work += self._new(history, standing.first, free - len(work))
        if not work and not history.pending.any():
            work = self._finals(standing)
        return work[:free]

    def scores(self, history: View) -> View:
        """A row for each configuration, with its expected quantile among all of them as the loss:
        see `by_configuration`. Configurations below the first rung that predicts are left out.
        """
        return by_configuration(history, Standing.of(history, self.rungs, self.eta))

    def start(self, history: View) -> float:
        """The smallest budget that new configurations get now: the first one whose losses predict
        those at the full budget.
        """
        return self.rungs[Standing.of(history, self.rungs, self.eta).first]

    def expected(self, n: int) -> list[int]:
        """About how many evaluations each rung gets from n configurations, without audits. Empty
        for a ladder that grows, because its height is unknown.
        """
        if self.grow:
            return []
        starts = np.diff(self._shares, prepend=0.0, append=[1.0] * len(self.rungs)) * n
        counts: list[float] = []
        for start in starts[: len(self.rungs)]:
            counts.append(start + (counts[-1] / self.eta if counts else 0.0))
        return [max(int(count + 1e-9), min(self.finalists, n)) for count in counts]

    def _promotions(self, history: View, standing: Standing) -> list[New | Promote]:
        """Promotions by losses. Explored configurations climb by themselves, see `_audits`."""
        work: list[New | Promote] = []
        explored = history.explored
        usable = history.ok | history.pending
        promoted = (history.parent >= 0) & usable & standing.earned
        top = len(self.rungs) - 1
        if self.grow:
            top = max(highest_rung(history, standing.rung, top), standing.first)
        for k in reversed(range(standing.first, top)):
            limit = int(standing.limit[k])
            due = [int(row) for row in standing.best(k)[:limit] if not standing.climbed[row]]
            room = limit - int(np.count_nonzero(promoted & (standing.rung == k + 1)))
            work += [
                Promote(row, self.rungs[k + 1]) for row in due[: max(room, 0)] if not explored[row]
            ]
        return work

    def _audits(self, history: View, standing: Standing) -> list[New | Promote]:
        """Explored configurations climb. One more starts if their share allows it."""
        explored = history.explored
        climbs = explored & history.ok & ~standing.climbed & (standing.rung < len(self.rungs) - 1)
        work: list[New | Promote] = [
            Promote(int(row), self.rungs[standing.rung[row] + 1]) for row in np.flatnonzero(climbs)
        ]
        audits = int(np.count_nonzero(history.explore & (history.ok | history.pending)))
        allowed = self.audit * history.spent.sum() / self.max_budget
        if audits + 1 <= allowed and not history.exhausted:
            work.append(New(self.rungs[0], explore=True))
        return work

    def _new(self, history: View, first: int, n: int) -> list[New | Promote]:
        if history.exhausted or n <= 0:
            return []
        begun = int(np.count_nonzero(history.parent < 0))
        return [
            New(self.rungs[max(self._bracket(i), first)], unguided=i % _UNGUIDED == 0)
            for i in range(begun, begun + n)
        ]

    def _bracket(self, i: int) -> int:
        """The rung at which configuration i starts."""
        if self.brackets == 1:
            return 0
        return int(np.searchsorted(self._shares, np.random.default_rng([i]).random()))

    @property
    def _shares(self) -> NDArray[np.float64]:
        """(brackets,) share of the configurations that start at each rung or at a lower one."""
        last = len(self.rungs) - 1
        weights = [self.eta ** (last - s) * (last + 1) / (last - s + 1) for s in range(last + 1)]
        part = np.array(weights[: self.brackets])
        shares: NDArray[np.float64] = np.cumsum(part / part.sum())
        return shares

    def _finals(self, standing: Standing) -> list[New | Promote]:
        """Promotions from the highest rung below the full budget, until `finalists` have that."""
        last = len(self.rungs) - 1
        missing = self.finalists - int(standing.size[last])
        for k in reversed(range(last)):
            rows: NDArray[np.intp] = standing.best(k)
            rows = rows[~standing.climbed[rows]]
            if (
                missing > 0
                and len(rows)
                and (k >= standing.first or not standing.size[standing.first :].any())
            ):
                return [Promote(int(row), self.rungs[k + 1]) for row in rows[:missing]]
        return []


def Hyperband(
    min_budget: float | None = None,
    max_budget: float = 1.0,
    eta: float = 3,
    audit: float = 0.0,
    finalists: int = 1,
) -> ASHA:
    """`ASHA` whose configurations start at every rung, with Hyperband's shares (L. Li et al.,
    "Hyperband", JMLR 2018; asynchronous, so that no rung waits for another). It costs more than
    ASHA where small budgets predict the full one, and is safer where they do not.

    Args:
        min_budget, max_budget, eta, audit, finalists: as in `ASHA`. No audits are needed, because
            some configurations start at the full budget.

    Raises:
        InvalidArgument: an argument is out of range.
    """
    rungs = ASHA(min_budget, max_budget, eta).rungs
    return ASHA(min_budget, max_budget, eta, audit, finalists, brackets=len(rungs))
