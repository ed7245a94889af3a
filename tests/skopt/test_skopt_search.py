"""`BayesSearchCV`."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils import estimator_checks

from sparktune.skopt import BayesSearchCV
from sparktune.skopt.space import Categorical, Integer, Real

KNN = {"n_neighbors": (1, 30), "weights": ["uniform", "distance"], "p": (1.0, 3.0)}


def iris() -> Any:
    return load_iris(return_X_y=True)


def search(**options: Any) -> BayesSearchCV:
    given = {"n_iter": 6, "cv": 3, "random_state": 0} | options
    return BayesSearchCV(KNeighborsClassifier(), KNN, **given)


def test_it_is_used_like_the_best_estimator() -> None:
    X, y = iris()
    found = search(return_train_score=True).fit(X, y)
    assert found.best_score_ == max(found.cv_results_["mean_test_score"])
    assert found.score(X, y) > 0.9
    assert set(found.best_params_) == set(KNN)
    assert [type(found.best_params_[name]) for name in sorted(KNN)] == [int, float, str]
    json.dumps(found.best_params_)
    assert min(found.cv_results_["rank_train_score"]) == 1
    (result,) = found.optimizer_results_
    assert result.fun == -found.best_score_
    assert result.x == [found.best_params_[name] for name in sorted(KNN)]
    assert len(result.models) > 0
    assert found.total_iterations == 6


def test_a_seed_determines_the_candidates() -> None:
    X, y = iris()
    assert search().fit(X, y).cv_results_["params"] == search().fit(X, y).cv_results_["params"]
    parallel = search(n_points=3)
    assert (
        parallel.fit(X, y).cv_results_["params"] == clone(parallel).fit(X, y).cv_results_["params"]
    )


def test_spaces_are_searched_one_after_the_other() -> None:
    X, y = iris()
    pipeline = Pipeline([("model", KNeighborsClassifier())])
    spaces = [
        ({"model": Categorical([LogisticRegression(max_iter=500)]),
          "model__C": Real(1e-3, 1e3, "log-uniform")}, 2),
        {"model": Categorical([KNeighborsClassifier()]), "model__n_neighbors": Integer(1, 9)},
    ]  # fmt: skip
    found = BayesSearchCV(pipeline, spaces, n_iter=3, cv=3, random_state=0).fit(X, y)
    assert found.total_iterations == len(found.cv_results_["params"]) == 5
    assert [len(result.x_iters) for result in found.optimizer_results_] == [2, 3]
    assert isinstance(found.optimizer_results_[0].x[0], LogisticRegression)
    assert all("model__C" in params for params in found.cv_results_["params"][:2])


def test_a_callback_ends_the_search() -> None:
    X, y = iris()
    counted: list[int] = []
    search().fit(X, y, callback=lambda res: counted.append(len(res.x_iters)) or len(counted) == 2)
    assert counted == [1, 2]


def test_tuples_and_none_are_categories() -> None:
    X, y = iris()
    seen: list[Any] = []

    class Noting(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        def __init__(self, sizes: Any = None) -> None:
            self.sizes = sizes

        def fit(self, X: Any, y: Any) -> Noting:
            seen.append(self.sizes)
            self.classes_ = np.unique(y)
            return self

        def predict(self, X: Any) -> Any:
            return np.zeros(len(X), dtype=int)

    space = {"sizes": [(10,), (20, 30), None]}
    BayesSearchCV(Noting(), space, n_iter=3, cv=3, random_state=0).fit(X, y)
    assert {(10,), (20, 30), None} == set(seen)


def test_candidates_that_fail_are_recorded() -> None:
    X, y = iris()
    space = {"n_neighbors": (1, 200)}  # more than there are samples
    found = BayesSearchCV(
        KNeighborsClassifier(), space, n_iter=12, cv=3, random_state=0, error_score=np.nan
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found.fit(X, y)
    bad = np.isnan(found.cv_results_["mean_test_score"])
    assert 0 < bad.sum() < 12
    assert np.isinf(found.optimizer_results_[0].func_vals).tolist() == bad.tolist()
    with pytest.raises(ValueError, match="n_neighbors"):
        found.set_params(error_score="raise").fit(X, y)


def test_values_stay_in_their_ranges() -> None:
    X, y = iris()
    space = {"l1_ratio": (0.1, 1.0, "log-uniform")}  # more than 1 would be refused
    model = LogisticRegression(solver="saga", max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = BayesSearchCV(model, space, n_iter=12, cv=2, random_state=0).fit(X, y)
    assert max(params["l1_ratio"] for params in found.cv_results_["params"]) <= 1.0


def test_several_metrics() -> None:
    X, y = iris()
    found = search(scoring=["accuracy", "f1_macro"], refit="f1_macro").fit(X, y)
    assert found.best_score_ == max(found.cv_results_["mean_test_f1_macro"])
    with pytest.raises(ValueError, match="callable refit"):
        search(refit=lambda table: 0).fit(X, y)


def test_a_journal_continues_the_search(tmp_path: Path) -> None:
    X, y = iris()
    path = tmp_path / "search.jsonl"
    first = search(journal=path).fit(X, y)
    again = search(journal=path).fit(X, y)
    assert again.cv_results_["params"] == first.cv_results_["params"]
    assert len(path.read_text().splitlines()) < 40  # no candidate was evaluated again


@pytest.mark.parametrize(
    ("spaces", "error"),
    [({}, ValueError), ([], ValueError), ({"p": "1..3"}, ValueError), (["p"], TypeError),
     (3, TypeError), ([({"p": (1, 2)}, 0)], ValueError)],
)  # fmt: skip
def test_wrong_spaces_are_refused(spaces: Any, error: type) -> None:
    with pytest.raises(error, match=r"search_spaces|Dimension|candidates"):
        BayesSearchCV(KNeighborsClassifier(), spaces)


@pytest.mark.parametrize(
    "check",
    [
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_no_attributes_set_in_init",
        "check_estimators_dtypes",
        "check_estimators_pickle",
        "check_estimators_unfitted",
    ],
)
def test_scikit_learns_checks_of_estimators(check: str) -> None:
    space = {"C": (1e-2, 1e2, "log-uniform")}
    quick = {"base_estimator": "DUMMY"}
    found = BayesSearchCV(LogisticRegression(), space, quick, n_iter=1, cv=2, random_state=0)
    if not hasattr(estimator_checks, check):
        pytest.skip("a check of later versions of scikit-learn")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        getattr(estimator_checks, check)("BayesSearchCV", found)
