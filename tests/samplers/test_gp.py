"""Bayesian optimisation with a Gaussian process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.samplers import gp, tpe
from sparktune.samplers.algorithms import resolve
from sparktune.space import hp
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.surrogates.gp import _mode
from sparktune.testing import history_of
from sparktune.trial import Status

SQUARE = Space([hp.uniform("x", 0, 1), hp.uniform("y", 0, 1)])
BRANCHES = Space(
    {
        "shared": hp.uniform("shared", 0, 1),
        "model": hp.choice(
            "model", [hp.uniform("a", 0, 1), hp.uniform("b", 0, 1), hp.uniform("c", 0, 1)]
        ),
    }
)


def played(
    space: Space, loss: Callable[[Array], float], n: int, seed: int, sampler: gp.GaussianProcess
) -> tuple[Array, Array]:
    """Rows and losses of a run with one trial at a time."""
    X, y = np.empty((0, len(space))), np.empty(0)
    for i in range(n):
        rng = np.random.default_rng([seed, i])
        row = sampler.suggest(space, history_of(space, X, y.tolist()), 1, rng)
        X, y = np.vstack([X, row]), np.append(y, loss(row[0]))
    return X, y


def bowl(row: Array) -> float:
    """A bowl whose minimum is at (0.3, 0.8)."""
    return float((row[0] - 0.3) ** 2 + 2 * (row[1] - 0.8) ** 2)


def bowls(n: int, spread: float = 0.0, seed: int = 0) -> View:
    """Trials at random points of the bowl, with noise."""
    rng = np.random.default_rng(seed)
    X = SQUARE.sample(rng, n)
    losses = [bowl(row) + spread * rng.normal() for row in X]
    return history_of(SQUARE, X, losses)


def test_it_finds_the_minimum_of_a_bowl() -> None:
    for seed in range(3):
        _, y = played(SQUARE, bowl, 20, seed, gp.suggest)
        assert y.min() < 1e-3


def test_it_finds_the_branch_and_its_parameter() -> None:
    def loss(row: Array) -> float:
        k = int(row[BRANCHES.labels.index("model")])
        x = row[BRANCHES.labels.index("abc"[k])]
        shared = row[BRANCHES.labels.index("shared")]
        return (0.4, 0.0, 0.7)[k] + (x - 0.6) ** 2 + (shared - 0.2) ** 2

    for seed in range(3):
        _, y = played(BRANCHES, loss, 30, seed, gp.suggest)
        assert y.min() < 0.01


@pytest.mark.parametrize("name", ["logei", "ei", "pi", "lcb", "ucb", "ucb_pe", "thompson"])
def test_every_acquisition_gets_better_than_chance(name: str) -> None:
    _, y = played(SQUARE, bowl, 20, 0, gp.suggest(acquisition=name))
    # The area of an ellipse with loss below 0.01 is 0.022; the chance that one of 20 random
    # points is in it is 0.36.
    assert y.min() < 0.01


def test_improvement_averaged_over_hyperparameters_finds_a_minimum_and_its_branch() -> None:
    _, y = played(SQUARE, bowl, 16, 0, gp.suggest(integrated=True))
    assert y.min() < 1e-3
    rows = BRANCHES.sample(np.random.default_rng(0), 12)
    history = history_of(BRANCHES, rows, rows[:, 0].tolist())
    sampler = gp.suggest(integrated=True)
    one, other = (sampler.suggest(BRANCHES, history, 3, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert (one[:, 0] == 0).all()
    assert len(np.unique(np.nan_to_num(one, nan=-1.0), axis=0)) == 3


def test_the_average_over_hyperparameters_has_the_gradient_of_finite_differences() -> None:
    search = gp.suggest(integrated=True).search(SQUARE, bowls(12), np.random.default_rng(0))
    z = np.array([0.4, 0.6])
    _, gradient = search.climb(z)
    steps = 1e-5 * np.eye(2)
    found = [(search.climb(z + e)[0] - search.climb(z - e)[0]) / 2e-5 for e in steps]
    np.testing.assert_allclose(gradient, found, rtol=1e-3)
    np.testing.assert_allclose(search.climb(z)[0], search.score(z[None])[0], rtol=1e-9)


@pytest.mark.parametrize("integrated", [False, True])
def test_several_at_once_are_different_and_far_apart(integrated: bool) -> None:
    sampler = gp.suggest(integrated=integrated)
    X = sampler.suggest(SQUARE, bowls(15, spread=0.1), 16, np.random.default_rng(0))
    assert len(np.unique(X, axis=0)) == 16
    distance = np.sqrt(((X[:, None] - X[None]) ** 2).sum(axis=2)) + 9 * np.eye(16)
    assert distance.min() > 1e-3


@pytest.mark.parametrize("acquisition", ["logei", "ucb_pe"])
def test_pending_trials_keep_others_away(acquisition: str) -> None:
    history, sampler = bowls(15), gp.suggest(acquisition=acquisition)
    first = sampler.suggest(SQUARE, history, 1, np.random.default_rng(0))
    X = np.vstack([history.X, first])
    losses: Sequence[float | None] = [*history.loss.tolist(), None]
    waiting = history_of(SQUARE, X, losses, [Status.OK] * 15 + [Status.RUNNING])
    second = sampler.suggest(SQUARE, waiting, 1, np.random.default_rng(0))
    assert np.abs(first - second).max() > 1e-3


def test_where_trials_fail_it_does_not_go_on() -> None:
    def loss(row: Array) -> float:
        return np.inf if row[0] > 0.5 else 1 - row[0]

    lowest = []
    for seed in range(5):
        X, y = np.empty((0, 2)), np.empty(0)
        for i in range(30):
            statuses = [Status.OK if np.isfinite(each) else Status.ERROR for each in y]
            losses = [each if np.isfinite(each) else None for each in y.tolist()]
            history = history_of(SQUARE, X, losses, statuses)
            row = gp.suggest.suggest(SQUARE, history, 1, np.random.default_rng([seed, i]))
            X, y = np.vstack([X, row]), np.append(y, loss(row[0]))
        assert np.isfinite(y[10:]).mean() > 0.5
        lowest.append(y.min())
    assert np.median(lowest) < 0.53


def test_equal_history_gives_equal_points_with_and_without_a_past() -> None:
    history = bowls(30)
    for n in range(10, 30):
        part = history_of(SQUARE, history.X[:n], history.loss[:n].tolist())
        gp.suggest.suggest(SQUARE, part, 1, np.random.default_rng(n))
    warm = gp.suggest.suggest(SQUARE, history, 3, np.random.default_rng(0))
    _mode.cache_clear()
    cold = gp.suggest.suggest(SQUARE, history, 3, np.random.default_rng(0))
    np.testing.assert_array_equal(warm, cold)


def test_a_finite_space_is_tried_once_and_then_the_run_ends() -> None:
    space = Space([hp.choice("c", "abc"), hp.randint("n", 4)])
    X, _ = played(space, lambda row: float(row.sum()), 12, 0, gp.suggest)
    assert len(np.unique(X, axis=0)) == 12
    history = history_of(space, X, X.sum(axis=1).tolist())
    rng = np.random.default_rng(0)
    assert gp.suggest.suggest(space, history, 2, rng).shape == (0, 2)
    assert gp.suggest(repeats=True).suggest(space, history, 2, rng).shape == (2, 2)
    part = history_of(space, X[:10], X[:10].sum(axis=1).tolist())
    assert gp.suggest.suggest(space, part, 5, rng).shape == (2, 2)


def test_noisy_losses_near_one_minimum_do_not_hold_the_search_there() -> None:
    line, left = Space(hp.uniform("x", 0, 1)), 0

    def valleys(x: Array, rng: np.random.Generator) -> Array:
        """Forrester's function, with minima of -1 at 0.14 and -6 at 0.757, and noise."""
        noise: Array = 0.5 * rng.standard_normal(len(x))
        return (6 * x - 2) ** 2 * np.sin(12 * x - 4) + noise

    for seed in range(10):
        rng = np.random.default_rng(seed)
        near = 0.15 + 0.01 * rng.standard_normal(6)
        x = np.append([0.0, 0.24, 0.41, 0.55, 0.93, 1.0], near)
        y = valleys(x, rng)
        for i in range(15):
            history = history_of(line, x[:, None], y.tolist())
            row = gp.suggest.suggest(line, history, 1, np.random.default_rng([seed, i]))[0]
            x, y = np.append(x, row), np.append(y, valleys(row, rng))
        left += bool((np.abs(x - 0.757) < 0.1).any())
    assert left >= 5  # none without regard to noise


