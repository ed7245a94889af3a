"""How good a model without a space is: `SparkSearchCV(any_classifier())` beside its peers.

    python -m tests.benchmarks.automl [--seeds 5] [--candidates 20] [--sets cancer wine ...]
                                      [--hpsklearn PYTHON]

Each contender has 20 candidates with three folds each, 60 fits, in this process. FLAML needs the
group `bench`. hyperopt-sklearn 1.1.1 does not install beside today's scikit-learn; `--hpsklearn`
names the interpreter of an environment of its own that has it (pip install --no-deps
hyperopt-sklearn==1.1.1 hyperopt==0.3.0, and what they import). It takes numbers without gaps only.

Two thirds of the rows are for training. Shown is the score on the others, accuracy or R2, the mean
over seeds; the mean rank over all sets and seeds, 1 is the best, ties share; and, of the worst
case, how much the better of the two defaults is ahead. The ensemble is of a search for the log
loss, which is compared with that of its best candidate.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sparktune import Serial
from sparktune.sklearn import SparkSearchCV, any_classifier, any_regressor
from sparktune.sklearn.automatic import AutomaticModel
from sparktune.sklearn.catalogue.component import class_of
from sparktune.sklearn.catalogue.entries import entries

Table = tuple[Any, Any]
OURS, ENSEMBLE = "sparktune", "sparktune, ensemble"

PEER = """
import sys, warnings, numpy as np
warnings.simplefilter("ignore")
from hpsklearn import HyperoptEstimator, any_classifier, any_preprocessing, any_regressor
from hyperopt import tpe
d = np.load(sys.argv[1], allow_pickle=True)
regresses, candidates, seed = sys.argv[2] == "regressor", int(sys.argv[3]), int(sys.argv[4])
np.random.seed(seed)
part = {"regressor": any_regressor("m")} if regresses else {"classifier": any_classifier("m")}
model = HyperoptEstimator(preprocessing=any_preprocessing("p"), algo=tpe.suggest, seed=seed,
                          max_evals=candidates, trial_timeout=60, **part)
