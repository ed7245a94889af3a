"""The choice among 20 learners by sample sizes that grow, on the real learning curves of LCDB.

    python -m tests.benchmarks.learners PATH/lcdb/database-accuracy.csv

The file comes with the source distribution `lcdb` 0.1.0 (F. Mohr et al., "LCDB 1.0", ECML 2022):
accuracies of learners with their defaults on 246 data sets, of which those count whose sizes span a
factor of 27. `ASHA` sees the validation score of one split at each size; every evaluation is from
scratch. `resource` is what it takes, as a share of evaluating all learners on all rows. `lost` is
the test accuracy, a mean over all splits, of the learner that is best on all rows by the same
split's validation, less that of the recommended one: its mean over the data sets with twice the
standard error.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sparktune import ASHA, Study, hp, loop
from sparktune.executors.task import Task
from sparktune.stopping import Never
from sparktune.testing import Clock, SimulatedExecutor
from sparktune.trial import Trial

LADDERS = (1 / 27, 1 / 9, 1 / 3)
SLOTS = 8


def tables(path: str) -> list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]]:
    """For each data set the sizes (S,), validation errors (learners, S) on the first split, and
    test errors (learners,) at the largest size.
    """
    columns = ["openmlid", "learner", "size_train", "outer_seed", "inner_seed"]
    scores = ["score_valid", "score_test"]
    read = pd.read_csv(path, usecols=[*columns, *scores])
    found = []
    for _, of in read.groupby("openmlid"):
        first = of[(of.outer_seed == 0) & (of.inner_seed == 0)]
        valid = first.pivot_table(index="learner", columns="size_train", values="score_valid")
        valid = valid.loc[:, valid.count() >= 0.75 * len(valid)].dropna()
        last = of[of.size_train == valid.columns.max()]
        test = last.groupby("learner").score_test.mean().reindex(valid.index)
        if len(valid) >= 10 and valid.columns.max() >= 27 * valid.columns.min():
            found.append((valid.columns.to_numpy(), 1 - valid.to_numpy(), 1 - test.to_numpy()))
    return found


def choose(
    sizes: NDArray[np.int64], errors: NDArray[np.float64], least: float
) -> tuple[int, float]:
    """The learner that ASHA recommends, and the resource it took."""
    clock = Clock()
    space = {"learner": hp.choice("learner", [*range(len(errors))])}
    study = Study(space, "grid", ASHA(least, 1, audit=0), 0, clock=clock)

    def objective(trial: Trial) -> Any:
        place = np.argmin(np.abs(np.log(sizes / (trial.budget * sizes[-1]))))
        return float(errors[int(trial.values["learner"]), place])

    executor = SimulatedExecutor(
        Task(objective, lambda trial: trial), SLOTS, lambda trial: trial.budget, clock
    )
    study.end = len(errors)
    loop.run(study, executor, Never())
    assert study.best is not None
    spent = sum(trial.budget for trial in study.records.values())
    return int(study.best.values["learner"]), spent / len(errors)


def main() -> None:
    """Print a line for each ladder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path")
    data = tables(parser.parse_args().path)
    print(f"{len(data)} data sets\n{'smallest size':16}{'resource':>9}{'lost':>18}")
    for least in LADDERS:
        lost, spent = [], []
        for sizes, errors, test in data:
            chosen, share = choose(sizes, errors, least)
            lost.append(test[chosen] - test[int(np.argmin(errors[:, -1]))])
            spent.append(share)
        error = 2 * np.std(lost, ddof=1) / np.sqrt(len(lost))
        print(f"{least:<16.3f}{np.mean(spent):9.1%}{np.mean(lost):+11.4f} ±{error:.4f}", flush=True)


if __name__ == "__main__":
    main()