def test_noise_counts_in_one_or_two_dimensions() -> None:
    cube = Space([hp.uniform(name, 0, 1) for name in "xyz"])
    for space, counts in ((SQUARE, True), (cube, False)):
        X = space.sample(np.random.default_rng(0), 20)
        history = history_of(space, X, X[:, 0].tolist())
        search = gp.suggest.search(space, history, np.random.default_rng(0))
        assert search.acquisition == search.later
        assert (search.acquisition.noise > 0) is counts  # type: ignore[attr-defined]


def test_a_prior_without_bounds_counts() -> None:
    space = Space(hp.normal("x", 10, 2))
    rng = np.random.default_rng(0)
    X = space.sample(rng, 12)
    history = history_of(space, X, rng.normal(size=12).tolist())
    found = [gp.suggest.suggest(space, history, 1, np.random.default_rng(i)) for i in range(20)]
    # With losses that say nothing, points stay where the prior expects them.
    assert np.abs(np.concatenate(found) - 10).max() < 3 * 2


def test_the_unit_of_the_losses_does_not_matter() -> None:
    history = bowls(20)
    scaled = replace(history, loss=1024.0 * history.loss)
    one, other = (
        gp.suggest.suggest(SQUARE, each, 1, np.random.default_rng(0)) for each in (history, scaled)
    )
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_losses_of_any_size_are_survived() -> None:
    X = SQUARE.sample(np.random.default_rng(0), 12)
    losses = [1e308, -1e308, np.inf, 1e-300, *([0.0] * 8)]
    row = gp.suggest.suggest(SQUARE, history_of(SQUARE, X, losses), 1, np.random.default_rng(0))
    assert np.isfinite(row).all()


