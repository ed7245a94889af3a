"""Which rows a model is fitted on, and which it is scored on."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    ShuffleSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
)

from sparktune.errors import InvalidArgument

Split = tuple[Any, Any]


def splits_of(
    y: Any,
    classes: bool,
    *,
    valid_size: float,
    n_folds: int | None,
    groups: Any,
    shuffle: bool,
    random_state: int,
) -> list[Split]:
    """Rows to fit on and rows to score on, once for each fold.

    Args:
        y: targets, (n_samples, ...).
        classes: whether they are classes, whose shares the folds keep if they can.
        valid_size: the share of the rows to score on, where there are no folds.
        n_folds: None: one split; -1: leave one out; else the number of folds.
        groups: groups of the rows that stay together in folds, at most as many as there are groups;
            or None.
        shuffle: whether rows are shuffled; without, a single split scores on the last ones.
        random_state: how.

    Raises:
        InvalidArgument: there are not enough rows.
    """
    rows = np.arange(len(y))
    if n_folds is None and not shuffle:
        first = int(len(rows) * (1 - valid_size))
        return [(rows[:first], rows[first:])]
    stratify = classes and _has_enough(y, n_folds, valid_size)
    seed = random_state if shuffle else None
    splitter: Any
    if n_folds is None:
        kind = StratifiedShuffleSplit if stratify else ShuffleSplit
        splitter = kind(1, test_size=valid_size, random_state=seed)
    elif n_folds == -1:
        splitter = LeaveOneOut()
    elif groups is not None:
        splitter = GroupKFold(min(n_folds, len(np.unique(groups))))
    else:
        folds = StratifiedKFold if stratify else KFold
        splitter = folds(n_folds, shuffle=shuffle, random_state=seed)
    try:
        return list(splitter.split(rows, y, groups))
    except ValueError as error:
        raise InvalidArgument(f"valid_size or n_folds does not fit the data: {error}") from error


def _has_enough(y: Any, n_folds: int | None, valid_size: float) -> bool:
    """Whether every class can be in every fold."""
    if y.ndim > 1 or not len(y):
        return False
    counts = np.unique(y, return_counts=True)[1]
    if n_folds is not None:
        return bool(counts.min() >= n_folds)
    valid = int(np.ceil(len(y) * valid_size)) if valid_size < 1 else int(valid_size)
    return bool(counts.min() >= 2 and min(valid, len(y) - valid) >= len(counts))