model.fit(d["X"], d["y"], n_folds=3, cv_shuffle=True, random_state=np.random.default_rng(seed))
print("score", model.score(d["V"], d["w"]))
"""


def mixed(load: Callable[..., Any], seed: int) -> Table:
    """A table with two of its columns cut into categories, one with gaps, and a date."""
    X, y = load(return_X_y=True, as_frame=True)
    rng = np.random.default_rng(seed)
    X = X.iloc[:, :10].copy()
    for name in X.columns[:2]:
        X[name] = pd.qcut(X[name].rank(method="first"), 5, labels=list("abcde")).astype(object)
    X.loc[rng.random(len(X)) < 0.2, X.columns[3]] = np.nan
    X["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 365, len(X)), unit="D")
    return X, y.to_numpy()


def digits(seed: int) -> Table:
    X, y = datasets.load_digits(return_X_y=True)
    return X[:900], y[:900]


SETS: dict[str, tuple[str, Callable[[int], Table]]] = {
    "cancer": ("classifier", lambda seed: datasets.load_breast_cancer(return_X_y=True)),
    "wine": ("classifier", lambda seed: datasets.load_wine(return_X_y=True)),
    "digits": ("classifier", digits),
    "few signals": (
        "classifier",
        lambda seed: datasets.make_classification(600, 30, n_informative=5, random_state=seed),
    ),
    "noisy labels": (
        "classifier",
        lambda seed: datasets.make_classification(
            600, 15, n_informative=8, n_classes=3, flip_y=0.15, random_state=seed
        ),
    ),
    "mixed cancer": ("classifier", lambda seed: mixed(datasets.load_breast_cancer, seed)),
    "diabetes": ("regressor", lambda seed: datasets.load_diabetes(return_X_y=True)),
    "friedman": ("regressor", lambda seed: datasets.make_friedman1(500, random_state=seed)),
    "mixed diabetes": ("regressor", lambda seed: mixed(datasets.load_diabetes, seed)),
}


def search(kind: str, candidates: int, seed: int, **options: Any) -> SparkSearchCV:
    model = any_classifier() if kind == "classifier" else any_regressor()
    return SparkSearchCV(
        model, n_iter=candidates, cv=3, on=Serial(), random_state=seed, unit="candidate", **options
    )


def default(name: str, kind: str, X: Any, y: Any, seed: int) -> AutomaticModel:
    made = class_of(entries()[f"{name}_{kind}"])(random_state=seed)
    return AutomaticModel(kind, made).fit(X, y)


def flaml(kind: str, X: Any, y: Any, candidates: int, seed: int) -> Any:
    from flaml import AutoML

    task = "classification" if kind == "classifier" else "regression"
    metric = "accuracy" if kind == "classifier" else "r2"
    model = AutoML()
    model.fit(
        X,
        y,
        task=task,
        metric=metric,
        max_iter=candidates,
        time_budget=-1,
        eval_method="cv",
        n_splits=3,
        seed=seed,
        verbose=0,
        n_jobs=1,
    )
    return model


def accuracy_or_r2(kind: str, y: Any, guess: Any) -> float:
    from sklearn.metrics import accuracy_score, r2_score

    return float(accuracy_score(y, guess) if kind == "classifier" else r2_score(y, guess))


def peer(python: str, kind: str, parts: Any, candidates: int, seed: int) -> float | None:
    """The score of hyperopt-sklearn in its own environment; None where it cannot run."""
    X, V, y, w = parts
    if hasattr(X, "columns"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder, "data.npz"))
        np.savez(file, X=X, y=y, V=V, w=w)
        command = [python, "-c", PEER, file, kind, str(candidates), str(seed)]
        done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("score ")]
    return float(lines[-1].split()[1]) if lines else None


def once(name: str, seed: int, candidates: int, python: str | None) -> dict[str, Any]:
    """The scores of all contenders on one set with one seed, and the log losses."""
    kind, load = SETS[name]
    X, y = load(seed)
    stratify = y if kind == "classifier" else None
    parts = train_test_split(X, y, test_size=1 / 3, random_state=seed, stratify=stratify)
    X, V, y, w = parts
    scores: dict[str, float | None] = {}
    began = time.monotonic()
    found = search(kind, candidates, seed).fit(X, y)
    seconds = time.monotonic() - began
    scores[OURS] = accuracy_or_r2(kind, w, found.predict(V))
    scoring = "neg_log_loss" if kind == "classifier" else None
    together = search(kind, candidates, seed, ensemble=20, scoring=scoring).fit(X, y)
    scores[ENSEMBLE] = accuracy_or_r2(kind, w, together.ensemble_.predict(V))
    for label in ("hist_gradient_boosting", "random_forest"):
        scores[label] = accuracy_or_r2(kind, w, default(label, kind, X, y, seed).predict(V))
    try:
        scores["FLAML"] = accuracy_or_r2(kind, w, flaml(kind, X, y, candidates, seed).predict(V))
    except Exception as error:
        print(f"FLAML on {name}: {type(error).__name__}: {error}", file=sys.stderr)
        scores["FLAML"] = None
    if python:
        scores["hyperopt-sklearn"] = peer(python, kind, parts, candidates, seed)
    losses = None
    if kind == "classifier":
        models = together.best_estimator_, together.ensemble_
        losses = [log_loss(w, model.predict_proba(V)) for model in models]
    return {"set": name, "seed": seed, "scores": scores, "log_loss": losses, "seconds": seconds}


def ranks(scores: dict[str, float | None]) -> dict[str, float]:
    """1 for the highest; equal ones share the mean of their ranks; who has no score is last."""
    values = {name: -np.inf if score is None else score for name, score in scores.items()}
    return {
        name: sum(other > value for other in values.values())
        + (sum(other == value for other in values.values()) + 1) / 2
        for name, value in values.items()
    }


def report(results: list[dict[str, Any]]) -> str:
    names = list(results[0]["scores"])
    lines = ["| set | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for each in dict.fromkeys(row["set"] for row in results):
        rows = [row["scores"] for row in results if row["set"] == each]
        cells = []
        for name in names:
            known = [row[name] for row in rows if row[name] is not None]
            cells.append(f"{np.mean(known):.4f}" if known else "cannot")
        lines.append(f"| {each} | " + " | ".join(cells) + " |")
    mean = {name: np.mean([ranks(row["scores"])[name] for row in results]) for name in names}
    lines.append("| mean rank | " + " | ".join(f"{mean[name]:.2f}" for name in names) + " |")
    behind = [
        max(row["scores"]["hist_gradient_boosting"], row["scores"]["random_forest"])
        - row["scores"][OURS]
        for row in results
    ]
    lines.append(f"\nworst case behind the better default: {100 * max(behind):.1f} points")
    pairs = [row["log_loss"] for row in results if row["log_loss"]]
    if pairs:
        better = sum(ensemble < single for single, ensemble in pairs)
        lines.append(f"ensemble has the lower log loss in {better} of {len(pairs)} runs")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--candidates", type=int, default=20)
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--hpsklearn", metavar="PYTHON")
    parser.add_argument("--out", type=Path, help="a file for the results, as JSON")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    results = []
    for seed in range(given.seeds):
        for name in given.sets:
            results.append(once(name, seed, given.candidates, given.hpsklearn))
            print(json.dumps(results[-1]), file=sys.stderr, flush=True)
            if given.out:
                given.out.write_text(json.dumps(results, indent=1) + "\n")
    print(report(results))


if __name__ == "__main__":
    main()
