"""What is saved where folds are a budget, and what is lost: `Folds(10)` beside all folds.

    python -m tests.benchmarks.fidelity_folds [--seeds 20] [--tables folds_svc]

On the tables `folds_*` of `make_curves`: 60 configurations, eight slots, equal times. `folds` is
the share of the fold evaluations that are done. `loss` is the error over all folds of the
recommended configuration, less that without races: the mean over the seeds with twice its standard
error. `same` is the share of the runs that recommend one as good.
"""

from __future__ import annotations

import argparse

import numpy as np

import sparktune
from sparktune import Study, loop
from sparktune.executors.task import Task
from sparktune.schedulers import Folds
from sparktune.schedulers.folds import RULES
from sparktune.stopping import Never
from sparktune.testing import Clock, SimulatedExecutor
from sparktune.trial import Trial
from tests.benchmarks.curves import Table
from tests.benchmarks.params import expression

K, CONFIGURATIONS, SLOTS = 10, 60, 8
TABLES = ("folds_svc", "folds_forest", "folds_hist")


def run(name: str, sampler: str, rule: str | None, seed: int) -> tuple[float, float]:
    """The error over all folds of what is recommended, and how many folds were done."""
    of, clock = Table(name, seed), Clock()
    scheduler = Folds(K, rule) if rule else None
    study = Study(expression(of.params, sparktune), sampler, scheduler, seed, clock=clock)
    rng = np.random.default_rng(seed)
    if sampler == "random":  # the same points for each rule
        for row in study.space.sample(rng, CONFIGURATIONS):
            study.enqueue(study.space.values(row))

    def objective(trial: Trial) -> float:
        return of.seen(trial.values, trial.budget if rule else K, rng)

    task = Task(objective, lambda trial: trial)
    executor = SimulatedExecutor(task, SLOTS, lambda trial: 1.0, clock)
    study.end = CONFIGURATIONS
    loop.run(study, executor, Never())
    folds = len(study.records) if rule else K * CONFIGURATIONS
    assert study.best is not None
    return of.seen(study.best.values, K, rng), folds


def main() -> None:
    """Print a line for each table, sampler and rule."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=TABLES)
    given = parser.parse_args()
    seeds = range(given.seeds)
    print(f"{'':14}{'':8}{'':12}{'folds':>7}{'loss':>18}{'same':>7}   {len(seeds)} seeds")
    for name in given.tables:
        for sampler in ("random", "tpe"):
            full = np.array([run(name, sampler, None, seed)[0] for seed in seeds])
            for rule in RULES:
                found = np.array([run(name, sampler, rule, seed) for seed in seeds])
                lost = found[:, 0] - full
                share = found[:, 1].mean() / (K * CONFIGURATIONS)
                error = 2 * lost.std(ddof=1) / np.sqrt(len(lost))
                cells = f"{share:7.1%}{lost.mean():+10.4f} ±{error:.4f}{(lost <= 1e-9).mean():7.0%}"
                print(f"{name:14}{sampler:8}{rule:12}{cells}", flush=True)


if __name__ == "__main__":
    main()
