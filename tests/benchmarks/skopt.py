"""sparktune.skopt beside scikit-optimize: what a suggestion costs, what it keeps, what is found.

    python -m tests.benchmarks.skopt [--models GP ET RF GBRT] [--sizes 30 60 120] [--repeats 3]
    python -m tests.benchmarks.skopt --memory 500
    python -m tests.benchmarks.skopt --quality 1

Needs the group `bench`, which brings scikit-optimize 0.10.2. It runs with current numpy and
scikit-learn, but for boosting, which is mended here.

Cost: five real parameters and N losses; timed is one `tell` with the `ask` after it, by each
package's defaults and then by "EI", and after that `ask(4)`. CPU milliseconds of the process, with
one thread for linear algebra; the median of the repeats, the first of which is not counted. `x` is
how many times as much scikit-optimize takes.

Memory: what the process holds after 100, 200, ... calls of one search of ours, in MiB.

Quality: normalised regret after 20, 50 and 100 evaluations on the validation problems without
conditions, by `Optimizer`'s defaults. scikit-optimize's runs are those of `anchors` where they are
known, and made here where not. Differences (ours less theirs) have a 95 % interval.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import sys
import time
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tests.benchmarks.anchors import ANCHORS, FILE, SETTING, Skopt, anchor, known
from tests.benchmarks.params import Choice
from tests.benchmarks.problems import SPLITS, Problem
from tests.benchmarks.quality import BUDGETS
from tests.benchmarks.runs import digest, normalised_regret
from tests.benchmarks.statistics import Array, paired

OURS, THEIRS = "sparktune.skopt", "skopt"
BATCH = 4


def package(name: str) -> Any:
    """A package; scikit-optimize with what it lacks beside current numpy and scikit-learn."""
    found = importlib.import_module(name)
    if name == THEIRS:
        setattr(np, "in1d", np.isin)  # noqa: B010 -- numpy has it no longer
        utils: Any = importlib.import_module("skopt.utils")
        utils.is_regressor = lambda estimator: True
    return found


def loss(x: Sequence[float]) -> float:
    """A smooth function with a wave."""
    return sum((v - 0.3) ** 2 for v in x) + 0.1 * float(np.sin(20 * x[0]))


def cost(name: str, model: str, acquisition: str, n: int, repeats: int) -> tuple[float, float]:
    """CPU milliseconds of a tell and an ask with n losses, and of an ask for several points."""
    optimizer = package(name).Optimizer(
        [(0.0, 1.0)] * 5, model, n_initial_points=10, acq_func=acquisition, random_state=0
    )
    points = np.random.default_rng(0).random((n, 5)).tolist()
    optimizer.tell(points, [loss(x) for x in points])
    one = []
    for _ in range(repeats + 1):
        x = optimizer.ask()
        gc.collect()
        begun = time.process_time()
        optimizer.tell(x, loss(x))
        optimizer.ask()
        one.append(time.process_time() - begun)
    begun = time.process_time()
    optimizer.ask(BATCH)
    several = time.process_time() - begun
    return 1000 * median(one[1:]), 1000 * several


def costs(models: Sequence[str], sizes: Sequence[int], repeats: int) -> None:
    """A line for each model, acquisition and number of losses."""
    print(f"{'':<22}    N   tell and ask, ms (x)          ask({BATCH}), ms (x)")
    for model in models:
        for acquisition in ("gp_hedge", "EI"):
            for n in sizes:
                ours = cost(OURS, model, acquisition, n, repeats)
                theirs = cost(THEIRS, model, acquisition, n, repeats)
                cells = [
                    f"{a:8.1f} {b:8.0f} ({b / a:5.1f})" for a, b in zip(ours, theirs, strict=True)
                ]
                print(f"{model:<5} {acquisition:<10} {n:>10}   {'     '.join(cells)}", flush=True)


def held() -> float:
    """MiB that the process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def memory(calls: int, model: str) -> None:
    """What a search holds, every hundred calls."""
    optimizer = package(OURS).Optimizer([(0.0, 1.0)] * 5, model, random_state=0)
    for call in range(1, calls + 1):
        x = optimizer.ask()
        result = optimizer.tell(x, loss(x))
        if call % 100 == 0:
            gc.collect()
            print(f"{model} {call:>5} calls, {len(result.models):>4} models: {held():7.1f} MiB")


def unconditional(problem: Problem) -> bool:
    """Whether all parameters are active always."""
    return not any(isinstance(each, Choice) and each.children for each in problem.params)


def regrets(seeds: int) -> tuple[Array, Array]:
    """Regrets (problems and seeds, evaluations) of ours and of theirs."""
    there, mine, others = known(FILE), [], []
    own = anchor(OURS, "sparktune", lambda params, seed: Skopt(params, seed, OURS))
    peer = ANCHORS["scikit-optimize GP"]
    for seed in range(seeds):
        for problem in filter(unconditional, SPLITS["validation"]):
            found = there.get((peer.name, problem.name, seed, digest(problem, seed)))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if found is None:
                    found = normalised_regret(problem, peer, SETTING, seed)
                mine.append(normalised_regret(problem, own, SETTING, seed))
            others.append(found)
            last = f"{mine[-1][-1]:.3f} {others[-1][-1]:.3f}"
            print(f"{problem.name} {seed}: {last}", file=sys.stderr, flush=True)
    return np.array(mine), np.array(others)


def quality(seeds: int) -> None:
    """A line for each number of evaluations."""
    mine, others = regrets(seeds)
    print(f"{len(mine)} runs; regret of ours and theirs, difference")
    for budget in BUDGETS[1]:
        a, b = mine[:, [budget - 1]], others[:, [budget - 1]]
        print(f"after {budget:>3}: {a.mean():.3f} {b.mean():.3f}   {paired(a, b)}")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["GP", "ET", "RF", "GBRT"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[30, 60, 120])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", type=int, metavar="CALLS")
    parser.add_argument("--quality", type=int, metavar="SEEDS")
    options = parser.parse_args()
    packages = ("sparktune", "scikit-optimize", "scikit-learn", "numpy", "scipy")
    print(", ".join(f"{name} {version(name)}" for name in packages))
    if options.memory:
        for model in options.models:
            memory(options.memory, model)
    elif options.quality:
        quality(options.quality)
    else:
        with threadpool_limits(1):
            costs(options.models, options.sizes, options.repeats)


if __name__ == "__main__":
    main()
