"""sparktune's ways to spend a budget, and plain ones beside them, on a simulated machine.

Evaluations take simulated time, 0.06 s and in proportion to what they add to the budget (states
are handed on). The regret is that of the trial that a study recommends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

import sparktune
from sparktune import Study, loop
from sparktune.events import Event, Told
from sparktune.executors.task import Task
from sparktune.history import View
from sparktune.schedulers import ASHA, FullBudget, Hyperband, New, Promote, Scheduler
from sparktune.schedulers.rungs import Standing
from sparktune.stopping import MaxBudget
from sparktune.testing import Clock, SimulatedExecutor
from sparktune.trial import Trial
from sparktune.worker import STATE
from tests.benchmarks.curves import FULL, problem
from tests.benchmarks.params import expression

MOST = 81  # full evaluations that a run spends


@dataclass(frozen=True)
class Plain:
    """ASHA as in the paper: whoever is among the best now is promoted; no audits, no guard."""

    rungs: tuple[float, ...] = ASHA(1, FULL).rungs
    max_budget: float = FULL

    def schedule(self, history: View, free: int) -> Sequence[New | Promote]:
        standing = Standing.of(history, self.rungs, 3)
        work: list[New | Promote] = []
        for k in reversed(range(len(self.rungs) - 1)):
            due = standing.best(k)[: standing.limit[k]]
            due = due[~standing.climbed[due]]
            work += [Promote(int(row), self.rungs[k + 1]) for row in due]
        return [*work, *[New(self.rungs[0])] * free][:free]

    def scores(self, history: View) -> View:
        return ASHA(1, FULL).scores(history)


@dataclass(frozen=True)
class Synchronous:
    """Hyperband as in the paper: bracket after bracket, rung after rung, each waits for all."""

    rungs: tuple[float, ...] = ASHA(1, FULL).rungs
    max_budget: float = FULL

    def schedule(self, history: View, free: int) -> Sequence[New | Promote]:
        roots = np.flatnonzero(history.parent < 0)
        last, begun = len(self.rungs) - 1, 0
        while True:
            for s in range(last + 1):
                n = int(np.ceil((last + 1) / (last - s + 1) * 3 ** (last - s)))
                mine = roots[begun : begun + n]
                if len(mine) < n:
                    return [New(self.rungs[s])] * min(free, n - len(mine))
                work = self._next(history, mine, s)
                if work is not None:
                    return work[:free]
                begun += n

    def _next(self, history: View, roots: NDArray[np.intp], s: int) -> list[Promote] | None:
        """What a bracket has to do now; None if it is complete."""
        members = np.isin(history.root, roots)
        for k in range(s, len(self.rungs) - 1):
            here = np.flatnonzero(members & (history.budget == self.rungs[k]))
            if history.pending[here].any():
                return []
            chosen = here[np.argsort(history.loss[here], kind="stable")][: max(len(here) // 3, 1)]
            missing = chosen[~np.isin(chosen, history.parent)]
            if len(missing):
                return [Promote(int(row), self.rungs[k + 1]) for row in missing]
        return [] if history.pending[members].any() else None

    def scores(self, history: View) -> View:
        return ASHA(1, FULL).scores(history)


@dataclass(frozen=True)
class OneEpoch:
    """As many configurations as cost half of the resource at the smallest budget; then the best of
    them in full.
    """

    max_budget: float = FULL
    rungs: tuple[float, ...] = (1, FULL)
    first: int = 27 * FULL // 2

    def schedule(self, history: View, free: int) -> Sequence[New | Promote]:
        roots = np.flatnonzero(history.parent < 0)
        if len(roots) < self.first:
            return [New(1.0)] * min(free, self.first - len(roots))
        if history.pending[roots].any():
            return []
        order = roots[np.argsort(history.loss[roots], kind="stable")]
        due = order[~np.isin(order, history.parent)]
        return [Promote(int(row), FULL) for row in due[:free]]

    def scores(self, history: View) -> View:
        return history


CONTENDERS: dict[str, tuple[str, Callable[[], Scheduler | None]]] = {
    "random, full": ("random", FullBudget),
    "TPE, full": ("tpe", FullBudget),
    "one epoch, then the best": ("random", OneEpoch),
    "ASHA, random": ("random", lambda: ASHA(1, FULL)),
    "ASHA, TPE": ("tpe", lambda: ASHA(1, FULL)),
    "ASHA without audits, TPE": ("tpe", lambda: ASHA(1, FULL, audit=0)),
    "plain ASHA, TPE": ("tpe", Plain),
    "PASHA, TPE": ("tpe", lambda: ASHA(1, FULL, grow=True)),
    "Hyperband, TPE": ("tpe", lambda: Hyperband(1, FULL)),
    "synchronous Hyperband, TPE": ("tpe", Synchronous),
}


@dataclass
class Found:
    """What a run found: steps (full evaluations spent, regret from then on); share of busy slots;
    simulated seconds; evaluations at each budget.
    """

    steps: list[tuple[float, float]] = field(default_factory=list)
    busy: float = 0.0
    wall: float = 0.0
    counts: dict[float, int] = field(default_factory=dict)

    def note(self, spent: float, regret: float) -> None:
        """A study recommends a point with this regret."""
        step = round(spent, 3), round(regret, 4)
        if not self.steps or self.steps[-1][1] != step[1]:
            self.steps.append(step)


@dataclass(frozen=True)
class Machine:
    """So many slots, whose speed varies by a lognormal distribution with this sigma on synthetic
    problems; of the evaluations this share takes ten times as long.
    """

    slots: int = 8
    sigma: float = 0.5
    stragglers: float = 0.0


def run(name: str, contender: str, seed: int, machine: Machine) -> Found:
    """One run of a contender on a problem, until the resource is spent."""
    of = problem(name, seed, machine.sigma)
    sampler, scheduler = CONTENDERS[contender]
    clock = Clock()
    study = Study(expression(of.params, sparktune), sampler, scheduler(), seed, clock=clock)
    full = isinstance(study.scheduler, FullBudget)

    def objective(trial: Trial) -> dict[str, object]:
        rng = np.random.default_rng([seed, trial.id, 5])
        seen = of.seen(trial.values, FULL if full else trial.budget, rng)
        return {"loss": seen, "status": "ok", STATE: ("state", 1)}

    def seconds(trial: Trial) -> float:
        parent = None if trial.parent is None else study.records[trial.parent]
        root = trial if parent is None else parent
        while root.parent is not None:
            root = study.records[root.parent]
        speed = of.speed(trial.values, np.random.default_rng([seed, root.id, 6]))
        late = np.random.default_rng([seed, trial.id, 7]).random() < machine.stragglers
        added = FULL if full else trial.budget - (parent.budget if parent else 0.0)
        return 0.06 + added * speed * (10.0 if late else 1.0)

    found = Found()

    def watch(event: Event, history: View) -> None:
        if not isinstance(event, Told) or study.best is None:
            return
        so_far = float(history.spent[history.ends.row].sum()) / history.full
        found.note(so_far, of.regret(study.best.values))
        found.wall = clock()

    task = Task(objective, lambda trial: trial)
    executor = SimulatedExecutor(task, machine.slots, seconds, clock)
    loop.run(study, executor, MaxBudget(MOST), [watch])
    found.busy = _busy(study, machine.slots)
    for trial in study.records.values():
        found.counts[trial.budget] = found.counts.get(trial.budget, 0) + 1
    return found


def _busy(study: Study, slots: int) -> float:
    """The share of the slots' time up to the last start in which they evaluate."""
    began = [trial.asked or 0.0 for trial in study.records.values()]
    last = max(began)
    ends = [last if t.finished is None else min(t.finished, last) for t in study.records.values()]
    return (sum(ends) - sum(began)) / (slots * (last - min(began)) or 1.0)
