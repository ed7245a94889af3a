"""Samples of a data set that grow with a budget."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

TRAVELS = True
"""It is pickled by value, so that workers need no sparktune."""

_STRATA = 10  # of targets that are not classes
_CLASSES = 50  # whole or not: more different numbers are no classes


def subset(y: Any, budget: float, seed: int = 0) -> NDArray[np.intp]:
    """The rows to learn from at a budget: those of a smaller budget, and more.

        def objective(config, budget):
            rows = subset(y_train, budget, seed=0)
            model = build(config).fit(X_train[rows], y_train[rows])
            return 1 - model.score(X_test, y_test)

        tune(objective, space, scheduler=ASHA(min_budget=100, max_budget=len(y_train)))

    Each seed has one random order of the rows. Any first part of it has the classes in the same
    shares as the whole, to within a row, and begins with one row of each class. Targets that are
    not classes (floats with more than 50 different values) are grouped by their deciles. Give only
    training rows: the loss must be measured on the same other rows at every budget.

    Args:
        y: targets (n,); or the number n, if there are no targets.
        budget: the number of rows, 1 to n; or a float up to 1.0, their share.
        seed: an integer >= 0.

    Returns:
        Different numbers from 0 to n - 1, beginning with those of smaller budgets.

    Raises:
        ValueError: y has several targets for a row, or the budget is not from 1 to n.
    """
    strata = np.zeros(y, dtype=np.intp) if isinstance(y, int) else _strata(np.asarray(y))
    n = len(strata)
    share = isinstance(budget, float) and budget <= 1
    rows = max(round(budget * n), 1) if share else budget
    if (
        not isinstance(budget, (int, float, np.number))
        or budget <= 0
        or rows != int(rows)
        or rows > n
    ):
        raise ValueError(
            f"budget must be a number of rows from 1 to {n}, or a float up to 1.0, which is their "
            f"share; got {budget!r}"
        )
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    place = np.empty(n)
    for stratum in np.unique(strata):
        mine = order[strata[order] == stratum]
        place[mine] = np.arange(len(mine)) / len(mine)
    first: NDArray[np.intp] = order[np.argsort(place[order], kind="stable")][: int(rows)]
    return first


def _strata(y: NDArray[Any]) -> NDArray[np.intp]:
    """The class of each row, or the tenth of the targets in which it is."""
    if y.ndim != 1:
        raise ValueError(f"y must have one target for each row, its shape is {y.shape}")
    values, classes = np.unique(y, return_inverse=True)
    if y.dtype.kind != "f" or len(values) <= _CLASSES:
        return classes
    return np.searchsorted(np.quantile(y, np.arange(1, _STRATA) / _STRATA), y).astype(np.intp)
