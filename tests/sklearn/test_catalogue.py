"""The catalogue: every entry gives estimators of the installed scikit-learn, within its ranges."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.tree import DecisionTreeClassifier

from sparktune.errors import InvalidArgument
from sparktune.sklearn.catalogue.component import is_installed, parameters_of
from sparktune.sklearn.catalogue.defaults import default_point
from sparktune.sklearn.catalogue.entries import Entry, entries, read
from sparktune.sklearn.catalogue.groups import choice_of, component, members
from sparktune.sklearn.catalogue.suitable import suited_to
from sparktune.space import hp
from sparktune.space.evaluation import sample
from sparktune.space.space import Space

INSTALLED = [entry for entry in entries().values() if is_installed(entry.name)]


def drawn(expr: Any, n: int, seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of classes that scikit-learn will drop
        return [sample(expr, rng) for _ in range(n)]


@pytest.mark.parametrize("entry", INSTALLED, ids=lambda entry: entry.name)
def test_an_entry_gives_estimators_with_parameters_they_have(entry: Entry) -> None:
    for estimator in drawn(component(entry.name, "m", {}), 8):
        assert type(estimator).__name__ == entry.estimator.rpartition(".")[2]
        if isinstance(estimator, BaseEstimator) and entry.estimator.startswith("sklearn."):
            estimator._validate_params()


@pytest.mark.parametrize("entry", INSTALLED, ids=lambda entry: entry.name)
def test_an_entry_names_parameters_that_some_version_has(entry: Entry) -> None:
    unknown = {*entry.space, *entry.inner} - parameters_of(entry)[0]
    assert not unknown


@pytest.mark.parametrize("group", read("groups.toml"))
def test_a_group_is_a_choice_of_its_members(group: str) -> None:
    space = Space(choice_of(group, "m"))
    assert len(space.options()["m"]) == len(members(group))
    assert all(label == "m" or label.startswith("m.") for label in space.labels)


def test_a_parameter_that_is_given_is_not_searched() -> None:
    space = Space(component("svc", "m", {"C": 2.0, "kernel": "rbf"}))
    assert "m.C" not in space.labels
    assert "m.kernel" not in space.labels
    assert "m.kernel.rbf.gamma" in space.labels
    assert "m.kernel.poly.degree" not in space.labels
    estimators = drawn(component("svc", "m", {"C": 2.0, "kernel": "rbf"}), 5)
    assert {(each.C, each.kernel) for each in estimators} == {(2.0, "rbf")}


def test_a_parameter_may_be_given_as_a_node() -> None:
    kernel = hp.choice("mine", ["rbf", "sigmoid"])
    space = Space(component("svc", "m", {"kernel": kernel}))
    assert "mine" in space.labels
    assert {each.kernel for each in drawn(component("svc", "m", {"kernel": kernel}), 30)} == {
        "rbf",
        "sigmoid",
    }


def test_what_depends_on_an_option_is_searched_with_it_alone() -> None:
    for estimator in drawn(component("svc", "m", {}), 40):
        if estimator.kernel in ("linear", "rbf"):
            assert estimator.degree == 3
    given = drawn(component("svc", "m", {"gamma": 0.25}), 20)
    assert {each.gamma for each in given} == {0.25}


def test_none_leaves_a_parameter_searched() -> None:
    assert "m.C" in Space(component("svc", "m", {"C": None})).labels


def test_numbers_that_are_counted_are_integers() -> None:
    for forest in drawn(component("random_forest_classifier", "m", {}), 20):
        assert type(forest.n_estimators) is int
        assert 20 <= forest.n_estimators <= 500


def test_what_cannot_handle_the_data_is_left_out() -> None:
    def left(group: str, X: Any, y: Any) -> set[str]:
        return set(members(group)) - set(members(group, suited_to(X, y)))

    y = np.array([0, 1, 1])
    signed, counts = np.array([[-1.5], [0.0], [2.0]]), np.array([[0.0], [2.0], [1.0]])
    assert left("any_sparse_classifier", sparse.csr_matrix(signed), y) == {"multinomial_nb"}
    assert left("any_sparse_classifier", sparse.csr_matrix(counts), y) == set()
    assert left("all_classifiers", counts, y) == set()
    assert left("all_classifiers", signed, y) == {
        "categorical_nb",
        "complement_nb",
        "multinomial_nb",
    }
    lost = left("all_regressors", signed, np.array([-1.0, 0.0, 1.0]))
    assert {"gamma_regressor", "poisson_regressor", "cca", "multi_task_lasso"} <= lost
    assert "pls_regression" not in lost
    assert {"tfidf", "count"} <= left("all_preprocessing", signed, y)
    assert "pca" in left("all_preprocessing", sparse.csr_matrix(counts), y)


def test_a_name_that_the_estimator_lacks_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="no parameter 'kernl'; did you mean 'kernel'"):
        component("svc", "m", {"kernl": "rbf"})
    with pytest.raises(InvalidArgument, match="must be a text"):
        component("svc", "", {})


@pytest.mark.parametrize("entry", INSTALLED, ids=lambda entry: entry.name)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_every_component_can_begin_with_its_defaults(entry: Entry) -> None:
    inner = dict.fromkeys(entry.inner, DecisionTreeClassifier())
    space = Space({"it": component(entry.name, "it", inner)})
    made = space.decode(space.check(default_point(entry.name, "it")))["it"]
    assert type(made).__name__ == entry.estimator.rpartition(".")[2]
    if isinstance(made, BaseEstimator) and entry.estimator.startswith("sklearn."):
        made._validate_params()
