"""Scores of kept predictions on many weighted samples of them at once.

N    entries, with the targets y
B    samples of entries
W    (B, N) how often a sample has an entry
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    roc_auc_score,
)

from sparktune.sklearn.predictions import Entries

Array: TypeAlias = "NDArray[np.float64]"
Responses: TypeAlias = Mapping[str, NDArray[Any]]
Weighted: TypeAlias = "Callable[[Responses, Array], Array]"
"""From the answers of a candidate and W to a score for each sample (B,)."""


def weighted(scorer: Any, entries: Entries) -> tuple[Weighted, bool]:
    """The scores that a scorer gives, and whether they are quick, as they are for accuracy, log
    loss, squared and absolute error, R2 and the area under the ROC curve of two classes; other
    scorers are called for each sample.
    """
    function = _function(scorer, entries)
    sign = getattr(scorer, "_sign", 1)
    quick = _QUICK.get(function)
    if quick is not None and not (function is roc_auc_score and _several(entries)):
        return (lambda told, W: sign * quick(told, W, entries)), True
    return (lambda told, W: _called(scorer, told, W, entries)), False


def is_share(scorer: Any, entries: Entries) -> bool:
    """Whether the score is the share of entries that are predicted right."""
    return _function(scorer, entries) is accuracy_score


def _function(scorer: Any, entries: Entries) -> Any:
    """The function of truth and answers that a scorer calls with no more than these."""
    if type(scorer).__name__ == "_PassthroughScorer":  # the estimator's own method `score`
        return r2_score if entries.classes is None else accuracy_score
    return None if getattr(scorer, "_kwargs", None) else getattr(scorer, "_score_func", None)


def _several(entries: Entries) -> bool:
    return entries.classes is None or len(entries.classes) != 2


def _mean(each: NDArray[Any], W: Array) -> Array:
    mean: Array = W @ each / W.sum(axis=1)
    return mean


def _accuracy(told: Responses, W: Array, entries: Entries) -> Array:
    return _mean(told["predict"] == entries.y, W)


def _log_loss(told: Responses, W: Array, entries: Entries) -> Array:
    """As scikit-learn's: probabilities sum to 1, and none is smaller than what a float can tell."""
    p = told["predict_proba"]
    assert entries.classes is not None
    p = p / p.sum(axis=1, keepdims=True)
    of_truth = p[np.arange(len(p)), np.searchsorted(entries.classes, entries.y)]
    tiny = np.finfo(p.dtype).eps
    return _mean(-np.log(np.clip(of_truth, tiny, 1 - tiny)), W)


def _squared(told: Responses, W: Array, entries: Entries) -> Array:
    return _mean((told["predict"] - entries.y) ** 2, W)


def _absolute(told: Responses, W: Array, entries: Entries) -> Array:
    return _mean(np.abs(told["predict"] - entries.y), W)


def _r2(told: Responses, W: Array, entries: Entries) -> Array:
    y = entries.y - entries.y.mean()
    n = W.sum(axis=1)
    spread = W @ y**2 - (W @ y) ** 2 / n
    with np.errstate(invalid="ignore", divide="ignore"):  # equal targets have no spread
        share: Array = 1 - n * _squared(told, W, entries) / spread
    return share


def _roc_auc(told: Responses, W: Array, entries: Entries) -> Array:
    """The share of pairs of samples of different classes that are in order; ties count half."""
    assert entries.classes is not None
    score = told.get("decision_function", told.get("predict_proba"))
    assert score is not None
    score = score[:, 1] if score.ndim == 2 else score
    _, place = np.unique(score, return_inverse=True)
    positive = entries.y == entries.classes[1]
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    up = np.add.reduceat(np.where(positive, W, 0.0)[:, order], starts, axis=1)
    down = np.add.reduceat(np.where(positive, 0.0, W)[:, order], starts, axis=1)
    below = np.cumsum(down, axis=1) - down / 2
    with np.errstate(invalid="ignore", divide="ignore"):  # a sample of one class has no area
        area: Array = (up * below).sum(axis=1) / (up.sum(axis=1) * down.sum(axis=1))
    return area


_QUICK: dict[Any, Callable[[Responses, Array, Entries], Array]] = {
    accuracy_score: _accuracy,
    log_loss: _log_loss,
    mean_squared_error: _squared,
    mean_absolute_error: _absolute,
    r2_score: _r2,
    roc_auc_score: _roc_auc,
}


def _called(scorer: Any, told: Responses, W: Array, entries: Entries) -> Array:
    """A scorer's own scores, of a model that gives the answers again."""
    model = replaying(told, entries)
    scores = []
    for weights in W:
        places = np.repeat(np.arange(len(weights)), weights.astype(int))
        scores.append(float(scorer(model, places[:, None], entries.y[places])))
    return np.array(scores)


def replaying(told: Responses, entries: Entries) -> Any:
    """A model whose samples are the places of entries, and which gives the answers to these."""
    model = _Regressor() if entries.classes is None else _Classifier(entries.classes)
    for name, answers in told.items():
        setattr(model, name, _replay(name, answers))
    return model


def _replay(name: str, answers: NDArray[Any]) -> Callable[[Any], NDArray[Any]]:
    def replay(X: Any) -> NDArray[Any]:
        given: NDArray[Any] = answers[np.asarray(X)[:, 0]]
        return given

    replay.__name__ = name
    return replay


class _Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    def __init__(self, classes_: Any) -> None:
        self.classes_ = classes_

    def fit(self, X: Any, y: Any = None) -> Any:
        return self


class _Regressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    def fit(self, X: Any, y: Any = None) -> Any:
        return self