def test_it_starts_with_evenly_spread_points_as_tpe_does() -> None:
    history = history_of(SQUARE, np.empty((0, 2)), [])
    one, other = (
        sampler.suggest(SQUARE, history, 3, np.random.default_rng(0))
        for sampler in (gp.suggest, tpe.suggest)
    )
    np.testing.assert_array_equal(one, other)


def test_it_has_a_name() -> None:
    assert resolve("gp") is gp.suggest


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"acquisition": "best"}, "acquisition must be one of 'logei'"),
        ({"acquisition": None}, "acquisition must be one of"),
        ({"kappa": -1}, "kappa must be a number >= 0"),
        ({"n_startup_jobs": 1.5}, "n_startup_jobs must be None or an integer >= 0"),
        ({"integrated": 1}, "integrated must be True or False"),
        ({"integrated": True, "acquisition": "lcb"}, "integrated must be False unless"),
        ({"repeats": 1}, "repeats must be True or False"),
        ({"gamma": 1}, "no option 'gamma'"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], wanted: str) -> None:
    with pytest.raises(InvalidArgument, match=wanted):
        gp.suggest(**options)


def test_points_do_not_depend_on_the_threads_of_linear_algebra() -> None:
    program = (
        "import numpy as np\n"
        "from sparktune.samplers import gp\n"
        "from sparktune.space import hp\n"
        "from sparktune.space.space import Space\n"
        "from sparktune.testing import mixed_history\n"
        "space = Space([hp.uniform(str(i), 0, 1) for i in range(5)])\n"
        "X = gp.suggest.suggest(space, mixed_history(space, 300), 3, np.random.default_rng(0))\n"
    )
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
    here: dict[str, Any] = {}
    exec(program, here)
    found = subprocess.run(
        [sys.executable, "-c", program + "print(X.tobytes().hex())"],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == here["X"].tobytes().hex()
