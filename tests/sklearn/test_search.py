"""SparkSearchCV: against scikit-learn's own searches, checks and conventions."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse, stats
from sklearn import clone, config_context
from sklearn.datasets import make_classification
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer, make_scorer, mean_absolute_error
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, GroupKFold, ShuffleSplit, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils import estimator_checks

from sparktune import InvalidArgument, Serial, Spark, Threads, hp
from sparktune.sklearn import (
    HyperoptSearchCV,
    NoCandidateScored,
    SparkSearchCV,
    flattening,
    fold,
    recorder,
)
from sparktune.sklearn.spaces import space_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

X, y = make_classification(90, n_features=5, random_state=0)
PIPELINE = Pipeline([("scale", StandardScaler()), ("clf", SVC())])
GRID = {"C": [0.1, 1.0, 10.0], "kernel": ["linear", "rbf"]}


def search(estimator: Any = None, space: Any = None, **more: Any) -> Any:
    defaults: dict[str, Any] = {"cv": 3, "random_state": 0, "on": Serial()}
    if "param_grid" not in more:
        defaults |= {"n_iter": 4}
        space = {"C": stats.loguniform(0.01, 100)} if space is None else space
    return SparkSearchCV(SVC() if estimator is None else estimator, space, **(defaults | more))


def squared(X: Any) -> Any:
    return X**2


class Picky(Ridge):  # type: ignore[misc]
    """Cannot be fitted with a large alpha where the first sample is not there."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        if self.alpha > 0.5 and X[0, 0] != 0:
            raise ArithmeticError(f"alpha {self.alpha} is too large")
        return super().fit(X, y, sample_weight)


class Strict(DummyRegressor):  # type: ignore[misc]
    """Wants the weights of its own samples."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        assert_array_equal(sample_weight, X[:, 0])
        return super().fit(X, y)


def equal_results(ours: Any, theirs: Any) -> None:
    """Everything but times is the same, types included."""
    assert list(ours.cv_results_) == list(theirs.cv_results_)
    for key, column in theirs.cv_results_.items():
        if "_time" not in key:
            assert_array_equal(ours.cv_results_[key], column)
            assert type(ours.cv_results_[key]) is type(column)
            assert getattr(ours.cv_results_[key], "dtype", None) == getattr(column, "dtype", None)
        else:
            assert np.isfinite(ours.cv_results_[key]).all()
    for name in ("best_params_", "best_score_", "best_index_", "multimetric_", "n_splits_"):
        assert getattr(ours, name, None) == getattr(theirs, name, None), name


def candidates(ours: Any) -> list[dict[str, list[Any]]]:
    """A grid of the candidates of a search."""
    return [{name: [it] for name, it in each.items()} for each in ours.cv_results_["params"]]


# scikit-learn's own checks

CHECKED = {
    "classifier": (LogisticRegression(), {"C": [0.1, 1.0]}),
    "pipeline": (
        Pipeline([("s", StandardScaler()), ("r", Ridge())]),
        {"r__alpha": [0.1, 1.0]},
    ),
    "regressor": (Ridge(), {"alpha": hp.uniform("alpha", 0, 1)}),
    "mixture": (GaussianMixture(), {"n_components": [1, 2]}),
}


def checks() -> Iterator[Any]:
    """scikit-learn's checks of an estimator, for 1.6 and newer, that a `GridSearchCV` passes."""
    if not hasattr(estimator_checks, "estimator_checks_generator"):
        return
    for kind, (estimator, space) in CHECKED.items():
        checked = search(estimator, space, n_iter=2, cv=2)
        for each, check in estimator_checks.estimator_checks_generator(checked):
            name = getattr(check, "func", check).__name__
            if "array_api" not in name:
                yield pytest.param(each, check, id=f"{kind} {name}")


@pytest.mark.filterwarnings("ignore")  # what the checks do to an estimator makes it warn
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_scikit_learns_checks_of_estimators(estimator: Any, check: Any) -> None:
    check(estimator)


# Results


