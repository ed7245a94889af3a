"""The rule that estimates the improvement to come, held to its definition and to chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from sparktune.history import View
from sparktune.space.space import Space
from sparktune.stopping import RemainingImprovement
from sparktune.stopping.progress import _gain
from sparktune.testing import history_of
from sparktune.trial import Status

Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]


def history(values: Sequence[float | None], statuses: Sequence[Status] | None = None) -> View:
    return history_of(Space({"x": 0}), np.empty((len(values), 0)), values, statuses)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (5, 1), (6, 2), (7, 3), (8, 7)])
def test_the_gain_is_the_mean_over_all_subsets(n: int, k: int) -> None:
    losses = np.random.default_rng([n, k]).normal(size=n)
    smallest = [min(subset) for subset in combinations(losses, n - k)]
    assert _gain(losses, k) == pytest.approx(np.mean(smallest) - losses.min(), rel=1e-12)


def uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return rng.random(shape)


def bowl(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """A quadratic function at random points of six dimensions."""
    distances: NDArray[np.float64] = (rng.uniform(-1, 1, (*shape, 6)) ** 2).sum(-1)
    return distances


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return rng.normal(size=shape)


@pytest.mark.parametrize("draw", [uniform, bowl, normal])
@pytest.mark.parametrize(("n", "k"), [(40, 20), (100, 20)])
def test_for_independent_losses_the_estimate_is_at_least_what_comes(
    draw: Draw, n: int, k: int
) -> None:
    rng = np.random.default_rng(0)
    repeats = 2000
    before, after = draw(rng, (repeats, n)), draw(rng, (repeats, k))
    estimates = np.array([_gain(losses, k) for losses in before])
    gains = np.maximum(before.min(axis=1) - after.min(axis=1), 0)
    difference = estimates - gains
    # The mean is >= 0 in expectation; four standard errors below it fails with p < 4e-5.
    assert difference.mean() > -4 * difference.std() / np.sqrt(repeats)
    assert estimates.mean() < 4 * gains.mean()  # and it is no empty promise


def test_nothing_is_stopped_before_there_are_twice_as_many_losses() -> None:
    rule = RemainingImprovement(0.1, trials=3)
    assert rule.stop(history([1.0] * 5)) is None
    assert rule.stop(history([1.0] * 6)) == "little improvement expected"


def test_only_finite_losses_count() -> None:
    values = [1.0] * 5 + [None, np.inf, 1.0]
    statuses = [Status.OK] * 5 + [Status.ERROR, Status.OK, Status.RUNNING]
    assert RemainingImprovement(0.1, trials=3).stop(history(values, statuses)) is None
    assert RemainingImprovement(0.1, trials=2).stop(history(values, statuses)) is not None


def test_what_came_lately_is_expected_to_come_again() -> None:
    # By the subsets alone, the next two trials promise little: several losses are near the best.
    values = [9.0] * 20 + [0.01, 0.0]
    rule = RemainingImprovement(5.0, trials=2)
    assert _gain(np.array(values), 2) < 1.0
    assert rule.stop(history(values)) is None
    backwards = replace(history(values), finished=np.arange(22.0, 0.0, -1.0))
    assert rule.stop(backwards) == "little improvement expected"
    assert rule.stop(history([*values, 1.0, 1.0])) == "little improvement expected"


def test_the_estimate_has_the_unit_of_the_loss() -> None:
    losses = np.random.default_rng(1).exponential(size=60)
    least = _gain(losses, 10)
    for scale in (1e-6, 1.0, 1e6):
        values = (losses * scale - 3 * scale).tolist()
        values.sort(reverse=False)  # no improvement lately
        assert RemainingImprovement(least * scale * 1.01, 10).stop(history(values)) is not None
        assert RemainingImprovement(least * scale * 0.99, 10).stop(history(values)) is None
