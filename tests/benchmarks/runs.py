"""Runs of a sampler on a problem, on the simulated executor, and the store that keeps them."""

from __future__ import annotations

import hashlib
import io
import itertools
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparktune import loop
from sparktune.executors.task import Task
from sparktune.history import View
from sparktune.samplers import Sampler
from sparktune.samplers.standing import recommended
from sparktune.schedulers import FullBudget
from sparktune.space.space import Space
from sparktune.stopping import Never
from sparktune.study import Study
from sparktune.testing import Clock, Durations, SimulatedExecutor
from sparktune.trial import Trial
from tests.benchmarks.contenders import Contender
from tests.benchmarks.problems import Problem

DURATION_SPREAD = 0.7
"""Standard deviation of the logarithm of a trial's duration, whose median is one second."""

RENEWED = 5
"""After so many evaluations what is recommended is found anew."""


@dataclass(frozen=True)
class Setting:
    """How many workers share how many evaluations."""

    workers: int
    evaluations: int


def normalised_regret(
    problem: Problem, contender: Contender, setting: Setting, seed: int
) -> NDArray[np.float64]:
    """The regret of the configuration that would be recommended after 1, 2, ... evaluations have
    ended, shape (evaluations,): 0 at the best known loss, 1 at that of a typical random
    configuration or worse.

    Recommended is what the package recommends: the configuration with the smallest observed loss
    (`luckiest`), or that of `study.recommended`. What counts is its true loss.
    """
    instance = problem.make(seed)
    sampler = contender.make(problem.params, problem.space, seed)
    records = play(problem, sampler, setting, seed)
    order = sorted(records.values(), key=lambda trial: (trial.finished, trial.id))
    places = luckiest(order) if contender.luckiest else sure(problem.space, order)
    true = np.array([instance.true(trial.values) for trial in order])
    # As many as evaluations: a space can be exhausted.
    found = true[places[np.minimum(np.arange(setting.evaluations), len(order) - 1)]]
    scale = problem.typical(instance) - instance.lowest
    regret: NDArray[np.float64] = np.clip((found - instance.lowest) / scale, 0, 1)
    return regret


def luckiest(order: Sequence[Trial]) -> NDArray[np.intp]:
    """The index of the smallest loss among the first 1, 2, ... trials; of equal ones the first."""
    observed = np.array([trial.loss for trial in order], dtype=float)
    best = np.flatnonzero(observed < np.append(np.inf, np.minimum.accumulate(observed)[:-1]))
    found: NDArray[np.intp] = best[np.searchsorted(best, np.arange(len(order)), side="right") - 1]
    return found


def sure(space: Space, order: Sequence[Trial]) -> NDArray[np.intp]:
    """The index of `study.recommended` among the first 1, 2, ... trials. It is found after every
    fifth of them and after the last, and stands until the next one.
    """
    X = np.array([space.encode(trial.values) for trial in order])
    places = luckiest(order)
    ends = sorted({*range(RENEWED, len(order), RENEWED), len(order)})
    for n, until in itertools.pairwise([*ends, len(order) + 1]):
        row = recommended(space, View.of(order[:n], X[:n]))
        if row is not None:
            places[n - 1 : until - 1] = row
    return places


def play(problem: Problem, sampler: Sampler, setting: Setting, seed: int) -> dict[int, Trial]:
    """The records of one run. Durations and noise depend on the seed and the trial's id alone, so
    that they are the same for all samplers.
    """
    clock, instance = Clock(), problem.make(seed)
    records: dict[int, Trial] = {}

    def objective(trial: Trial) -> float:
        return instance.observed(trial.values, np.random.default_rng([seed, trial.id, 1]))

    seconds = Durations(spread=DURATION_SPREAD * (setting.workers > 1), seed=seed)
    executor = SimulatedExecutor(
        Task(objective, lambda trial: trial), setting.workers, seconds, clock
    )
    limit = FullBudget(setting.evaluations)
    study = Study(problem.space, sampler, limit, seed, records, clock=clock)
    loop.run(study, executor, Never(), raise_errors=True)
    return records


class Store:
    """Regrets of earlier runs by problem, contender, setting and seed, in an SQLite file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path, timeout=600, isolation_level=None)
        self._file.execute("CREATE TABLE IF NOT EXISTS runs (key TEXT PRIMARY KEY, regret BLOB)")

    def regret(
        self, problem: Problem, contender: Contender, setting: Setting, seed: int
    ) -> NDArray[np.float64]:
        """The regret of a run, looked up if it is known; sparktune's own samplers but for random
        search are always run anew.
        """
        key = "|".join(
            (problem.name, digest(problem, seed), contender.name, contender.version, repr(setting),
             str(seed))
        )  # fmt: skip
        found = self._file.execute("SELECT regret FROM runs WHERE key = ?", (key,)).fetchone()
        if found and contender.package != "sparktune":
            return np.load(io.BytesIO(found[0]))
        regret = normalised_regret(problem, contender, setting, seed)
        buffer = io.BytesIO()
        np.save(buffer, regret)
        row = (key, buffer.getvalue())
        self._file.execute("INSERT OR REPLACE INTO runs VALUES (?, ?)", row)
        return regret


def digest(problem: Problem, seed: int) -> str:
    """Changes with the losses of the instance: a hash of some of them."""
    instance = problem.make(seed)
    rows = problem.space.sample(np.random.default_rng(1), 20)
    losses = [instance.true(problem.space.values(row)) for row in rows]
    text = problem.space.fingerprint() + "".join(f"{loss:.9e}" for loss in losses)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
