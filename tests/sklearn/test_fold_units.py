"""Which folds a search evaluates: units of work, rules of races, repeats."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.tree import DecisionTreeClassifier

from sparktune import InvalidArgument, Serial, Spark, Threads
from sparktune.sklearn import SparkSearchCV
from sparktune.sklearn.by_time import SHORT
from sparktune.sklearn.fold import Evaluation

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

X, y = make_classification(160, n_features=6, n_informative=4, flip_y=0.1, random_state=0)
TREE = DecisionTreeClassifier(random_state=0)
DEPTHS = {"max_depth": [1, 2, 3, 4, 5, 6, 7, 8], "min_samples_leaf": [1, 60, 70]}


class Counting(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Takes its time, and says no more than a constant."""

    def __init__(self, seconds: float = 0.0, answer: int = 0) -> None:
        self.seconds = seconds
        self.answer = answer

    def fit(self, X: Any, y: Any) -> Counting:
        self.classes_ = np.unique(y)
        time.sleep(self.seconds)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.answer)


def tasks(grid: dict[str, Any], **more: Any) -> tuple[Any, list[int]]:
    """A search on threads, and how many folds each of its tasks had, in the order of their ends."""
    sizes: list[int] = []
    folds = Evaluation.__call__

    def counted(self: Any, point: Any, part: int = 0, budget: int | None = None) -> Any:
        told = folds(self, point, part, budget)
        sizes.append(len(told["folds"]))
        return told

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Evaluation, "__call__", counted)
        given: dict[str, Any] = {"cv": 4, "unit": "auto", "on": Threads(2)} | more
        return SparkSearchCV(Counting(), param_grid=grid, **given).fit(X, y), sizes


def test_short_folds_become_one_task_a_candidate() -> None:
    found, sizes = tasks({"answer": [0, 1] * 10})
    assert sum(sizes) == 80
    assert sizes[:4] == [1] * 4
    assert sizes[-10:] == [4] * 10
    theirs = GridSearchCV(Counting(), {"answer": [0, 1] * 10}, cv=4).fit(X, y)
    for key in ("split3_test_score", "mean_test_score", "rank_test_score"):
        assert_array_equal(found.cv_results_[key], theirs.cv_results_[key])


def test_long_folds_stay_tasks() -> None:
    _, sizes = tasks({"seconds": [2 * SHORT] * 3})
    assert sizes == [1] * 12


def test_folds_are_tasks_again_once_they_are_long() -> None:
    grid = {"seconds": [0.0] * 8 + [25 * SHORT] * 3}
    _, sizes = tasks(grid, on=Serial())
    assert 4 in sizes
    assert sizes[-4:] == [1] * 4


def test_a_unit_by_time_on_spark(spark: SparkSession) -> None:
    grid = {"max_depth": [1, 2, 3, 4, 5, 6]}
    found = SparkSearchCV(TREE, param_grid=grid, cv=3, unit="auto", on=Spark(2)).fit(X, y)
    theirs = GridSearchCV(TREE, grid, cv=3).fit(X, y)
    assert_array_equal(found.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])


# Rules of races


def test_each_rule_leaves_the_best_in_the_race() -> None:
    cv = StratifiedKFold(8, shuffle=True, random_state=0)
    full = GridSearchCV(TREE, DEPTHS, cv=cv).fit(X, y)
    fits = {}
    for rule in (True, "forgiving", "paired"):
        found = SparkSearchCV(TREE, param_grid=DEPTHS, cv=cv, racing=rule, on=Serial()).fit(X, y)
        fits[rule] = found.cv_results_["n_folds"].sum()
        assert found.best_score_ == full.best_score_
        assert found.cv_results_["n_folds"][found.best_index_] == 8
        partial = found.cv_results_["n_folds"] < 8
        assert_array_equal(np.isnan(found.cv_results_["mean_test_score"]), partial)
    assert fits[True] <= min(fits["forgiving"], fits["paired"])
    assert max(fits.values()) < 8 * 24


# Repeats


def repeated(**more: Any) -> Any:
    cv = RepeatedStratifiedKFold(n_splits=4, n_repeats=3, random_state=0)
    given: dict[str, Any] = {"cv": cv, "repeats": "adaptive", "on": Serial()} | more
    return SparkSearchCV(TREE, param_grid=DEPTHS, **given)


