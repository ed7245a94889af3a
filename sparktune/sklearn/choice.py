"""Which candidate is chosen, and which others are as good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def fold_scores(table: Mapping[str, Any], metric: str) -> NDArray[np.float64]:
    """The scores (candidates, folds) of a metric in `cv_results_`."""
    columns: list[NDArray[np.float64]] = []
    while (key := f"split{len(columns)}_test_{metric}") in table:
        columns.append(np.asarray(table[key], dtype=float))
    return np.column_stack(columns)


def alike(folds: NDArray[np.float64], best: int) -> NDArray[np.intp]:
    """The candidates that cannot be distinguished from the best: their mean is lower by at most one
    standard error of the difference, fold by fold. The best is one of them.
    """
    differences = folds[best] - folds
    K = folds.shape[1]
    error = differences.std(axis=1, ddof=1) / np.sqrt(K) if K > 1 else np.zeros(len(folds))
    with np.errstate(invalid="ignore"):
        return np.flatnonzero(differences.mean(axis=1) <= error)


def one_standard_error(table: Mapping[str, Any], metric: str, best: int) -> int:
    """The candidate with the shortest fit time among those that are as good as the best."""
    like = alike(fold_scores(table, metric), best)
    return int(like[np.argmin(np.asarray(table["mean_fit_time"])[like])])


def leaderboard(
    table: Mapping[str, Any], metric: str, weights: Mapping[int, float]
) -> list[dict[str, Any]]:
    """The candidates, best first, as rows for people."""
    rank = np.asarray(table[f"rank_test_{metric}"])
    order = np.argsort(rank, kind="stable")
    folds = fold_scores(table, metric)
    like = set(alike(folds, int(order[0])))
    return [
        {
            "rank": int(rank[i]),
            "candidate": int(i),
            "score": float(table[f"mean_test_{metric}"][i]),
            "std": float(table[f"std_test_{metric}"][i]),
            "like_the_best": i in like,
            "fit_time": float(table["mean_fit_time"][i]),
            "weight": weights.get(int(i), 0.0),
            "params": table["params"][i],
        }
        for i in order
    ]


def remark(like: NDArray[np.intp], n: int) -> str:
    """A sentence about the candidates that are as good as the best; "" if there are none."""
    if len(like) < 2:
        return ""
    return (
        f"{len(like)} of {n} candidates cannot be distinguished from the best: their scores are "
        "lower by less than one standard error"
    )
