"""HyperoptSearchCV: against scikit-learn's own searches, checks and conventions."""

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
from sklearn import clone, config_context
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.datasets import make_classification
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, make_scorer, mean_absolute_error
from sklearn.model_selection import GridSearchCV, GroupKFold, ShuffleSplit, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import estimator_checks
from sklearn.utils._param_validation import InvalidParameterError

from sparktune import (
    InvalidArgument,
    SparkTrials,
    ThreadTrials,
    Trials,
    fmin,
    hp,
    rand,
)
from sparktune.sklearn import HyperoptSearchCV, NoCandidateScored
from sparktune.trial import Status

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

X, y = make_classification(90, n_features=5, random_state=0)
C = hp.loguniform("C", -5, 5)
PIPELINE = Pipeline([("scale", StandardScaler()), ("clf", SVC())])


def search(estimator: Any = None, space: Any = None, max_evals: int = 4, **more: Any) -> Any:
    defaults: dict[str, Any] = {"cv": 3, "random_state": 0}
    space = {"C": C} if space is None else space
    return HyperoptSearchCV(estimator or SVC(), space, max_evals, **(defaults | more))


class Picky(Ridge):  # type: ignore[misc]
    """Cannot be fitted with a large alpha."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        if self.alpha > 0.5:
            raise ArithmeticError(f"alpha {self.alpha} is too large")
        return super().fit(X, y, sample_weight)


class Strict(DummyRegressor):  # type: ignore[misc]
    """Wants the weights of its own samples."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        assert_array_equal(sample_weight, X[:, 0])
        return super().fit(X, y)


def picky(**more: Any) -> Any:
    return search(Picky(), {"alpha": hp.uniform("alpha", 0, 1)}, **more)


def checks() -> Iterator[Any]:
    """scikit-learn's checks of an estimator, for 1.6 and newer; those of array libraries aside."""
    if hasattr(estimator_checks, "estimator_checks_generator"):
        checked = search(Ridge(), {"alpha": hp.uniform("alpha", 0, 1)}, 2, cv=2)
        for estimator, check in estimator_checks.estimator_checks_generator(checked):
            name = getattr(check, "func", check).__name__
            if "array_api" not in name:
                yield pytest.param(estimator, check, id=name)


@pytest.mark.filterwarnings("ignore")  # what the checks do to an estimator makes it warn
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_scikit_learns_checks_of_estimators(estimator: Any, check: Any) -> None:
    check(estimator)


# What a search finds


@pytest.mark.parametrize("trials", [None, ThreadTrials(2)], ids=["in turn", "threads"])
@pytest.mark.parametrize(
    ("scoring", "refit"),
    [
        (None, True),
        ("accuracy", True),
        (["f1", "accuracy"], "accuracy"),
        ({"a": "accuracy", "b": make_scorer(accuracy_score)}, False),
    ],
)
def test_results_are_those_of_a_grid_search_over_the_same_candidates(
    trials: Any, scoring: Any, refit: Any
) -> None:
    settings = {"scoring": scoring, "refit": refit, "return_train_score": True}
    ours = search(trials=trials, **settings).fit(X, y)
    grid = [{"C": [params["C"]]} for params in ours.cv_results_["params"]]
    theirs = GridSearchCV(SVC(), grid, cv=3, **settings).fit(X, y)
    assert list(ours.cv_results_) == list(theirs.cv_results_)
    for key, column in theirs.cv_results_.items():
        if "_time" not in key:
            assert_array_equal(ours.cv_results_[key], column)
            assert type(ours.cv_results_[key]) is type(column)
    for name in ("best_params_", "best_score_", "best_index_", "multimetric_", "n_splits_"):
        assert getattr(ours, name, None) == getattr(theirs, name, None), name
    if refit:
        assert_array_equal(ours.predict(X), theirs.predict(X))
        assert ours.score(X, y) == theirs.score(X, y)
        assert ours.refit_time_ > 0


