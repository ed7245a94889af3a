"""What is known of the points that may be the best."""

from __future__ import annotations

import numpy as np
import pytest

from sparktune.history import View
from sparktune.samplers.standing import Standing, recommended
from sparktune.space import hp
from sparktune.space.space import Space
from sparktune.testing import history_of
from sparktune.trial import Status, Trial

SPACE = Space({"x": hp.uniform("x", 0, 1), "kind": hp.choice("kind", ["a", "b"])})


def rows(x: list[float]) -> np.ndarray:
    return np.array([SPACE.encode({"x": each, "kind": 0}) for each in x])


def ended(losses: list[float], variances: list[float | None], x: list[float]) -> View:
    trials = [
        Trial(i, {}, Status.OK, loss=loss, result={"loss": loss, "loss_variance": variance})
        for i, (loss, variance) in enumerate(zip(losses, variances, strict=True))
    ]
    return View.of(trials, rows(x))


def test_without_noise_the_best_loss_is_recommended() -> None:
    x = np.linspace(0, 1, 35)
    history = ended(list((x - 0.3) ** 2), [None] * 35, list(x))
    assert recommended(SPACE, history) == np.argmin((x - 0.3) ** 2)
    assert recommended(SPACE, View.of([], np.empty((0, 2)))) is None


def test_a_lucky_loss_that_is_told_to_be_noisy_is_not_recommended() -> None:
    x = np.linspace(0, 1, 21)
    losses, variances = (x - 0.3) ** 2, np.full(21, 1e-4)
    losses[18], variances[18] = -0.05, 0.3
    found = recommended(SPACE, ended(list(losses), list(variances), list(x)))
    assert found is not None
    assert abs(x[found] - 0.3) < 0.15


@pytest.mark.parametrize(("n", "wins"), [(29, True), (60, False)])
def test_a_lucky_loss_counts_until_there_is_enough_to_see_the_noise(n: int, wins: bool) -> None:
    x = np.linspace(0, 1, n)
    losses = (x - 0.3) ** 2 + np.random.default_rng(0).normal(0, 0.03, n)
    losses[-2] = losses.min() - 0.01
    found = recommended(SPACE, ended(list(losses), [None] * n, list(x)))
    assert (found == n - 2) == wins


def test_one_evaluation_again_tells_that_the_luckiest_point_was_lucky() -> None:
    x = [0.1, 0.2, 0.3, 0.4, 0.5, 0.5]
    again = ended([0.4, 0.3, 0.2, 0.3, 0.1, 0.6], [None] * 6, x)
    assert recommended(SPACE, again) == 2
    confirmed = ended([0.4, 0.3, 0.2, 0.3, 0.1, 0.1], [None] * 6, x)
    assert recommended(SPACE, confirmed) == 4


def scattered(n: int, again: list[float]) -> View:
    """n points with losses that say nothing, and the first one with more losses."""
    rng = np.random.default_rng(0)
    X, losses = SPACE.sample(rng, n), rng.normal(size=n).tolist()
    return history_of(SPACE, np.vstack([X, X[:1].repeat(len(again), axis=0)]), losses + again)


def test_what_differs_between_evaluations_of_a_point_is_the_noise() -> None:
    first = float(scattered(30, []).loss[0])
    before = Standing.of(SPACE, scattered(30, []))
    same = Standing.of(SPACE, scattered(30, [first] * 2))
    none = Standing.of(SPACE, scattered(30, [first] * 3))
    other = Standing.of(SPACE, scattered(30, [first - 2, first + 2, first - 2, first + 2]))
    assert none.v < 1e-7 < same.v < 0.4 * before.v
    assert other.v > 1.5 * before.v


def test_an_evaluation_again_tells_about_its_own_point_and_others() -> None:
    x = np.random.default_rng(1).uniform(size=40)
    losses = (x - 0.3) ** 2 + np.random.default_rng(2).normal(0, 0.1, 40)
    history = history_of(SPACE, rows([*x, *x[:5]]), [*losses, *(losses[:5] + 0.01)])
    standing = Standing.of(SPACE, history)
    assert len(standing.X) == 40
    told = standing.after(3)
    assert (told.sd <= standing.sd).all()
    assert told.sd[3] < 0.95 * standing.sd[3]


def test_points_that_are_running_are_less_worth_evaluating_again() -> None:
    x = np.linspace(0, 1, 40)
    losses = (x - 0.3) ** 2 + np.random.default_rng(3).normal(0, 0.05, 40)
    standing = Standing.of(SPACE, history_of(SPACE, rows(list(x)), losses.tolist()))
    at_once = standing.again(6)
    others = rows([0.123])
    np.testing.assert_array_equal(
        standing.running(np.vstack([others, at_once[:3]])).again(3), at_once[3:]
    )
