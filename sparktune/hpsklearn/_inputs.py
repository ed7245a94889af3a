"""Converts the arguments of a `HyperoptEstimator`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import column_or_1d

from sparktune import limits
from sparktune.errors import InvalidArgument
from sparktune.hpsklearn._validation import Data


def data_of(X: Any, y: Any, others: Sequence[Any] | None, weights: Any = None) -> Data:
    """Samples, targets, exogenous data sets and weights in forms whose rows can be chosen."""
    weights = None if weights is None else np.asarray(weights)
    return Data(rows_of(X), y, [rows_of(each) for each in others or ()], weights)


def targets_of(y: Any) -> Any:
    """Targets as an array; a single column of them as a vector, with scikit-learn's warning."""
    if y is None:
        raise InvalidArgument("HyperoptEstimator requires y to be passed, but the target y is None")
    y = np.asarray(y)
    return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


def rows_of(X: Any) -> Any:
    """X as an array, DataFrame or CSR matrix, whose rows can be selected; arrays of objects that
    are all numbers as numbers.
    """
    if hasattr(X, "tocsr"):
        return X.tocsr()
    if not hasattr(X, "shape") or hasattr(X, "to_frame"):
        X = np.asarray(X)
    if getattr(getattr(X, "dtype", None), "kind", "") == "O" and X.ndim == 2:
        with contextlib.suppress(ValueError):  # texts
            return X.astype(float)
    return X


def seed_of(seed: Any) -> int:
    """The integer that a seed is or gives.

    Raises:
        InvalidArgument: it gives none.
    """
    try:
        return limits.seed_of(None, seed)
    except InvalidArgument:
        raise InvalidArgument(
            "seed and random_state must be an integer >= 0, a numpy Generator or None, "
            f"got {seed!r}"
        ) from None
