"""Quantiles by boosting."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from sparktune.surrogates import Array
from sparktune.surrogates.quantile import Quantiles


def observations(n: int = 300) -> tuple[Array, Array]:
    """A step in the first of two features, with noise that grows with the second."""
    rng = np.random.default_rng(0)
    Z = rng.random((n, 2))
    return Z, np.where(Z[:, 0] > 0.5, 3.0, 1.0) + (0.05 + Z[:, 1]) * rng.normal(size=n)


def test_it_learns_a_step_and_where_noise_is_large() -> None:
    Z, y = observations()
    posterior = Quantiles(trees=60).fit(Z, y, np.random.default_rng(1))
    mean, sd = posterior.predict(np.array([[0.2, 0.1], [0.8, 0.1], [0.8, 0.9]]))
    assert abs(mean[0] - 1) < 0.4
    assert abs(mean[1] - 3) < 0.4
    assert sd[2] > 2 * sd[1]


def test_predictions_have_the_unit_of_the_observations() -> None:
    Z, y = observations(60)
    (mean, sd), (other, wider) = (
        Quantiles().fit(Z, each, np.random.default_rng(1)).predict(Z) for each in (y, 8 * y + 5)
    )
    np.testing.assert_allclose(other, 8 * mean + 5, rtol=1e-4)
    np.testing.assert_allclose(wider, 8 * sd, rtol=1e-4)


def test_samples_have_the_mean_and_deviation_of_the_posterior() -> None:
    Z, y = observations(60)
    posterior = Quantiles().fit(Z, y, np.random.default_rng(1))
    mean, sd = posterior.predict(Z[:4])
    draws = posterior.sample(Z[:4], 10_000, np.random.default_rng(2))
    # Six standard errors of the mean.
    assert (np.abs(draws.mean(axis=0) - mean) <= 6 * sd / 100).all()
    np.testing.assert_allclose(draws.std(axis=0), sd, rtol=0.1)


def test_residuals_tell_what_is_out_of_line() -> None:
    Z, y = observations(60)
    y = y.copy()
    y[7] = 50.0
    residuals = Quantiles().fit(Z, y, np.random.default_rng(1)).residuals()
    assert residuals.shape == y.shape
    assert residuals.argmax() == 7


def test_failed_observations_count_as_worse_than_the_worst() -> None:
    Z, y = observations()
    y = np.where(Z[:, 1] > 0.8, np.inf, y)
    mean, _ = (
        Quantiles(warp=True)
        .fit(Z, y, np.random.default_rng(1))
        .predict(np.array([[0.1, 0.5], [0.1, 0.95]]))
    )
    assert mean[0] < mean[1]


def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(ImportError, match=r"pip install 'sparktune\[sklearn\]'"):
        Quantiles().fit(*observations(60), np.random.default_rng(0))
