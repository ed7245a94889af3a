"""The density ratio, and what pending trials do to it."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from sparktune.samplers._parzen import Parzen
from sparktune.samplers._points import Points
from sparktune.samplers._ratio import Ratio
from sparktune.space import hp
from sparktune.space.distributions import Array
from sparktune.space.space import Space

SPACE = Space([hp.uniform("x", 0, 1), hp.choice("c", "ab")])
GOOD = np.array([[0.4, 0.0], [0.45, 0.0], [0.5, 1.0]])
BAD = np.random.default_rng(0).random((30, 1)) * [[1.0, 0.0]]
NONE = np.empty((0, 2))


def fitted(X: Array) -> Parzen:
    return Parzen.fit(Points.of(SPACE, X), np.ones(len(X)), 1.0)


def ratio(pending: Array = NONE, repeat: int = 1) -> Ratio:
    return Ratio(fitted(GOOD), fitted(np.tile(BAD, (repeat, 1))), pending)


def test_without_pending_trials_it_is_that_of_the_densities() -> None:
    rows = SPACE.sample(np.random.default_rng(1), 20)
    features = Points.of(SPACE, rows).features()
    expected = fitted(GOOD).log_density(features) - fitted(BAD).log_density(features)
    assert_allclose(ratio().scores(rows).now, expected)


def test_a_pending_trial_lowers_it_around_itself() -> None:
    pending = np.array([[0.42, 0.0]])
    rows = np.array([[0.42, 0.0], [0.95, 0.0]])
    lowered = ratio().scores(rows).now - ratio(pending).scores(rows).now
    assert lowered[0] > 0.05
    assert 0 <= lowered[1] < lowered[0] / 10


def test_more_pending_trials_lower_it_more() -> None:
    rows = np.array([[0.42, 0.0]])
    heights = [ratio(np.tile(rows, (k, 1))).scores(rows).now[0] for k in range(5)]
    assert (np.diff(heights) < 0).all()


def test_the_number_of_bad_trials_hardly_matters() -> None:
    pending, rows = np.array([[0.42, 0.0]]), np.array([[0.42, 0.0]])
    few, many = (
        (ratio(repeat=n).scores(rows).now - ratio(pending, n).scores(rows).now)[0] for n in (1, 20)
    )
    assert 0.5 < many / few < 2


def test_scores_can_be_of_fewer_points() -> None:
    scores = ratio().scores(SPACE.sample(np.random.default_rng(3), 10))
    assert_allclose(scores.without(3).now, scores.now[3:])


def test_a_row_that_becomes_pending_counts_as_one_that_was() -> None:
    rows = SPACE.sample(np.random.default_rng(2), 50)
    one, two = np.array([[0.42, 0.0]]), np.array([[0.7, 1.0]])
    together = ratio(np.vstack([one, two])).scores(rows)
    later = ratio(one)
    assert_allclose(later.repelled(later.scores(rows), two[0]).now, together.now)
    assert_allclose(later.scores(rows).now, together.now)
