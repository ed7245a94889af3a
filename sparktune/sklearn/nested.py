"""Nested cross-validation: the score of a whole search on new data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn import clone
from sklearn.base import is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import indexable
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

from sparktune.executors.platforms import Platform, Serial, Threads
from sparktune.sklearn.side_by_side import side_by_side


def nested(
    search: Any, on: Platform, X: Any, y: Any, cv: Any, params: Mapping[str, Any]
) -> dict[str, Any]:
    """Fit clones of a search on the training folds of an outer cross-validation, and score each on
    its test fold. The clones run side by side on the slots of the same platform, or one after the
    other where that is this process.
    """
    X, y = indexable(X, y)
    params = _check_method_params(X, params=params)
    splitter = check_cv(cv, y, classifier=is_classifier(search.estimator))
    splits = list(splitter.split(X, y, params.get("groups")))

    def outer(number: int) -> dict[str, Any]:
        train, test = splits[number]
        inner = clone(search)
        X_train, y_train = _safe_split(inner, X, y, train)
        X_test, y_test = _safe_split(inner, X, y, test, train)
        inner.fit(X_train, y_train, **_check_method_params(X, params, train))
        targets = () if y_test is None else (y_test,)
        return {
            "test_score": float(inner.score(X_test, *targets)),
            "best_score": float(getattr(inner, "best_score_", np.nan)),
            "corrected_score": inner.corrected_score_,
            "params": inner.best_params_,
        }

    where: Platform = on if isinstance(on, Serial) else Threads(len(splits))
    told = side_by_side(where, outer, range(len(splits)), "outer fold")
    table: dict[str, Any] = {name: np.array([each[name] for each in told]) for name in told[0]}
    return table | {"params": [each["params"] for each in told]}
