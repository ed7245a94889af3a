"""Fifty programs, drawn at random once and for all: a space, an algorithm, a seed and an executor.

`programs.json` holds the trials that each of them makes, and what the last bits of logarithms and
exponentials are where it was written, which processors and versions of numpy do not agree on.
`python -m tests.golden.programs` writes it again, after a change that must change trials.
"""

from __future__ import annotations

import functools
import hashlib
import json
import operator
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from sparktune import ThreadTrials, Trials, fmin, hp, loop, rand, scope, tpe
from sparktune.executors.task import Task
from sparktune.samplers import anneal, grid, mix, quasi, tpe_hyperopt
from sparktune.samplers.algorithms import resolve
from sparktune.schedulers import FullBudget
from sparktune.space.space import Space
from sparktune.stopping import Never
from sparktune.study import Study
from sparktune.testing import Clock, Durations, SimulatedExecutor
from sparktune.trial import Trial

N = 50
GOLDEN = Path(__file__).with_suffix(".json")
EXECUTORS = ("Trials", "ThreadTrials", "simulated")

ALGORITHMS: dict[str, Any] = {
    "none given": None,
    "tpe": "tpe",
    "tpe with options": functools.partial(
        tpe.suggest, gamma=0.3, n_startup_jobs=4, n_EI_candidates=9, prior_weight=0.5, verbose=False
    ),
    "tpe that repeats": tpe.suggest(repeats=True),
    "tpe of Hyperopt": functools.partial(tpe_hyperopt.suggest, n_startup_jobs=6),
    "random": rand.suggest,
    "anneal": functools.partial(anneal.suggest, shrink_coef=0.2),
    "sobol": quasi.suggest(seed=3),
    "sobol without a seed": "sobol",
    "halton without a seed": "halton",
    "lhs": functools.partial(quasi.suggest, kind="lhs", block=5, seed=1),
    "grid": grid.suggest(n_steps=2),
    "grid, shuffled": grid.suggest(n_steps=3, shuffle=True),
    "mix": mix.suggest,
    "mix of three": functools.partial(
        mix.suggest,
        p_suggest=[
            (0.5, functools.partial(tpe.suggest, n_startup_jobs=5)),
            (0.3, anneal.suggest),
            (0.2, rand.suggest),
        ],
    ),
}


