"""Evenly spread points."""

from __future__ import annotations

import numpy as np

from sparktune.samplers import tpe
from sparktune.samplers._spread import crowding
from sparktune.space import hp
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.testing import history_of, mixed_history
from sparktune.trial import Status

SQUARE = Space([hp.uniform("x", 0, 1), hp.uniform("y", 0, 1)])


def start(space: Space, n: int, seed: int) -> Array:
    """The first n points, one after the other."""
    X = np.empty((0, len(space)))
    for i in range(n):
        history = history_of(space, X, [None] * i, [Status.RUNNING] * i)
        X = np.vstack([X, tpe.suggest.suggest(space, history, 1, np.random.default_rng([seed, i]))])
    return X


def test_crowding_falls_with_the_distance_around_the_circle() -> None:
    layout = Space(hp.uniform("x", 0, 2)).layout
    X = np.array([[0.2], [0.4], [1.2], [1.9], [0.0]])
    crowd = crowding(layout, X, np.array([[0.2]]))
    # At distances 0, 0.1, 0.5, 0.15 and 0.1 of the range.
    expected = [1 + 3 * (1 / 6 - t * (1 - t)) for t in (0, 0.1, 0.5, 0.15, 0.1)]
    np.testing.assert_allclose(crowd, expected)


def test_crowding_is_one_on_average() -> None:
    space = Space([hp.loguniform("x", -3, 2), hp.normal("y", 1, 2), hp.choice("c", "abcd")])
    rng = np.random.default_rng(0)
    crowd = crowding(space.layout, space.sample(rng, 200_000), space.sample(rng, 1))
    # The standard deviation of one value is below 1, of the mean below 0.0023: 6 of them are
    # exceeded with a probability below 1e-8.
    assert abs(crowd.mean() - 1) < 0.014


def test_inactive_parameters_do_not_count() -> None:
    space = Space(hp.choice("c", [hp.uniform("x", 0, 1), "none"]))
    layout = space.layout
    first, near, far, none = (
        space.encode(values)
        for values in ({"c": 0, "x": 0.1}, {"c": 0, "x": 0.1}, {"c": 0, "x": 0.6}, {"c": 1})
    )
    crowd = crowding(layout, np.array([near, far, none]), first[None])
    # Both options have 1/2: the same option counts (1 + 2) / 2, the other (1 + 0) / 2.
    np.testing.assert_allclose(crowd, [1.5 * 1.5, 1.5 * 0.75, 0.5])


def test_the_start_is_more_even_than_random_points() -> None:
    def emptiest(X: Array) -> float:
        """The largest distance of a place in the unit square from its nearest point."""
        grid = np.stack(np.meshgrid(*[np.linspace(0, 1, 21)] * 2), -1).reshape(-1, 1, 2)
        return float(np.linalg.norm(grid - X, axis=-1).min(axis=1).max())

    wins = sum(
        emptiest(start(SQUARE, 16, seed))
        < emptiest(SQUARE.sample(np.random.default_rng([seed, 99]), 16))
        for seed in range(100)
    )
    # Of 200 other seeds, the start won 172. At a rate of 0.83, fewer than 66 of 100 have a
    # probability below 1e-4; at one of 0.5, 66 or more below 0.001.
    assert wins >= 66


def test_categories_are_balanced() -> None:
    space = Space([hp.choice("c", "abcde"), hp.uniform("x", 0, 1)])
    for seed in range(5):
        counts = np.bincount(start(space, 10, seed)[:, 0].astype(int), minlength=5)
        assert counts.tolist() == [2] * 5


def test_points_asked_for_at_once_are_spread_too() -> None:
    space = Space(hp.choice("c", "abcdefgh"))
    batch = tpe.suggest.suggest(space, mixed_history(space, 0), 8, np.random.default_rng(0))
    assert sorted(batch[:, 0]) == list(range(8))
    line = Space(hp.uniform("x", 0, 1))
    for seed in range(5):
        x = tpe.suggest.suggest(line, mixed_history(line, 0), 32, np.random.default_rng(seed))
        assert np.diff(np.sort(x[:, 0])).max() < 0.12


def test_the_start_keeps_away_from_the_users_points() -> None:
    given = np.array([[0.5, 0.5]])
    for status in (Status.RUNNING, Status.OK):
        loss = 1.0 if status is Status.OK else None
        history = history_of(SQUARE, given, [loss], [status])
        for seed in range(20):
            x, y = tpe.suggest.suggest(SQUARE, history, 1, np.random.default_rng(seed))[0]
            assert max(abs(x - 0.5), abs(y - 0.5)) > 0.2
