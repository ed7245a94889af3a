"""What a budget that grows saves: regret by resource, for ASHA and for full evaluations.

    python -m tests.benchmarks.fidelity --seeds 20         # hours; 4 seeds take some minutes

Hartmann's function of six parameters, its optimum placed anew for each seed, gets a learning curve
over budgets b = 1 to 81. With L its loss (0 at the optimum) and w(b) = b^-0.9 - 81^-0.9:

    easy       L + 0.9 (4.52 - L) w(b) + noise of 0.01
    noisy      the same, with noise of 0.08 b^-1/4
    reversed   L (1 - 2 w(b) / w(1)): at b = 1, the better the worse

Evaluations take simulated time on 8 slots, in proportion to what they add to the budget (states are
handed on), times a lognormal factor of the configuration. The regret is L of the trial that the
study recommends once so many full evaluations are spent; the tables show its mean over the seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

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
from tests.benchmarks.params import expression
from tests.benchmarks.synthetic import FUNCTIONS

FULL = 81
SPENT = (8, 27, 54)
KINDS = ("easy", "noisy", "reversed")


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


CONTENDERS: dict[str, tuple[str, Callable[[], Scheduler | None]]] = {
    "random, full": ("random", FullBudget),
    "TPE, full": ("tpe", FullBudget),
    "ASHA, random": ("random", lambda: ASHA(1, FULL)),
    "ASHA, TPE": ("tpe", lambda: ASHA(1, FULL)),
    "ASHA without audits, TPE": ("tpe", lambda: ASHA(1, FULL, audit=0)),
    "plain ASHA, TPE": ("tpe", Plain),
    "Hyperband, TPE": ("tpe", lambda: Hyperband(1, FULL)),
}


def curve(kind: str, loss: float, budget: float, rng: np.random.Generator) -> float:
    """The loss that is seen at a budget."""
    share = budget**-0.9 - FULL**-0.9
    if kind == "reversed":
        return loss * (1 - 2 * share / (1 - FULL**-0.9))
    noise = 0.01 if kind == "easy" else 0.08 * budget**-0.25
    return loss + 0.9 * (4.52 - loss) * share + noise * float(rng.normal())


def regrets(kind: str, contender: str, seed: int) -> list[float]:
    """L of the recommended trial once each of `SPENT` full evaluations is spent."""
    function = FUNCTIONS["hartmann6"]
    instance = function.instance(seed)
    sampler, scheduler = CONTENDERS[contender]
    clock = Clock()
    study = Study(expression(function.params, sparktune), sampler, scheduler(), seed, clock=clock)
    full = isinstance(study.scheduler, FullBudget)

    def objective(trial: Trial) -> dict[str, object]:
        rng = np.random.default_rng([seed, trial.id, 5])
        budget = FULL if full else trial.budget
        seen = curve(kind, instance.true(dict(trial.values)), budget, rng)
        return {"loss": seen, "status": "ok", STATE: ("state", 1)}

    def seconds(trial: Trial) -> float:
        parent = None if trial.parent is None else study.records[trial.parent]
        root = trial if parent is None else parent
        while root.parent is not None:
            root = study.records[root.parent]
        speed = float(np.random.default_rng([seed, root.id, 6]).lognormal(0.0, 0.5))
        added = FULL if full else trial.budget - (parent.budget if parent else 0.0)
        return 0.06 + added * speed

    found: list[float] = []

    def watch(event: Event, history: View) -> None:
        if not isinstance(event, Told) or study.best is None:
            return
        spent = float(history.spent[history.ends.row].sum()) / history.full
        while len(found) < len(SPENT) and spent >= SPENT[len(found)] * (1 - 1e-9):
            found.append(instance.true(dict(study.best.values)) - instance.lowest)

    executor = SimulatedExecutor(Task(objective, lambda trial: trial), 8, seconds, clock)
    loop.run(study, executor, MaxBudget(SPENT[-1]), [watch])
    return found


def main() -> None:
    """Print a table for each kind of curve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    given = parser.parse_args()
    for kind in given.kinds:
        print(f"\n{kind}: mean regret after full evaluations, {given.seeds} seeds")
        print(f"{'':28}" + "".join(f"{spent:>9}" for spent in SPENT))
        for contender in CONTENDERS:
            mean = np.mean([regrets(kind, contender, i) for i in range(given.seeds)], axis=0)
            print(f"{contender:28}" + "".join(f"{value:9.3f}" for value in mean), flush=True)


if __name__ == "__main__":
    main()
