"""Other tuners on the problems of `curves`: Optuna's TPE with its pruners, which stop running
trials at each of 1, 3, 9, 27 and 81, and FLAML's BlendSearch, which chooses budgets itself.
Simulated as in `fidelity`; Optuna's trials need a channel to the driver, which costs nothing here.
"""

from __future__ import annotations

import heapq
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from tests.benchmarks.curves import FULL, Problem, problem
from tests.benchmarks.fidelity_runs import MOST, Found, Machine

RUNGS = (1, 3, 9, 27, FULL)


class Tuner(Protocol):
    """Another tuner: what it evaluates, step by step."""

    def start(self) -> Any:
        """A new trial; None if it has none now."""

    def values(self, trial: Any) -> dict[str, float]:
        """Its point."""

    def budgets(self, trial: Any) -> tuple[float, ...]:
        """The budgets at which it is looked at."""

    def told(self, trial: Any, budget: float, loss: float, last: bool) -> bool:
        """Takes a loss; whether the trial goes on."""

    def best(self) -> dict[str, float] | None:
        """The point that it recommends."""


class Optuna:
    """TPE, multivariate, with a pruner."""

    def __init__(self, pruner: str, of: Problem, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore")
        made = {
            "none": lambda: optuna.pruners.NopPruner(),
            "Hyperband": lambda: optuna.pruners.HyperbandPruner(1, FULL, 3),
            "SuccessiveHalving": lambda: optuna.pruners.SuccessiveHalvingPruner(1, 3),
            "Median": lambda: optuna.pruners.MedianPruner(),
        }[pruner]()
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)
        self._optuna = optuna
        self._study = optuna.create_study(sampler=sampler, pruner=made)
        self._space = {
            each.name: optuna.distributions.FloatDistribution(each.low, each.high)  # type: ignore[union-attr]
            for each in of.params
        }

    def start(self) -> Any:
        return self._study.ask(self._space)

    def values(self, trial: Any) -> dict[str, float]:
        return dict(trial.params)

    def budgets(self, trial: Any) -> tuple[float, ...]:
        return RUNGS

    def told(self, trial: Any, budget: float, loss: float, last: bool) -> bool:
        trial.report(loss, int(budget))
        if last:
            self._study.tell(trial, loss)
        elif trial.should_prune():
            self._study.tell(trial, state=self._optuna.trial.TrialState.PRUNED)
        else:
            return True
        return False

    def best(self) -> dict[str, float] | None:
        done = self._study.get_trials(
            deepcopy=False, states=(self._optuna.trial.TrialState.COMPLETE,)
        )
        return dict(min(done, key=lambda trial: trial.value).params) if done else None


@dataclass
class _Flaml:
    """A trial of FLAML's."""

    id: str
    config: dict[str, Any]


class BlendSearch:
    """FLAML's BlendSearch, with a budget."""

    def __init__(self, of: Problem, seed: int) -> None:
        warnings.simplefilter("ignore")
        from flaml import BlendSearch as Search
        from flaml import tune

        self._search = Search(
            metric="loss",
            mode="min",
            space={p.name: tune.uniform(p.low, p.high) for p in of.params},  # type: ignore[union-attr]
            resource_attr="b",
            min_resource=1,
            max_resource=FULL,
            reduction_factor=3,
            seed=seed,
        )
        self._names = [each.name for each in of.params]
        self._n = 0
        self._best: tuple[float, float, dict[str, float]] | None = None

    def start(self) -> Any:
        self._n += 1
        config = self._search.suggest(f"{self._n}")
        return None if config is None else _Flaml(f"{self._n}", config)

    def values(self, trial: _Flaml) -> dict[str, float]:
        return {name: float(trial.config[name]) for name in self._names}

    def budgets(self, trial: _Flaml) -> tuple[float, ...]:
        return (float(trial.config["b"]),)

    def told(self, trial: _Flaml, budget: float, loss: float, last: bool) -> bool:
        self._search.on_trial_complete(
            trial.id, {"loss": loss, "b": trial.config["b"], "config": trial.config}
        )
        if self._best is None or (-budget, loss) < self._best[:2]:
            self._best = -budget, loss, self.values(trial)
        return False

    def best(self) -> dict[str, float] | None:
        return None if self._best is None else self._best[2]


def run(name: str, peer: str, seed: int, machine: Machine) -> Found:
    """One run of a peer on a problem, until the resource is spent."""
    of = problem(name, seed, machine.sigma)
    return simulate(PEERS[peer](of, seed), of, seed, machine)


PEERS: dict[str, Callable[[Problem, int], Tuner]] = {
    f"Optuna TPE, {pruner}": partial(Optuna, pruner)
    for pruner in ("none", "Hyperband", "SuccessiveHalving", "Median")
} | {"FLAML BlendSearch": BlendSearch}


def simulate(tuner: Tuner, of: Problem, seed: int, machine: Machine) -> Found:
    """Run a tuner until the resource is spent."""
    found, now, spent, number = Found(), 0.0, 0.0, 0
    running: list[tuple[float, int, int, Any]] = []  # end, number, step, trial

    def begin() -> None:
        nonlocal number
        while len(running) < machine.slots and (trial := tuner.start()) is not None:
            number += 1
            heapq.heappush(running, (now + _seconds(trial, number, 0), number, 0, trial))

    def _seconds(trial: Any, id: int, step: int) -> float:
        budgets = tuner.budgets(trial)
        added = budgets[step] - (budgets[step - 1] if step else 0)
        speed = of.speed(tuner.values(trial), np.random.default_rng([seed, id, 6]))
        late = np.random.default_rng([seed, id, step, 7]).random() < machine.stragglers
        return (0.0 if step else 0.06) + added * speed * (10.0 if late else 1.0)

    begin()
    while running and spent < MOST * (1 - 1e-9):
        now, id, step, trial = heapq.heappop(running)
        budgets = tuner.budgets(trial)
        budget, last = budgets[step], step == len(budgets) - 1
        spent += (budget - (budgets[step - 1] if step else 0)) / FULL
        found.counts[budget] = found.counts.get(budget, 0) + 1
        rng = np.random.default_rng([seed, id, step, 5])
        if tuner.told(trial, budget, of.seen(tuner.values(trial), budget, rng), last):
            heapq.heappush(running, (now + _seconds(trial, id, step + 1), id, step + 1, trial))
        if best := tuner.best():
            found.note(spent, of.regret(best))
        found.wall = now
        begin()
    found.busy = float("nan")  # not measured
    return found
