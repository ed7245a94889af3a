"""Models whose space nobody writes, on tables as people have them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sparktune import InvalidArgument, Serial
from sparktune.sklearn import SparkSearchCV, any_classifier, any_regressor
from sparktune.sklearn.preparation import preparation_of
from sparktune.space.space import Space


def table() -> tuple[pd.DataFrame, Any]:
    """Numbers with gaps, categories with gaps, dates and texts; the target depends on numbers."""
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X, y = X.iloc[:200, :4].copy(), y[:200].to_numpy()
    X.iloc[::9, 2] = np.nan
    X["kind"] = [None, "some", "other"] * 66 + ["some", None]
    X["level"] = pd.Categorical(np.array(["low", "high"])[y])
    X["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(200), unit="h")
    X["note"] = [f"patient number {i} came on a rainy day" for i in range(200)]
    return X, y


def test_a_table_becomes_numbers() -> None:
    X, _ = table()
    Z = preparation_of(X).fit_transform(X)
    assert Z.dtype.kind == "f"
    assert np.isfinite(Z).all()
    unseen = X.assign(kind="new", when=pd.NaT)
    unseen.iloc[:, 0] = np.nan
    assert preparation_of(X).fit(X).transform(unseen).shape == Z.shape


def test_numbers_without_gaps_need_nothing() -> None:
    X, _ = load_diabetes(return_X_y=True, as_frame=True)
    assert preparation_of(X) is None
    assert preparation_of(X.to_numpy()) is None
    gaps = X.to_numpy().copy()
    gaps[0, 0] = np.nan
    assert np.isfinite(preparation_of(gaps).fit_transform(gaps)).all()


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
def test_a_table_of_newer_types_is_prepared_like_one_of_numpys(backend: Any) -> None:
    X, _ = table()
    newer = X.drop(columns="level").convert_dtypes(dtype_backend=backend)
    assert not {str(dtype) for dtype in newer.dtypes} & {"float64", "object"}
    Z = preparation_of(newer).fit_transform(newer)
    expected = preparation_of(X.drop(columns="level")).fit_transform(X.drop(columns="level"))
    assert np.allclose(Z.astype(float), expected)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_table_of_polars_gives_what_one_of_pandas_gives() -> None:
    polars = pytest.importorskip("polars")
    X, y = table()
    found = [
        SparkSearchCV(any_classifier(), n_iter=3, cv=2, on=Serial(), random_state=0).fit(given, y)
        for given in (X, polars.from_pandas(X))
    ]
    scores = [each.cv_results_["mean_test_score"] for each in found]
    assert np.allclose(*scores)
    assert scores[0].min() > 0.8
    assert (found[1].predict(polars.from_pandas(X)) == found[0].predict(X)).all()
    program: dict[str, Any] = {}
    exec(found[1].export(), program)
    again = program["model"].fit(polars.from_pandas(X), y)
    assert (again.predict(polars.from_pandas(X)) == found[0].predict(X)).all()


def test_an_array_of_objects_is_a_table() -> None:
    X, _ = table()
    objects = X[["mean radius", "mean perimeter", "kind"]].to_numpy(dtype=object)
    Z = preparation_of(objects).fit_transform(objects)
    assert np.isfinite(Z.astype(float)).all()
    assert Z.shape == (200, 2 + 1 + 3)


def test_columns_of_the_same_name_are_refused() -> None:
    X = pd.DataFrame([["a", 1.0], ["b", 2.0]], columns=["x", "x"])
    with pytest.raises(InvalidArgument, match=r"come twice: \['x'\]"):
        preparation_of(X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
def test_one_line_gives_a_pipeline_that_can_be_printed() -> None:
    X, y = table()
    search = SparkSearchCV(any_classifier(), n_iter=4, cv=2, on=Serial(), random_state=0).fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert search.score(X, y) > 0.85
    assert search.classes_.tolist() == [0, 1]
    assert isinstance(search.best_estimator_.pipeline_, Pipeline)
    program: dict[str, Any] = {}
    exec(search.export(), program)
    assert (program["model"].fit(X, y).predict(X) == search.predict(X)).all()


@pytest.mark.filterwarnings("ignore:k=")
@pytest.mark.parametrize("kind", ["texts", "series", "sparse"])
def test_texts_and_sparse_matrices_can_be_searched(kind: str) -> None:
    y = np.array(["good", "bad"] * 24)
    texts = ["good movie", "bad film", "great good story", "awful bad plot"] * 12
    X: Any = {
        "texts": texts,
        "series": pd.Series(texts, name="text"),
        "sparse": CountVectorizer().fit_transform(texts),
    }[kind]
    n = 6 if kind == "texts" else 3  # the others become what these become
    search = SparkSearchCV(any_classifier(), n_iter=n, cv=2, on=Serial(), random_state=0).fit(X, y)
    assert search.score(X, y) == 1.0
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    program: dict[str, Any] = {}
    exec(search.export(), program)
    assert (program["model"].fit(X, y).predict(X) == y).all()


def begun(model: Any, probabilities: bool = False) -> list[Any]:
    """The pipelines that a search evaluates first."""
    space, start = model.search_space(probabilities)
    known = Space(space)
    return [known.decode(known.check(point))["pipeline"] for point in start]


def changed(model: Any) -> dict[str, Any]:
    """The parameters that are not scikit-learn's defaults."""
    usual = type(model)().get_params() | {"random_state": 0, "max_iter": None}
    given = model.get_params() | {"max_iter": None}
    return {key: it for key, it in given.items() if it != usual[key]}


