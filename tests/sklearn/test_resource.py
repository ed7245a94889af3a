"""Searches in which most candidates get a part of the samples, or of the trees, only."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
)
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sparktune import ASHA, Folds, InvalidArgument, Serial, Spark, Threads, hp, subset
from sparktune.sklearn import SparkSearchCV

if TYPE_CHECKING:
    pass

X, y = make_classification(270, n_features=8, n_informative=5, flip_y=0.1, random_state=0)
TREES = ExtraTreesClassifier(random_state=0)
DEPTHS = {"max_depth": [1, 2, 3, 5, 8, 12]}


def search(estimator: Any = TREES, space: Any = DEPTHS, **more: Any) -> Any:
    given: dict[str, Any] = {
        "n_iter": 6,
        "cv": 3,
        "random_state": 0,
        "on": Serial(),
        "sampler": "random",
        "scheduler": ASHA(2, 18, audit=0),
        "resource": "n_estimators",
    }
    return SparkSearchCV(estimator, space, **(given | more))


def budgets(found: Any) -> dict[float, int]:
    return dict(Counter(trial.budget for trial in found.study_.records.values()))


@pytest.mark.parametrize("on", ["serial", "spark"])
def test_forests_that_grow_have_the_scores_of_those_that_did_not(
    on: str, request: pytest.FixtureRequest
) -> None:
    if on == "spark":
        request.getfixturevalue("spark")
    found = search(on=Spark(2) if on == "spark" else Serial()).fit(X, y)
    assert budgets(found) == {2: 6, 6: 2, 18: 1}
    table = found.cv_results_
    for i, params in enumerate(table["params"]):
        assert params["n_estimators"] == table["n_resources"][i]
        scores = cross_val_score(clone(TREES).set_params(**params), X, y, cv=3)
        assert table["partial_test_score"][i] == pytest.approx(scores.mean())
        assert np.isnan(table["mean_test_score"][i]) == (params["n_estimators"] < 18)
    assert found.best_params_["n_estimators"] == 18
    assert len(found.best_estimator_.estimators_) == 18
    assert not found.best_estimator_.warm_start
    assert found.best_score_ == table["mean_test_score"][found.best_index_]


class Counting(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Tells how much it learned in each call of `fit`, on how many samples."""

    learned: list[tuple[int, int]] = []  # noqa: RUF012

    def __init__(self, n_estimators: int = 10, warm_start: bool = False, depth: int = 1) -> None:
        self.n_estimators = n_estimators
        self.warm_start = warm_start
        self.depth = depth

    def fit(self, X: Any, y: Any) -> Counting:
        before = getattr(self, "n_", 0) if self.warm_start else 0
        self.learned.append((self.n_estimators - before, len(X)))
        self.n_ = self.n_estimators
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.classes_[0])


@pytest.mark.parametrize("steps", [False, True])
def test_models_go_on_where_they_were(steps: bool) -> None:
    Counting.learned.clear()
    model = make_pipeline(StandardScaler(), Counting()) if steps else Counting()
    prefix = "counting__" if steps else ""
    found = search(
        model,
        {f"{prefix}depth": [1, 2, 3, 4, 5, 6]},
        resource=f"{prefix}n_estimators",
        refit=False,
        journal=None,
    ).fit(X, y)
    assert budgets(found) == {2: 6, 6: 2, 18: 1}
    assert Counter(n for n, _ in Counting.learned) == {2: 18, 4: 6, 12: 3}


