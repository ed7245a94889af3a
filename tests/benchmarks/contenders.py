"""The samplers that are compared: sparktune's, and those of other packages behind its interface.

A peer's study is kept beside ours: before it suggests it is told, in their order, what became of
its earlier suggestions. Peers run with their own defaults, and with the same ranges and logarithms.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np

from sparktune.history import View
from sparktune.samplers import Sampler, auto, forest, gp, random, tpe
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from tests.benchmarks.params import Params, expression, suggest


@dataclass(frozen=True)
class Contender:
    """A sampler by name; `make(params, space, seed)` gives a fresh one for a run. `luckiest`: what
    the package recommends is the trial with the smallest loss, and not `study.recommended`.
    """

    name: str
    package: str
    make: Callable[[Params, Space, int], Sampler]
    luckiest: bool = True

    @property
    def version(self) -> str:
        """The version of its package."""
        return version(self.package)


class Peer(Protocol):
    """A foreign study."""

    def ask(self) -> dict[str, float]:
        """The values of its next trial."""

    def tell(self, trial: int, loss: float) -> None:
        """The loss of its trial number `trial`."""


class Foreign:
    """A foreign study as one of our samplers."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._told: set[int] = set()

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d)."""
        ended = [i for i in np.flatnonzero(history.ok).tolist() if i not in self._told]
        for i in sorted(ended, key=lambda i: (history.finished[i], i)):
            self._peer.tell(i, float(history.loss[i]))
            self._told.add(i)
        return np.array([space.encode(self._peer.ask()) for _ in range(n)])


class Optuna:
    """A study of Optuna with one of its samplers."""

    def __init__(
        self, params: Params, seed: int, sampler: str = "TPESampler", **options: Any
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = getattr(optuna.samplers, sampler)(seed=seed, **options)
        self._params = params
        self._study = optuna.create_study(sampler=made)
        self._trials: list[Any] = []

    def ask(self) -> dict[str, float]:
        """The values of the next trial."""
        trial = self._study.ask()
        self._trials.append(trial)
        return suggest(self._params, trial)

    def tell(self, trial: int, loss: float) -> None:
        """The loss of a trial."""
        self._study.tell(self._trials[trial], loss)


class Hyperopt:
    """A study of hyperopt's TPE, driven as its `fmin` does: one suggestion at a time."""

    def __init__(self, params: Params, seed: int) -> None:
        import hyperopt

        space = expression(params, hyperopt)
        self._suggest = hyperopt.tpe.suggest
        self._domain = hyperopt.base.Domain(lambda config: 0.0, space)
        self._trials = hyperopt.Trials()
        self._docs: list[dict[str, Any]] = []
        self._rng = np.random.default_rng(seed)

    def ask(self) -> dict[str, float]:
        """The values of the next trial."""
        trials = self._trials
        ids = trials.new_trial_ids(1)
        trials.refresh()
        [doc] = self._suggest(ids, self._domain, trials, int(self._rng.integers(2**31 - 1)))
        trials.insert_trial_docs([doc])
        trials.refresh()
        self._docs.append(trials._dynamic_trials[-1])
        self._docs[-1]["state"] = 1
        return {label: float(v[0]) for label, v in doc["misc"]["vals"].items() if len(v)}

    def tell(self, trial: int, loss: float) -> None:
        """The loss of a trial."""
        self._docs[trial]["state"] = 2
        self._docs[trial]["result"] = {"status": "ok", "loss": loss}
        self._trials.refresh()


class Sobol:
    """Points of one scrambled Sobol sequence."""

    def __init__(self, space: Space, seed: int) -> None:
        from scipy.stats import qmc

        self._engine = qmc.Sobol(len(space), seed=seed)

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # not a power of 2
            return space.from_unit(self._engine.random(n))


def own(name: str, sampler: Sampler, *, luckiest: bool = False) -> Contender:
    """One of sparktune's samplers."""
    return Contender(name, "sparktune", lambda params, space, seed: sampler, luckiest)


TPE, AUTO = "sparktune TPE", "sparktune auto"
OWN = (
    own(TPE, tpe.suggest),
    own(AUTO, auto.suggest),
    own(f"{TPE}, luckiest", tpe.suggest, luckiest=True),
    own(f"{AUTO}, luckiest", auto.suggest, luckiest=True),
    own("sparktune GP", gp.suggest),
    own("sparktune GP, waves", gp.suggest(acquisition="ucb_pe")),
    own("sparktune forest", forest.suggest),
)
RANDOM, SOBOL = "random", "Sobol"
HYPEROPT, OPTUNA = "hyperopt TPE", "Optuna TPE"
GROUPED = "Optuna TPE, multivariate, group"

BASELINES = (
    own(RANDOM, random.suggest),
    Contender(SOBOL, "scipy", lambda params, space, seed: Sobol(space, seed)),
    Contender(HYPEROPT, "hyperopt", lambda params, space, seed: Foreign(Hyperopt(params, seed))),
    Contender(OPTUNA, "optuna", lambda params, space, seed: Foreign(Optuna(params, seed))),
    Contender(
        GROUPED,
        "optuna",
        lambda params, space, seed: Foreign(Optuna(params, seed, multivariate=True, group=True)),
    ),
)
CONTENDERS = {each.name: each for each in (*OWN, *BASELINES)}
