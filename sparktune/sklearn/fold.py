"""The evaluation of candidates on folds; what happens to one is what scikit-learn's own searches
do.

This module travels to workers by value, and imports only what does so too, so that they need
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
from sklearn.utils.validation import _check_method_params

from sparktune.sklearn.recorder import Recorder

TRAVELS = True
"""It is pickled by value."""

Parameters: TypeAlias = dict[str, Any]


class Data:
    """The data on which candidates are evaluated.

    Attributes:
        X, y: samples and targets, as `fit` got them.
        splits: (train, test) indices of each fold.
        fit_params: of the estimator's fit; arrays over samples are split.
        score_params: of the scorer; arrays over samples are split.
        mark: a fingerprint of X and y, which results have as `data`.
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        splits: Sequence[tuple[Any, Any]],
        fit_params: Mapping[str, Any],
        score_params: Mapping[str, Any],
        mark: str = "",
    ) -> None:
        self.X = X
        self.y = y
        self.splits = splits
        self.fit_params = dict(fit_params)
        self.score_params = dict(score_params)
        self.mark = mark

    def rows(self, estimator: Any, rows: Any, train: Any = None) -> tuple[Any, ...]:
        """X and, if there is one, y of these rows; `train` for kernels between samples."""
        X, y = _safe_split(estimator, self.X, self.y, rows, train)
        return (X,) if y is None else (X, y)

    def params(self, params: Mapping[str, Any], rows: Any) -> Mapping[str, Any]:
        """Parameters of a method for these rows."""
        return _check_method_params(self.X, params, rows)  # type: ignore[no-any-return]


class Evaluation:
    """The objective of a search whose trials have parts: called with a point of the space and the
    number of a group of folds, it returns a result with `params`, the candidate, `data`, the mark
    of the data, and `folds`, a dict for each fold of the group:

    test_scores, train_scores    a number, or {metric: number}; the latter if they are wanted
    fit_time, score_time         seconds
    fit_error                    the traceback of a fit that failed, or None
    responses                    {method of the estimator: what it gave for kept test samples}

    Instead of a number of a group it may get a budget: the number of a fold, counted from 1.

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
        kept: positions in the test fold, for each fold, of the samples whose predictions are kept.
        wanted: methods of the estimator whose predictions are kept if it has them; beside these,
            those that the scorer uses.
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
        kept: Sequence[Any] = (),
        wanted: Sequence[str] = (),
    ) -> None:
        self.estimator = estimator
        self.scorer = scorer
        self.data = data
        self.flatten = flatten
        self.groups = groups
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.kept = kept
        self.wanted = wanted
        self.config = get_config()

    def __call__(self, point: Any, part: int = 0, budget: int | None = None) -> dict[str, Any]:
        numbers = self.groups[part] if budget is None else [budget - 1]
        candidate = self.flatten(point)
        return self.result(candidate, lambda number: self.fold(candidate, number), numbers)

    def result(
        self,
        candidate: Parameters,
        fold: Callable[[int], Mapping[str, Any]],
        numbers: Sequence[int],
    ) -> dict[str, Any]:
        """The result of a candidate on the folds with these numbers."""
        told: dict[str, Any] = {"status": "ok", "loss": 0.0, "params": candidate}
        told["data"] = self.data.mark
        with config_context(**self.config):
            try:
                return told | {"folds": [fold(number) for number in numbers]}
            except Exception as error:
                if self.error_score != "raise" or not _travels(error):
                    raise
                return told | {"raised": error}

    def model(self, candidate: Parameters) -> Any:
        """A new model with the parameters of a candidate."""
        return clone(self.estimator).set_params(**clone(candidate, safe=False))

    def fold(
        self, candidate: Parameters, number: int, model: Any = None, train: Any = None
    ) -> dict[str, Any]:
        """The scores and times of a candidate on one fold.

        Args:
            model: the model to fit; None: a new one.
            train: rows to fit it on; None: the training rows of the fold.
        """
        whole, test = self.data.splits[number]
        train = whole if train is None else train
        model = self.model(candidate) if model is None else model
        kinds = {"test_scores": test, "train_scores": train}
        if not self.return_train_score:
            del kinds["train_scores"]
        started = time.time()
        error = self._fit(model, train)
        fitted = time.time()
        told: dict[str, Any] = {"fit_error": error, "fit_time": fitted - started}
        told |= {"score_time": 0.0, "responses": {}}
        for kind, rows in kinds.items():
            if error:
                told[kind] = self._unscored()
                continue
            known = self.data.rows(model, rows, train)
            keep = kind == "test_scores" and number < len(self.kept)
            recorder = Recorder(model, known[0]) if keep else None
            told[kind] = self._scores(model, rows, known)
            if kind == "test_scores":
                told["score_time"] = time.time() - fitted
            if recorder is not None:
                told["responses"] = recorder.of(self.wanted, self.kept[number])
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

    def _scores(self, model: Any, rows: Any, known: tuple[Any, ...]) -> Any:
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


def fitted(estimator: Any, candidates: Sequence[Parameters], data: Data) -> Callable[[int], Any]:
    """Returns a function that takes the number of a candidate and returns its model, fitted on all
    data.
    """

    def fit(number: int) -> Any:
        model = clone(estimator).set_params(**clone(candidates[number], safe=False))
        known = (data.X,) if data.y is None else (data.X, data.y)
        return model.fit(*known, **data.fit_params)

    return fit


def scored(evaluation: Evaluation, points: Mapping[int, Any]) -> Callable[[Any], Any]:
    """Returns a function that takes {"candidate": a key of the points, "fold": a number} and
    returns the result of this one fold.
    """

    def score(task: Any) -> Any:
        return evaluation(points[task["candidate"]], budget=task["fold"] + 1)

    return score


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