def test_trials_and_rows_tell_the_same() -> None:
    found = search().fit(X, y)
    assert len(found.trials_) == 4
    for i, result in enumerate(found.trials_.results):
        assert result["loss"] == -found.cv_results_["mean_test_score"][i]
        assert result["params"] == found.cv_results_["params"][i]
    assert found.best_index_ == found.trials_.best_trial["tid"]
    assert found.best_score_ == cross_val_score(SVC(**found.best_params_), X, y, cv=3).mean()


def test_earlier_scores_guide_later_candidates() -> None:
    def distance(estimator: Any, X: Any, y: Any) -> float:
        return -abs(float(estimator.constant) - 0.3)

    space = {"constant": hp.uniform("constant", 0, 1)}
    found = search(DummyRegressor(), space, 60, scoring=distance).fit(X, y)
    values = found.cv_results_["param_constant"]
    # Uniform draws would be within 0.1 six times in thirty on average, 14 times in 5e-4 of runs.
    assert np.sum(abs(values[30:] - 0.3) < 0.1) > 14


def test_conditional_parameters_are_masked_where_absent() -> None:
    svc, forest = SVC(C=7), RandomForestClassifier(random_state=0)
    options = [
        {"clf": svc, "clf__C": C},
        {"clf": forest, "clf__n_estimators": hp.uniformint("trees", 2, 5)},
    ]
    found = search(PIPELINE, hp.choice("kind", options), 6).fit(X, y)
    table = found.cv_results_
    is_svc = np.array([params["clf"] is svc for params in table["params"]])
    assert 0 < is_svc.sum() < 6
    assert_array_equal(table["param_clf__C"].mask, ~is_svc)
    assert_array_equal(table["param_clf__n_estimators"].mask, is_svc)
    assert not np.ma.is_masked(table["param_clf"])
    theirs = GridSearchCV(svc, {"degree": [2, 3]}, cv=2).fit(X, y).cv_results_["param_degree"]
    assert table["param_clf__n_estimators"].dtype == theirs.dtype  # int since scikit-learn 1.5
    frame = pd.DataFrame(table)
    assert_array_equal(frame["param_clf__C"].isna(), ~is_svc)
    assert frame["param_clf__n_estimators"].dropna().between(2, 5).all()
    assert svc.C == 7  # the space's estimators are cloned, and so are they in best_estimator_
    assert not hasattr(svc, "classes_")
    assert found.best_estimator_["clf"] is not found.best_params_["clf"]


def test_dicts_are_groups_of_parameters_unless_they_are_a_parameter() -> None:
    weights = hp.choice("weight", [{0: 1, 1: 2}])
    [params] = search(SVC(), {"class_weight": weights}, 1).fit(X, y).cv_results_["params"]
    assert params == {"class_weight": {0: 1, 1: 2}}
    space = {
        "clf": LogisticRegression(),
        "clf__class_weight": weights,
        "any name": hp.choice("tol", [{"clf__tol": 0.1, "more": {"clf__C": C}}]),
    }
    pipeline = Pipeline([("clf", Ridge())])  # which has no class_weight
    [params] = search(pipeline, space, 1).fit(X, y).cv_results_["params"]
    assert params.keys() == {"clf", "clf__class_weight", "clf__tol", "clf__C"}
    assert params["clf__class_weight"] == {0: 1, 1: 2}


# Arguments


def test_candidates_are_determined_by_random_state() -> None:
    def points(random_state: Any) -> list[Any]:
        found = search(max_evals=3, random_state=random_state).fit(X, y)
        return list(found.cv_results_["params"])

    assert points(1) == points(np.int64(1)) == points(1)
    assert points(1) != points(2)
    assert points(np.random.RandomState(1)) == points(np.random.RandomState(1))
    assert points(np.random.default_rng(1)) == points(np.random.default_rng(1))
    assert points(None) != points(None)


def test_algo_is_passed_on() -> None:
    found, trials = search(algo=rand.suggest).fit(X, y), Trials()
    fmin(lambda c: c["C"], {"C": C}, rand.suggest, 4, trials=trials, seed=0, verbose=False)
    assert_array_equal(found.cv_results_["param_C"], trials.vals["C"])


