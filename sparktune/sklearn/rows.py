"""The result of a candidate from its folds: of its trial, and its row of `cv_results_`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparktune import worker
from sparktune.errors import InvalidArgument
from sparktune.trial import Outcome, Trial

ROW = "cv_results"
"""Where a trial's result holds its row of `cv_results_`."""

PREDICTIONS = "predictions"
"""The name under which `Answers` are attached to a result."""

DATA = "data"
"""Where a trial's result holds the fingerprint of the data that it was scored on."""


@dataclass(frozen=True)
class Answers:
    """The `responses` of each fold of a candidate; one thing, which journals keep as one file."""

    folds: Sequence[Mapping[str, Any]]


def merging(refit: Any) -> Callable[[Sequence[Outcome]], Any]:
    """What makes one result of the parts of a trial: `loss` (the mean test score, negated),
    `params`, `data`, the row, and as `failures` the traceback of each fold's fit, or None.
    Predictions for the test folds are attached.
    """

    def merge(parts: Sequence[Outcome]) -> dict[str, Any]:
        results = [part.result or {} for part in parts]
        for result in results:
            if isinstance(result.get("raised"), Exception):
                raise result["raised"]
        folds = [fold for result in results for fold in result["folds"]]
        row = row_of(folds)
        metric = metric_of(refit, metrics_of(row))
        told = [fold["responses"] for fold in folds]
        return {
            "status": "ok",
            "loss": -row[f"mean_test_{metric}"],
            ROW: row,
            "params": results[0]["params"],
            DATA: results[0][DATA],
            "failures": [fold["fit_error"] for fold in folds],
            "attachments": {PREDICTIONS: Answers(told)} if any(told) else {},
        }

    return merge


def merged(
    outcome: Outcome, merge: Callable[[Sequence[Outcome]], Any], parts: Sequence[Outcome]
) -> Outcome:
    """An outcome with the result that `merge` returns for parts; the outcome is one of them."""
    try:
        report = worker.read(merge(parts))
    except Exception as error:
        report = worker.failed(error)
    whole = Outcome.of(outcome.trial_id, report)
    return replace(whole, started=outcome.started, finished=outcome.finished, log=outcome.log)


def metric_of(refit: Any, names: Sequence[str]) -> str:
    """The metric that says what is best: the one that `refit` names, or the first.

    Raises:
        InvalidArgument: `refit` should name one, and does not.
    """
    if list(names) == ["score"] or refit is False or callable(refit):
        return names[0]
    if refit not in names:
        raise InvalidArgument(
            f"scoring gives {list(names)}; refit must name one of them, be a function of "
            f"cv_results_, or False; got {refit!r}"
        )
    return str(refit)


def row_of(folds: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The numbers of one candidate, as `cv_results_` names them, and the times of its folds."""
    row: dict[str, float] = {}
    for time in ("fit_time", "score_time"):
        row |= {f"split{i}_{time}": fold[time] for i, fold in enumerate(folds)}
        row |= _moments(time, [fold[time] for fold in folds])
    for kind in ("test", "train"):
        scores = [fold[f"{kind}_scores"] for fold in folds if f"{kind}_scores" in fold]
        for metric in dict.fromkeys(name for each in scores for name in named(each)):
            values = [named(each).get(metric, math.nan) for each in scores]
            row |= {f"split{i}_{kind}_{metric}": value for i, value in enumerate(values)}
            row |= _moments(f"{kind}_{metric}", values)
    return row


def named(scores: Any) -> Mapping[str, float]:
    """{metric: score} of the scores of a fold."""
    return scores if isinstance(scores, Mapping) else {"score": scores}


def _moments(name: str, values: Sequence[float]) -> dict[str, float]:
    array = np.array(values, dtype=np.float64)
    mean = np.average(array)
    std = np.sqrt(np.average((array - mean) ** 2))
    return {f"mean_{name}": float(mean), f"std_{name}": float(std)}


def metrics_of(table: Mapping[str, Any]) -> list[str]:
    """The names of the metrics of a row, or of `cv_results_`."""
    return [key.removeprefix("mean_test_") for key in table if key.startswith("mean_test_")]


def folds_of(
    trials: Sequence[Trial], n_splits: int, error_score: Any, *, train: bool
) -> list[list[dict[str, Any]]]:
    """For each candidate its folds, with times and scores. A candidate without a result has
    `error_score` in all of them.
    """
    rows = [(trial.result or {}).get(ROW, {}) for trial in trials]
    metrics = next((metrics_of(row) for row in rows if row), ["score"])
    missing = math.nan if isinstance(error_score, str) else float(error_score)
    return [
        [_fold(row, i, metrics, math.nan if row else missing, train) for i in range(n_splits)]
        for row in rows
    ]


def complete(folds: Sequence[dict[str, Any]], n: int) -> list[dict[str, Any]]:
    """The folds of a candidate with NaN as the scores of those that it lacks of n."""
    lacking: dict[str, Any] = {}
    for key, value in folds[0].items():
        if key.endswith("_scores"):
            nothing = dict.fromkeys(value, math.nan) if isinstance(value, Mapping) else math.nan
            lacking[key] = nothing
        elif key.endswith("_time"):
            lacking[key] = float(np.mean([fold[key] for fold in folds]))
    return [*folds, *([lacking] * (n - len(folds)))]


def folds_before(trial: Trial, answers: Answers | None) -> list[dict[str, Any]]:
    """The folds that the result of a trial is made of."""
    result = trial.result or {}
    row, errors = result[ROW], result["failures"]
    told = answers.folds if answers is not None else [{}] * len(errors)
    train = any(key.startswith("split0_train_") for key in row)
    return [
        _fold(row, i, metrics_of(row), math.nan, train) | {"fit_error": error, "responses": told[i]}
        for i, error in enumerate(errors)
    ]


def leaves(trials: Sequence[Trial]) -> list[Trial]:
    """The last trial of each candidate that has a result, or else its last; in the order of their
    first trials.
    """
    last: dict[int, Trial] = {}
    roots: dict[int, int] = {}
    for trial in trials:
        root = trial.id if trial.parent is None else roots.get(trial.parent, trial.id)
        roots[trial.id] = root
        if root not in last or trial.result or not last[root].result:
            last[root] = trial
    return [*last.values()]


def partial(out: Sequence[Mapping[str, Any]], m: int, metric: str) -> dict[str, list[Any]]:
    """More columns of `cv_results_` where candidates have different numbers of folds: how many
    folds have a score, and their mean.

    Args:
        out: all folds of the first candidate, of the second, ...
        m: candidates.
        metric: whose scores count.
    """
    scores = np.array([named(fold["test_scores"])[metric] for fold in out], dtype=float)
    seen = np.isfinite(scores := scores.reshape(m, -1))
    n = seen.sum(axis=1)
    means = np.where(seen, scores, 0.0).sum(axis=1) / np.where(n > 0, n, np.nan)
    return {"n_folds": n.tolist(), f"partial_test_{metric}": means.tolist()}


def _fold(
    row: Mapping[str, float], i: int, metrics: Sequence[str], missing: float, train: bool
) -> dict[str, Any]:
    fold: dict[str, Any] = {}
    for kind in ("test", "train") if train else ("test",):
        scores = {name: row.get(f"split{i}_{kind}_{name}", missing) for name in metrics}
        fold[f"{kind}_scores"] = scores["score"] if metrics == ["score"] else scores
    for time in ("fit_time", "score_time"):
        fold[time] = row.get(f"split{i}_{time}", row.get(f"mean_{time}", math.nan))
    return fold
