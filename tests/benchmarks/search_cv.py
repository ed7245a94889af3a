"""Searches for scikit-learn against scikit-learn's own.

    python -m tests.benchmarks.search_cv folds      # time of folds as tasks; other searches
    python -m tests.benchmarks.search_cv race       # fits that races save; whether the best stays
    python -m tests.benchmarks.search_cv honest     # whether corrected intervals hold

`folds` needs Spark; with `joblibspark` (pip install --group bench) it also has joblib's backend for
Spark. Models sleep there, so that eight slots are eight whatever the machine has.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import joblib
import numpy as np
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_wine,
    make_classification,
)
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
    train_test_split,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sparktune import Serial, Spark, hp, local_session
from sparktune.sklearn import SparkSearchCV

SLOTS = 8
Data = tuple[Any, Any]


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


def small_tasks(seed: int) -> Iterator[tuple[str, Data, Data]]:
    """Four small tasks, and the rest of their data as a test."""
    made = make_classification(
        4000, n_features=20, n_informative=5, flip_y=0.1, class_sep=0.7, random_state=seed
    )
    for name, (X, y), n in (
        ("synthetic", made, 200),
        ("wine", load_wine(return_X_y=True), 90),
        ("digits", load_digits(return_X_y=True), 200),
        ("cancer", load_breast_cancer(return_X_y=True), 150),
    ):
        A, B, a, b = train_test_split(X, y, train_size=n, stratify=y, random_state=seed)
        yield name, (A, a), (B, b)


MODELS = [
    {
        "clf": SVC(),
        "clf__C": hp.loguniform("svc C", -5, 7),
        "clf__gamma": hp.loguniform("g", -9, 1),
    },
    {"clf": LogisticRegression(max_iter=500), "clf__C": hp.loguniform("logistic C", -7, 7)},
    {
        "clf": DecisionTreeClassifier(random_state=0),
        "clf__max_depth": hp.randint("depth", 1, 12),
        "clf__min_samples_leaf": hp.randint("leaf", 1, 20),
    },
    {"clf": KNeighborsClassifier(), "clf__n_neighbors": hp.randint("neighbours", 1, 40)},
    {
        "clf": ExtraTreesClassifier(30, random_state=0),
        "clf__max_depth": hp.randint("forest depth", 1, 12),
    },
]
SPACE = hp.choice("model", MODELS)
PIPELINE = Pipeline([("scale", StandardScaler()), ("clf", SVC())])


def search(seed: int, n: int, estimator: Any = PIPELINE, space: Any = SPACE, **more: Any) -> Any:
    given: dict[str, Any] = {"n_iter": n, "sampler": "random", "random_state": seed}
    given |= {"on": Serial(), "refit": False}
    given |= {"cv": StratifiedKFold(5, shuffle=True, random_state=seed)}
    return SparkSearchCV(estimator, space, **(given | more))


def race(seeds: int = 20, n: int = 40) -> None:
    """A race against all folds of the same candidates, on digits and on cancer."""
    for load in (load_digits, load_breast_cancer):
        X, y = load(return_X_y=True)
        fits, same, behind = list[float](), 0, list[float]()
        for seed in range(seeds):
            A, _, a, _ = train_test_split(X, y, train_size=300, stratify=y, random_state=seed)
            full = search(seed, n).fit(A, a)
            grid = [{k: [v] for k, v in each.items()} for each in full.cv_results_["params"]]
            fast = search(seed, n, space=None, param_grid=grid, racing=True).fit(A, a)
            fits.append(fast.cv_results_["n_folds"].sum() / (5 * n))
            same += str(fast.best_params_) == str(full.best_params_)
            behind.append(full.best_score_ - fast.best_score_)
        low, mean, high = 100 * np.array([np.min(fits), np.mean(fits), np.max(fits)])
        print(
            f"{load.__name__[5:]}: {mean:.0f} % of the fits ({low:.0f} to {high:.0f}); the same "
            f"best in {same} of {seeds}; score lost {np.mean(behind):.4f} on average, "
            f"{np.max(behind):.4f} at most"
        )


def honest(seeds: int = 8, noise: int = 20) -> None:
    """Whether intervals hold the score on new data, and chance where there is nothing to learn."""
    holds, optimism, error = list[bool](), list[float](), list[float]()
    for seed in range(seeds):
        for name, train, test in small_tasks(seed):
            found = search(seed, 40, refit=True).fit(*train)
            there = found.score(*test)
            low, high = found.corrected_interval_
            holds.append(low <= there <= high)
            optimism.append(found.best_score_ - there)
            error.append(found.corrected_score_ - there)
            print(
                f"  {name} {seed}: best {found.best_score_:.3f}, corrected "
                f"{found.corrected_score_:.3f} ({low:.3f} to {high:.3f}), new data {there:.3f}"
            )
    print(f"intervals hold the score on new data in {sum(holds)} of {len(holds)}")
    print(f"best minus new data {np.mean(optimism):+.4f}; corrected {np.mean(error):+.4f}")
    chance, best = 0, list[float]()
    for seed in range(noise):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(60, 5)), rng.permutation(np.arange(60) % 2)
        found = search(seed, 200).fit(X, y)
        low, high = found.corrected_interval_
        chance += low <= 0.5 <= high
        best.append(found.best_score_)
    print(f"noise: best score {np.mean(best):.3f}; the interval holds 0.5 in {chance} of {noise}")


if __name__ == "__main__":
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    warnings.simplefilter("ignore")
    logging.getLogger("sparktune").setLevel(logging.ERROR)
    parts: dict[str, Callable[[], None]] = {"folds": folds, "race": race, "honest": honest}
    for each in sys.argv[1:] or parts:
        parts[each]()
