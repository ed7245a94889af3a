"""What a user's belief is worth, and what it costs where it is wrong: `auto` with and without.

    python -m tests.benchmarks.priors [--seeds 4]

The belief is a normal distribution of every parameter, a tenth of its range wide. Its centre is the
optimum (good), a quarter of the range away from it (wrong), or as far from the other end of the
range as the optimum is from its own (misleading). Shown is the mean regret after 10, 20 and 50
evaluations of development problems, one after the other, and the last as a multiple of that without
a belief.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from sparktune.samplers import Sampler, auto
from sparktune.space import hp
from tests.benchmarks.contenders import own
from tests.benchmarks.problems import DEVELOPMENT, Problem
from tests.benchmarks.runs import Setting, normalised_regret
from tests.benchmarks.synthetic import Shift

PROBLEMS = ("ackley5", "rosenbrock4", "sphere6_noisy")
BUDGETS = (10, 20, 50)
WIDTH = 0.1

CENTRES: dict[str, Callable[[float], float]] = {
    "good": lambda best: best,
    "wrong": lambda best: best + (0.25 if best < 0.5 else -0.25),
    "misleading": lambda best: 1 - best,
}


def believing(problem: Problem, seed: int, belief: str) -> Sampler:
    """`auto` with a belief about a problem whose parameters are all between 0 and 1."""
    if belief == "none":
        return auto.suggest
    shift, centre = Shift(seed), CENTRES[belief]
    labels = [param.name for param in problem.params]
    prior = {label: hp.normal(label, centre(shift.place(label)), WIDTH) for label in labels}
    return auto.suggest(prior=prior)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4)
    seeds = range(parser.parse_args().seeds)
    setting = Setting(workers=1, evaluations=BUDGETS[-1])
    problems = [each for each in DEVELOPMENT if each.name in PROBLEMS]
    print(f"{'belief':<11}" + "".join(f"{budget:>8}" for budget in BUDGETS) + "   times")
    plain: float | None = None
    for belief in ("none", *CENTRES):
        runs = [
            normalised_regret(problem, own(belief, believing(problem, seed, belief)), setting, seed)
            for problem in problems
            for seed in seeds
        ]
        means = np.mean(runs, axis=0)[[budget - 1 for budget in BUDGETS]].tolist()
        plain = plain or means[-1]
        cells = "".join(f"{x:8.3f}" for x in means)
        print(f"{belief:<11}{cells}{means[-1] / plain:8.2f}", flush=True)


if __name__ == "__main__":
    main()
