"""The evaluation of candidates on folds; what happens to one is what scikit-learn's own searches
do.

This module travels to workers by value and imports nothing of sparktune, so that they need
scikit-learn only.
"""

from __future__ import annotations

import pickle
import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sklearn import clone, config_context, get_config
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params, _num_samples

TRAVELS = True
"""It is pickled by value."""

Parameters: TypeAlias = dict[str, Any]


class Data:
    """What candidates are evaluated on.

    Attributes:
        X, y: samples and targets, as `fit` got them.
        splits: (train, test) indices of each fold.
        fit_params: of the estimator's fit; arrays over samples are split.
        score_params: of the scorer; arrays over samples are split.
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        splits: Sequence[tuple[Any, Any]],
        fit_params: Mapping[str, Any],
        score_params: Mapping[str, Any],
    ) -> None:
        self.X = X
        self.y = y
        self.splits = splits
        self.fit_params = dict(fit_params)
        self.score_params = dict(score_params)

    def rows(self, estimator: Any, rows: Any, train: Any = None) -> tuple[Any, ...]:
        """X and, if there is one, y of these rows; `train` for kernels between samples."""
        X, y = _safe_split(estimator, self.X, self.y, rows, train)
        return (X,) if y is None else (X, y)

    def params(self, params: Mapping[str, Any], rows: Any) -> Mapping[str, Any]:
        """Parameters of a method for these rows."""
        return _check_method_params(self.X, params, rows)  # type: ignore[no-any-return]


class Evaluation:
    """The objective of a search whose trials have parts: called with a point of the space and the
    number of a group of folds, it returns a result with `params`, the candidate, and `folds`, a
    dict for each fold of the group:

    test_scores, train_scores    a number, or {metric: number}; the latter if they are wanted
    fit_time, score_time         seconds
    fit_error                    the traceback of a fit that failed, or None
    n_test                       samples in the test fold

    With `error_score="raise"` it raises; or the result has the exception as `raised` if that can
    travel.

    Args:
        estimator: not fitted.
        scorer: one scorer; for several metrics it has the attribute `_scorers`, and gives a text
            instead of a score that failed.
        data: what there is to learn.
        flatten: makes the parameters of a candidate of a point.
        groups: the numbers of the folds in each group.
        error_score: a number, or "raise".
        return_train_score: whether to score the training folds, too.
    """

    def __init__(
        self,
        estimator: Any,
        scorer: Any,
        data: Data,
        flatten: Callable[[Any], Parameters],
        groups: Sequence[Sequence[int]],
        error_score: Any,
        return_train_score: bool,
    ) -> None:
        self.estimator = estimator
        self.scorer = scorer
        self.data = data
        self.flatten = flatten
        self.groups = groups
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.config = get_config()

    def __call__(self, point: Any, part: int) -> dict[str, Any]:
        candidate = self.flatten(point)
        told: dict[str, Any] = {"status": "ok", "loss": 0.0, "params": candidate}
        with config_context(**self.config):
            try:
                return told | {"folds": [self.fold(candidate, i) for i in self.groups[part]]}
            except Exception as error:
                if self.error_score != "raise" or not _travels(error):
                    raise
                return told | {"raised": error}

    def fold(self, candidate: Parameters, number: int) -> dict[str, Any]:
        """What is known of a candidate on one fold."""
        train, test = self.data.splits[number]
        model = clone(self.estimator).set_params(**clone(candidate, safe=False))
        kinds = {"test_scores": test, "train_scores": train}
        if not self.return_train_score:
            del kinds["train_scores"]
        started = time.time()
        error = self._fit(model, train)
        fitted = time.time()
        told: dict[str, Any] = {"fit_error": error, "n_test": _num_samples(test)}
        told |= {"fit_time": fitted - started, "score_time": 0.0}
        for kind, rows in kinds.items():
            told[kind] = self._unscored() if error else self._scores(model, rows, train)
            if kind == "test_scores" and not error:
                told["score_time"] = time.time() - fitted
        return told

    def _fit(self, model: Any, train: Any) -> str | None:
        """Fit a model; return the traceback if that fails."""
        try:
            params = self.data.params(self.data.fit_params, train)
            model.fit(*self.data.rows(model, train), **params)
        except Exception:
            if self.error_score == "raise":
                raise
            return traceback.format_exc()
        return None

    def _unscored(self) -> Any:
        names = getattr(self.scorer, "_scorers", None)
        return self.error_score if names is None else dict.fromkeys(names, self.error_score)

    def _scores(self, model: Any, rows: Any, train: Any) -> Any:
        known = self.data.rows(model, rows, train)
        params = self.data.params(self.data.score_params, rows)
        try:
            scores = self.scorer(model, *known, **params)
        except Exception:
            if self.error_score == "raise" or hasattr(self.scorer, "_scorers"):
                raise
            scores = self._failed(traceback.format_exc())
        if not isinstance(scores, dict):
            return _number(scores, str(self.scorer))
        told = {k: self._failed(v) if isinstance(v, str) else v for k, v in scores.items()}
        return {name: _number(score, name) for name, score in told.items()}

    def _failed(self, details: str) -> Any:
        warnings.warn(
            "Scoring failed. The score on this train-test partition for these parameters will be "
            f"set to {self.error_score}. Details: \n{details}",
            UserWarning,
            stacklevel=2,
        )
        return self.error_score


def _number(score: Any, name: str) -> Any:
    value = score.item() if hasattr(score, "item") and getattr(score, "size", 1) == 1 else score
    if not isinstance(value, (int, float)):
        raise ValueError(
            f"scoring must return a number, got {value!r} ({type(value)}) instead. (scorer={name})"
        )
    return value


def _travels(error: Exception) -> bool:
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:
        return False
