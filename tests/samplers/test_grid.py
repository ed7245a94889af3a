"""Grid search: which points a grid has, in which order, and what happens when all are tried."""

from __future__ import annotations

import gc
import weakref
from functools import partial
from itertools import product
from math import exp, nan
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sparktune.errors import InvalidArgument
from sparktune.samplers import grid
from sparktune.schedulers import FullBudget
from sparktune.space import hp
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.study import Study
from sparktune.testing import history_of, mixed_history
from sparktune.trial import Status, Trial

ALL = 10_000  # more than the grids here have

FLAT = Space([hp.choice("c", "abc"), hp.uniform("x", 0, 10), hp.randint("r", 2)])


def points(space: Space, sampler: grid.Grid = grid.suggest, n: int = ALL, seed: int = 0) -> Array:
    """The first n points."""
    return sampler.suggest(space, mixed_history(space, 0), n, np.random.default_rng(seed))


def values(parameter: Any, **options: Any) -> list[float]:
    """The grid of one parameter."""
    return list(points(Space(parameter), grid.suggest(**options))[:, 0].tolist())


def rows(X: Array) -> set[tuple[float, ...]]:
    """The different rows, with -1 for NaN."""
    return {tuple(row) for row in np.nan_to_num(X, nan=-1.0).tolist()}


# Options


def test_options_make_another_sampler() -> None:
    assert grid.suggest == grid.Grid(n_steps=10, grids=None, shuffle=False)
    assert partial(grid.suggest, n_steps=3)() == grid.Grid(3)
    assert grid.suggest(shuffle=True)(grids={"x": [1]}) == grid.Grid(10, {"x": [1]}, True)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"n_steps": 0}, "n_steps must be an integer >= 1, got 0"),
        ({"grids": [1, 2]}, "grids must be a dict .* got \\[1, 2\\]"),
        ({"shuffle": 1}, "shuffle must be True or False, got 1"),
    ],
)
def test_an_option_out_of_range_is_refused(option: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        grid.suggest(**option)


@pytest.mark.parametrize(
    ("grids", "message"),
    [
        ({"y": [1]}, "unknown parameter 'y'; the space has 'c', 'x', 'r'"),
        ({"x": []}, "'x'\\] is empty"),
        ({"x": 3}, "'x'\\] must be a list, got 3"),
        ({"x": "12"}, "'x'\\] must be a list, got '12'"),
        ({"c": ["a"]}, "'c' must be an integer, got 'a' .*index of its option"),
        ({"c": [3]}, "'c' must be an index from 0 to 2, got 3"),
        ({"r": [0.5]}, "'r' must be an integer, got 0.5"),
    ],
)
def test_values_that_do_not_fit_the_space_are_refused(grids: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        points(FLAT, grid.suggest(grids=grids))


# The values of one parameter


def test_parameters_with_few_values_have_them_all() -> None:
    assert values(hp.choice("x", "abc")) == [0, 1, 2]
    assert values(hp.pchoice("x", [(0.5, "a"), (0.0, "never"), (0.5, "b")])) == [0, 2]
    assert values(hp.randint("x", -2, 3)) == [-2, -1, 0, 1, 2]
    assert values(hp.uniformint("x", 1, 20)) == list(range(1, 21))
    assert values(hp.quniform("x", 1, 10, 4)) == [0, 4, 8]
    assert values(hp.quniform("x", 0, 1, 0.1)) == [k * 0.1 for k in range(11)]
    assert values(hp.qloguniform("x", 0, 2, 2)) == [2, 4, 6, 8]  # of 1 to 7.39


def test_parameters_without_number_have_quantiles() -> None:
    assert_allclose(values(hp.uniform("x", 0, 10), n_steps=5), [1, 3, 5, 7, 9])
    assert_allclose(values(hp.loguniform("x", 0, 4), n_steps=2), [exp(1), exp(3)])
    # Of the standard normal, the quantiles of 1/6, 1/2, 5/6 are -0.96742, 0, 0.96742.
    assert_allclose(values(hp.normal("x", 5, 2), n_steps=3), [3.06516, 5, 6.93484], atol=1e-5)
    assert values(hp.qnormal("x", 0, 1, 1), n_steps=50) == [-2, -1, 0, 1, 2]


def test_values_may_be_given() -> None:
    assert values(hp.uniform("x", 0, 10), grids={"x": [7, 0.5, 7]}) == [7, 0.5]
    assert values(hp.choice("x", "abc"), grids={"x": (2, 0)}) == [2, 0]
    assert values(hp.lognormal("x", 0, 1), grids={"x": np.array([1.0, 2.0])}) == [1, 2]


# Products


def test_the_grid_is_the_product_with_the_last_parameter_changing_fastest() -> None:
    X = points(FLAT, grid.suggest(n_steps=2))
    assert X.tolist() == [list(point) for point in product([0, 1, 2], [2.5, 7.5], [0, 1])]


def test_inactive_parameters_do_not_multiply() -> None:
    space = Space(
        hp.choice(
            "c",
            [
                hp.randint("a", 2),
                [hp.randint("b", 3), hp.choice("d", [None, hp.randint("e", 2)])],
                None,
            ],
        )
    )
    X = points(space)
    assert len(X) == len(rows(X)) == 2 + 3 * (1 + 2) + 1
    assert_array_equal(np.isnan(X), ~space.active(X))
    assert rows(X[X[:, 0] == 2]) == {(2, -1, -1, -1, -1)}


def test_a_parameter_in_several_options_is_active_in_each() -> None:
    shared = hp.randint("s", 3)
    space = Space([hp.choice("c", [shared, [shared, hp.randint("a", 2)], None])])
    X = points(space)
    assert len(X) == len(rows(X)) == 3 + 3 * 2 + 1
    assert_array_equal(np.isnan(X), ~space.active(X))


def test_several_choices_multiply_with_what_depends_on_them() -> None:
    space = Space(
        [
            hp.choice(f"c{i}", [None, hp.randint(f"r{i}", 2 + i), hp.choice(f"d{i}", "ab")])
            for i in range(3)
        ]
    )
    X = points(space)
    assert len(X) == len(rows(X)) == 5 * 6 * 7
    assert_array_equal(np.isnan(X), ~space.active(X))


def test_a_grid_for_a_choice_leaves_out_what_depends_on_its_other_options() -> None:
    space = Space(hp.choice("c", [hp.randint("a", 2), hp.randint("b", 500)]))
    assert rows(points(space, grid.suggest(grids={"c": [0]}))) == {(0, 0, -1), (0, 1, -1)}


def test_a_space_without_parameters_has_one_point() -> None:
    space = Space({"x": 3})
    assert points(space).shape == (1, 0)
    assert grid.suggest.suggest(
        space, mixed_history(space, 1), 5, np.random.default_rng(0)
    ).shape == (0, 0)


# Too many


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (
            [hp.uniform(f"x{i}", 0, 1) for i in range(7)],
            "values: 'x0' 10, 'x1' 10, .*n_steps",
        ),
        ([hp.randint("r", 2**40)], "'r' alone has 1099511627776"),
        ([hp.choice(f"c{i}", [None, hp.randint(f"r{i}", 2)]) for i in range(200)], "'r199' 2"),
    ],
    ids=["product", "one parameter", "conditional"],
)
def test_more_than_a_hundred_thousand_points_are_refused(space: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=f"more than 100,000 points .*{message}"):
        points(Space(space), n=1)