@pytest.mark.parametrize("unit", ["fold", "candidate"])
@pytest.mark.parametrize(
    ("scoring", "refit"),
    [
        (None, True),
        ("f1", True),
        (["f1", "accuracy"], "accuracy"),
        ({"a": "accuracy", "b": "neg_log_loss"}, False),
        ("accuracy", lambda table: int(np.argmin(table["param_C"]))),
    ],
)
def test_a_grid_is_evaluated_as_a_grid_search_does(unit: str, scoring: Any, refit: Any) -> None:
    settings = {"scoring": scoring, "refit": refit, "return_train_score": True}
    model = LogisticRegression()
    grid = [{"C": [1.0, 0.1]}, {"C": [10.0], "fit_intercept": [True, False]}]
    ours = search(model, param_grid=grid, unit=unit, **settings).fit(X, y)
    equal_results(ours, GridSearchCV(model, grid, cv=3, **settings).fit(X, y))


@pytest.mark.parametrize("on", [Serial(), Threads(3)], ids=["serial", "threads"])
def test_a_candidate_has_the_row_that_it_has_in_a_grid_search(on: Any) -> None:
    space = [
        {"C": stats.loguniform(0.01, 100), "kernel": ["linear"]},
        {"C": hp.loguniform("c", -3, 3), "gamma": stats.uniform(0.01, 1)},
    ]
    ours = search(space=space, n_iter=6, on=on, return_train_score=True).fit(X, y)
    theirs = GridSearchCV(SVC(), candidates(ours), cv=3, return_train_score=True).fit(X, y)
    equal_results(ours, theirs)
    assert ours.cv_results_["param_gamma"].mask.any()
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.score(X, y) == theirs.score(X, y)
    assert ours.refit_time_ > 0


def test_splits_are_made_once() -> None:
    cv = ShuffleSplit(4, random_state=np.random.RandomState(0))
    ours = search(space={"C": [1.0, 1.0, 1.0]}, cv=cv, n_iter=3, sampler="random").fit(X, y)
    for split in range(4):
        assert len(set(ours.cv_results_[f"split{split}_test_score"])) == 1


