"""What the scores of searches for scikit-learn are worth, and what races save.

    python -m tests.benchmarks.search_scores race      # fits that races save; the best kept
    python -m tests.benchmarks.search_scores honest    # whether intervals hold scores on new data
    python -m tests.benchmarks.search_scores noise     # whether they hold chance on pure noise

Options: `--seeds N`; `--out FILE` keeps each row at once as a line of JSON, and what it has is not
run again.
"""

from __future__ import annotations

import argparse
import json
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_wine,
    make_classification,
)
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sparktune import Serial, hp, tune
from sparktune.schedulers import Folds
from sparktune.schedulers.folds import RULES
from sparktune.sklearn import SparkSearchCV
from sparktune.sklearn.choice import fold_scores

Row = dict[str, Any]
TASKS = {"synthetic": 200, "wine": 90, "digits": 200, "cancer": 150}  # samples to learn from
RACES = {"digits": load_digits, "cancer": load_breast_cancer}


def task(name: str, seed: int) -> Any:
    """A small task, and the rest of its data as a test: X, its test, y, its test."""
    if name == "synthetic":
        X, y = make_classification(
            4000, n_features=20, n_informative=5, flip_y=0.1, class_sep=0.7, random_state=seed
        )
    else:
        load = {"wine": load_wine, "digits": load_digits, "cancer": load_breast_cancer}[name]
        X, y = load(return_X_y=True)
    return train_test_split(X, y, train_size=TASKS[name], stratify=y, random_state=seed)


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


def race(name: str, seed: int) -> Row:
    """A race by each rule against all folds of the same candidates. The folds of a race have the
    scores that are known by then; with the first seed it is run in full.
    """
    X, y = RACES[name](return_X_y=True)
    A, _, a, _ = train_test_split(X, y, train_size=300, stratify=y, random_state=seed)
    full = search(seed, 40).fit(A, a)
    folds = fold_scores(full.cv_results_, "score")
    told: Row = {}
    for rule in RULES:
        fits, best = raced(folds, rule)
        lost = full.best_score_ - folds[best].mean()
        told[rule] = [fits / folds.size, bool(best == full.best_index_), float(lost)]
    if seed == 0:
        grid = [{k: [v] for k, v in each.items()} for each in full.cv_results_["params"]]
        real = search(seed, 40, space=None, param_grid=grid, racing=True).fit(A, a)
        assert (real.cv_results_["n_folds"].sum(), real.best_index_) == raced(folds, "both")
    return told


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


def honest(name: str, seed: int) -> Row:
    """The score of the best candidate, the corrected one, and that on new data."""
    A, B, a, b = task(name, seed)
    found = search(seed, 40, refit=True).fit(A, a)
    return _told(found) | {"there": found.score(B, b)}


def noise(name: str, seed: int) -> Row:
    """The best of 200 candidates where there is nothing to learn, and what it is corrected to."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(60, 5)), rng.permutation(np.arange(60) % 2)
    return _told(search(seed, 200).fit(X, y)) | {"there": 0.5}


def _told(found: Any) -> Row:
    return {
        "best": float(found.best_score_),
        "corrected": found.corrected_score_,
        "interval": list(found.corrected_interval_),
    }


def report_race(rows: list[Row]) -> None:
    for name in dict.fromkeys(row["name"] for row in rows):
        for rule in RULES:
            told = [row[rule] for row in rows if row["name"] == name]
            share, same, lost = (np.array(column) for column in zip(*told, strict=True))
            print(
                f"{name}, {rule}: {100 * share.mean():.0f} % of the fits "
                f"({100 * share.min():.0f} to {100 * share.max():.0f}); the same best in "
                f"{same.sum()} of {len(same)}; score lost {lost.mean():.4f} on average, "
                f"{lost.max():.4f} at most"
            )


def report_honest(rows: list[Row]) -> None:
    holds = [row["interval"][0] <= row["there"] <= row["interval"][1] for row in rows]
    best, corrected, there = (
        np.array([row[key] for row in rows]) for key in ("best", "corrected", "there")
    )
    widths = [row["interval"][1] - row["interval"][0] for row in rows]
    print(
        f"intervals, {np.mean(widths):.3f} wide on average, hold the truth in {sum(holds)} of "
        f"{len(rows)}; on average the best score is {best.mean():.4f}, corrected "
        f"{corrected.mean():.4f}, the truth {there.mean():.4f}"
    )


PARTS: dict[str, Any] = {
    "race": (race, RACES, 20, report_race),
    "honest": (honest, TASKS, 8, report_honest),
    "noise": (noise, ["noise"], 20, report_honest),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--out", type=Path, help="a file for the rows, as lines of JSON")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("sparktune").setLevel(logging.ERROR)
    run, names, seeds, report = PARTS[given.part]
    rows: list[Row] = []
    if given.out and given.out.exists():
        rows = [json.loads(line) for line in given.out.read_text().splitlines()]
    known = {(row["name"], row["seed"]) for row in rows}
    for name in names:
        for seed in range(given.seeds or seeds):
            if (name, seed) in known:
                continue
            rows.append({"name": name, "seed": seed} | run(name, seed))
            if given.out:
                with given.out.open("a") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    report(rows)


if __name__ == "__main__":
    main()