@pytest.mark.parametrize("on", ["serial", "spark"])
def test_models_wait_in_a_folder(on: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if on == "spark":
        request.getfixturevalue("spark")
    platform = Spark(2) if on == "spark" else Serial()
    found = search(on=platform, checkpoints=tmp_path, refit=False).fit(X, y)
    states = [trial.state for trial in found.study_.records.values() if trial.state]
    assert [state.shared for state in states] == [True] * 9
    there = {path.name for path in tmp_path.glob("*/*")}
    assert there < {state.name for state in states}  # those that went on are gone
    assert found.study_.records[found.study_.best.id].state.name in there


def test_a_folder_for_models_has_an_absolute_path() -> None:
    with pytest.raises(InvalidArgument, match="absolute path of a folder, or a URL"):
        search(checkpoints="here").fit(X, y)


def test_what_counts_per_call_starts_anew() -> None:
    found = search(
        SGDClassifier(random_state=0, tol=None),
        {"alpha": stats.loguniform(1e-6, 1)},
        resource="max_iter",
    ).fit(X, y)
    assert {trial.state for trial in found.study_.records.values()} == {None}
    best = clone(found.estimator).set_params(**found.best_params_)
    assert found.best_score_ == pytest.approx(cross_val_score(best, X, y, cv=3).mean())


@pytest.mark.parametrize(
    "estimator", [HistGradientBoostingClassifier(random_state=0), GradientBoostingRegressor()]
)
def test_boosted_models_hand_their_trees_on(estimator: Any) -> None:
    hist = isinstance(estimator, HistGradientBoostingClassifier)
    data = (X, y) if hist else make_regression(120, 5, random_state=0)
    found = search(
        estimator,
        {"learning_rate": stats.loguniform(0.01, 1)},
        resource="max_iter" if hist else "n_estimators",
        on=Threads(2),
        n_iter=4,
    ).fit(*data)
    assert any(trial.state for trial in found.study_.records.values())
    assert found.best_params_["max_iter" if hist else "n_estimators"] == 18


class Sizes(DecisionTreeClassifier):  # type: ignore[misc]
    """Remembers the samples it saw."""

    seen: list[Any] = []  # noqa: RUF012

    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> Any:
        self.seen.append(X[:, 0].copy())
        return super().fit(X, y, sample_weight, check_input)


def test_samples_are_nested_and_tests_are_whole() -> None:
    Sizes.seen.clear()
    cv = KFold(3, shuffle=True, random_state=1)
    found = search(
        Sizes(random_state=0), resource="n_samples", scheduler=ASHA(20, 180, audit=0), cv=cv
    ).fit(X, y)
    assert budgets(found) == {20: 6, 60: 2, 180: 1}
    assert Counter(map(len, Sizes.seen)) == {20: 18, 60: 6, 180: 3, 270: 1}
    train = next(iter(cv.split(X)))[0]
    small = X[train[np.sort(subset(y[train], 20, 0))], 0]
    assert any(np.array_equal(small, each) for each in Sizes.seen)
    assert "n_samples" not in found.best_params_
    grid = {name: [value] for name, value in found.best_params_.items()}
    full = GridSearchCV(DecisionTreeClassifier(random_state=0), grid, cv=cv).fit(X, y)
    assert found.best_score_ == full.best_score_


def test_shares_of_samples_and_splits_as_masks() -> None:
    masks = [(np.arange(270) % 3 != k, np.arange(270) % 3 == k) for k in range(3)]
    Sizes.seen.clear()
    search(
        Sizes(), resource="n_samples", scheduler=ASHA(1 / 9, 1, audit=0), cv=masks, refit=False
    ).fit(X, y)
    assert Counter(map(len, Sizes.seen)) == {20: 18, 60: 6, 180: 3}


def test_a_search_continues_from_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "search.jsonl"
    first = search(journal=path, n_iter=4).fit(X, y)
    again = search(journal=path).fit(X, y)
    assert len(again.study_.records) > len(first.study_.records)
    assert again.cv_results_["params"][1:4] != []
    assert again.best_params_["n_estimators"] == 18


def test_a_grid_of_all_combinations() -> None:
    found = search(space=None, param_grid=DEPTHS).fit(X, y)
    assert budgets(found) == {2: 6, 6: 2, 18: 1}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"resource": None}, "scheduler= and resource= go together"),
        ({"scheduler": None}, "scheduler= and resource= go together"),
        ({"racing": True}, "go together, and without racing=True"),
        ({"resource": "trees"}, "or a parameter of the estimator, such as n_estimators; got"),
        ({"resource": "max_depth"}, r"budgets are 2, 6, 18; take it out of the space"),
        (
            {"space": {"n_estimators": hp.randint("n", 5, 9)}},
            r"the scheduler sets n_estimators, its budgets are 2, 6, 18; take it out of the space",
        ),
        ({"scheduler": Folds(3)}, r"set racing=True instead of scheduler=Folds\(k=3"),
        ({"scheduler": ASHA(max_budget=1)}, "whole number, and the budgets are 0.037037, 0.11"),
        (
            {"resource": "n_samples", "scheduler": ASHA(20, 200)},
            "budgets are 22, 67, 200, and a fold has 180 samples to learn from; give max_budget=18",
        ),
        ({"scheduler": "asha"}, "scheduler must give budgets"),
    ],
)
def test_what_does_not_fit_together_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        search(**more).fit(X, y)
