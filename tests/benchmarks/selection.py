"""The choice between two families of models, as in `examples/model_selection.py`, from a table:
whether samplers stay in the first good branch.

    python -m tests.benchmarks.selection [--seeds 60]
    python -m tests.benchmarks.selection --make

Shown is the smallest error in per cent after 3, 5, ..., 60 trials, one after the other, as a mean
over the seeds; and in how many of them it is smaller than that of the first sampler, equal ones
counting half. The table holds the errors of all configurations, with 121 values of C.
"""

from __future__ import annotations

import argparse
from functools import cache
from math import log
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune import Serial, hp, tune
from sparktune.space.space import Space

FILE = Path(__file__).parent / "data" / "families_breast.npz"
BUDGETS = (3, 5, 8, 10, 15, 20, 30, 40, 60)
SAMPLERS = ("random", "tpe", "auto", "gp", "forest")
PENALTIES, LOSSES, WEIGHTS = ("l1", "l2"), ("hinge", "squared_hinge"), ("uniform", "distance")
C = np.geomspace(0.001, 1, 121)
SPACE = Space(
    hp.pchoice(
        "family",
        [
            (
                0.6,
                {
                    "C": hp.loguniform("C", log(0.001), log(1)),
                    "penalty": hp.choice("penalty", [0, 1]),
                    "loss": hp.choice("loss", [0, 1]),
                },
            ),
            (
                0.4,
                {
                    "n_neighbors": hp.uniformint("n_neighbors", 1, 50),
                    "weights": hp.choice("weights", [0, 1]),
                },
            ),
        ],
    )
)


def made() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The errors of support vector machines, (penalty, loss, C), NaN where scikit-learn refuses;
    and of neighbours, (n_neighbors - 1, weights).
    """
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import cross_val_score
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    X, y = load_breast_cancer(return_X_y=True)

    def error(model: Any) -> float:
        scores = cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=5)
        return 1 - float(scores.mean())

    svm = np.full((2, 2, len(C)), np.nan)
    for i, penalty in enumerate(PENALTIES):
        for j, loss in enumerate(LOSSES):
            if (penalty, loss) != ("l1", "hinge"):
                svm[i, j] = [
                    error(
                        LinearSVC(C=c, penalty=penalty, loss=loss, max_iter=10_000, random_state=0)
                    )
                    for c in C.tolist()
                ]
    neighbours = [
        [error(KNeighborsClassifier(n_neighbors=k, weights=each)) for each in WEIGHTS]
        for k in range(1, 51)
    ]
    return svm, np.array(neighbours)


@cache
def table() -> dict[str, NDArray[np.float64]]:
    """The errors of the file."""
    with np.load(FILE) as arrays:
        return dict(arrays)


def objective(config: dict[str, Any]) -> dict[str, Any]:
    """The error of a configuration; fails where the example does."""
    if "C" in config:
        nearest = int(np.argmin(np.abs(np.log(C / config["C"]))))
        error = table()["svm"][config["penalty"], config["loss"], nearest]
    else:
        error = table()["neighbours"][int(config["n_neighbors"]) - 1, config["weights"]]
    return {"status": "fail"} if np.isnan(error) else {"status": "ok", "loss": float(error)}


def smallest(sampler: str, seed: int) -> NDArray[np.float64]:
    """The smallest error after each trial; 1 where none has one."""
    study = tune(
        objective, SPACE, sampler=sampler, on=Serial(), max_trials=BUDGETS[-1], seed=seed,
        progress=False,
    )  # fmt: skip
    losses = [1.0 if trial.loss is None else trial.loss for trial in study.trials.values()]
    found: NDArray[np.float64] = np.minimum.accumulate(losses)
    return found


def main() -> None:
    """Make the table, or measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--make", action="store_true", help="evaluate all configurations")
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=SAMPLERS[:3])
    options = parser.parse_args()
    if options.make:
        svm, neighbours = made()
        np.savez_compressed(FILE, svm=svm, neighbours=neighbours)
        return
    at = [budget - 1 for budget in BUDGETS]
    print(f"{'trials':<18}" + "".join(f"{budget:>9}" for budget in BUDGETS))
    first: NDArray[np.float64] | None = None
    for sampler in options.samplers:
        runs = np.array([smallest(sampler, seed)[at] for seed in range(options.seeds)])
        first = runs if first is None else first
        better = (runs < first).mean(axis=0) + (runs == first).mean(axis=0) / 2
        print(f"{sampler:<18}" + "".join(f"{100 * x:9.3f}" for x in runs.mean(axis=0)))
        print(f"{'  better, in %':<18}" + "".join(f"{100 * x:9.0f}" for x in better), flush=True)


if __name__ == "__main__":
    main()