@cache
def all_repeats() -> dict[str, Any]:
    """The table of a search without a choice of repeats."""
    cv = RepeatedStratifiedKFold(n_splits=4, n_repeats=3, random_state=0)
    table: dict[str, Any] = GridSearchCV(TREE, DEPTHS, cv=cv).fit(X, y).cv_results_
    return table


def check(found: Any) -> None:
    """Rows are those of all repeats, as far as candidates have them; the best has all."""
    table, full = found.cv_results_, all_repeats()
    assert found.n_splits_ == 12
    assert set(table["n_folds"]) <= {4, 8, 12}
    for i, n in enumerate(table["n_folds"]):
        seen = np.array([table[f"split{k}_test_score"][i] for k in range(12)])
        theirs = np.array([full[f"split{k}_test_score"][i] for k in range(12)])
        assert_array_equal(seen[:n], theirs[:n])
        assert np.isnan(seen[n:]).all()
        assert table["partial_test_score"][i] == pytest.approx(theirs[:n].mean())
    whole = np.flatnonzero(np.array(table["n_folds"]) == 12)
    assert 2 <= len(whole) < 24
    assert found.best_score_ == max(full["mean_test_score"][whole])
    assert found.best_score_ == pytest.approx(full["mean_test_score"][found.best_index_])


def test_only_the_best_get_repeats() -> None:
    found = repeated().fit(X, y)
    check(found)
    assert np.sum(np.array(found.cv_results_["n_folds"]) == 4) > 8  # hopeless ones
    assert "BBC-CV" in found.corrected_by_
    assert found.leaderboard_[0]["score"] == found.best_score_


def test_repeats_on_spark_continue_from_a_journal(spark: SparkSession, tmp_path: Any) -> None:
    path = tmp_path / "search.jsonl"
    first = repeated(journal=path, on=Spark(2)).fit(X, y)
    again = repeated(journal=path, on=Spark(2)).fit(X, y)
    check(first)
    for key in ("n_folds", "mean_test_score", "mean_fit_time"):
        assert_array_equal(first.cv_results_[key], again.cv_results_[key])
    assert len(again.study_.records) == 24


def test_a_repeat_that_is_interrupted_does_not_count() -> None:
    fits = []

    def interrupted(model: Any, X: Any, y: Any) -> float:
        fits.append(model)
        if len(fits) == 4 * 24 + 6:
            raise KeyboardInterrupt
        return float(model.score(X, y))

    with pytest.warns(UserWarning, match="interrupted in its repeats; 4 folds"):
        found = repeated(scoring=interrupted).fit(X, y)
    assert found.n_splits_ == 4
    assert set(found.cv_results_["n_folds"]) == {4}
    assert len(found.predict(X)) == 160


def test_a_candidate_that_fails_in_a_repeat_is_not_the_best() -> None:
    grid = {"C": [1.0, 1.5, 2.0]}
    seen: dict[float, int] = {}

    def failing(model: Any, X: Any, y: Any) -> float:
        seen[model.C] = seen.get(model.C, 0) + 1
        if model.C == 1.5 and seen[model.C] > 4:
            raise ArithmeticError("no score")
        return 1.0 + 0.1 * (model.C == 1.5) * (len(seen) % 2) if seen[model.C] < 5 else 0.5

    cv = RepeatedStratifiedKFold(n_splits=4, n_repeats=2, random_state=0)
    given: dict[str, Any] = {"scoring": failing, "repeats": "adaptive", "on": Serial(), "cv": cv}
    with pytest.warns(UserWarning, match="Scoring failed"):
        found = SparkSearchCV(LogisticRegression(), param_grid=grid, **given).fit(X, y)
    assert found.best_params_ != {"C": 1.5}
    assert np.isfinite(found.best_score_)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cv": 4}, "folds come several times"),
        ({"cv": ShuffleSplit(8)}, "folds come several times"),
        ({"repeats": 3}, 'repeats must be "adaptive"'),
        ({"racing": True}, "give one of them"),
        ({"racing": "slow"}, 'True, False, "forgiving"'),
    ],
)
def test_repeats_that_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        repeated(**options).fit(X, y)