def test_a_hundred_thousand_points_are_not() -> None:
    space = Space([hp.uniform(f"x{i}", 0, 1) for i in range(5)])
    assert_allclose(points(space, n=11)[[0, 10]], [[0.05] * 5, [0.05] * 3 + [0.15, 0.05]])


def test_points_are_found_once_for_a_sampler_and_a_space_and_not_kept_beyond_it() -> None:
    space, sampler = Space([hp.uniform(f"x{i}", 0, 1) for i in range(3)]), grid.suggest(n_steps=4)
    assert sampler._points(space) is sampler._points(space)
    assert len(grid.suggest(n_steps=2)._points(space)) == 2**3
    known = weakref.ref(space)
    del space
    gc.collect()
    assert known() is None


# History


def test_points_in_the_history_are_skipped() -> None:
    sampler = grid.suggest(n_steps=2)
    X = points(FLAT, sampler)
    tried = X[[0, 1, 4, 11]]
    statuses = [Status.OK, Status.RUNNING, Status.ERROR, Status.OK]
    history = history_of(FLAT, tried, [1.0, None, None, 2.0], statuses)
    for n in (3, ALL):
        left = sampler.suggest(FLAT, history, n, np.random.default_rng(0))
        assert_array_equal(left, X[[2, 3, 5, 6, 7, 8, 9, 10]][:n])


def test_points_off_the_grid_do_not_matter() -> None:
    sampler = grid.suggest(n_steps=2)
    history = mixed_history(FLAT, 30)
    assert_array_equal(
        sampler.suggest(FLAT, history, ALL, np.random.default_rng(0)), points(FLAT, sampler)
    )


def test_inactive_parameters_in_the_history_are_recognised() -> None:
    space = Space(hp.choice("c", [hp.randint("a", 2), None]))
    history = history_of(space, np.array([[0, 1.0], [1, nan]]), [1.0, 2.0])
    left = grid.suggest.suggest(space, history, ALL, np.random.default_rng(0))
    assert left.tolist() == [[0, 0]]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("at_once", [1, 5])
def test_a_study_ends_when_every_point_was_tried_once(shuffle: bool, at_once: int) -> None:
    sampler = grid.suggest(n_steps=3, shuffle=shuffle)
    records: dict[int, Trial] = {}
    study = Study(FLAT, sampler, FullBudget(1000), 0, records)
    while asked := study.ask(at_once):
        for trial in asked:
            study.tell(trial, 1.0)
    tried = [tuple(trial.values.values()) for trial in records.values()]
    assert len(tried) == len(set(tried)) == 3 * 3 * 2


# Order


def test_the_order_is_random_on_request() -> None:
    sampler = grid.suggest(shuffle=True)
    orders = [points(FLAT, sampler, seed=seed) for seed in (0, 0, 1)]
    assert_array_equal(orders[0], orders[1])
    assert (orders[0] != orders[2]).any()
    assert rows(orders[0]) == rows(orders[2]) == rows(points(FLAT))


def test_every_point_is_equally_likely_to_be_next() -> None:
    history = history_of(FLAT, points(FLAT, grid.suggest(n_steps=1))[:2], [1.0, 2.0])
    sampler = grid.suggest(n_steps=1, shuffle=True)
    rng = np.random.default_rng(0)
    drawn = [tuple(sampler.suggest(FLAT, history, 1, rng)[0].tolist()) for _ in range(1000)]
    # Each of the four has 1/4; off by 0.1 with a probability below 2 exp(-2 * 1000 * 0.1^2) = 4e-9.
    shares = [drawn.count(point) / 1000 for point in set(drawn)]
    assert_allclose(shares, [1 / 4] * 4, atol=0.1)
