"""Losses on the scale of a model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sparktune.surrogates import Array
from sparktune.surrogates.warping import _all, _bad_ones, centred, warped, warped_with_slope

LOSSES = arrays(
    np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6).map(lambda y: round(y, 3))
)
MANY = settings(deadline=None, derandomize=True)


@MANY
@given(LOSSES)
def test_the_order_stays(y: Array) -> None:
    order = np.argsort(y, kind="stable")
    assert (np.diff(warped(y)[order]) >= -1e-12).all()
    assert (np.diff(centred(y)[0][order]) >= -1e-12).all()


@MANY
@given(LOSSES, st.floats(0.01, 100), st.floats(-1e3, 1e3))
def test_the_unit_of_losses_does_not_matter(y: Array, scale: float, offset: float) -> None:
    if np.ptp(y) == 0 or np.ptp(y) > 0.01:  # else rounding decides
        np.testing.assert_allclose(warped(scale * y + offset), warped(y), atol=1e-4)


@MANY
@given(LOSSES)
def test_the_result_is_standardised(y: Array) -> None:
    for w in (warped(y), centred(y)[0]):
        assert abs(w.mean()) < 1e-6
        assert w.std() == pytest.approx(1.0) or w.std() < 1e-6


@MANY
@given(LOSSES)
def test_good_losses_nearly_keep_their_differences(y: Array) -> None:
    """Below the median no slope is less than sqrt(1/2) of another one."""
    slope = warped_with_slope(y)[1][y <= np.median(y)]
    assert slope.min() >= 0.707 * slope.max()


def test_good_ones_of_many_losses_keep_their_differences() -> None:
    """However near to the best one most of them are."""
    y = np.append(np.linspace(0, 1e-3, 40), [1.0, 10.0, 1e3])
    w, slope = warped_with_slope(y)
    assert slope[:22] == pytest.approx(slope[0])
    assert np.diff(w[:22]) == pytest.approx(slope[0] * np.diff(y[:22]))
    # m is y[21], and s is y[32] - m, the median of the 21 losses above m.
    m, s = y[21], y[32] - y[21]
    wanted = s * (np.log1p((1e3 - m) / s) - np.log1p((10 - m) / s))
    assert w[42] - w[41] == pytest.approx(slope[0] * wanted)


def test_how_bad_the_worst_is_counts_by_its_logarithm() -> None:
    y = np.append(np.arange(20.0), [1e5, 1e8])
    w = warped(y)
    # q is 5.25, and s is 11, the median of the losses above the smallest one.
    good = np.arcsinh((10 - 5.25) / 11) - np.arcsinh((5 - 5.25) / 11)
    assert (w[21] - w[20]) / (w[10] - w[5]) == pytest.approx(np.log(1e3) / good, rel=1e-4)


@pytest.mark.parametrize("transform", [_all, _bad_ones])
def test_the_slope_is_that_of_finite_differences(
    transform: Callable[[Array], tuple[Array, Array]],
) -> None:
    y = np.append(np.linspace(0, 1, 1001), np.linspace(1, 50, 10_001)[1:])
    w, slope = transform(y)
    np.testing.assert_allclose(np.diff(w) / np.diff(y), (slope[1:] + slope[:-1]) / 2, rtol=1e-4)


def test_equal_losses_stay_equal() -> None:
    w = warped(np.array([0.0, 1.0, 1.0, 5.0, 5.0, 5.0, 7.0]))
    assert w[1] == w[2]
    assert w[3] == w[4] == w[5]


def test_failures_are_worse_than_the_worst() -> None:
    for w in (
        warped(np.array([1.0, np.inf, 3.0, 2.0])),
        centred(np.array([1.0, np.inf, 3.0, 2.0]))[0],
    ):
        assert w.argmax() == 1
        assert w[1] - w[2] == pytest.approx(0.5 * (w[2] - w[0]))


def test_nothing_but_failures_is_no_trouble() -> None:
    np.testing.assert_array_equal(warped(np.full(3, np.inf)), np.zeros(3))


def test_most_losses_may_be_the_best_one() -> None:
    w = warped(np.array([0.0, 0.0, 0.0, 0.0, 4.0, 1e6]))
    assert (np.diff(w[3:]) > 0).all()
    assert np.isfinite(w).all()


def test_tiny_losses_are_as_good_as_others() -> None:
    y = np.array([3.0, 1.0, 2.0, 8.0])
    for unit in (1e-300, 5e-324):
        w, slope = warped_with_slope(y * unit)
        np.testing.assert_allclose(w, warped(y))
        assert np.isfinite(slope**2).all()
