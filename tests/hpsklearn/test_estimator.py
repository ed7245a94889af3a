"""`HyperoptEstimator`: what its users rely on, and what hyperopt-sklearn could not do."""

from __future__ import annotations

import io
import pickle
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import check_estimator

import sparktune.hpsklearn as hpsklearn
from sparktune import Spark, Threads, hp, scope
from sparktune.errors import AllTrialsFailed, InvalidArgument
from sparktune.hpsklearn import HyperoptEstimator
from sparktune.hpsklearn._splits import splits_of
from sparktune.hyperopt import tpe
from sparktune.sklearn.processes import Processes
from sparktune.space.expression import as_apply

X, Y = load_iris(return_X_y=True)


def quick(**options: Any) -> HyperoptEstimator:
    given = {
        "classifier": hpsklearn.decision_tree_classifier("clf"),
        "preprocessing": [],
        "max_evals": 4,
        "seed": 0,
    }
    return HyperoptEstimator(**(given | options))


class Sleeper(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that takes long to fit, if it is told to."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def fit(self, X: Any, y: Any) -> Sleeper:
        time.sleep(self.seconds)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.classes_[0])


@scope.define
def sleeper(seconds: float) -> Sleeper:
    return Sleeper(seconds)


def statuses(model: HyperoptEstimator) -> list[str]:
    return [trial["result"]["status"] for trial in model.trials.trials]


def test_a_model_is_chosen_with_its_preprocessing() -> None:
    model = quick(preprocessing=hpsklearn.any_preprocessing("pre"), algo=tpe.suggest).fit(X, Y)
    assert len(model.trials.trials) == 4
    assert model.score(X, Y) > 0.8
    assert model.predict(X).shape == Y.shape
    best = model.best_model()
    assert set(best) == {"learner", "preprocs", "ex_preprocs"}
    assert len(best["preprocs"]) == 1
    assert isinstance(model.best_estimator_, Pipeline)
    assert (model.best_estimator_.predict(X) == model.predict(X)).all()
    assert model.predict_proba(X).shape == (150, 3)
    assert (model.classes_ == [0, 1, 2]).all()


def test_equal_seeds_give_equal_trials() -> None:
    first, again, other = (quick(seed=seed).fit(X, Y) for seed in (3, 3, 4))
    assert first.trials.vals == again.trials.vals
    assert first.trials.losses() == again.trials.losses()
    assert first.trials.vals != other.trials.vals


def test_warm_start_continues() -> None:
    model = quick().fit(X, Y)
    values = [trial["misc"]["vals"] for trial in model.trials.trials]
    model.set_params(max_evals=3).fit(X, Y, warm_start=True)
    assert len(model.trials.trials) == 7
    assert [trial["misc"]["vals"] for trial in model.trials.trials[:4]] == values
    assert model.trials.trials[4]["misc"]["vals"] not in values
    with pytest.raises(InvalidArgument, match="warm_start"):
        quick().fit(X, Y, warm_start=True)


def test_iterations_are_made_in_steps() -> None:
    steps = quick(fit_increment=2).fit_iter(X, Y)
    assert [len(next(steps).trials) for _ in range(3)] == [0, 2, 4]
    assert len(steps.send(1).trials) == 5


def test_one_bad_configuration_costs_one_trial() -> None:
    losses = hp.choice("loss", ["exponential", "log_loss"])  # the first cannot do three classes
    tree = hpsklearn.gradient_boosting_classifier("clf", n_estimators=3, loss=losses)
    model = quick(classifier=tree, max_evals=8).fit(X, Y)
    assert set(statuses(model)) == {"ok", "fail"}
    failed = next(t for t in model.trials.trials if t["result"]["status"] == "fail")
    assert "exponential" in failed["result"]["failure"]
    assert model.best_model()["learner"].loss == "log_loss"


def test_when_everything_fails_the_error_says_why() -> None:
    tree = hpsklearn.gradient_boosting_classifier("clf", n_estimators=3, loss="exponential")
    model = quick(classifier=tree)
    with pytest.raises(AllTrialsFailed, match="exponential"):
        model.fit(X, Y)
    with pytest.raises(NotFittedError):
        model.predict(X)
    assert statuses(model) == ["fail"] * 4


