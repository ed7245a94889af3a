"""What a budget that grows saves: regret by resource, beside full evaluations and beside peers.

    python -m tests.benchmarks.fidelity --seeds 3 --problems easy gbm    # minutes for each problem
    python -m tests.benchmarks.fidelity --slots 64 --peers

The problems are those of `curves`. Evaluations take simulated time, 0.06 s and in proportion to
what they add to the budget (states are handed on). The regret is that of the trial that a study
recommends once so many full evaluations are spent; the tables show its mean over the seeds. `busy`
is the share of the slots' time up to the last start in which they evaluate; `wall` the simulated
time in which the largest resource of the table was spent. Tables that `make_curves` has not made
are left out. `--peers` needs optuna and flaml[blendsearch].
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

import sparktune
from sparktune import Study, loop
from sparktune.executors.task import Task
from sparktune.history import View
from sparktune.schedulers import ASHA, FullBudget, Hyperband, New, Promote, Scheduler
from sparktune.schedulers.rungs import Standing
from sparktune.stopping import MaxBudget
from sparktune.testing import Clock, SimulatedExecutor
from sparktune.trial import Event, Told, Trial
from sparktune.worker import STATE
from tests.benchmarks.curves import FULL, SYNTHETIC, TABLES, available, problem
from tests.benchmarks.params import expression

SPENT = (4, 8, 12, 16, 27, 54)
LONG = (*SPENT, 81)  # of full evaluations, which cost little here


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
    """What a run found: regrets by resource; share of busy slots; simulated seconds; evaluations
    at each budget.
    """

    regrets: list[float] = field(default_factory=list)
    busy: float = 0.0
    wall: float = 0.0
    counts: dict[float, int] = field(default_factory=dict)


def run(name: str, contender: str, seed: int, slots: int, stragglers: float = 0.0) -> Found:
    """One run of a contender on a problem."""
    of = problem(name, seed)
    sampler, scheduler = CONTENDERS[contender]
    clock = Clock()
    study = Study(expression(of.params, sparktune), sampler, scheduler(), seed, clock=clock)
    full = isinstance(study.scheduler, FullBudget)
    spent = LONG if full else SPENT

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
        slow = 10.0 if np.random.default_rng([seed, trial.id, 7]).random() < stragglers else 1.0
        added = FULL if full else trial.budget - (parent.budget if parent else 0.0)
        return 0.06 + added * speed * slow

    found = Found()

    def watch(event: Event, history: View) -> None:
        if not isinstance(event, Told) or study.best is None:
            return
        so_far = float(history.spent[history.ends.row].sum()) / history.full
        while len(found.regrets) < len(spent) and so_far >= spent[len(found.regrets)] * (1 - 1e-9):
            found.regrets.append(of.regret(study.best.values))
            found.wall = clock()

    executor = SimulatedExecutor(Task(objective, lambda trial: trial), slots, seconds, clock)
    loop.run(study, executor, MaxBudget(spent[-1]), [watch])
    found.busy = _busy(study, slots)
    for trial in study.records.values():
        found.counts[trial.budget] = found.counts.get(trial.budget, 0) + 1
    return found


def _busy(study: Study, slots: int) -> float:
    """The share of the slots' time up to the last start in which they evaluate."""
    began = [trial.asked or 0.0 for trial in study.records.values()]
    last = max(began)
    ends = [last if t.finished is None else min(t.finished, last) for t in study.records.values()]
    return (sum(ends) - sum(began)) / (slots * (last - min(began)) or 1.0)


def main() -> None:
    """Print a table for each problem."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--problems", nargs="*", choices=(*SYNTHETIC, *TABLES), default=None)
    parser.add_argument("--contenders", nargs="*", choices=[*CONTENDERS], default=[*CONTENDERS])
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--stragglers", type=float, default=0.0, help="share, ten times as slow")
    parser.add_argument("--peers", action="store_true")
    given = parser.parse_args()
    runs: dict[str, Callable[[str, int], Found]] = {
        name: lambda of, seed, name=name: run(of, name, seed, given.slots, given.stragglers)  # type: ignore[misc]
        for name in given.contenders
    }
    if given.peers:
        from tests.benchmarks import fidelity_peers

        runs |= fidelity_peers.runs(given.slots)
    for name in given.problems or available():
        about = f"{given.seeds} seeds, {given.slots} slots"
        print(f"\n{name}: mean regret after full evaluations, {about}")
        head = "".join(f"{spent:>7}" for spent in LONG)
        print(f"{'':28}{head}{'busy':>7}{'wall':>7}  evaluations", flush=True)
        for contender, one in runs.items():
            print(_line(contender, [one(name, seed) for seed in range(given.seeds)]), flush=True)


def _line(contender: str, found: Sequence[Found]) -> str:
    shortest = min(len(each.regrets) for each in found)
    means = np.mean([each.regrets[:shortest] for each in found], axis=0)
    cells = "".join(f"{value:7.3f}" for value in means).ljust(7 * len(LONG))
    budgets = sorted(found[0].counts)
    counts = "/".join(f"{np.mean([f.counts.get(b, 0) for f in found]):.0f}" for b in budgets)
    busy, wall = (float(np.mean([getattr(f, name) for f in found])) for name in ("busy", "wall"))
    return f"{contender:28}{cells}{busy:7.1%}{wall:7.0f}  {counts}"


if __name__ == "__main__":
    main()
