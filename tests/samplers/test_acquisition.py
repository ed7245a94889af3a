"""Acquisition functions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sparktune.samplers._acquisition import (
    ACQUISITIONS,
    Acquisition,
    Bound,
    Exploration,
    LogEI,
    LogPI,
    log_h,
)

ALL = [LogEI(0.3), LogEI(0.3, 0.1), LogPI(0.3), Bound(1.96), Exploration(0.3)]


@pytest.mark.parametrize("acquisition", ALL, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("mean", [-2.0, 0.1, 0.6, 3.0])
@pytest.mark.parametrize("sd", [0.01, 0.2, 1.5])
def test_slopes_are_those_of_finite_differences(
    acquisition: Acquisition, mean: float, sd: float
) -> None:
    e = 1e-6 * sd
    means = acquisition(np.array([mean + e, mean - e]), np.full(2, sd))
    sds = acquisition(np.full(2, mean), np.array([sd + e, sd - e]))
    by_mean, by_sd = acquisition.slopes(mean, sd)
    assert by_mean == pytest.approx((means[0] - means[1]) / (2 * e), rel=1e-3, abs=1e-6)
    assert by_sd == pytest.approx((sds[0] - sds[1]) / (2 * e), rel=1e-3, abs=1e-6)


def test_expected_improvement_is_the_mean_of_improvements() -> None:
    draws = np.random.default_rng(0).normal(1.0, 0.5, 1_000_000)
    expected = np.maximum(0.7 - draws, 0).mean()
    [found] = np.exp(LogEI(0.7)(np.array([1.0]), np.array([0.5])))
    assert found == pytest.approx(expected, rel=0.01)


def test_noise_takes_its_share_of_the_expected_improvement() -> None:
    mean, sd = np.array([0.7, 0.8, 0.6]), np.array([1e-9, 0.3, 4.0])
    lost = LogEI(0.7)(mean, sd) - LogEI(0.7, 0.4)(mean, sd)
    assert lost[0] == pytest.approx(-np.log(0.5 * (1e-9 / 0.4) ** 2))
    assert lost[1] == pytest.approx(-np.log(1 - 0.4 / 0.5))
    assert lost[2] == pytest.approx(-np.log(1 - 0.4 / np.hypot(0.4, 4.0)))


def test_the_probability_is_that_of_the_normal_distribution() -> None:
    [found] = np.exp(LogPI(0.7)(np.array([1.0]), np.array([0.5])))
    assert found == pytest.approx(stats.norm.cdf(-0.6))


def test_far_tails_keep_their_precision() -> None:
    t = -np.logspace(-1, 6, 200)
    found = log_h(t)
    assert np.isfinite(found).all()
    assert (np.diff(found) < 0).all()
    # To leading order h(t) = phi(t) / t^2.
    expected = -(t**2) / 2 - 0.5 * np.log(2 * np.pi) - 2 * np.log(-t)
    far = t < -100
    np.testing.assert_allclose(found[far], expected[far], rtol=1e-6)
    # On both sides of where the form changes.
    for edge in (-1.0, -1e3):
        low, high = log_h(np.array([edge - 1e-9, edge + 1e-9]))
        assert low == pytest.approx(high, rel=1e-6)


def test_every_name_makes_an_acquisition() -> None:
    for make in ACQUISITIONS.values():
        better, worse = make(0.0, 0.1, 1.0)(np.array([-1.0, 1.0]), np.full(2, 0.1))
        assert better > worse


def test_what_is_believed_is_no_improvement_any_more() -> None:
    improvements: tuple[type[LogEI] | type[LogPI], ...] = (LogEI, LogPI)
    for improvement in improvements:
        assert improvement(0.3).believing(0.1) == improvement(0.1)
        assert improvement(0.3).believing(0.5) == improvement(0.3)
    assert LogEI(0.3, 0.2).believing(0.1) == LogEI(0.1, 0.2)
    others: tuple[Acquisition, ...] = (Bound(1.0), Exploration(0.3))
    for same in others:
        assert same.believing(0.1) is same