def test_a_trial_that_takes_too_long_is_a_failure() -> None:
    seconds = hp.choice("seconds", [0.0, 600.0])
    model = quick(classifier=scope.sleeper(seconds), max_evals=3, trial_timeout=10, seed=1)
    model.fit(X, Y)
    assert sorted(set(statuses(model))) == ["fail", "ok"]
    failed = [t for t in model.trials.trials if t["result"]["status"] == "fail"]
    assert {trial["result"]["failure"] for trial in failed} == {"TimeOut"}
    assert model.best_model()["learner"].seconds == 0
    with pytest.raises(InvalidArgument, match="processes that can be ended"):
        quick(trial_timeout=5, on=Threads(2)).fit(X, Y)


def test_trials_are_spark_tasks(spark: Any) -> None:
    here = quick(seed=5).fit(X, Y)
    there = quick(seed=5, on=Spark(1, session=spark)).fit(X, Y)
    assert there.trials.losses() == here.trials.losses()
    assert there.score(X, Y) == here.score(X, Y)
    together = quick(seed=5, on=Spark(2, session=spark), trial_timeout=300).fit(X, Y)
    assert statuses(together) == ["ok"] * 4


def test_processes_evaluate_side_by_side() -> None:
    assert statuses(quick(seed=5, on=Processes(2)).fit(X, Y)) == ["ok"] * 4


def test_loss_functions_get_all_predictions() -> None:
    seen: list[Any] = []

    def loss(truth: Any, guess: Any) -> float:
        seen.append((truth.shape, guess.shape))
        return float(np.mean(truth != guess))

    quick(loss_fn=loss).fit(X, Y, n_folds=5)
    assert seen == [((150,), (150,))] * 4
    model = quick(loss_fn=lambda truth, p: log_loss(truth, p), continuous_loss_fn=True).fit(X, Y)
    assert model.best_loss_ > 0
    with pytest.raises(InvalidArgument, match="continuous_loss_fn"):
        quick(continuous_loss_fn=True).fit(X, Y)


def test_a_scorer_is_maximised() -> None:
    model = quick(scoring="roc_auc_ovr").fit(X, Y)
    assert -1 <= model.best_loss_ < -0.7
    with pytest.raises(InvalidArgument, match="either scoring= or loss_fn="):
        quick(scoring="accuracy", loss_fn=log_loss).fit(X, Y)


def test_regressors_and_several_folds() -> None:
    A, b = load_diabetes(return_X_y=True)
    model = quick(classifier=None, regressor=hpsklearn.ridge("reg")).fit(A, b, n_folds=3)
    assert is_regressor(model)
    assert not is_classifier(model)
    assert model.score(A, b) > 0.3
    assert model.best_loss_ == pytest.approx(model.trials.best_trial["result"]["loss"])


def test_data_sets_beside_the_first_are_joined() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(150, 2))
    model = quick(
        preprocessing=[hpsklearn.ts_lagselector("lag", 1, 3)],
        ex_preprocs=[[hpsklearn.standard_scaler("ex")]],
    ).fit(noise, Y, EX_list=[X], cv_shuffle=True)
    assert model.score(noise, Y, EX_list=[X]) > 0.8
    assert len(model.best_model()["ex_preprocs"]) == 1
    assert not hasattr(model, "best_estimator_")


