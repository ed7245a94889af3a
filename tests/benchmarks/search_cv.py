"""The time of searches for scikit-learn, against scikit-learn's own.

    python -m tests.benchmarks.search_cv

With `joblibspark` (pip install --group bench) it also has joblib's backend for Spark. Models sleep,
so that eight slots are eight whatever the machine has. What scores are worth, and what races save:
`tests.benchmarks.search_scores`.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from typing import Any

import joblib
import numpy as np
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV, RandomizedSearchCV

from sparktune import Spark, local_session
from sparktune.sklearn import SparkSearchCV

SLOTS = 8


class Sleeper(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Takes one second to learn nothing."""

    def __init__(self, a: float = 0.0, seconds: float = 1.0) -> None:
        self.a = a
        self.seconds = seconds

    def fit(self, X: Any, y: Any) -> Sleeper:
        import time

        self.classes_ = np.unique(y)
        time.sleep(self.seconds)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.classes_[0])


def seconds_of(search: Any, X: Any, y: Any) -> float:
    started = time.monotonic()
    search.fit(X, y)
    return time.monotonic() - started


def folds() -> None:
    """3 candidates x 10 folds and 24 candidates x 5 folds of one second, on 8 slots."""
    local_session(SLOTS)
    X, y = make_classification(200, random_state=0)
    space = {"a": stats.uniform(0, 1)}
    shared: dict[str, Any] = {"refit": False, "random_state": 0}

    def ours(n: int, cv: int, **more: Any) -> float:
        given: dict[str, Any] = {"n_iter": n, "cv": cv, "on": Spark(SLOTS), "sampler": "random"}
        return seconds_of(SparkSearchCV(Sleeper(), space, **given, **shared, **more), X, y)

    ours(8, 2)  # start the workers
    by_fold, by_candidate = ours(3, 10), ours(3, 10, unit="candidate")
    print("3 candidates x 10 folds of 1 s on 8 slots, seconds; at best 4")
    print(f"  unit='fold' {by_fold:.2f}, unit='candidate' {by_candidate:.2f}")
    print(f"  ratio {by_fold / by_candidate:.2f}")

    times = {"SparkSearchCV": ours(24, 5)}
    theirs = RandomizedSearchCV(Sleeper(), space, n_iter=24, cv=5, n_jobs=SLOTS, **shared)
    seconds_of(theirs, X, y)
    times["RandomizedSearchCV, n_jobs=8"] = seconds_of(theirs, X, y)
    halving = HalvingRandomSearchCV(
        Sleeper(), space, n_candidates=24, factor=3, cv=5, n_jobs=SLOTS, **shared
    )
    times["HalvingRandomSearchCV, n_jobs=8 (fewer fits)"] = seconds_of(halving, X, y)
    try:
        from joblibspark import register_spark
    except ImportError:
        print("  joblibspark is not installed")
    else:
        register_spark()
        with joblib.parallel_backend("spark", n_jobs=SLOTS):
            theirs.set_params(n_jobs=None)
            times["RandomizedSearchCV, joblib-spark"] = seconds_of(theirs, X, y)
    print("24 candidates x 5 folds of 1 s on 8 slots, fits per second; at best 8")
    for name, seconds in times.items():
        print(f"  {name}: {120 / seconds:.2f} ({seconds:.2f} s)")


if __name__ == "__main__":
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    warnings.simplefilter("ignore")
    logging.getLogger("sparktune").setLevel(logging.ERROR)
    folds()
