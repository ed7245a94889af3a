"""How good a model without a space is: `SparkSearchCV(any_classifier())` beside its peers.

    python -m tests.benchmarks.automl [--seeds 5] [--candidates 20] [--sets cancer wine ...]
                                      [--contenders ...] [--hpsklearn PYTHON] [--out FILE]

Each contender has 20 candidates with three folds each, 60 fits, in this process. FLAML needs the
group `bench`. hyperopt-sklearn 1.1.1 does not install beside today's scikit-learn; `--hpsklearn`
names the interpreter of an environment of its own that has it (pip install --no-deps
hyperopt-sklearn==1.1.1 hyperopt==0.3.0, and what they import). It takes numbers without gaps only.
With `--out` each score is a line of the file at once, and what the file has is not run again.

Two thirds of the rows are for training. Shown is the score on the others, accuracy or R2, the mean
over seeds; the mean rank over all sets and seeds, 1 is the best, ties share; and how much the
better of the two defaults is ahead on the set where it is most. The ensemble is of a search for the
log loss, or R2, which is compared with its best candidate.
"""

from __future__ import annotations

import argparse
import itertools
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
DEFAULTS = ("hist_gradient_boosting", "random_forest")
PEER_NAME = "hyperopt-sklearn"

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
    from flaml import AutoML  # of the group `bench`

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


def parts_of(name: str, seed: int) -> tuple[str, Any]:
    """The kind of a set, and its training and test data."""
    kind, load = SETS[name]
    X, y = load(seed)
    stratify = y if kind == "classifier" else None
    return kind, train_test_split(X, y, test_size=1 / 3, random_state=seed, stratify=stratify)


def contend(contender: str, name: str, seed: int, candidates: int, python: str) -> dict[str, Any]:
    """The score of a contender on a set; None if it cannot run. Of the ensemble also the log losses
    of the best candidate and of the ensemble.
    """
    kind, (X, V, y, w) = parts_of(name, seed)
    told: dict[str, Any] = {"score": None}
    began = time.monotonic()
    if contender == PEER_NAME:
        told["score"] = peer(python, kind, (X, V, y, w), candidates, seed)
    elif contender == ENSEMBLE:
        scoring = "neg_log_loss" if kind == "classifier" else None
        found = search(kind, candidates, seed, ensemble=20, scoring=scoring).fit(X, y)
        told["score"] = accuracy_or_r2(kind, w, found.ensemble_.predict(V))
        if kind == "classifier":
            models = found.best_estimator_, found.ensemble_
            told["log_loss"] = [log_loss(w, model.predict_proba(V)) for model in models]
    else:
        model = MADE[contender](kind, X, y, candidates, seed)
        told["score"] = accuracy_or_r2(kind, w, model.predict(V))
        told["best"] = str(getattr(model, "best_params_", ""))
    told["seconds"] = round(time.monotonic() - began, 1)
    return {"set": name, "seed": seed, "contender": contender} | told


MADE: dict[str, Callable[..., Any]] = {
    OURS: lambda kind, X, y, n, seed: search(kind, n, seed).fit(X, y),
    "FLAML": flaml,
} | {
    name: lambda kind, X, y, n, seed, name=name: default(name, kind, X, y, seed)
    for name in DEFAULTS
}
CONTENDERS = (OURS, ENSEMBLE, *DEFAULTS, "FLAML", PEER_NAME)


def ranks(scores: dict[str, float | None]) -> dict[str, float]:
    """1 for the highest; equal ones share the mean of their ranks; who has no score is last."""
    values = {name: -np.inf if score is None else score for name, score in scores.items()}
    return {
        name: sum(other > value for other in values.values())
        + (sum(other == value for other in values.values()) + 1) / 2
        for name, value in values.items()
    }


def report(rows: list[dict[str, Any]]) -> str:
    """What the rows of the file say; seeds of a set where not all contenders have run are left
    out.
    """
    names = [name for name in CONTENDERS if any(row["contender"] == name for row in rows)]
    table: dict[tuple[str, int], dict[str, Any]] = {}
    for row in rows:
        table.setdefault((row["set"], row["seed"]), {})[row["contender"]] = row
    table = {key: told for key, told in table.items() if len(told) == len(names)}
    scores = {key: {n: told[n]["score"] for n in names} for key, told in table.items()}
    sets = list(dict.fromkeys(name for name, _ in table))
    means: dict[str, dict[str, Any]] = {
        each: {
            n: _mean([row[n] for (name, _), row in scores.items() if name == each]) for n in names
        }
        for each in sets
    }
    lines = ["| set (seeds) | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for each in sets:
        seeds = sum(name == each for name, _ in table)
        cells = [f"{m:.4f}" if (m := means[each][n]) is not None else "cannot" for n in names]
        lines.append(f"| {each} ({seeds}) | " + " | ".join(cells) + " |")
    for label, told_ in (("runs", scores), ("sets", means)):
        ranked = [ranks(row) for row in told_.values()]
        mean = {n: np.mean([row[n] for row in ranked]) for n in names}
        lines.append(
            f"| mean rank of {label} | " + " | ".join(f"{mean[n]:.2f}" for n in names) + " |"
        )
    lines.append("")
    for mine in [name for name in (OURS, ENSEMBLE) if name in names]:
        behind = {each: max(row[n] for n in DEFAULTS) - row[mine] for each, row in means.items()}
        worst = max(behind, key=behind.__getitem__)
        lines.append(
            f"{mine}: the better default is ahead by {100 * behind[worst]:.1f} points at most "
            f"({worst})"
        )
    lost: dict[str, list[list[float]]] = {}
    for (name, _), told in table.items():
        if "log_loss" in (row := told.get(ENSEMBLE, {})):
            lost.setdefault(name, []).append(row["log_loss"])
    pairs = [np.mean(each, axis=0) for each in lost.values()]
    runs = [pair for each in lost.values() for pair in each]
    lines.append(
        f"the ensemble has the lower log loss on {sum(b < a for a, b in pairs)} of {len(pairs)} "
        f"sets, in {sum(b < a for a, b in runs)} of {len(runs)} runs"
    )
    return "\n".join(lines)


def _mean(scores: list[float | None]) -> float | None:
    return None if None in scores else float(np.mean(np.array(scores)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--candidates", type=int, default=20)
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--contenders", nargs="*", default=list(CONTENDERS), choices=CONTENDERS)
    parser.add_argument("--hpsklearn", metavar="PYTHON")
    parser.add_argument("--out", type=Path, help="a file for the scores, as lines of JSON")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    rows: list[dict[str, Any]] = []
    if given.out and given.out.exists():
        rows = [json.loads(line) for line in given.out.read_text().splitlines()]
    known = {(row["set"], row["seed"], row["contender"]) for row in rows}
    for seed, name, contender in itertools.product(
        range(given.seeds), given.sets, given.contenders
    ):
        if (name, seed, contender) in known or (contender == PEER_NAME and not given.hpsklearn):
            continue
        rows.append(contend(contender, name, seed, given.candidates, given.hpsklearn))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        if given.out:
            with given.out.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    print(report(rows))


if __name__ == "__main__":
    main()
