"""The best model of a search: fitting it and predicting with it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sparktune.errors import AllTrialsFailed
from sparktune.hpsklearn._inputs import data_of, targets_of
from sparktune.hpsklearn._search import Search
from sparktune.hpsklearn._validation import RETRAIN, Data, Rules, combining, fitting


class AllModelsFailed(AllTrialsFailed, ValueError, RuntimeError):
    """No model could be fitted and scored; the message holds the first failure's traceback."""


def _learns(method: str) -> Any:
    """Whether the best model has a method, or may have it where it is not known yet."""

    def check(estimator: BestModel) -> bool:
        learner = getattr(estimator, "_learner", None)
        if learner is None:
            return estimator._estimator_type == "classifier"
        return hasattr(learner, method)

    return check


class BestModel(BaseEstimator):  # type: ignore[misc]
    """A search that predicts with its best model."""

    n_jobs: int | None
    _search: Search
    _rules: Rules

    @property
    def _estimator_type(self) -> str:
        raise NotImplementedError

    def _take_best(self) -> None:
        """Set the best model, not fitted, and its preprocessing.

        Raises:
            AllModelsFailed: there is none.
        """
        best = self._search.best()
        if best is None:
            raise AllModelsFailed(self._search.explanation())
        point, result = best
        classes = point["classifier"] is not None
        self._learner = point["classifier"] if classes else point["regressor"]
        if self.n_jobs not in (None, 1) and hasattr(self._learner, "n_jobs"):
            self._learner.n_jobs = self.n_jobs
        preparation = self._rules.preparation
        first = [] if preparation is None else [copy.deepcopy(preparation)]
        ex_preprocs = [list(steps) for steps in point["ex_preprocs"] or ()]
        self._chains = [[*first, *(point["preprocessing"] or ())], *ex_preprocs]
        self._epochs = result.get("iterations")
        self.best_loss_ = result["loss"]

    def retrain_best_model_on_full_data(
        self, X: Any, y: Any, EX_list: Sequence[Any] | None = None, sample_weight: Any = None
    ) -> None:
        """Fit the best model, with its preprocessing, on these data.

        Args are those of `fit`.
        """
        check_is_fitted(self, "_learner")
        data = data_of(X, targets_of(y), EX_list, sample_weight)
        Z = combining()(self._padded(data), [data.X, *data.others], data.y)
        epochs = None if self._epochs is None else round(self._epochs * RETRAIN)
        fitting()(self._learner, Z, data.y, data.weights, None, epochs, None)
        if hasattr(self._learner, "classes_"):
            self.classes_ = self._learner.classes_
        if hasattr(data.X, "columns"):
            self.feature_names_in_ = np.asarray(data.X.columns, dtype=object)
        if len(getattr(data.X, "shape", ())) == 2:
            self.n_features_in_ = data.X.shape[1]
        if not data.others:
            named = [(type(step).__name__.lower(), step) for step in self._chains[0]]
            unique = [(f"{name}_{i}" if i else name, step) for i, (name, step) in enumerate(named)]
            self.best_estimator_ = Pipeline([*unique, ("learner", self._learner)])

    def _padded(self, data: Data) -> list[list[Any]]:
        """The preprocessing of each data set, none for exogenous ones that have none."""
        missing = 1 + len(data.others) - len(self._chains)
        return [*self._chains, *([[]] * missing)]

    # The best model

    def best_model(self) -> dict[str, Any]:
        """{"learner": the best model, "preprocs": its preprocessing, "ex_preprocs": that of each
        exogenous data set}.
        """
        check_is_fitted(self, "_learner")
        first, *others = self._chains
        return {
            "learner": self._learner,
            "preprocs": tuple(first),
            "ex_preprocs": tuple(map(tuple, others)),
        }

    def _ask(
        self, method: str, X: Any, EX_list: Sequence[Any] | None, fit_preproc: bool, *args: Any
    ) -> Any:
        check_is_fitted(self, "_learner")
        data = data_of(X, None, EX_list)
        Z = combining()(self._padded(data), [data.X, *data.others], fit=fit_preproc)
        return getattr(self._learner, method)(Z, *args)

    def predict(
        self, X: Any, EX_list: Sequence[Any] | None = None, fit_preproc: bool = False
    ) -> Any:
        """Predictions of the best model, (n_samples,).

        Args:
            X, EX_list: samples, as in `fit`.
            fit_preproc: fit the preprocessing again, on X.

        Raises:
            NotFittedError: `fit` has not ended.
        """
        return self._ask("predict", X, EX_list, fit_preproc)

    @available_if(_learns("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(
        self, X: Any, EX_list: Sequence[Any] | None = None, fit_preproc: bool = False
    ) -> Any:
        """Probabilities of the classes, (n_samples, n_classes), where the best model has them."""
        return self._ask("predict_proba", X, EX_list, fit_preproc)

    @available_if(_learns("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(
        self, X: Any, EX_list: Sequence[Any] | None = None, fit_preproc: bool = False
    ) -> Any:
        """Distances from the border between classes, where the best model has them."""
        return self._ask("decision_function", X, EX_list, fit_preproc)

    def score(
        self, X: Any, y: Any, EX_list: Sequence[Any] | None = None, fit_preproc: bool = False
    ) -> float:
        """Accuracy or R2 of the best model on these data; not `loss_fn`."""
        return float(self._ask("score", X, EX_list, fit_preproc, y))
