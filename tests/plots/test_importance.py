"""Functional ANOVA, against functions whose variances are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from sparktune import Trials
from sparktune.errors import InvalidArgument
from sparktune.results import importance, scales, series
from sparktune.results.scales import Scale
from sparktune.trial import Status

OK = Status.OK
Made = Callable[..., Trials]


def importance_of(study: series.Columns, wanted: list[Scale]) -> importance.Importance:
    return importance.importance(scales.units(study, wanted), study.loss[study.usable])


def test_a_tree_is_split_into_the_variances_of_its_marginals() -> None:
    """f = 8 for x < 1/2; else 0 for y < 1/4 and 4 above. By hand: the mean is 4 + 3/2; the marginal
    of x is (8, 3), variance (5/2)^2; that of y is (4, 6) with weights 1/4 and 3/4, variance 3/4;
    the whole variance is 32 + 3/8 * 16 - 5.5^2 = 7.75.
    """
    x, y = np.array([[0.25, 0.125], [0.25, 0.375], [0.75, 0.125], [0.75, 0.375]]).T
    f = np.where(x < 0.5, 8.0, np.where(y < 0.25, 0.0, 4.0))
    tree = DecisionTreeRegressor().fit(np.column_stack([x, y]), f)
    np.testing.assert_allclose(importance._shares(tree.tree_), [6.25 / 7.75, 0.75 / 7.75])


def test_a_constant_tree_has_no_effects() -> None:
    tree = DecisionTreeRegressor().fit(np.zeros((3, 2)), np.ones(3))
    np.testing.assert_array_equal(importance._shares(tree.tree_), [0, 0])


@pytest.fixture
def additive(made: Made) -> series.Columns:
    """loss = 3 a + log10 b on a grid: a uniform on [0, 1], b loguniform over two decades, c of no
    effect, and one constant. Variances: 9/12 and 4/12.
    """
    grid = (np.arange(12) + 0.5) / 12
    rows: list[Any] = [
        (OK, 3 * a + 2 * b, {"c": c, "b": 10 ** (2 * b), "a": a, "one": 5})
        for a in grid
        for b in grid
        for c in (0, 1, 2)
    ]
    return series.columns(made([*rows, (Status.ERROR, None, {"a": 0.5, "one": 6})]))


def test_shares_of_a_known_function(additive: series.Columns) -> None:
    wanted = [Scale("c", whole=True), Scale("b", log=True), Scale("a"), Scale("one", whole=True)]
    found = importance_of(additive, wanted)
    assert found.labels == ("a", "b", "c")
    np.testing.assert_allclose(found.share, [9 / 13, 4 / 13, 0], atol=0.02)
    assert found.rest == pytest.approx(1 - found.share.sum())
    assert 0 <= found.rest < 0.02
    assert np.all(found.low <= found.high)
    assert found.trials == 432


def test_the_result_is_the_same_each_time(additive: series.Columns) -> None:
    first, second = (importance_of(additive, [Scale("a"), Scale("b")]) for _ in range(2))
    np.testing.assert_array_equal(first.share, second.share)


def test_an_interaction_is_no_effect_of_its_parameters(made: Made) -> None:
    rows = [(OK, float(a == b), {"a": a, "b": b}) for a in (0, 1) for b in (0, 1)] * 10
    study = series.columns(made(rows))
    found = importance_of(study, [Scale("a", whole=True), Scale("b", whole=True)])
    assert found.rest == pytest.approx(1, abs=0.02)


def test_an_inactive_parameter_counts_as_the_median_of_its_values() -> None:
    values = np.array([math.nan, 1.0, 2.0, 4.0, 5.0])
    np.testing.assert_array_equal(scales._unit(Scale("x"), values), [0.25, 0, 0.25, 0.75, 1])


def test_whole_numbers_stand_for_cells() -> None:
    found = scales._unit(Scale("x", whole=True), np.array([0.0, 1.0, 3.0]))
    np.testing.assert_array_equal(found, [0.125, 0.375, 0.875])
    np.testing.assert_allclose(
        scales._unit(Scale("x", log=True, whole=True), np.array([1.0, 10.0, 100.0])),
        [0, 0.5, 1],
    )


@pytest.mark.parametrize(
    ("losses", "values", "said"),
    [
        (range(9), range(9), "at least 10 trials with a finite loss, got 9"),
        ([1.0] * 10, range(10), "all losses are equal"),
        (range(10), [3] * 10, "no parameter took two different values"),
    ],
)
def test_what_tells_nothing_is_refused(made: Made, losses: Any, values: Any, said: str) -> None:
    study = series.columns(
        made([(OK, loss, {"x": x}) for loss, x in zip(losses, values, strict=True)])
    )
    with pytest.raises(InvalidArgument, match=said):
        importance_of(study, [Scale("x")])


def test_a_parameter_never_active_with_a_loss_is_left_out(made: Made) -> None:
    rows: list[Any] = [(OK, float(i), {"x": float(i)}) for i in range(12)]
    study = series.columns(
        made([*rows, (Status.FAIL, None, {"y": 1.0}), (Status.FAIL, None, {"y": 2.0})])
    )
    assert importance_of(study, [Scale("x"), Scale("y")]).labels == ("x",)