@pytest.mark.parametrize(
    ("estimator", "grid", "scoring"),
    [
        (Strict(), {"quantile": [None]}, make_scorer(mean_absolute_error)),
        (Ridge(), {"alpha": [0.1, 1.0]}, "r2"),
        (Ridge(), {"alpha": [0.1, 1.0]}, ["r2", "neg_mean_absolute_error"]),
    ],
)
@pytest.mark.filterwarnings("ignore:The scoring .* does not support sample_weight")
def test_groups_and_weights_go_where_they_belong(estimator: Any, grid: Any, scoring: Any) -> None:
    settings = {"cv": GroupKFold(3), "scoring": scoring, "refit": False}
    weighted = abs(X)
    given = {"groups": np.arange(90) // 10, "sample_weight": weighted[:, 0]}
    ours = search(estimator, param_grid=grid, **settings).fit(weighted, y, **given)
    equal_results(ours, GridSearchCV(estimator, grid, **settings).fit(weighted, y, **given))


def test_metadata_is_routed() -> None:
    groups, weights = np.arange(90) // 10, np.linspace(0.1, 1, 90)
    with config_context(enable_metadata_routing=True):
        model = LogisticRegression().set_fit_request(sample_weight=True)
        scorer = make_scorer(lambda y, p, sample_weight: (sample_weight * (y == p)).mean())
        scorer.set_score_request(sample_weight=True)
        settings: dict[str, Any] = {"cv": GroupKFold(3), "scoring": scorer}
        ours = search(model, param_grid={"C": [0.1, 1.0]}, **settings)
        theirs = GridSearchCV(model, {"C": [0.1, 1.0]}, **settings)
        given = {"groups": groups, "sample_weight": weights}
        equal_results(ours.fit(X, y, **given), theirs.fit(X, y, **given))


@pytest.mark.filterwarnings("ignore:One or more of the:UserWarning")
@pytest.mark.parametrize("error_score", [np.nan, -7.0])
def test_a_fold_that_cannot_be_fitted_has_the_error_score(error_score: float) -> None:
    cut = X.copy()
    cut[0, 0] = 0  # only the fold without this sample fails
    settings = {"cv": 3, "error_score": error_score, "return_train_score": True}
    grid = {"alpha": [0.1, 1.0]}
    with pytest.warns(FitFailedWarning, match=r"1 fits failed out of a total of 6(.|\n)*Arith"):
        ours = search(Picky(), param_grid=grid, **settings).fit(cut, y)
    with pytest.warns(FitFailedWarning):
        theirs = GridSearchCV(Picky(), grid, **settings).fit(cut, y)
    equal_results(ours, theirs)


def test_a_score_that_fails_is_the_error_score() -> None:
    def scorer(estimator: Any, X: Any, y: Any) -> float:
        if estimator.C > 1:
            raise ArithmeticError("cannot be scored")
        return float(estimator.score(X, y))

    grid = {"C": [0.1, 10.0]}
    for scoring, refit in ((scorer, True), ({"a": scorer, "b": "accuracy"}, "b")):
        settings = {"scoring": scoring, "refit": refit, "error_score": -1.0}
        with pytest.warns(UserWarning, match="Scoring failed"):
            ours = search(param_grid=grid, **settings).fit(X, y)
        with pytest.warns(UserWarning, match="Scoring failed"):
            theirs = GridSearchCV(SVC(), grid, cv=3, **settings).fit(X, y)
        equal_results(ours, theirs)


@pytest.mark.parametrize("on", [Serial(), Threads(2)], ids=["serial", "threads"])
def test_a_failure_that_is_to_be_raised_is_raised(on: Any) -> None:
    with pytest.raises(ArithmeticError, match="too large"):
        search(Picky(), param_grid={"alpha": [1.0]}, error_score="raise", on=on).fit(X + 1, y)


def test_a_search_without_a_score_says_why() -> None:
    with pytest.raises(NoCandidateScored, match=r"none of the 2 candidates(.|\n)*ArithmeticError"):
        search(Picky(), param_grid={"alpha": [1.0, 2.0]}).fit(X + 1, y)


# Spaces


def test_options_come_back_as_they_are() -> None:
    options = [[3], (3,), None, {0: 1.0}, np.float64(0.5), SVC]
    space = space_of({"x": options})
    assert all(space.decode({"x": i})["x"] is option for i, option in enumerate(options))


@pytest.mark.parametrize(
    ("given", "low", "high", "kind"),
    [
        (stats.uniform(2, 3), 2, 5, float),
        (stats.loguniform(0.1, 10), 0.1, 10, float),
        (stats.randint(3, 7), 3, 6, int),
        (stats.norm(0, 1), -9, 9, float),
        (stats.lognorm(1, scale=2), 0, np.inf, float),
        (stats.beta(2, 3, loc=1), 1, 2, float),
        (stats.poisson(3), 0, 99, float),
        ([5, 6], 5, 6, int),
        (np.array([5, 6]), 5, 6, np.int64),
    ],
)
def test_distributions_of_scipy_and_lists(given: Any, low: float, high: float, kind: Any) -> None:
    space = space_of({"x": given})
    rows = space.sample(np.random.default_rng(0), 200)
    values = [space.decode(space.values(row))["x"] for row in rows]
    assert {type(value) for value in values} == {kind}
    assert low <= min(values) < max(values) <= high
    if hasattr(given, "cdf") and kind is float and not hasattr(given.dist, "pmf"):
        assert stats.kstest(values, given.cdf).pvalue > 0.001


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"space": None}, "one space"),
        ({"param_distributions": {"C": [1]}}, "one space"),
        ({"space": {"no": [1]}}, "does not fit the estimator"),
        ({"space": {"C": []}}, "at least one option"),
        ({"param_grid": {"C": stats.norm()}}, "must be a list"),
        ({"param_grid": {"C": "abc"}}, "must be a list"),
        ({"param_grid": [1]}, "a dict"),
        ({"space": [1]}, "must hold dicts"),
        ({"unit": "folds"}, "unit must be"),
        ({"n_iter": 0}, "n_iter"),
        ({"time_budget": -1}, "time_budget"),
        ({"random_state": "no"}, "random_state"),
        ({"sampler": "best"}, "sampler"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], message: str) -> None:
    given = {"on": Serial()} | options
    if "param_grid" not in options:
        given = {"space": {"C": [1.0]}} | given
    with pytest.raises(ValueError, match=message):
        SparkSearchCV(SVC(), **given).fit(X, y)


# Conventions


def test_it_is_a_pipeline_step_a_clone_and_a_pickle() -> None:
    found = search(PIPELINE, {"clf__C": [0.1, 1.0]}).fit(X, y)
    again = pickle.loads(pickle.dumps(found))
    assert_array_equal(again.predict(X), found.predict(X))
    assert not hasattr(clone(found), "best_params_")
    assert found.n_features_in_ == 5
    assert_array_equal(found.classes_, [0, 1])
    assert "SVC" in found._repr_html_()


