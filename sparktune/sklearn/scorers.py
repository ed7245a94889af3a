"""What scores candidates."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import check_scoring

from sparktune.errors import InvalidArgument


def scorer_of(estimator: Any, scoring: Any, refit: Any) -> Any:
    """A scorer, or {metric: scorer} for a list or dict of several."""
    if callable(scoring):
        return scoring
    if scoring is None or isinstance(scoring, str):
        return check_scoring(estimator, scoring)
    named = scoring if isinstance(scoring, Mapping) else {name: name for name in scoring}
    if refit is True or (isinstance(refit, str) and refit not in named):
        raise InvalidArgument(
            "with several metrics, refit must be the name of the one to optimise "
            f"({', '.join(map(repr, named))}), a function of cv_results_, or False; got {refit!r}"
        )
    return {name: check_scoring(estimator, each) for name, each in named.items()}


def range_of(scorer: Any, estimator: Any) -> tuple[float, float]:
    """The lowest and the highest score that a scorer of scikit-learn can give; infinite where this
    is not known.
    """
    if type(scorer).__name__ == "_PassthroughScorer":  # the estimator's own method `score`
        if is_classifier(estimator):
            return _RANGES["accuracy_score"]
        return _RANGES["r2_score"] if is_regressor(estimator) else (-inf, inf)
    function: Any = getattr(scorer, "_score_func", None)
    if not getattr(function, "__module__", "").startswith("sklearn.metrics"):
        return -inf, inf
    if getattr(scorer, "_sign", 1) < 0:  # a loss, and scikit-learn has none below 0
        return -inf, 0.0
    return _RANGES.get(function.__name__, (-inf, inf))


_RANGES = dict.fromkeys(
    [
        "accuracy_score",
        "average_precision_score",
        "f1_score",
        "jaccard_score",
        "precision_score",
        "recall_score",
        "roc_auc_score",
        "top_k_accuracy_score",
    ],
    (0.0, 1.0),
) | dict.fromkeys(["explained_variance_score", "r2_score"], (-inf, 1.0))
"""{function of sklearn.metrics: the range of its scores}"""
