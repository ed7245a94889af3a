"""The time of searches for scikit-learn, against scikit-learn's own.

    python -m tests.benchmarks.search_cv

With `joblibspark` (pip install --group bench) it also has joblib's backend for Spark. Models sleep,
so that eight slots are eight whatever the machine has. Each search is fitted twice, and the second
fit counts. What scores are worth, and what races save: `tests.benchmarks.search_scores`.
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
from sklearn import clone
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.model_selection import RandomizedSearchCV

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


def seconds_of(search: Any) -> float:
    """Of the second fit, as the first starts processes."""
    X, y = make_classification(200, random_state=0)
    started = 0.0
    for _ in range(2):
        started = time.monotonic()
        search.fit(X, y)
    return time.monotonic() - started


def folds() -> None:
    """3 candidates x 10 folds and 24 candidates x 5 folds of one second, on 8 slots."""
    local_session(SLOTS)
    space = {"a": stats.uniform(0, 1)}
    shared: dict[str, Any] = {"refit": False, "random_state": 0}

    def ours(n: int, cv: int, unit: str = "fold") -> float:
        given: dict[str, Any] = {"n_iter": n, "cv": cv, "on": Spark(SLOTS), "unit": unit}
        return seconds_of(SparkSearchCV(Sleeper(), space, sampler="random", **given, **shared))

    by_candidate, by_fold = ours(3, 10, "candidate"), ours(3, 10)
    print("3 candidates x 10 folds of 1 s on 8 slots, seconds; at best 4")
    print(f"  unit='fold' {by_fold:.2f}, unit='candidate' {by_candidate:.2f}")
    print(f"  ratio {by_fold / by_candidate:.2f}")

    times = {"SparkSearchCV": ours(24, 5)}
    theirs = RandomizedSearchCV(Sleeper(), space, n_iter=24, cv=5, **shared)
    times["RandomizedSearchCV, n_jobs=8"] = seconds_of(clone(theirs).set_params(n_jobs=SLOTS))
    try:
        from joblibspark import register_spark
    except ImportError:
        print("  joblibspark is not installed")
    else:
        register_spark()
        with joblib.parallel_backend("spark", n_jobs=SLOTS):
            times["RandomizedSearchCV, joblib-spark"] = seconds_of(theirs)
    print("24 candidates x 5 folds of 1 s on 8 slots, fits per second; at best 8")
    for name, seconds in times.items():
        print(f"  {name}: {120 / seconds:.2f} ({seconds:.2f} s)")


if __name__ == "__main__":
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    warnings.simplefilter("ignore")
    logging.getLogger("sparktune").setLevel(logging.ERROR)
    folds()