def test_the_best_can_be_exported_as_a_program() -> None:
    pipeline = Pipeline([("square", FunctionTransformer(squared)), *PIPELINE.steps])
    found = search(pipeline, {"clf__C": [0.1, 1.0]}).fit(X, y)
    program: dict[str, Any] = {}
    exec(found.export(), program)
    assert_array_equal(program["model"].fit(X, y).predict(X), found.predict(X))
    with pytest.raises(NotFittedError):
        search().export()
    nameless = Pipeline([("log", FunctionTransformer(np.abs)), *PIPELINE.steps])
    with pytest.raises(InvalidArgument, match="cannot be written as a program"):
        search(nameless, {"clf__C": [0.1, 1.0]}).fit(X, y).export()


def test_frames_and_sparse_matrices() -> None:
    frame = pd.DataFrame(X, columns=list("abcde"))
    one, other = (search(PIPELINE, {"clf__C": [0.1, 1.0]}) for _ in range(2))
    one.fit(frame, pd.Series(y))
    assert list(one.feature_names_in_) == list("abcde")
    assert_array_equal(one.predict(frame), other.fit(X, y).predict(X))
    assert search().fit(sparse.csr_matrix(X), y).score(sparse.csr_matrix(X), y) > 0.5


def test_warm_start_continues() -> None:
    found = search(warm_start=True, n_iter=3).fit(X, y)
    first = found.cv_results_["params"]
    more = found.set_params(n_iter=5).fit(X, y).cv_results_["params"]
    assert len(more) == 5
    assert more[:3] == first


def test_a_journal_continues(tmp_path: Any) -> None:
    path = tmp_path / "search.jsonl"
    first = search(journal=path, n_iter=3).fit(X, y)
    more = search(journal=path, n_iter=5).fit(X, y)
    assert more.cv_results_["params"][:3] == first.cv_results_["params"]
    assert_array_equal(more.cv_results_["mean_fit_time"][:3], first.cv_results_["mean_fit_time"])
    assert len(more.cv_results_["params"]) == 5
    assert "5 candidates' predictions" in more.corrected_by_


@pytest.mark.parametrize("by", ["journal", "warm start"])
def test_what_is_continued_must_fit(by: str, tmp_path: Any) -> None:
    given = {"journal": tmp_path / "search.jsonl"} if by == "journal" else {"warm_start": True}
    found = search(**given).fit(X, y)
    with pytest.raises(InvalidArgument, match="have 3 folds, and cv makes 5"):
        found.set_params(cv=5).fit(X, y)
    other = found.set_params(cv=3, space={"C": stats.loguniform(0.01, 1000)})
    with pytest.raises(InvalidArgument, match="search space"):
        other.fit(X, y)


@pytest.mark.parametrize("by", ["journal", "warm start"])
def test_what_is_continued_has_scores_on_the_same_data(by: str, tmp_path: Any) -> None:
    given = {"journal": tmp_path / "search.jsonl"} if by == "journal" else {"warm_start": True}
    found = search(**given)
    found.fit(X, y)
    with pytest.raises(InvalidArgument, match="scored on other data"):
        found.set_params(n_iter=4).fit(X[:, ::-1], y)
    with pytest.raises(InvalidArgument, match="scored on other data"):
        found.fit(X, 1 - y)
    assert len(found.fit(X.tolist(), y.copy()).cv_results_["params"]) == 4


@pytest.mark.filterwarnings("ignore:The least populated class")
def test_a_class_that_some_folds_lack() -> None:
    rare = y.copy()
    rare[0] = 2
    found = search(LogisticRegression()).fit(X, rare)
    assert found.best_score_ > 0.5
    assert "BBC-CV" in found.corrected_by_


def test_failures_name_the_candidate_as_the_user_wrote_it() -> None:
    with pytest.raises(NoCandidateScored, match=r"The first one \(\{'C': -[12]\.0\}\)"):
        search(space={"C": [-1.0, -2.0]}).fit(X, y)


def test_the_same_seed_gives_the_same_candidates() -> None:
    one, other = (search(n_iter=8).fit(X, y).cv_results_["params"] for _ in range(2))
    assert one == other


def test_it_is_an_estimator_of_cross_validation() -> None:
    assert cross_val_score(search(n_iter=2), X, y, cv=2).min() > 0.5


