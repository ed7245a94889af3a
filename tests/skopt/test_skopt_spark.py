"""The doors of scikit-optimize on Spark."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_iris
from sklearn.neighbors import KNeighborsClassifier

from sparktune import Spark
from sparktune.skopt import BayesSearchCV, forest_minimize, gp_minimize
from sparktune.skopt.space import Categorical, Integer, Real
from sparktune.skopt.utils import use_named_args

SPACE = [
    Real(1e-3, 1e1, "log-uniform", name="rate"),
    Integer(1, 4, name="depth"),
    Categorical([(1, 2), None, "text"], name="kind"),
]


def test_evaluations_are_tasks_and_failures_are_recorded(spark: Any) -> None:
    @use_named_args(SPACE)
    def objective(rate: float, depth: int, kind: Any) -> float:
        assert type(rate) is float
        assert type(depth) is int
        if kind == "text":
            raise ValueError("no text")
        return abs(np.log10(rate)) + depth + (kind is None)

    counted: list[int] = []
    result = gp_minimize(
        objective, SPACE, n_calls=16, n_initial_points=6, random_state=0, on=Spark(parallelism=3),
        callback=lambda res: counted.append(len(res.x_iters)),
    )  # fmt: skip
    assert counted == list(range(1, 17))
    failed = [x[2] == "text" for x in result.x_iters]
    assert np.isinf(result.func_vals).tolist() == failed
    assert result.x[2] != "text"
    assert len(result.models) == 11


def test_seconds_come_from_the_function(spark: Any) -> None:
    result = forest_minimize(
        lambda x: (x[0] ** 2, 1 + abs(x[0])), [(-2.0, 2.0)], n_calls=7, n_initial_points=4,
        acq_func="EIps", random_state=0, on=Spark(parallelism=2),
    )  # fmt: skip
    np.testing.assert_allclose(result.log_time, np.log([1 + abs(x[0]) for x in result.x_iters]))


def test_a_search_with_folds_as_tasks(spark: Any) -> None:
    X, y = load_iris(return_X_y=True)
    space = {"n_neighbors": (1, 20), "weights": ["uniform", "distance"]}
    search = BayesSearchCV(
        KNeighborsClassifier(), space, n_iter=4, cv=2, random_state=0, on=Spark(parallelism=3)
    )
    assert search.fit(X, y).score(X, y) > 0.9
    assert len(search.cv_results_["params"]) == 4
