"""Forests."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from sparktune.surrogates import Array
from sparktune.surrogates.forest import Forest

BOTH = pytest.mark.parametrize("forest", [Forest(), Forest(extra=True)], ids=["random", "extra"])


def observations(n: int = 60) -> tuple[Array, Array]:
    """A step in the first of two features."""
    Z = np.random.default_rng(0).random((n, 2))
    return Z, np.where(Z[:, 0] > 0.5, 3.0, 1.0) + 0.1 * Z[:, 1]


@BOTH
def test_it_learns_a_step(forest: Forest) -> None:
    Z, y = observations()
    posterior = forest.fit(Z, y, np.random.default_rng(1))
    mean, sd = posterior.predict(np.array([[0.1, 0.5], [0.9, 0.5], [0.5, 0.5]]))
    assert mean[0] < 1.3
    assert mean[1] > 2.8
    assert sd[2] > 2 * max(sd[:2])


@BOTH
def test_equal_numbers_give_equal_forests(forest: Forest) -> None:
    Z, y = observations()
    one, other, third = (
        forest.fit(Z, y, np.random.default_rng(seed)).predict(Z[:5]) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, other)
    assert (one[0] != third[0]).any()


def test_predictions_have_the_unit_of_the_observations() -> None:
    Z, y = observations()
    (mean, sd), (other, wider) = (
        Forest().fit(Z, each, np.random.default_rng(1)).predict(Z) for each in (y, 8 * y + 5)
    )
    np.testing.assert_allclose(other, 8 * mean + 5, rtol=1e-6)
    np.testing.assert_allclose(wider, 8 * sd, rtol=1e-6)


def test_increasing_functions_of_the_features_change_nothing() -> None:
    Z, y = observations()
    one, other = (
        Forest().fit(each, y, np.random.default_rng(1)).predict(each)[0] for each in (Z, 4 * Z)
    )
    np.testing.assert_allclose(one, other)


@BOTH
def test_samples_have_the_mean_and_deviation_of_the_posterior(forest: Forest) -> None:
    Z, y = observations()
    posterior = forest.fit(Z, y, np.random.default_rng(1))
    mean, sd = posterior.predict(Z[:4])
    draws = posterior.sample(Z[:4], 20_000, np.random.default_rng(2))
    # Six standard errors of the mean.
    assert (np.abs(draws.mean(axis=0) - mean) <= 6 * sd / np.sqrt(20_000)).all()
    np.testing.assert_allclose(draws.std(axis=0), sd, rtol=0.1, atol=2e-3)


def test_residuals_are_of_trees_that_have_not_seen_the_observation() -> None:
    Z, y = observations()
    y = y.copy()
    y[7] = 50.0
    residuals = Forest(trees=32).fit(Z, y, np.random.default_rng(1)).residuals()
    assert residuals.shape == y.shape
    assert np.nanargmax(residuals) == 7
    seen_by_all = Forest(extra=True).fit(Z, y, np.random.default_rng(1)).residuals()
    assert np.isnan(seen_by_all).all()


@pytest.mark.parametrize("warp", [False, True])
def test_failed_observations_count_as_worse_than_the_worst(warp: bool) -> None:
    Z, y = observations()
    y = np.where(Z[:, 1] > 0.8, np.inf, y)
    mean, _ = (
        Forest(warp=warp)
        .fit(Z, y, np.random.default_rng(1))
        .predict(np.array([[0.1, 0.5], [0.1, 0.95]]))
    )
    assert mean[0] < mean[1]


def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(ImportError, match=r"pip install 'sparktune\[sklearn\]'"):
        Forest().fit(*observations(), np.random.default_rng(0))
