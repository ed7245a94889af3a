"""Dimensions and spaces of scikit-optimize's kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktune.skopt._bridge import Bridge
from sparktune.skopt.space import Categorical, Integer, Real, Space, check_dimension
from sparktune.skopt.utils import normalize_dimensions

MIXED = [
    Real(1e-4, 10, "log-uniform", name="rate"),
    Integer(-3, 7, name="depth"),
    Integer(1, 300, "log-uniform", base=2),
    Categorical(["a", None, True, 1, (2, 3), [4]], name="kind"),
    (0.0, 1.0),
    ("x", "y"),
]


@pytest.mark.parametrize(
    ("given_as", "kind"),
    [
        ((1, 5), Integer),
        ((1.0, 5), Real),
        ((1, 5, "log-uniform"), Integer),
        ((1.0, 5, "log-uniform", 2), Real),
        ((1, 5, 9), Categorical),
        ((True, False), Categorical),
        ((1, "a"), Categorical),
        ([3], Categorical),
        ((1, 2, 3, 4, 5), Categorical),
    ],
)
def test_short_ways_to_write_a_dimension(given_as: Any, kind: type) -> None:
    assert type(check_dimension(given_as)) is kind


@pytest.mark.parametrize("transform", ["normalize", "identity"])
@given(seed=st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_points_come_back_from_the_numbers_that_models_see(transform: str, seed: int) -> None:
    space = Space(MIXED)
    for dimension in space:
        if not isinstance(dimension, Categorical):
            dimension.set_transformer(transform)
    points = space.rvs(20, random_state=seed)
    back = space.inverse_transform(space.transform(points))
    for point, other in zip(points, back, strict=True):
        assert point[1:4] == other[1:4]
        assert point[5] == other[5]
        np.testing.assert_allclose([point[0], point[4]], [other[0], other[4]], rtol=1e-9)


@given(seed=st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_points_come_back_from_rows(seed: int) -> None:
    bridge = Bridge.of(Space(MIXED))
    for point in bridge.space.rvs(20, random_state=seed):
        assert bridge.point(bridge.values(point)) == point
        assert bridge.of_row(bridge.row(point)) == point


@given(seed=st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_what_the_columns_draw_is_in_the_space(seed: int) -> None:
    bridge = Bridge.of(Space(MIXED))
    for row in bridge.columns.sample(np.random.default_rng(seed), 50):
        assert bridge.of_row(row) in bridge.space


@given(low=st.floats(1e-9, 1e6), factor=st.floats(1.01, 1e6))
@settings(max_examples=200, deadline=None)
def test_no_rounded_logarithm_is_outside_of_its_range(low: float, factor: float) -> None:
    columns = Bridge.of(Space([Real(low, low * factor, "log-uniform")])).columns
    ends = columns.columns[0].distribution.ppf(np.array([0.0, 1e-16, 1 - 1e-16, 1.0]))
    assert (ends >= low).all()
    assert (ends <= low * factor).all()
    np.testing.assert_allclose(ends[[0, -1]], [low, low * factor], rtol=1e-12)


def test_values_are_those_of_python() -> None:
    space = Space(MIXED)
    for point in space.inverse_transform(space.transform(space.rvs(4, random_state=1))):
        assert [type(x) for x in point[:3]] == [float, int, int]
        assert type(point[4]) is float
    for point in Space(MIXED).rvs(5, random_state=0):
        assert [type(x) for x in point[:3]] == [float, int, int]
        assert type(point[4]) is float


def test_one_value_is_drawn_as_a_list_but_of_categories() -> None:
    assert len(Real(0, 1).rvs(random_state=0)) == len(Integer(0, 9).rvs(random_state=0)) == 1
    assert repr(Categorical(["only"])) == "Categorical(categories=('only',), prior=None)"
    assert Categorical(["only"]).rvs() == "only"
    assert Categorical(["only"]).rvs(1) == ["only"]
    assert Categorical(["only"], transform="normalize").rvs() == ["only"]


@pytest.mark.parametrize("normalised", [True, False])
def test_all_integers_are_equally_likely(normalised: bool) -> None:
    dimensions = [Integer(0, 3)]
    space = normalize_dimensions(dimensions) if normalised else Space(dimensions)
    counts = np.bincount([x for (x,) in space.rvs(4000, random_state=0)])
    assert (np.abs(counts - 1000) < 150).all()  # 5 standard deviations are 137
    rows = Bridge.of(space).columns.sample(np.random.default_rng(0), 4000)
    assert (np.abs(np.bincount(rows[:, 0].astype(int)) - 1000) < 150).all()


def test_a_normalised_space_leaves_the_dimensions_as_they_are() -> None:
    dimension = Real(1, 2)
    normalize_dimensions([dimension])
    assert dimension.transform_ == "identity"


def test_a_constraint_holds_for_draws_and_for_what_is_in_the_space() -> None:
    space = Space([(0.0, 1.0), (0.0, 1.0)], constraint=lambda x: x[0] + x[1] < 0.5)
    assert all(sum(x) < 0.5 for x in space.rvs(100, random_state=1))
    assert [0.1, 0.1] in space
    assert [0.4, 0.4] not in space
    never = Space([(0.0, 1.0)], constraint=lambda x: False)
    with pytest.raises(RuntimeError, match="constraint"):
        never.rvs(random_state=0)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Real(2, 1), "less than the upper bound"),
        (lambda: Integer(2, 2), "less than the upper bound"),
        (lambda: Real(0, 1, "log-uniform"), "low > 0"),
        (lambda: Real(0, 1, "normal"), "prior must be"),
        (lambda: Real(0, 1, transform="onehot"), "'normalize' or 'identity'"),
        (lambda: Categorical([]), "at least one"),
        (lambda: Categorical(["a", "b"], prior=[0.5, 0.1]), "sum is 1"),
        (lambda: Real(0, 1, name=3), "string or None"),  # type: ignore[arg-type]
        (lambda: check_dimension("ab"), "list or tuple.*Categorical"),
        (lambda: Real(0, np.inf), "bounds must be finite"),
        (lambda: Real(np.nan, 1), "bounds must be finite"),
        (lambda: Space("ab"), "list of dimensions"),
        (lambda: Space({"x": (0, 1)}), "list of dimensions"),
    ],
)
def test_what_cannot_be_is_refused(make: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        make()