@pytest.mark.parametrize("cv", [ShuffleSplit(3), ShuffleSplit(3).split(X)])
def test_all_candidates_see_the_same_splits(cv: Any) -> None:
    found = search(space={"max_iter": hp.uniformint("n", 1000, 2000)}, cv=cv).fit(X, y)
    assert np.ptp(found.cv_results_["mean_test_score"]) == 0


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("trials", [None, ThreadTrials(2)], ids=["in turn", "threads"])
def test_groups_and_fit_parameters_reach_splitter_and_estimator(trials: Any, routing: bool) -> None:
    groups = np.arange(90) // 10
    with config_context(enable_metadata_routing=routing):
        estimator, scorer = Strict(), make_scorer(mean_absolute_error, greater_is_better=False)
        if routing:
            estimator.set_fit_request(sample_weight="first")
            scorer.set_score_request(sample_weight=False)
        weights = {"first" if routing else "sample_weight": X[:, 0]}
        space = {"constant": hp.uniform("constant", 0, 1)}
        found = search(estimator, space, 2, trials=trials, cv=GroupKFold(9), scoring=scorer)
        found.fit(X, groups, groups=groups, **weights)
        scores = [found.cv_results_[f"split{i}_test_score"][1] for i in range(found.n_splits_)]
        # Each fold is one group, predicted by the mean of the others.
        assert sorted(scores) == pytest.approx(sorted(-abs(g - (36 - g) / 8) for g in range(9)))
        with pytest.raises(ValueError, match="group"):
            found.fit(X, groups, **weights)


def test_metric_to_optimise_must_be_clear() -> None:
    for refit in (True, "precision"):
        with pytest.raises(InvalidArgument, match=r"refit must be the name .*'f1', 'recall'"):
            search(scoring=["f1", "recall"], refit=refit).fit(X, y)

    def several(estimator: Any, X: Any, y: Any) -> dict[str, float]:
        return {"first": float(estimator.C), "second": -float(estimator.C)}

    with pytest.raises(ValueError, match=r"scoring gives \['first', 'second'\]; refit must"):
        search(scoring=several).fit(X, y)
    found = search(scoring=several, refit="second").fit(X, y)
    assert found.best_params_["C"] == min(found.cv_results_["param_C"])
    assert found.trials_.best_trial["result"]["loss"] == -found.best_score_