def test_it_begins_with_what_scikit_learn_would_do() -> None:
    for model, name in ((any_classifier(), "Classifier"), (any_regressor(), "Regressor")):
        first = begun(model)[:4]
        kinds = [type(it["model"]).__name__ for it in first]
        linear = "LogisticRegression" if name == "Classifier" else "Ridge"
        trees = [f"{kind}{name}" for kind in ("HistGradientBoosting", "RandomForest", "ExtraTrees")]
        assert kinds == [*trees[:2], linear, trees[2]]
        assert [changed(it["model"]) for it in first] == [{}] * 4
        assert [len(it["steps"]) for it in first] == [0, 0, 1, 0]
        assert isinstance(first[2]["steps"][0], StandardScaler)


def test_the_portfolio_varies_the_strongest() -> None:
    slow, steps, quantile, leaves = begun(any_regressor())[5:]
    assert changed(slow["model"]) == {
        "learning_rate": 0.05,
        "n_estimators": 300,
        "subsample": 0.6,
        "max_features": 0.5,
    }
    assert changed(steps["model"])["max_leaf_nodes"] == 7
    assert steps["model"].max_iter == 250
    assert quantile["model"].regressor.C == 3.0
    assert quantile["steps"][0].get_params()["output_distribution"] == "normal"
    assert changed(leaves["model"])["max_features"] == 0.7


def test_features_are_scaled_for_models_that_need_it() -> None:
    needy = {"SVC", "KNeighborsClassifier", "LogisticRegression", "SGDClassifier"}
    known = Space(any_classifier().search_space()[0])
    for row in known.sample(np.random.default_rng(0), 100):
        pipeline = known.decode(known.values(row))["pipeline"]
        assert bool(pipeline["steps"]) is (type(pipeline["model"]).__name__ in needy)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_a_regressor_does_not_depend_on_the_unit_of_the_target(scale: float) -> None:
    X, y = (each[:150] for each in load_diabetes(return_X_y=True))
    kernel = next(it for it in begun(any_regressor()) if it["steps"] and "SVR" in str(it["model"]))
    fitted = any_regressor().set_params(**kernel).fit(X, y * scale)
    assert fitted.score(X, y * scale) > 0.5


def parameters(search: Any) -> list[str]:
    return [str(each) for each in search.cv_results_["params"]]


def test_searches_that_continue_have_the_rest_of_the_portfolio(tmp_path: Any) -> None:
    X, y = (each[:80] for each in load_diabetes(return_X_y=True))

    def search(**more: Any) -> Any:
        return SparkSearchCV(any_regressor(), cv=2, on=Serial(), random_state=0, **more)

    whole = parameters(search(n_iter=11).fit(X, y))
    for given in {"journal": tmp_path / "search.jsonl"}, {"warm_start": True}:
        begun = search(n_iter=4, **given).fit(X, y)
        assert len(parameters(begun)) == 4
        begun.set_params(n_iter=11).fit(X, y)
        assert parameters(begun) == whole


@pytest.mark.parametrize(
    "given", [{"scoring": ["accuracy", "neg_log_loss"]}, {"ensemble": 3, "refit": "ensemble"}]
)
def test_every_candidate_has_what_the_search_needs(given: dict[str, Any]) -> None:
    X, y = (each[:60] for each in load_breast_cancer(return_X_y=True))
    options = {"refit": "accuracy"} | given
    search = SparkSearchCV(any_classifier(), n_iter=7, cv=2, on=Serial(), random_state=0, **options)
    models = [each["model"] for each in search.fit(X, y).cv_results_["params"]]
    assert all(hasattr(model, "predict_proba") for model in models)


def test_models_have_probabilities_where_they_are_scored() -> None:
    known = Space(any_classifier().search_space(probabilities=True)[0])
    rows = known.sample(np.random.default_rng(0), 60)
    models = [known.decode(known.values(row))["pipeline"]["model"] for row in rows]
    assert all(hasattr(model, "predict_proba") for model in models)
    assert len({type(model) for model in models}) >= 5
    assert len(begun(any_classifier(), True)) == 7
    assert any_regressor().search_space(True)[1] == any_regressor().search_space()[1]


def test_the_model_is_an_estimator_of_its_kind() -> None:
    assert is_classifier(any_classifier())
    assert is_regressor(any_regressor())
    X, y = (each[:100] for each in load_diabetes(return_X_y=True))
    fitted = clone(any_regressor()).fit(X, y, sample_weight=np.ones(len(y)))
    assert fitted.score(X, y) > 0.3
    assert not hasattr(fitted, "predict_proba")
    tree = any_classifier().set_params(model=DecisionTreeClassifier())
    assert tree.fit(X, y > 100).predict_proba(X).shape == (len(y), 2)


def test_several_targets_have_a_model_each_where_it_takes_one() -> None:
    X, y = (each[:60] for each in load_diabetes(return_X_y=True))
    both = np.column_stack([y, -y])
    search = SparkSearchCV(any_regressor(), n_iter=2, cv=2, on=Serial(), random_state=0)
    search.fit(X, both)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(X).shape == (60, 2)
    fitted = any_classifier().fit(X, both > 0)
    assert fitted.predict(X).shape == (60, 2)
    forest = any_regressor().set_params(model=RandomForestRegressor(2)).fit(X, both)
    assert isinstance(forest.pipeline_[-1], RandomForestRegressor)
