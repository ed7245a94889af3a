"""Searches whose candidates race, and searches in searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.tree import DecisionTreeClassifier

from sparktune import InvalidArgument, Serial, Spark
from sparktune.sklearn import SparkSearchCV

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

X, y = make_classification(200, n_features=6, n_informative=4, flip_y=0.1, random_state=0)
SPACE = {"max_depth": [1, 2, 3, 5, 8], "min_samples_leaf": [1, 2, 5, 60, 100, 150]}
TREE = DecisionTreeClassifier(random_state=0)


def search(**more: Any) -> Any:
    given: dict[str, Any] = {"racing": True, "cv": 5, "random_state": 0, "on": Serial()}
    return SparkSearchCV(TREE, **(given | more))


def check(found: Any) -> None:
    """Folds that were evaluated have the scores of a full search; partial rows are never best."""
    table = found.cv_results_
    grid = [{k: [v] for k, v in each.items()} for each in table["params"]]
    full = GridSearchCV(TREE, grid, cv=5).fit(X, y)
    for i, n in enumerate(table["n_folds"]):
        seen = [table[f"split{k}_test_score"][i] for k in range(5)]
        theirs = [full.cv_results_[f"split{k}_test_score"][i] for k in range(5)]
        assert seen[:n] == theirs[:n]
        assert np.isnan(seen[n:]).all()
        assert np.isnan(table["mean_test_score"][i]) == (n < 5)
        assert table["partial_test_score"][i] == pytest.approx(np.mean(theirs[:n]))
    assert table["n_folds"][found.best_index_] == 5
    assert found.best_params_ == full.best_params_


def test_hopeless_candidates_get_few_folds() -> None:
    found = search(param_grid=SPACE).fit(X, y)
    assert len(found.cv_results_["params"]) == 30
    assert found.cv_results_["n_folds"].sum() <= 0.7 * 150
    assert found.cv_results_["n_folds"].min() == 2
    check(found)
    assert "BBC-CV" in found.corrected_by_


def test_a_race_on_spark(spark: SparkSession) -> None:
    found = search(param_grid={"max_depth": [1, 3, 5], "min_samples_leaf": [1, 100]}, on=Spark(3))
    check(found.fit(X, y))


def test_a_race_continues_from_a_journal(tmp_path: Any) -> None:
    path = tmp_path / "race.jsonl"
    first = search(space=SPACE, n_iter=6, journal=path).fit(X, y)
    again = search(space=SPACE, n_iter=9, journal=path).fit(X, y)
    assert again.cv_results_["params"][:6] == first.cv_results_["params"]
    assert len(again.study_.records) > len(first.study_.records)
    check(again)


def test_what_cannot_race_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="racing"):
        search(space=SPACE, unit="candidate").fit(X, y)


@pytest.mark.parametrize("on", ["serial", "spark"])
def test_nested_searches(on: str, request: pytest.FixtureRequest) -> None:
    if on == "spark":
        request.getfixturevalue("spark")
    platform = Spark(2) if on == "spark" else Serial()
    space = {"C": stats.loguniform(0.001, 10)}
    given: dict[str, Any] = {"n_iter": 3, "cv": GroupKFold(3), "random_state": 0, "on": platform}
    outer = SparkSearchCV(LogisticRegression(), space, **given)
    groups = np.repeat(np.arange(20), 10)
    told = outer.nested(X, y, cv=GroupKFold(4), groups=groups)
    assert len(told["params"]) == 4
    for i, (train, test) in enumerate(GroupKFold(4).split(X, y, groups)):
        model = LogisticRegression(**told["params"][i]).fit(X[train], y[train])
        assert told["test_score"][i] == model.score(X[test], y[test])
    assert (told["best_score"] > 0.5).all()
    assert not hasattr(outer, "best_params_")
