"""The functions of hyperopt-sklearn: all are there, by name, by position and by module."""

from __future__ import annotations

import importlib

import pytest

import sparktune.hpsklearn as hpsklearn
from sparktune.errors import InvalidArgument
from sparktune.hpsklearn import components
from sparktune.space.evaluation import rec_eval
from sparktune.space.space import Space


def test_all_functions_are_there() -> None:
    names = set(hpsklearn.__all__)
    assert {"svc", "any_classifier", "all_preprocessing", "svc_rbf", "knn_regression"} <= names
    functions = [getattr(hpsklearn, name) for name in components.__all__]
    assert len(functions) > 140
    for name, function in zip(components.__all__, functions, strict=True):
        if not name.startswith("forest_"):
            assert (function.__name__, function.__module__) == (name, components.__name__)
            assert function.__doc__


def test_parameters_may_be_given_by_position() -> None:
    assert rec_eval(hpsklearn.max_abs_scaler("m", False)).copy is False
    with pytest.raises(TypeError, match="got 'copy' twice"):
        hpsklearn.max_abs_scaler("m", True, copy=True)
    with pytest.raises(TypeError, match="needs a name"):
        hpsklearn.max_abs_scaler()
    with pytest.raises(TypeError, match="at most"):
        hpsklearn.max_abs_scaler("m", True, 1)


def test_names_of_0_1_0_are_the_same_components() -> None:
    space = Space(hpsklearn.svc_rbf("m"))
    assert "m.kernel" not in space.labels
    assert "m.C" in space.labels
    assert hpsklearn.knn("m").name == "sklearn_KNeighborsClassifier"


def test_lags_are_integers_between_two() -> None:
    space = Space(hpsklearn.ts_lagselector("lag", 2, 5))
    assert space.labels == ("lag.lags",)
    with pytest.raises(InvalidArgument, match="lower_lags"):
        hpsklearn.ts_lagselector("lag", 5, 2)


@pytest.mark.parametrize("module", ["svm", "ensemble", "feature_extraction.text", "xgboost"])
def test_modules_are_named_after_those_of_the_estimators(module: str) -> None:
    inside = importlib.import_module(f"sparktune.hpsklearn.components.{module}")
    names = [name for name in dir(inside) if not name.startswith("_")]
    assert names
    assert all(getattr(inside, name) is getattr(components, name) for name in names)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'svcc'"):
        components.svcc  # noqa: B018
