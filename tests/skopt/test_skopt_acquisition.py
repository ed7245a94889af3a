"""Acquisitions by their names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sparktune.skopt.acquisition import (
    gaussian_acquisition_1D,
    gaussian_ei,
    gaussian_lcb,
    gaussian_mes,
    gaussian_pi,
    gaussian_pvrs,
)
from sparktune.skopt.learning import GaussianProcessRegressor

X = np.array([[0.1, 0.2], [0.4, 0.9], [0.8, 0.3], [0.5, 0.5], [0.9, 0.9]])
Y = np.array([3.0, 1.0, 4.0, 0.5, 2.0])
NEW = np.random.default_rng(0).random((6, 2))


@pytest.fixture(scope="module")
def model() -> Any:
    return GaussianProcessRegressor(noise=1e-4).fit(X, Y)


@pytest.mark.parametrize("name", ["EI", "PI", "LCB"])
def test_gradients_are_those_of_the_values(model: Any, name: str) -> None:
    def value(x: Any) -> float:
        found = gaussian_acquisition_1D(x, model, 0.5, name, return_grad=False)
        return float(np.ravel(found)[0])

    for x in NEW:
        _, gradient = gaussian_acquisition_1D(x, model, 0.5, name)
        steps = 1e-6 * np.eye(2)
        expected = [(value(x + h) - value(x - h)) / 2e-6 for h in steps]
        np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-6)


def test_what_is_hoped_for_is_what_draws_say(model: Any) -> None:
    mean, sd = model.predict(NEW, return_std=True)
    draws = mean + sd * np.random.default_rng(1).standard_normal((200_000, len(NEW)))
    better = np.maximum(0.5 - 0.01 - draws, 0.0)
    share = (better > 0).mean(axis=0)
    often = share > 1e-3
    assert often.sum() >= 3
    error = 5 * better.std(axis=0) / np.sqrt(len(draws))
    expected = gaussian_ei(NEW, model, 0.5)
    assert (np.abs(expected - better.mean(axis=0)) < error)[often].all()
    np.testing.assert_allclose(gaussian_pi(NEW, model, 0.5), share, atol=5 * 0.5 / 447)
    np.testing.assert_allclose(gaussian_lcb(NEW, model, 2.0), mean - 2 * sd)
    np.testing.assert_allclose(gaussian_lcb(NEW, model, "inf"), -sd)


def test_entropy_search_goes_where_the_smallest_loss_may_be(model: Any) -> None:
    found = gaussian_mes(NEW, model)
    assert found.shape == (6,)
    assert (found >= 0).all()
    mean, sd = model.predict(NEW, return_std=True)
    assert np.argmax(found) == np.argmin(mean - sd)


def test_variance_search_does_not_go_where_everything_is_known(model: Any) -> None:
    found = gaussian_pvrs(np.vstack([NEW, X]), model)
    assert (found >= 0).all()
    assert found[6:].max() < 0.1 * found[:6].max()
