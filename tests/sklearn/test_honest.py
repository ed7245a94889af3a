"""What a search says of its best candidate: corrected scores, choices, ensembles."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn import __version__, clone
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import GroupKFold, RepeatedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sparktune import InvalidArgument, Serial, Spark
from sparktune.sklearn import SparkSearchCV, predictions
from sparktune.sklearn.corrected import tibshirani, wilson
from sparktune.sklearn.predictions import entries, responses
from sparktune.sklearn.weighted import weighted

X, y = make_classification(120, n_features=6, n_informative=4, flip_y=0.2, random_state=0)
R, r = make_regression(80, n_features=4, noise=20.0, random_state=0)
SPLITS = [(np.arange(120)[np.arange(120) % 3 != k], np.arange(k, 120, 3)) for k in range(3)]


def search(estimator: Any = None, space: Any = None, **more: Any) -> Any:
    given: dict[str, Any] = {"cv": 3, "random_state": 0, "on": Serial(), "n_iter": 5}
    space = {"C": stats.loguniform(0.001, 10)} if space is None else space
    model = LogisticRegression() if estimator is None else estimator
    return SparkSearchCV(model, space, **(given | more))


# Scores of kept predictions


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (LogisticRegression(), "accuracy"),
        (LogisticRegression(), "neg_log_loss"),
        (LogisticRegression(), "roc_auc"),
        (KNeighborsClassifier(3), "roc_auc"),  # with many equal answers
        (LogisticRegression(), "f1"),
        (Ridge(), "r2"),
        (Ridge(), "neg_mean_squared_error"),
        (Ridge(), "neg_mean_absolute_error"),
        (Ridge(), "neg_median_absolute_error"),
    ],
)
def test_scores_of_samples_are_those_of_scikit_learn(model: Any, name: str) -> None:
    data, targets = (R, r) if isinstance(model, Ridge) else (X, y)
    known = entries(model, targets, [([], np.arange(len(targets)))], None)
    assert known is not None
    fitted = model.fit(data, targets)
    told = {"predict": fitted.predict(data)}
    if not isinstance(model, Ridge):
        told["predict_proba"] = fitted.predict_proba(data)
    W = (
        np.random.default_rng(0)
        .multinomial(len(data), [1 / len(data)] * len(data), 5)
        .astype(float)
    )
    scorer = get_scorer(name)
    score, _ = weighted(scorer, known)
    for weights, mine in zip(W, score(told, W), strict=True):
        drawn = np.repeat(np.arange(len(data)), weights.astype(int))
        assert mine == pytest.approx(scorer(fitted, data[drawn], targets[drawn]), rel=1e-9)


def test_what_is_kept_is_what_a_cross_validation_predicts() -> None:
    found = search(cv=SPLITS, space={"C": [0.1]}, n_iter=1, ensemble=1).fit(X, y)
    known = entries(found.estimator, y, SPLITS, None)
    assert known is not None
    told = responses(found.study_, 0, known)
    assert told is not None
    model = LogisticRegression(C=0.1)
    assert_array_equal(told["predict"], cross_val_predict(model, X, y, cv=SPLITS)[known.rows])
    theirs = cross_val_predict(model, X, y, cv=SPLITS, method="predict_proba")
    assert_allclose(told["predict_proba"], theirs[known.rows], rtol=1e-5)


def test_a_fold_may_lack_a_class() -> None:
    three = np.repeat([0, 1, 2], 40)
    splits = [(np.arange(80), np.arange(80, 120)), (np.arange(40, 120), np.arange(40))]
    found = search(GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}, cv=splits, ensemble=2).fit(
        X, three
    )
    told = responses(found.study_, 0, entries(GaussianNB(), three, splits, None))  # type: ignore[arg-type]
    assert told is not None
    assert (told["predict_proba"][:40, 2] == 0).all()
    assert (told["predict_proba"][40:, 0] == 0).all()


def test_only_the_best_candidates_predictions_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "CANDIDATES", 3)
    found = search(n_iter=8).fit(X, y)
    kept = predictions.attached(found.study_)
    means = found.cv_results_["mean_test_score"]
    assert len(kept) == 3
    assert_array_equal(np.sort(means[kept]), np.sort(means)[-3:])


# Corrected scores


def test_noise_is_not_taken_for_skill() -> None:
    rng = np.random.default_rng(3)
    noise, coins = rng.normal(size=(60, 10)), np.arange(60) % 2
    space = {"max_depth": [*range(1, 9)], "random_state": [*range(20)]}
    model = DecisionTreeClassifier(max_features=1)
    found = search(model, space, n_iter=60, sampler="random").fit(noise, coins)
    assert found.best_score_ > 0.6
    assert found.corrected_score_ < found.best_score_ - 0.05
    low, high = found.corrected_interval_
    assert low < 0.5 < high


def test_tibshirani_by_hand() -> None:
    folds = np.array([[0.9, 0.7, 0.8], [0.6, 0.8, 0.7], [np.nan, 1.0, 1.0]])
    told = tibshirani(folds, 0, "there is nothing else")
    assert told.score == pytest.approx(0.8 - 0.1 / 3)  # the second one is better in one fold
    half = stats.t.ppf(0.975, 2) * 0.1 / np.sqrt(3)
    assert told.interval == pytest.approx((told.score - half, told.score + half))


@pytest.mark.parametrize(
    ("options", "source"),
    [
        ({}, "BBC-CV, 300 .* of 5 candidates"),
        ({"scoring": "f1"}, "BBC-CV, 100 .* of 5 candidates"),
        ({"cv": RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)}, "BBC-CV"),
        ({"keep_predictions": False}, "Tibshirani"),
        ({"scoring": lambda model, X, y: float(model.C)}, "Tibshirani"),
        ({"select": "1se"}, "more than the score"),
        ({"refit": lambda table: 0}, "more than the score"),
    ],
)
def test_where_the_corrected_score_is_from(options: dict[str, Any], source: str) -> None:
    import re

    found = search(**options).fit(X, y)
    assert re.search(source, found.corrected_by_)
    assert np.isfinite(found.corrected_score_) == ("more" not in source)


def test_weights_of_samples_count_where_the_scorer_has_them() -> None:
    weights = np.where(y == 1, 5.0, 1.0)
    found = search(scoring="accuracy").fit(X, y, sample_weight=weights)
    to_scorers = tuple(map(int, __version__.split(".")[:2])) >= (1, 7)  # of scikit-learn
    assert ("depends on more" in found.corrected_by_) == to_scorers


def test_groups_are_drawn_whole() -> None:
    groups = np.repeat(np.arange(12), 10)
    found = search(cv=GroupKFold(3)).fit(X, y, groups=groups)
    assert len(set(predictions.entries(found, y, SPLITS, groups).units)) == 12  # type: ignore[union-attr]
    assert "BBC-CV" in found.corrected_by_


# Choices


def test_one_standard_error_takes_the_quickest_of_those_alike() -> None:
    best = search(n_iter=8).fit(X, y)
    rows = [row for row in best.leaderboard_ if row["like_the_best"]]
    assert best.leaderboard_[0]["candidate"] == best.best_index_
    assert best.leaderboard_[0]["like_the_best"]
    assert f"{len(rows)} of 8 candidates" in best.remark_
    quick = search(n_iter=8, select="1se").fit(X, y)
    alike = [row["candidate"] for row in quick.leaderboard_ if row["like_the_best"]]
    times = quick.cv_results_["mean_fit_time"]
    assert quick.best_index_ == min(alike, key=lambda i: times[i])
    assert quick.best_params_ == quick.cv_results_["params"][quick.best_index_]


def test_samples_for_a_test_are_scored_and_nothing_else() -> None:
    plain = search().fit(X[:80], y[:80])
    tested = search(verbose=0).fit(X[:80], y[:80], test=(X[80:], y[80:]))
    assert tested.test_score_ == plain.score(X[80:], y[80:])
    assert tested.best_params_ == plain.best_params_


def test_the_summary_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    found = search(verbose=1).fit(X, y)
    text = capsys.readouterr().out
    assert f"best score {found.best_score_:.4g}" in text
    assert f"{found.corrected_score_:.4g}" in text


# Ensembles


@pytest.mark.parametrize("on", ["serial", "spark"])
def test_an_ensemble_is_the_weighted_mean_of_its_members(
    on: str, request: pytest.FixtureRequest
) -> None:
    if on == "spark":
        request.getfixturevalue("spark")
    platform = Spark(2) if on == "spark" else Serial()
    found = search(ensemble=5, refit="ensemble", n_iter=4, on=platform).fit(X, y)
    weights = found.ensemble_weights_
    assert sum(weights.values()) == pytest.approx(1)
    assert [row["weight"] for row in found.leaderboard_] == [
        weights.get(row["candidate"], 0.0) for row in found.leaderboard_
    ]
    mean = sum(
        weight * LogisticRegression(**found.cv_results_["params"][row]).fit(X, y).predict_proba(X)
        for row, weight in weights.items()
    )
    assert_allclose(found.predict_proba(X), mean, rtol=1e-7)
    assert_array_equal(found.predict(X), mean.argmax(axis=1))
    again = pickle.loads(pickle.dumps(found.ensemble_))
    assert b"sparktune" not in pickle.dumps(found.ensemble_)
    assert_array_equal(again.predict(X), found.predict(X))


def test_an_ensemble_of_numbers_and_of_texts() -> None:
    numbers = search(Ridge(), {"alpha": stats.loguniform(0.01, 100)}, ensemble=3).fit(R, r)
    assert numbers.ensemble_.score(R, r) > 0.8
    assert numbers.best_estimator_ is not numbers.ensemble_
    texts = search(ensemble=3).fit(X, np.where(y, "yes", "no"))
    assert set(texts.ensemble_.predict(X)) == {"yes", "no"}


def test_an_ensemble_scores_at_least_as_well_on_what_was_kept() -> None:
    found = search(ensemble=10, scoring="neg_log_loss", n_iter=8).fit(X, y)
    known = entries(found.estimator, y, list(_folds(found)), None)
    assert known is not None
    told = {i: responses(found.study_, i, known) for i in found.ensemble_weights_}
    mean: Any = sum(found.ensemble_weights_[i] * told[i]["predict_proba"] for i in told)  # type: ignore[index]
    score, _ = weighted(found.scorer_, known)
    ones = np.ones((1, len(known.y)))
    alone = [score(it, ones)[0] for it in told.values()]  # type: ignore[arg-type]
    assert score({"predict_proba": mean}, ones)[0] >= max(alone) - 1e-6


@pytest.mark.parametrize(("draws", "first"), [(1, 1), (8, 2), (12, 3), (40, 3)])
def test_an_ensemble_begins_with_the_best(draws: int, first: int) -> None:
    found = search(ensemble=draws, scoring="neg_log_loss", n_iter=8).fit(X, y)
    weights = [row["weight"] for row in found.leaderboard_]
    assert min(weights[:first]) >= 1 / draws
    assert sum(weights) == pytest.approx(1)
    assert all(weight * draws == pytest.approx(round(weight * draws)) for weight in weights)


def _folds(found: Any) -> Any:
    from sklearn.model_selection import check_cv

    return check_cv(found.cv, y, classifier=True).split(X, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"refit": "ensemble"}, "needs ensemble="),
        ({"ensemble": -1}, "ensemble"),
        ({"ensemble": 2, "keep_predictions": False}, "keep_predictions"),
        ({"select": "2se"}, "select must be"),
        ({"select": "1se", "refit": lambda table: 0}, "leave out select"),
        ({"ensemble": 2, "estimator": SVC()}, "predict_proba"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        search(**options).fit(X, y)


def test_options_survive_a_clone() -> None:
    options = {"select": "1se", "ensemble": 3, "keep_predictions": True}
    assert clone(search(**options)).get_params().items() >= options.items()


def test_the_interval_of_a_share_is_wide_even_if_all_are_right() -> None:
    for right in (0, 45, 90):
        theirs = stats.binomtest(right, 90).proportion_ci(method="wilson")
        assert_allclose(wilson(right / 90, 90), (theirs.low, theirs.high), atol=1e-12)
    easy = (np.arange(60) % 2)[:, None] + np.linspace(0, 0.1, 60)[:, None]
    found = search(cv=5).fit(easy, np.arange(60) % 2)
    assert found.best_score_ == 1.0
    assert_allclose(found.corrected_interval_, wilson(1.0, 60))


@pytest.mark.parametrize(
    ("scoring", "low", "high"),
    [(None, 0, 1), ("roc_auc", 0, 1), ("neg_log_loss", -np.inf, 0), ("r2", -np.inf, 1)],
)
def test_a_corrected_score_is_one_that_there_can_be(scoring: Any, low: float, high: float) -> None:
    model: Any = Ridge() if scoring == "r2" else LogisticRegression()
    name = "alpha" if scoring == "r2" else "C"
    target = X[:, 0] * 3 + X[:, 1] if scoring == "r2" else X[:, 0] > 0
    found = search(
        model, space={name: [1e-3, 1.0, 1e3]}, cv=2, scoring=scoring, keep_predictions=False
    ).fit(X[:101], target[:101])
    least, most = found.corrected_interval_
    assert "Tibshirani" in found.corrected_by_
    assert low <= least <= found.corrected_score_ <= most <= high
    assert most == high
