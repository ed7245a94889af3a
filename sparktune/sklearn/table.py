"""`cv_results_`: the table of candidates and their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparktune.trial import Trial

Parameters: TypeAlias = dict[str, Any]
MaskedArray: TypeAlias = "np.ma.MaskedArray[Any, Any]"

ROW = "cv_results"
"""Where a trial's result holds its row of `cv_results_`."""


def table_of(
    candidates: Sequence[Parameters], trials: Sequence[Trial], error_score: Any
) -> dict[str, Any]:
    """`cv_results_` of these candidates, whose trials hold their scores."""
    rows = [(trial.result or {}).get(ROW, {}) for trial in trials]
    known = dict.fromkeys(key for row in rows for key in row)
    missing = np.nan if isinstance(error_score, str) else float(error_score)
    scores = {key: _column(key, rows, missing) for key in known}
    table: dict[str, Any] = {key: column for key, column in scores.items() if "_time" in key}
    for name in dict.fromkeys(name for candidate in candidates for name in candidate):
        table[f"param_{name}"] = _parameter_column(name, candidates)
    table["params"] = list(candidates)
    for key, column in scores.items():
        table[key] = column
        if key.startswith("std_test_"):
            metric = key.removeprefix("std_")
            table[f"rank_{metric}"] = _ranks(scores[f"mean_{metric}"])
    return table


def _column(key: str, rows: Sequence[Mapping[str, float]], missing: float) -> NDArray[Any]:
    """One column of numbers; `missing` is the score of candidates without a result."""
    value = np.nan if key.endswith("_time") else 0 * missing if key.startswith("std_") else missing
    return np.array([row.get(key, np.nan if row else value) for row in rows])


def _parameter_column(name: str, candidates: Sequence[Parameters]) -> MaskedArray:
    """The values of one parameter, of a numeric type if all are numbers; masked where absent."""
    mask = [name not in candidate for candidate in candidates]
    kinds = {type(candidate[name]) for candidate in candidates if name in candidate}
    numeric = len(kinds) == 1 and kinds <= {bool, int, float}
    column = np.zeros(len(candidates), dtype=kinds.pop() if numeric else object)
    for i, candidate in enumerate(candidates):
        if not mask[i]:
            column[i] = candidate[name]
    return np.ma.MaskedArray(column, mask)


def _ranks(means: NDArray[Any]) -> NDArray[Any]:
    """1 for the highest; equal ones share the best of their ranks, and NaN is the lowest."""
    costs = np.where(np.isnan(means), np.inf, -means)
    return (1 + np.searchsorted(np.sort(costs), costs)).astype(np.int32)


def metrics_of(table: Mapping[str, Any]) -> list[str]:
    return [key.removeprefix("mean_test_") for key in table if key.startswith("mean_test_")]