def test_refit_may_be_a_function_or_off() -> None:
    found = search(refit=lambda table: int(table["mean_test_score"].argmin())).fit(X, y)
    assert found.cv_results_["rank_test_score"][found.best_index_] > 1
    assert found.best_params_["C"] == found.best_estimator_.C
    assert not hasattr(found, "best_score_")
    found = search(refit=False).fit(X, y)
    assert found.best_params_ in found.cv_results_["params"]
    assert not hasattr(found, "best_estimator_")
    assert not hasattr(found, "predict")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"space": {"D": C}}, "space does not fit the estimator: Invalid parameter 'D'"),
        ({"space": {"kind": hp.choice("k", [{"C": 1}, {"D": 1}])}}, "Invalid parameter 'D'"),
        ({"space": C}, "the space must give dicts of parameters"),
        ({"space": {"C": 1}, "max_evals": 0}, "max_evals must be an integer >= 1"),
        ({"random_state": "zero"}, "random_state must be an integer"),
        ({"random_state": -1}, "random_state must be an integer"),
        ({"trials": Trials}, "trials must be Trials"),
        ({"algo": "best"}, "best"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_evaluated(
    arguments: dict[str, Any], message: str
) -> None:
    def unreachable(*args: Any) -> float:
        raise AssertionError

    arguments.setdefault("space", {"C": C})
    with pytest.raises(ValueError, match=message) as caught:
        search(scoring=unreachable, **arguments).fit(X, y)
    assert isinstance(caught.value, InvalidArgument)


def test_verbose_shows_a_bar(capfd: pytest.CaptureFixture[str]) -> None:
    search(max_evals=2).fit(X, y)
    assert capfd.readouterr() == ("", "")
    search(max_evals=2, verbose=1).fit(X, y)
    out, err = capfd.readouterr()
    assert out.startswith("best score")
    assert "2/2" in err


# Failures


def test_a_failing_candidate_scores_nan_and_is_never_the_best() -> None:
    with (
        pytest.warns(FitFailedWarning, match=r"(?s)fits failed out of a total of 24.*alpha 0"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        found = picky(max_evals=8).fit(X, y)
    table = found.cv_results_
    failed = table["param_alpha"] > 0.5
    assert 0 < failed.sum() < 8
    for key in ("split0_test_score", "mean_test_score", "std_test_score"):
        assert_array_equal(np.isnan(table[key]), failed)
    assert (table["rank_test_score"][failed] == 1 + (~failed).sum()).all()
    assert found.best_params_["alpha"] <= 0.5


def test_a_failing_candidate_scores_error_score() -> None:
    with pytest.warns(FitFailedWarning):
        found = picky(max_evals=8, error_score=-5).fit(X, y)
    failed = found.cv_results_["param_alpha"] > 0.5
    assert (found.cv_results_["mean_test_score"][failed] == -5).all()
    assert (found.cv_results_["std_test_score"][failed] == 0).all()


def test_error_score_raise_ends_the_search() -> None:
    with pytest.raises(ArithmeticError, match="too large"):
        picky(max_evals=50, error_score="raise").fit(X, y)
    parallel = picky(max_evals=50, error_score="raise", trials=ThreadTrials(2))
    with pytest.raises(ArithmeticError, match="too large"):  # as threads have it in this process
        parallel.fit(X, y)
    assert len(parallel.trials_.records) < 50


def test_when_all_candidates_fail_the_first_failure_is_told() -> None:
    space = {"alpha": hp.uniform("alpha", 1, 2)}
    for trials in (None, ThreadTrials(2)):
        with pytest.raises(NoCandidateScored, match=r"(?s)of the 4 .*ArithmeticError: alpha"):
            search(Picky(), space, trials=trials).fit(X, y)


# Fitting again


def test_warm_start_goes_on_and_keeps_earlier_rows() -> None:
    found = search(max_evals=2, warm_start=True).fit(X, y)
    first = found.cv_results_["params"]
    found = found.set_params(max_evals=4).fit(X, y)
    at_once = search(max_evals=4).fit(X, y)
    assert found.cv_results_["params"][:2] == first
    assert found.cv_results_["params"] == at_once.cv_results_["params"]
    assert_array_equal(found.cv_results_["mean_test_score"], at_once.cv_results_["mean_test_score"])
    rows = found.fit(X, y).cv_results_  # nothing left to evaluate
    assert len(rows["params"]) == 4


def test_warm_start_goes_on_from_the_given_trials() -> None:
    trials = search(max_evals=2).fit(X, y).trials_
    again = search(max_evals=3, warm_start=True, trials=trials).fit(X, y)
    assert again.trials_ is trials
    assert len(again.cv_results_["params"]) == 3


def test_warm_start_may_change_the_splits() -> None:
    found = search(max_evals=1, warm_start=True, cv=2, error_score=-5).fit(X, y)
    with pytest.warns(UserWarning, match="non-finite"):
        found.set_params(max_evals=2, cv=3).fit(X, y)
    assert_array_equal(np.isnan(found.cv_results_["split2_test_score"]), [True, False])


def test_without_warm_start_each_fit_is_new_and_trials_stay_as_they_are() -> None:
    trials = search(max_evals=2).fit(X, y).trials_
    found = search(max_evals=3, trials=trials, random_state=1).fit(X, y)
    rows = found.cv_results_["params"]
    assert rows == search(max_evals=3, random_state=1).fit(X, y).cv_results_["params"]
    assert len(trials) == 2
    assert found.fit(X, y).cv_results_["params"] == rows


def test_trials_of_something_else_are_refused() -> None:
    trials = Trials()
    fmin(lambda c: c["C"], {"C": C}, max_evals=1, trials=trials, verbose=False)
    with pytest.raises(InvalidArgument, match="trial 0, which is not a candidate"):
        search(trials=trials, warm_start=True).fit(X, y)


# scikit-learn's conventions


def test_it_is_the_kind_of_estimator_it_searches_for() -> None:
    assert is_classifier(search())
    assert is_regressor(search(Ridge()))


def test_it_can_be_cloned_pickled_and_nested() -> None:
    trials = ThreadTrials(3)
    original = search(max_evals=2, trials=trials, space={"clf__C": C}, estimator=PIPELINE)
    copied = clone(original.set_params(estimator__clf__tol=0.1))
    assert copied.get_params()["estimator__clf__tol"] == 0.1
    assert copied.trials.parallelism == 3
    restored = pickle.loads(pickle.dumps(copied.fit(X, y)))
    assert_array_equal(restored.predict(X), copied.predict(X))
    assert restored.trials_.results == copied.trials_.results
    assert cross_val_score(search(max_evals=2), X, y, cv=2).shape == (2,)


def test_data_frames_and_targets_of_several_columns() -> None:
    frame = pd.DataFrame(X, columns=list("abcde"))
    alpha = {"alpha": hp.uniform("alpha", 0, 1)}
    found = search(Ridge(), alpha).fit(frame, np.column_stack([y, y]))
    assert list(found.feature_names_in_) == list("abcde")
    assert found.predict(frame).shape == (90, 2)


def test_estimators_without_targets() -> None:
    class Centre(BaseEstimator):  # type: ignore[misc]
        def __init__(self, at: float = 0.0) -> None:
            self.at = at

        def fit(self, X: Any) -> Any:
            return self

        def score(self, X: Any) -> float:
            return -float(abs(X - self.at).mean())

    found = search(Centre(), {"at": hp.uniform("at", 5, 6)}).fit(X)
    assert found.best_params_["at"] == min(found.cv_results_["param_at"])


# On Spark, and without


def test_candidates_are_evaluated_as_spark_tasks(spark: SparkSession) -> None:
    def where(estimator: Any, X: Any, y: Any) -> dict[str, float]:
        from pyspark import TaskContext

        context = TaskContext.get()
        stage = -1 if context is None else context.stageId()
        return {"accuracy": estimator.score(X, y), "stage": stage}

    space = {"clf": hp.choice("clf", [SVC(), LogisticRegression()]), "clf__C": C}
    found = search(
        PIPELINE, space, 6, trials=SparkTrials(parallelism=2), scoring=where, refit="accuracy"
    ).fit(X, y)
    stages = np.array([found.cv_results_[f"split{fold}_test_stage"] for fold in range(3)])
    assert (stages >= 0).all()
    assert len(np.unique(stages)) > 1  # short folds share stages
    assert found.trials_.parallelism == 2
    for params, score in zip(
        found.cv_results_["params"], found.cv_results_["mean_test_accuracy"], strict=True
    ):
        here = clone(PIPELINE).set_params(**clone(params, safe=False))
        assert score == pytest.approx(cross_val_score(here, X, y, cv=3).mean())
    assert found.predict(X).shape == (90,)


def test_failures_on_spark_are_explained(spark: SparkSession) -> None:
    space = {"C": hp.uniform("C", -2, -1)}
    for error_score, kind in ((np.nan, NoCandidateScored), ("raise", InvalidParameterError)):
        failing = search(space=space, trials=SparkTrials(2), error_score=error_score)
        with pytest.raises(kind, match="The 'C' parameter of SVC"):
            failing.fit(X, y)
        assert not any(trial.status is Status.OK for trial in failing.trials_.records.values())


def test_the_package_does_without_scikit_learn() -> None:
    program = (
        "import sys, sparktune; assert 'sklearn' not in sys.modules; sys.modules['sklearn'] = None;"
        "import sparktune.sklearn"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pip install 'sparktune[sklearn]'" in result.stderr
    assert "AssertionError" not in result.stderr


def test_earlier_places_of_the_search_lead_to_it() -> None:
    from sparktune.search_cv import HyperoptSearchCV as First
    from sparktune.search_cv.search import HyperoptSearchCV as Second

    assert First is Second is HyperoptSearchCV
