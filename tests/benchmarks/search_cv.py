"""Searches for scikit-learn against scikit-learn's own.

    python -m tests.benchmarks.search_cv folds      # time of folds as tasks; other searches
    python -m tests.benchmarks.search_cv race       # fits that races save; whether the best stays
    python -m tests.benchmarks.search_cv honest     # whether intervals hold scores on new data
    python -m tests.benchmarks.search_cv noise      # whether they hold chance on pure noise

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

from sparktune import Serial, Spark, hp, local_session, tune
from sparktune.schedulers import Folds
from sparktune.schedulers.folds import RULES
from sparktune.sklearn import SparkSearchCV
from sparktune.sklearn.choice import fold_scores

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
    """Races by each rule, on digits and on cancer, against all folds of the same candidates. The
    folds of a race have the scores that are known by then; with the first seed it is run in full.
    """
    for load in (load_digits, load_breast_cancer):
        X, y = load(return_X_y=True)
        told: dict[str, list[tuple[float, bool, float]]] = {rule: [] for rule in RULES}
        for seed in range(seeds):
            A, _, a, _ = train_test_split(X, y, train_size=300, stratify=y, random_state=seed)
            full = search(seed, n).fit(A, a)
            folds = fold_scores(full.cv_results_, "score")
            for rule in RULES:
                done, best = raced(folds, rule)
                lost = full.best_score_ - folds[best].mean()
                told[rule].append((done / folds.size, best == full.best_index_, lost))
            if seed == 0:
                grid = [{k: [v] for k, v in each.items()} for each in full.cv_results_["params"]]
                real = search(seed, n, space=None, param_grid=grid, racing=True).fit(A, a)
                assert real.cv_results_["n_folds"].sum() == raced(folds, "both")[0]
                assert real.best_index_ == raced(folds, "both")[1]
        for rule, each in told.items():
            share, same, lost_ = (np.array(column) for column in zip(*each, strict=True))
            print(
                f"{load.__name__[5:]}, {rule}: {100 * share.mean():.0f} % of the fits "
                f"({100 * share.min():.0f} to {100 * share.max():.0f}); the same best in "
                f"{same.sum()} of {seeds}; score lost {lost_.mean():.4f} on average, "
                f"{lost_.max():.4f} at most",
                flush=True,
            )


def raced(folds: Any, rule: str) -> tuple[int, int]:
    """How many folds a race evaluates, and which candidate wins it."""
    n, k = folds.shape

    def objective(config: Any, budget: float) -> float:
        return -float(folds[config["candidate"], : int(budget)].mean())

    study = tune(
        objective,
        {"candidate": hp.choice("candidate", [*range(n)])},
        scheduler=Folds(k, rule),
        start=[{"candidate": i} for i in range(n)],
        max_trials=0,
        progress=False,
    )
    trials = study.records.values()
    whole = [trial for trial in trials if trial.budget == k]
    best = min(whole, key=lambda trial: (trial.loss, trial.values["candidate"]))
    return len(trials), int(best.values["candidate"])


def honest(seeds: int = 8) -> None:
    """Whether intervals hold the score on new data."""
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
                f"{found.corrected_score_:.3f} ({low:.3f} to {high:.3f}), new data {there:.3f}",
                flush=True,
            )
    print(f"intervals hold the score on new data in {sum(holds)} of {len(holds)}")
    print(f"best minus new data {np.mean(optimism):+.4f}; corrected {np.mean(error):+.4f}")


def noise(seeds: int = 20) -> None:
    """Whether intervals hold chance where there is nothing to learn, with 200 candidates."""
    chance, best = 0, list[float]()
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(60, 5)), rng.permutation(np.arange(60) % 2)
        found = search(seed, 200).fit(X, y)
        low, high = found.corrected_interval_
        chance += low <= 0.5 <= high
        best.append(found.best_score_)
        print(
            f"  {seed}: best {found.best_score_:.3f}, corrected {found.corrected_score_:.3f} "
            f"({low:.3f} to {high:.3f})",
            flush=True,
        )
    print(f"noise: best score {np.mean(best):.3f}; the interval holds 0.5 in {chance} of {seeds}")


if __name__ == "__main__":
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    warnings.simplefilter("ignore")
    logging.getLogger("sparktune").setLevel(logging.ERROR)
    parts: dict[str, Callable[[], None]] = {
        "folds": folds,
        "race": race,
        "honest": honest,
        "noise": noise,
    }
    for each in sys.argv[1:] or parts:
        parts[each]()
