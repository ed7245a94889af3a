"""Models that a search chooses, together with their preprocessing, without a space to write.

search = SparkSearchCV(any_classifier(), time_budget=600, on=Spark())
search.fit(table, y)
print(search.export())
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples

from sparktune.sklearn.catalogue.component import class_of
from sparktune.sklearn.catalogue.entries import entries
from sparktune.sklearn.export import program_of
from sparktune.sklearn.portfolio import space_and_portfolio
from sparktune.sklearn.preparation import preparation_of


def any_classifier() -> AutomaticModel:
    """A classifier that `SparkSearchCV` chooses, for tables of numbers, categories, dates and
    texts, with missing values.
    """
    return AutomaticModel("classifier")


def any_regressor() -> AutomaticModel:
    """A regressor that `SparkSearchCV` chooses, for the same tables."""
    return AutomaticModel("regressor")


def _has(method: str) -> Any:
    return lambda estimator: hasattr(getattr(estimator, "pipeline_", estimator._usual()), method)


class AutomaticModel(BaseEstimator):  # type: ignore[misc]
    """A model with the preprocessing that its data need, as a plain `sklearn.pipeline.Pipeline`.

    Args:
        kind: "classifier" or "regressor".
        model: an estimator; None: histogram gradient boosting.
        steps: transformers between the preparation of the columns and the model.

    Attributes:
        pipeline_: the fitted pipeline.
        classes_: the classes, of a classifier.
    """

    def __init__(self, kind: str = "classifier", model: Any = None, steps: Sequence[Any] = ()):
        self.kind = kind
        self.model = model
        self.steps = steps

    @property
    def _estimator_type(self) -> str:
        return self.kind

    def __sklearn_tags__(self) -> Any:
        """Tags, for scikit-learn 1.6 and newer: those of the usual model."""
        tags = super().__sklearn_tags__()
        usual = self._usual().__sklearn_tags__()
        tags.estimator_type, tags.target_tags = usual.estimator_type, usual.target_tags
        tags.classifier_tags, tags.regressor_tags = usual.classifier_tags, usual.regressor_tags
        tags.input_tags.allow_nan = tags.input_tags.string = True
        tags.target_tags.multi_output = True
        return tags

    def _usual(self) -> Any:
        return class_of(entries()[f"hist_gradient_boosting_{self.kind}"])(random_state=0)

    def search_space(
        self, probabilities: bool = False
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The space {group: node} that `SparkSearchCV` searches if it is given none, and the points
        that it evaluates first, see `sparktune.sklearn.portfolio`.

        Args:
            probabilities: whether classifiers must have `predict_proba`.
        """
        return space_and_portfolio(self.kind, probabilities)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> AutomaticModel:
        """Prepare the columns of X, (n_samples, n_features), and fit the model on them.

        Args:
            X: a DataFrame, an array, or a sparse matrix.
            y: targets, (n_samples,); or (n_samples, n_targets), for which a model that takes one
                target is fitted once for each.
            sample_weight: weights for the model, (n_samples,).
        """
        preparation = preparation_of(X)
        before = [] if preparation is None else [("columns", preparation)]
        middle = [(f"step_{i}", _fitting(step, X)) for i, step in enumerate(self.steps)]
        model = self._usual() if self.model is None else clone(self.model)
        if np.ndim(y) == 2 and np.shape(y)[1] > 1 and not _takes_several(model):
            model = _PER_TARGET[self.kind](model)
        self.pipeline_ = Pipeline([*before, *middle, ("model", model)])
        given = {} if sample_weight is None else {"model__sample_weight": sample_weight}
        self.pipeline_.fit(X, y, **given)
        if self.kind == "classifier":
            self.classes_ = self.pipeline_.classes_
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.pipeline_, name):
                setattr(self, name, getattr(self.pipeline_, name))
        return self

    def predict(self, X: Any) -> Any:
        """Return the predictions, (n_samples,)."""
        return self.pipeline_.predict(X)

    @available_if(_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes, (n_samples, n_classes), where the model has them."""
        return self.pipeline_.predict_proba(X)

    @available_if(_has("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Any:
        """Signed distances from the decision boundary, where the model has them."""
        return self.pipeline_.decision_function(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy of a classifier, or R2 of a regressor."""
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        return float(self.pipeline_.score(X, y, **given))

    def export(self) -> str:
        """Return a program that creates the same pipeline, not fitted, as `model`."""
        return program_of(self.pipeline_)


def _fitting(step: Any, X: Any) -> Any:
    """A clone of a transformer, with at most as many quantiles as there are samples."""
    step = clone(step)
    if getattr(step, "n_quantiles", 0) > _num_samples(X):
        step.set_params(n_quantiles=_num_samples(X))
    return step


def _takes_several(model: Any) -> bool:
    """Whether a model takes several targets for each sample."""
    if hasattr(model, "__sklearn_tags__"):  # scikit-learn 1.6 and newer
        return bool(model.__sklearn_tags__().target_tags.multi_output)
    return bool(model._get_tags()["multioutput"])


_PER_TARGET = {"classifier": MultiOutputClassifier, "regressor": MultiOutputRegressor}
