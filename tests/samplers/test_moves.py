"""Points near others."""

from __future__ import annotations

import numpy as np
import pytest

from sparktune.samplers._embedding import Embedding
from sparktune.samplers._moves import filled, neighbours, perturbed
from sparktune.space import hp
from sparktune.space.space import Space
from sparktune.testing.situations import spaces

SPACES = {name: space for name, space in spaces().items() if len(space)}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())
def test_moved_points_are_points_of_the_space(space: Space) -> None:
    rng = np.random.default_rng(0)
    X = space.sample(rng, 300)
    moved = perturbed(Embedding.of(space), X, X[:10], rng)
    near = filled(space, np.vstack([neighbours(space, x, rng) for x in X[:30]]), X[:10], rng)
    for rows in (moved, near):
        np.testing.assert_array_equal(np.isnan(rows), ~space.active(rows))
        for j, column in enumerate(space.columns):
            x = rows[~np.isnan(rows[:, j]), j]
            low, high = column.distribution.support
            assert ((low <= x) & (x <= high)).all()


def test_some_parameters_stay() -> None:
    space = Space([hp.uniform(f"x{i}", 0, 1) for i in range(20)])
    rng = np.random.default_rng(0)
    X = space.sample(rng, 500)
    changed = (perturbed(Embedding.of(space), X, X[:5], rng) != X).sum(axis=1)
    assert changed.min() >= 1
    assert changed.mean() < 5


def test_grid_values_do_not_stay_for_want_of_large_steps() -> None:
    space = Space(hp.uniformint("n", 0, 3))
    X = np.full((2000, 1), 1.0)
    moved = perturbed(Embedding.of(space), X, X, np.random.default_rng(0))
    assert (moved != 1).mean() > 0.3


def test_neighbours_differ_in_one_choice_or_in_powers_of_two_of_steps() -> None:
    space = Space([hp.choice("c", "abc"), hp.uniformint("n", 0, 20), hp.uniform("x", 0, 1)])
    near = neighbours(space, np.array([1.0, 5.0, 0.3]), np.random.default_rng(0))
    assert sorted(near[near[:, 0] != 1, 0]) == [0, 2]
    assert sorted(near[near[:, 1] != 5, 1]) == [1, 3, 4, 6, 7, 9, 13]
    assert len(near) == 9
    assert (near[:, 2] == 0.3).all()


def test_of_many_options_some_are_looked_at() -> None:
    space = Space(hp.choice("c", list(range(500))))
    near = neighbours(space, np.array([7.0]), np.random.default_rng(0))
    assert len(np.unique(near)) == 32


def test_options_that_never_occur_are_no_neighbours() -> None:
    space = Space(hp.pchoice("c", [(0.5, "a"), (0.0, "never"), (0.5, "b")]))
    assert neighbours(space, np.array([0.0]), np.random.default_rng(0)).tolist() == [[2.0]]


def test_what_becomes_active_takes_known_values_half_of_the_time() -> None:
    space = Space(hp.choice("c", ["none", hp.uniform("x", 0, 1)]))
    known = np.array([[1.0, 0.25]])
    rows = filled(space, np.tile([1.0, np.nan], (1000, 1)), known, np.random.default_rng(0))
    # Binomial with 1000 draws: 100 is more than six standard deviations.
    assert abs((rows[:, 1] == 0.25).sum() - 500) < 100