def test_tables_keep_their_columns() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(X.copy(), columns=["a", "b", "c", "d"])
    table.loc[::7, "a"] = np.nan
    table["name"] = np.where(rng.random(150) < 0.2, None, np.array(["u", "v", "w"])[Y])
    table["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(150), unit="D")
    model = quick(classifier=hpsklearn.logistic_regression("clf")).fit(table, Y)
    assert model.score(table, Y) > 0.9
    assert list(model.feature_names_in_) == list(table.columns)
    unseen = table.assign(name="never seen")
    assert model.predict(unseen).shape == (150,)


def test_gaps_of_arrays_are_filled_where_no_preprocessing_is_given() -> None:
    gaps = X.copy()
    gaps[::7, 0] = np.nan
    assert quick(preprocessing=None).fit(gaps, Y).score(gaps, Y) > 0.8


def test_sparse_matrices_and_texts_are_taken_as_they_are() -> None:
    model = HyperoptEstimator(max_evals=3, seed=0).fit(sparse.csc_matrix(abs(X)), Y)
    assert model.score(sparse.csr_matrix(abs(X)), Y) > 0.3
    texts = np.array(["a good film", "a bad film", "good fun", "bad taste"] * 10)
    words = HyperoptEstimator(max_evals=3, seed=0).fit(texts, np.array([1, 0, 1, 0] * 10))
    assert words.score(texts, np.array([1, 0, 1, 0] * 10)) >= 0.5


def test_epochs_end_when_they_do_not_help() -> None:
    sgd = hpsklearn.sgd_classifier("sgd", loss="log_loss")
    model = quick(classifier=sgd, use_partial_fit=True, max_evals=2).fit(X, Y)
    ended = [trial["result"] for trial in model.trials.trials]
    epochs = [each["iterations"] for each in ended if each["status"] == "ok"]
    assert epochs
    assert all(7 <= each <= 1000 for each in epochs)
    assert model.score(X, Y) > 0.5
    A, b = load_diabetes(return_X_y=True)
    reg = hpsklearn.sgd_regressor("sgd", loss="squared_error", learning_rate="adaptive", eta0=0.01)
    model = quick(classifier=None, regressor=reg, use_partial_fit=True, max_evals=2).fit(A, b)
    assert model.predict(A).shape == b.shape


def test_weights_go_to_the_model_and_to_the_loss() -> None:
    weights = np.where(Y == 2, 0.0, 1.0)
    model = quick().fit(X, Y, sample_weight=weights)
    assert not np.isin(model.predict(X[Y == 2]), [2]).any()
    assert model.best_loss_ < 0.1


def test_a_space_may_be_given_whole() -> None:
    tree = hpsklearn.decision_tree_classifier("clf")
    space = {"classifier": tree, "regressor": None, "preprocessing": None}
    for given in (space, as_apply(space)):
        model = HyperoptEstimator(space=given, max_evals=2, seed=0).fit(X, Y)
        assert model.best_model()["preprocs"] == ()
    with pytest.raises(InvalidArgument, match="not both"):
        HyperoptEstimator(space=space, classifier=tree).fit(X, Y)
    with pytest.raises(InvalidArgument, match="'preprocessing' is missing"):
        HyperoptEstimator(space={"classifier": tree, "regressor": None}).fit(X, Y)


def test_trials_are_dumped_after_each_increment(tmp_path: Path) -> None:
    file = tmp_path / "trials.pkl"
    quick(fit_increment=3, fit_increment_dump_filename=file).fit(X, Y)
    assert len(pickle.loads(file.read_bytes()).trials) == 4


def test_a_fitted_model_can_be_saved_and_cloned() -> None:
    model = quick(on=Spark(2)).set_params(on=None).fit(X, Y)
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    buffer.seek(0)
    loaded = joblib.load(buffer)
    assert (loaded.predict(X) == model.predict(X)).all()
    loaded.fit(X, Y, warm_start=True)
    assert len(loaded.trials.trials) == 8
    assert not hasattr(clone(model), "trials")


def test_without_refit_there_is_no_prediction() -> None:
    model = quick(refit=False).fit(X, Y)
    with pytest.raises(NotFittedError):
        model.predict(X)
    model.retrain_best_model_on_full_data(X, Y)
    assert model.score(X, Y) > 0.8


def test_folds_keep_classes_and_groups_together() -> None:
    options: dict[str, Any] = {"valid_size": 0.2, "shuffle": True, "random_state": 0}
    ((train, valid),) = splits_of(Y, True, n_folds=None, groups=None, **options)
    assert len(train) == 120
    assert np.bincount(Y[valid]).tolist() == [10, 10, 10]
    groups = np.arange(150) % 4
    folds = splits_of(Y, True, n_folds=5, groups=groups, **options)
    assert len(folds) == 4
    assert all(not set(groups[train]) & set(groups[valid]) for train, valid in folds)
    last = splits_of(Y, True, n_folds=None, groups=None, **options | {"shuffle": False})
    assert last[0][1].tolist() == list(range(120, 150))
    assert len(splits_of(Y, True, n_folds=-1, groups=None, **options)) == 150
    few = splits_of(np.array([0, 1, 2, 0]), True, n_folds=None, groups=None, **options)
    assert len(few) == 1
    with pytest.raises(InvalidArgument, match="does not fit the data"):
        splits_of(Y[:3], True, n_folds=5, groups=None, **options)


@pytest.mark.filterwarnings("ignore")  # of data that scikit-learn's checks make odd on purpose
@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_scikit_learns_checks_find_nothing(kind: str) -> None:
    nodes = {
        "classifier": hpsklearn.logistic_regression("model"),
        "regressor": hpsklearn.ridge("model"),
    }
    options = {"classifier": None, kind: nodes[kind]}
    check_estimator(quick(**options, max_evals=2))