class Program:
    """One program by its number: `run()` gives its trials."""

    def __init__(self, number: int) -> None:
        draw = random.Random(number)
        names = list(ALGORITHMS)
        self.algorithm = names[number % len(names)]
        self.executor = EXECUTORS[(number + number // len(names)) % len(EXECUTORS)]
        self.space = dict(_entries(draw, small="grid" in self.algorithm))
        self.seed = draw.randrange(10_000)
        self.n = draw.randrange(24, 40)
        self.slots = draw.randrange(2, 6)

    def run(self) -> dict[int, Trial]:
        """The records of the trials, in their order."""
        if self.executor == "simulated":
            return self._simulated()
        trials = (
            Trials()
            if self.executor == "Trials"
            else ThreadTrials(parallelism=self.slots, deterministic=True)
        )
        fmin(
            objective,
            self.space,
            ALGORITHMS[self.algorithm],
            self.n,
            trials=trials,
            seed=self.seed,
            show_progressbar=False,
            max_queue_len=self.slots,
            catch_eval_exceptions=True,
        )
        return dict(trials.records)

    def _simulated(self) -> dict[int, Trial]:
        clock, records, space = Clock(), dict[int, Trial](), Space(self.space)
        task = Task(objective, lambda trial: space.decode(trial.values))
        durations = Durations(spread=0.5, stragglers=0.1, seed=self.seed)
        executor = SimulatedExecutor(
            task, self.slots, durations, clock, lambda trial: trial.id % 9 == 5
        )
        sampler = resolve(ALGORITHMS[self.algorithm])
        study = Study(space, sampler, FullBudget(self.n), self.seed, records, clock=clock)
        loop.run(study, executor, Never())
        return records


def _entries(draw: random.Random, small: bool) -> Iterator[tuple[str, Any]]:
    """The entries of a space, conditional ones among them; few points if it is to be small."""
    labels = (f"p{i}" for i in range(100))
    shared = hp.uniform("shared", -1, 1)
    for i in range(draw.randrange(1, 4) if small else draw.randrange(2, 7)):
        yield f"k{i}", _drawn(draw, labels, shared, 2)
    yield "fixed", [7, "text", None]


def _drawn(draw: random.Random, labels: Iterator[str], shared: Any, depth: int) -> Any:
    """A parameter, or something with parameters inside."""
    kinds = [*_PRIORS, *(["choice", "pchoice", "list", "sum", "shared"] if depth else [])]
    kind, label = draw.choice(kinds), next(labels)
    if kind in _PRIORS:
        return _PRIORS[kind](label)
    inner = [_drawn(draw, labels, shared, depth - 1) for _ in range(draw.randrange(1, 4))]
    if kind == "choice":
        return hp.choice(label, [*inner, draw.choice(["name", None, 3, {"plain": 1.5}])])
    if kind == "pchoice":
        return hp.pchoice(label, [(0.5 / len(inner), each) for each in inner] + [(0.5, "other")])
    if kind == "list":
        return [*inner, hp.choice(label, [{"use": shared, "with": each} for each in inner])]
    if kind == "sum":
        return 2 * hp.uniform(label, 0, 1) + shared
    return hp.choice(label, [shared, "without"])


_PRIORS: dict[str, Callable[[str], Any]] = {
    "uniform": lambda label: hp.uniform(label, -5, 5),
    "quniform": lambda label: hp.quniform(label, 1, 10, 4),
    "int": lambda label: scope.int(hp.quniform(label, 0, 6, 2)),
    "uniformint": lambda label: hp.uniformint(label, 1, 5),
    "loguniform": lambda label: hp.loguniform(label, -4, 1),
    "qloguniform": lambda label: hp.qloguniform(label, 0, 2, 2),
    "normal": lambda label: hp.normal(label, 1, 2),
    "qnormal": lambda label: hp.qnormal(label, 0, 2, 0.5),
    "lognormal": lambda label: hp.lognormal(label, 0, 1),
    "qlognormal": lambda label: hp.qlognormal(label, 0, 1, 0.5),
    "randint": lambda label: hp.randint(label, 4),
    "randint from": lambda label: hp.randint(label, -2, 3),
}


def objective(config: Any) -> float:
    """A loss of arithmetic alone, which is the same everywhere; some points fail. `sum` is not:
    from Python 3.12 on it makes up for what rounding loses.
    """
    total = functools.reduce(operator.add, _badness(config))
    if 0.3 < total % 1 < 0.36:
        raise ValueError("a point that fails")
    return float("nan") if 0.36 < total % 1 < 0.4 else total


def _badness(config: Any) -> Iterator[float]:
    if isinstance(config, dict):
        for key in sorted(config):
            yield from _badness(config[key])
    elif isinstance(config, (list, tuple)):
        for item in config:
            yield from _badness(item)
    elif isinstance(config, (int, float)):
        yield abs(config - 1) / (1 + abs(config))
    else:
        yield len(str(config)) / 8


def exact(number: Any) -> Any:
    """A number to the bit: floats as their hexadecimal form, everything else as it is."""
    return number.hex() if isinstance(number, float) else number


def told(program: Program) -> dict[str, Any]:
    """What the file holds of a program: its trials in order, [status, loss, values] each."""
    trials = program.run().values()
    return {
        "program": [program.algorithm, program.executor, program.seed, program.n],
        "space": Space(program.space).fingerprint(),
        "trials": [
            [t.status.value, exact(t.loss), {name: exact(x) for name, x in t.values.items()}]
            for t in trials
        ],
    }


def arithmetic() -> str:
    """A hash of the last bits of the functions that samplers compute with, on this machine."""
    x = np.linspace(0.001, 0.999, 4097)
    results = [np.exp(x), np.log(x), ndtr(x), ndtri(x), np.exp(-30 * x)]
    return hashlib.sha256(b"".join(result.tobytes() for result in results)).hexdigest()[:16]


if __name__ == "__main__":
    lines = [json.dumps(told(Program(number))) for number in range(N)]
    head = f'{{"arithmetic": "{arithmetic()}", "programs": [\n'
    GOLDEN.write_text(head + ",\n".join(lines) + "\n]}\n")