def test_callbacks_are_refused_and_not_ignored() -> None:
    for each in (search(), HyperoptSearchCV(SVC(), {"C": hp.uniform("C", 1, 2)}, 1)):
        with pytest.raises(InvalidArgument, match="verbose=1"):
            each.set_callbacks(object())


def test_an_interrupt_leaves_a_fitted_search() -> None:
    def interrupted(model: Any, X: Any, y: Any) -> float:
        if model.C == 3.0:
            raise KeyboardInterrupt
        return float(model.score(X, y))

    grid = {"C": [1.0, 2.0, 3.0, 4.0]}
    with pytest.warns(UserWarning, match="interrupted"):
        found = search(param_grid=grid, scoring=interrupted).fit(X, y)
    assert [each["C"] for each in found.cv_results_["params"]] == [1.0, 2.0]
    assert len(found.predict(X)) == 90


def test_a_budget_of_time_ends_it() -> None:
    with pytest.raises(NoCandidateScored, match="over before the first one ended"):
        search(n_iter=None, time_budget=1e-12).fit(X, y)


# Spark


def test_folds_are_spark_tasks(spark: SparkSession) -> None:
    ours = search(n_iter=4, on=Spark(4), return_train_score=True).fit(X, y)
    theirs = GridSearchCV(SVC(), candidates(ours), cv=3, return_train_score=True).fit(X, y)
    equal_results(ours, theirs)
    assert clone(ours).set_params(on=None, n_jobs=2).fit(X, y).n_splits_ == 3


def test_the_first_failure_on_spark_is_the_estimators_own(spark: SparkSession) -> None:
    bad = LogisticRegression(solver="lbfgs", penalty="elasticnet", l1_ratio=0.5)
    with pytest.raises(ValueError, match="lbfgs"):
        search(bad, {"C": [1.0]}, error_score="raise", on=Spark(2)).fit(X, y)
    with pytest.raises(NoCandidateScored, match="lbfgs"):
        search(bad, {"C": [1.0]}, on=Spark(2)).fit(X, y)


BARE_WORKER = """
import pickle, sys

sys.modules["sparktune"] = None  # as on a machine that does not have it
evaluation, point = pickle.load(sys.stdin.buffer)
print(evaluation(point, 1)["folds"][0]["test_scores"])
"""


def test_workers_need_scikit_learn_only() -> None:
    cloudpickle = pytest.importorskip("pyspark").cloudpickle
    for module in (fold, recorder):
        cloudpickle.register_pickle_by_value(module)
    try:
        data = fold.Data(X, y, [(np.arange(60), np.arange(60, 90))] * 2, {}, {})
        flatten = flattening.flattening(SVC())
        task = fold.Evaluation(SVC(), get_scorer("f1"), data, flatten, [[0], [1]], np.nan, True)
        sent = cloudpickle.dumps((task, {"C": 2.0}))
    finally:
        for module in (fold, recorder):
            cloudpickle.unregister_pickle_by_value(module)
    bare = subprocess.run(
        [sys.executable, "-c", BARE_WORKER], input=sent, capture_output=True, check=True
    )
    model = SVC(C=2.0).fit(X[:60], y[:60])
    assert float(bare.stdout) == get_scorer("f1")(model, X[60:], y[60:])


def test_a_worker_that_dies_costs_its_candidate(spark: SparkSession) -> None:
    def deadly(model: Any, X: Any, y: Any) -> float:
        import os

        if model.C == 2.0:
            os._exit(7)
        return float(model.score(X, y))

    grid = {"C": [1.0, 2.0, 3.0]}
    on = Spark(2, retries=0)
    with (
        pytest.warns(FitFailedWarning, match="3 fits failed out of a total of 9"),
        pytest.warns(UserWarning, match="One or more of the test scores are non-finite"),
    ):
        found = search(param_grid=grid, scoring=deadly, on=on).fit(X, y)
    assert_array_equal(np.isnan(found.cv_results_["mean_test_score"]), [False, True, False])
    assert found.best_params_["C"] in (1.0, 3.0)


def test_a_search_inside_a_spark_task_evaluates_there(spark: SparkSession) -> None:
    def nested(_: Any) -> float:
        inner = SparkSearchCV(SVC(), {"C": [0.1, 1.0]}, n_iter=2, cv=2, random_state=0)
        return float(cross_val_score(inner, X, y, cv=2).mean())

    assert spark.sparkContext.parallelize([0], 1).map(nested).collect()[0] > 0.5
