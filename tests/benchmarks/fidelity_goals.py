"""Tables of the runs that `fidelity` stored, and how far the goals for budgets that grow are met.

    python -m tests.benchmarks.fidelity_goals [--store PATH]

`share` is the resource that one needs for the mean regret that another has after 81 full
evaluations, as a part of these 81; 1 where it is not reached. `ratio` is one's mean regret divided
by the other's, at the same resource. Each goal is shown for every problem, and as the geometric
mean over those of a split; intervals are 95 % ones of a bootstrap over seeds, for a split over
problems, then seeds.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.curves import DEVELOPMENT, LYING, VALIDATION
from tests.benchmarks.fidelity import STORE, stored
from tests.benchmarks.fidelity_runs import MOST, Machine

Curves = NDArray[np.float64]
"""Regrets of a contender on a problem (seeds, resources)."""
Statistic = Callable[[Curves, Curves], float]

GRID = np.arange(0.5, MOST + 0.25, 0.5)
SHOWN = (4, 8, 16, 27, 54, 81)
DRAWS = 1000
SPLITS = {"development": DEVELOPMENT, "validation": VALIDATION}
_LEAST = 1e-3  # regrets below are equal


def share(ours: Curves, theirs: Curves) -> float:
    """See the top of this module."""
    reached = ours.mean(axis=0) <= theirs[:, -1].mean() + _LEAST
    return float(GRID[reached.argmax()] / MOST) if reached.any() else 1.0


def ratio(spent: float) -> Statistic:
    """The ratio at a resource."""

    def at(ours: Curves, theirs: Curves) -> float:
        column = int(np.searchsorted(GRID, spent))
        mine, other = ours[:, column].mean(), theirs[:, column].mean()
        return float((mine + _LEAST) / (other + _LEAST))

    return at


GOALS: Sequence[tuple[str, int, str, Sequence[str], Statistic]] = (
    ("share of random search's resource: 1/8", 8, "ASHA, random", ["random, full"], share),
    ("share of TPE's: 1/5, noisy 1/2", 8, "ASHA, TPE", ["TPE, full"], share),
    ("ratio to plain ASHA after 27: 1/2", 8, "ASHA, TPE", ["plain ASHA, TPE"], ratio(27)),
    *(
        (f"ratio to Optuna's best after {n}: 2/3", 8, "ASHA, TPE", ["Optuna TPE, "], ratio(n))
        for n in (8, 27, 81)
    ),
    ("ratio to Optuna's best after 27: 1/2", 64, "ASHA, TPE", ["Optuna TPE, "], ratio(27)),
    ("ratio to FLAML after 27", 8, "ASHA, TPE", ["FLAML BlendSearch"], ratio(27)),
    (
        "ratio with audits to without after 27: 1.2",
        8,
        "ASHA, TPE",
        ["ASHA without audits, TPE"],
        ratio(27),
    ),
    ("ratio of PASHA to ASHA after 27", 8, "PASHA, TPE", ["ASHA, TPE"], ratio(27)),
)
"""What, on how many slots, whose, beside whom (the best of those whose names begin so), how."""


def read(path: Path) -> dict[Machine, dict[str, dict[str, list[dict[str, Any]]]]]:
    """{machine: {problem: {contender: runs, by seed}}}."""
    found: Any = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for each in sorted(stored(path), key=lambda run: run["seed"]):
        machine = Machine(each["slots"], each["sigma"], each["stragglers"])
        found[machine][each["problem"]][each["contender"]].append(each)
    return dict(found)


def curves(runs: Sequence[dict[str, Any]]) -> Curves:
    """The regrets of runs; before the first recommendation, 1."""
    rows = []
    for run in runs:
        spent, regret = np.array(run["steps"]).reshape(-1, 2).T
        rows.append(np.append(1.0, regret)[np.searchsorted(spent, GRID, side="right")])
    return np.array(rows)


def bootstrap(pairs: Sequence[tuple[Curves, Curves]], of: Statistic) -> tuple[float, float, float]:
    """The geometric mean of a statistic over problems, and its interval."""
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(DRAWS):
        logs = []
        for i in rng.integers(len(pairs), size=len(pairs)) if len(pairs) > 1 else [0]:
            ours, theirs = pairs[i]
            seeds = rng.integers(len(ours), size=len(ours))
            logs.append(np.log(of(ours[seeds], theirs[seeds])))
        draws.append(np.mean(logs))
    low, high = np.exp(np.quantile(draws, (0.025, 0.975)))
    mean = np.exp(np.mean([np.log(of(*pair)) for pair in pairs]))
    return float(mean), float(low), float(high)


def paired(
    problem: Mapping[str, list[dict[str, Any]]], ours: str, beside: Sequence[str], of: Statistic
) -> tuple[Curves, Curves] | None:
    """Runs with the same seeds of one contender and of the best of others; None: there are none."""
    candidates = [name for name in problem if name.startswith(tuple(beside))]
    found: list[tuple[Curves, Curves]] = []
    for name in candidates:
        both = {run["seed"] for run in problem.get(ours, [])} & {r["seed"] for r in problem[name]}
        sides = [[r for r in problem[side] if r["seed"] in both] for side in (ours, name)]
        if both:
            found.append((curves(sides[0]), curves(sides[1])))
    return max(found, key=lambda pair: of(*pair), default=None)


def show_goals(machines: Mapping[Machine, Any]) -> None:
    """A block for each goal."""
    for what, slots, ours, beside, of in GOALS:
        problems = machines.get(Machine(slots), {})
        print(f"\n{what} ({slots} slots)")
        for split, names in SPLITS.items():
            found = {n: paired(problems[n], ours, beside, of) for n in names if n in problems}
            pairs = {name: pair for name, pair in found.items() if pair is not None}
            for name, pair in pairs.items():
                print(_interval(f"  {name}", len(pair[0]), bootstrap([pair], of)))
            honest = [pair for name, pair in pairs.items() if name not in LYING]
            if len(honest) > 1:
                print(_interval(f"  {split}, without those that lie", 0, bootstrap(honest, of)))


def _interval(what: str, seeds: int, of: tuple[float, float, float]) -> str:
    mean, low, high = of
    told = f"{seeds} seeds" if seeds else ""
    return f"{what:40}{mean:8.3f}  [{low:.3f}, {high:.3f}]  {told}"


def show_tables(machines: Mapping[Machine, Any]) -> None:
    """A table for each machine and problem."""
    for machine, problems in sorted(machines.items(), key=lambda item: str(item[0])):
        for name, contenders in problems.items():
            print(f"\n{name}, {machine}: mean regret, and twice its standard error")
            print(f"{'after full evaluations':28}{''.join(f'{n:>13}' for n in SHOWN)}   seeds")
            for contender, runs in contenders.items():
                print(_row(contender, runs))


def _row(contender: str, runs: Sequence[dict[str, Any]]) -> str:
    found = curves(runs)[:, np.searchsorted(GRID, SHOWN)]
    errors = 2 * found.std(axis=0, ddof=min(1, len(found) - 1)) / np.sqrt(len(found))
    cells = "".join(
        f"{mean:7.3f} {f'±{e:.3f}':>5}" for mean, e in zip(found.mean(axis=0), errors, strict=True)
    )
    budgets = sorted({budget for run in runs for budget in run["counts"]}, key=float)
    counts = "/".join(f"{np.mean([r['counts'].get(b, 0) for r in runs]):.0f}" for b in budgets)
    busy, wall = (float(np.mean([run[key] for run in runs])) for key in ("busy", "wall"))
    return f"{contender:28}{cells}{len(runs):6}{busy:7.1%}{wall:7.0f}  {counts}"


def main() -> None:
    """Print what the store holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, default=STORE)
    machines = read(parser.parse_args().store)
    show_tables(machines)
    show_goals(machines)


if __name__ == "__main__":
    main()
