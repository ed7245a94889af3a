"""Gaussian processes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktune.errors import InvalidArgument
from sparktune.surrogates import Array
from sparktune.surrogates._evidence import Evidence
from sparktune.surrogates._slices import draws
from sparktune.surrogates.gp import GP, MOST, _mode, _sizes, subset

SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=20, deadline=None, derandomize=True)


def observations(seed: int, n: int = 12, p: int = 3) -> tuple[Array, Array]:
    """Rows in the unit cube, and a smooth function of them."""
    rng = np.random.default_rng(seed)
    Z, w = rng.random((n, p)), rng.normal(size=p)
    return Z, np.sin(3 * Z @ w) + Z[:, 0]


@FEW
@given(SEEDS, st.sampled_from([12, 40]))
def test_the_evidence_has_the_gradient_of_finite_differences(seed: int, n: int) -> None:
    Z, y = observations(seed, n, p=4)
    evidence = Evidence(Z, y, np.array([0, 0, 1, 2]))
    theta = evidence.centre + 0.5 * np.random.default_rng(seed).normal(size=6)
    _, gradient = evidence(theta)
    steps = 1e-5 * np.eye(len(theta))
    differences = [(evidence(theta + e)[0] - evidence(theta - e)[0]) / 2e-5 for e in steps]
    np.testing.assert_allclose(gradient, differences, rtol=1e-4, atol=1e-4)


@FEW
@given(SEEDS, st.sampled_from([12, 40]))
def test_the_posterior_has_the_gradients_of_finite_differences(seed: int, n: int) -> None:
    Z, y = observations(seed, n)
    process = GP().fit(Z, 10 * y + 5)
    z = np.random.default_rng(seed).random(3)
    mean, sd, d_mean, d_sd = process.gradients(z)
    step = 1e-5 * np.eye(3)
    [means, sds] = process.predict(np.vstack([z, z + step, z - step]))
    np.testing.assert_allclose([mean, sd], [means[0], sds[0]], rtol=1e-5)
    np.testing.assert_allclose(d_mean, (means[1:4] - means[4:]) / 2e-5, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(d_sd, (sds[1:4] - sds[4:]) / 2e-5, rtol=1e-2, atol=1e-2)


@FEW
@given(SEEDS)
def test_without_noise_it_interpolates(seed: int) -> None:
    Z, y = observations(seed)
    mean, sd = GP(noise=0.0).fit(Z, y).predict(Z)
    np.testing.assert_allclose(mean, y, atol=1e-3 * np.ptp(y))
    assert (sd < 1e-2 * np.ptp(y)).all()


@FEW
@given(SEEDS)
def test_the_order_of_observations_does_not_matter(seed: int) -> None:
    Z, y = observations(seed, n=9)  # below the smallest number whose optimum others start from
    order = np.random.default_rng(seed).permutation(len(y))
    new = np.random.default_rng(seed + 1).random((5, 3))
    one, other = GP().fit(Z, y).predict(new), GP().fit(Z[order], y[order]).predict(new)
    np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-2)


@FEW
@given(SEEDS)
def test_the_order_of_features_does_not_matter(seed: int) -> None:
    Z, y = observations(seed, n=9)
    new = np.random.default_rng(seed + 1).random((5, 3))
    order = [2, 0, 1]
    one, other = GP().fit(Z, y).predict(new), GP().fit(Z[:, order], y).predict(new[:, order])
    np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-2)


@FEW
@given(SEEDS, st.floats(1e-3, 1e3), st.floats(-100, 100))
def test_predictions_have_the_unit_of_the_observations(
    seed: int, scale: float, offset: float
) -> None:
    Z, y = observations(seed)
    new = np.random.default_rng(seed + 1).random((5, 3))
    (mean, sd), (other, wider) = (
        GP().fit(Z, each).predict(new) for each in (y, scale * y + offset)
    )
    np.testing.assert_allclose(other, scale * mean + offset, rtol=1e-3, atol=scale * 1e-2)
    np.testing.assert_allclose(wider, scale * sd, rtol=5e-2, atol=scale * 1e-2)


def test_moving_all_rows_changes_nothing() -> None:
    Z, y = observations(0)
    new = np.random.default_rng(1).random((5, 3))
    one, other = GP().fit(Z, y).predict(new), GP().fit(Z + 7, y).predict(new + 7)
    np.testing.assert_allclose(one, other, rtol=1e-6)


def test_it_learns_which_features_matter() -> None:
    rng = np.random.default_rng(0)
    Z = rng.random((60, 4))
    process = GP().fit(Z, np.sin(6 * Z[:, 2]))
    assert process.lengths[2] < 0.5 * np.delete(process.lengths, 2).min()


def test_a_trend_is_seen_from_few_observations() -> None:
    rng = np.random.default_rng(0)
    Z, new, lowest = rng.random((30, 10)), rng.random((200, 10)), rng.random(10)
    y = ((Z - lowest) ** 2).sum(axis=1) + 0.05 * rng.normal(size=30)
    true = ((new - lowest) ** 2).sum(axis=1)
    known, unknown = (
        np.std(GP(trend=trend).fit(Z, y).predict(new)[0] - true) for trend in (True, False)
    )
    assert known < 0.6 * unknown


def test_a_loss_that_curves_upwards_is_expected_to_do_so_along_all_features() -> None:
    rng = np.random.default_rng(0)
    Z = np.hstack([rng.random((20, 3)), np.full((20, 2), 0.5)])
    process = GP().fit(Z, ((Z - 0.5) ** 2).sum(axis=1))
    middle, edge = np.full(5, 0.5), np.array([0.5, 0.5, 0.5, 0.5, 1.0])
    (low, high), _ = process.predict(np.array([middle, edge]))
    # A quarter of what it is along the others, which is 0.25.
    assert high - low > 0.25 * 0.25


@FEW
@given(SEEDS)
def test_far_from_all_observations_losses_are_expected_to_be_as_the_others_there(seed: int) -> None:
    """Three quarters of the observations are in a narrow valley; the others are at 1."""
    rng = np.random.default_rng(seed)
    lowest = 0.2 + 0.6 * rng.random(4)
    Z = np.vstack([rng.random((15, 4)), lowest + 0.03 * rng.normal(size=(45, 4))])
    y = 1 - np.exp(-((Z - lowest) ** 2).sum(axis=1) / 0.02)
    new = rng.random((300, 4))
    distances = np.abs(new[:, None] - Z).max(axis=2).min(axis=1)
    far = new[distances > np.median(distances)]
    assert y.mean() < 0.6
    assert np.median(GP().fit(Z, y).predict(far)[0]) > 0.9


def test_the_bowl_leaves_out_features_that_share_a_length() -> None:
    rng = np.random.default_rng(0)
    Z = np.hstack([rng.random((20, 3)), np.full((20, 2), 0.5)])
    process = GP(groups=(0, 1, 2, 3, 3)).fit(Z, ((Z - 0.5) ** 2).sum(axis=1))
    middle, edge = np.full(5, 0.5), np.array([0.5, 0.5, 0.5, 0.5, 1.0])
    (low, high), _ = process.predict(np.array([middle, edge]))
    assert high == pytest.approx(low, abs=0.01)


def test_it_learns_how_large_the_noise_is() -> None:
    rng = np.random.default_rng(0)
    Z = rng.random((200, 1))
    y = np.sin(6 * Z[:, 0]) + 0.3 * rng.normal(size=200)
    process = GP().fit(Z, y)
    # The sample variance of 200 normal numbers is within 40 % but for a chance of 1e-4.
    assert 0.6 * 0.09 < process.sn2 * process.scale**2 < 1.4 * 0.09


def test_features_of_a_group_share_a_length() -> None:
    Z, y = observations(0, n=30)
    lengths = GP(groups=(0, 1, 1)).fit(Z, y).lengths
    assert lengths[1] == lengths[2] != lengths[0]


def test_residuals_are_those_of_leaving_each_out() -> None:
    Z, y = observations(3)
    process = GP(noise=0.01).fit(Z, y)
    theta = np.log(np.append(process.lengths, [process.sf2, process.st2, process.sn2]))
    for i in range(len(y)):
        others = np.arange(len(y)) != i
        kept = Evidence(Z[others], process.y[others], np.arange(3), known_trend=process.trend)
        rest = type(process).of(kept, theta, 0.0, 1.0)
        [mean], [sd] = rest.predict(Z[i : i + 1])
        expected = (process.y[i] - mean) / np.sqrt(sd**2 + process.sn2)
        assert process.residuals()[i] == pytest.approx(expected, rel=1e-6)


def test_samples_have_the_posterior_mean_and_covariance() -> None:
    Z, y = observations(1)
    process = GP(noise=0.05).fit(Z, y)
    new = np.random.default_rng(2).random((2, 3))
    mean, sd = process.predict(new)
    draws = process.sample(new, 20_000, np.random.default_rng(3))
    assert draws.shape == (20_000, 2)
    # Five standard errors of the mean; of the standard deviation about as much.
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=5 * sd.max() / 141)
    np.testing.assert_allclose(draws.std(axis=0), sd, rtol=5 / 200)
    near = process.sample(new[[0, 0]] + np.array([[0.0], [1e-6]]), 100, np.random.default_rng(4))
    np.testing.assert_allclose(near[:, 0], near[:, 1], atol=1e-3)


def test_believing_leaves_the_mean_and_shrinks_the_deviation() -> None:
    Z, y = observations(5)
    process = GP().fit(Z, y)
    new = np.random.default_rng(6).random((20, 3))
    believing = process.believing(new[:2]).believing(new[2:3])
    (mean, sd), (same, smaller) = process.predict(new), believing.predict(new)
    np.testing.assert_allclose(same, mean, rtol=1e-8)
    assert (smaller <= sd + 1e-9).all()
    assert (smaller[:3] < 0.9 * sd[:3]).all()


def test_believing_is_what_knowing_the_mean_would_do() -> None:
    Z, y = observations(7)
    process, new = GP(noise=0.05).fit(Z, y), np.random.default_rng(8).random((6, 3))
    kx = process.covariance(new)
    C = process.prior_covariance(new, new) - kx.T @ np.linalg.solve(process.L @ process.L.T, kx)
    known = C[2:, 2:] - C[2:, :2] @ np.linalg.solve(C[:2, :2], C[:2, 2:])
    mean, sd = process.believing(new[:2]).predict(new)
    np.testing.assert_allclose(mean, process.predict(new)[0], rtol=1e-8)
    np.testing.assert_allclose(sd[2:], process.scale * np.sqrt(np.diag(known)), rtol=1e-4)
    assert (sd[:2] < 1e-3 * process.scale).all()


def test_observing_is_what_one_more_observation_does() -> None:
    Z, y = observations(7)
    process, new = GP(noise=0.05).fit(Z, y), np.random.default_rng(8).random((6, 3))
    told = np.array([3.0, -1.0, 0.5])
    wider = process.observing(new[:2], told[:2]).observing(new[2:3], told[2:])
    rows = np.vstack([Z, new[:3]])
    K = process.prior_covariance(rows, rows) + process.sn2 * np.eye(len(rows))
    kx = process.prior_covariance(rows, new)
    losses = (np.append(y, told) - process.offset) / process.scale
    mean, sd = wider.predict(new)
    expected = process.offset + process.scale * kx.T @ np.linalg.solve(K, losses)
    np.testing.assert_allclose(mean, expected, rtol=1e-6)
    var = process.prior_variances(new) - np.einsum("ij,ij->j", kx, np.linalg.solve(K, kx))
    np.testing.assert_allclose(sd, process.scale * np.sqrt(var), rtol=1e-5)
    assert process.observing(new[:0], told[:0]) is process


def test_fitted_is_the_mean_at_the_observed_rows() -> None:
    Z, y = observations(9)
    process = GP().fit(Z, y + 3)
    np.testing.assert_allclose(process.fitted, process.predict(Z)[0], rtol=1e-8)


def test_a_fit_depends_on_nothing_but_its_observations() -> None:
    Z, y = observations(10, n=25)
    for n in range(2, 25):
        GP(warp=True).fit(Z[:n], y[:n])
    warm = GP(warp=True).fit(Z, y)
    _mode.cache_clear()
    cold = GP(warp=True).fit(Z, y)
    np.testing.assert_array_equal(warm.alpha, cold.alpha)


def test_failed_observations_count_as_worse_than_the_worst() -> None:
    rng = np.random.default_rng(0)
    Z = rng.random((40, 1))
    y = np.where(Z[:, 0] > 0.7, np.inf, Z[:, 0])
    for warp in (False, True):
        mean, _ = GP(warp=warp).fit(Z, y).predict(np.array([[0.1], [0.6], [0.9]]))
        assert mean[0] < mean[1] < mean[2]


@pytest.mark.parametrize("y", [[], [2.0], [1.0, 1.0, 1.0], [np.inf, np.inf], [1e300, -1e300, 0]])
@pytest.mark.parametrize("warp", [False, True])
def test_few_or_odd_observations_are_no_trouble(y: list[float], warp: bool) -> None:
    Z = np.random.default_rng(0).random((len(y), 2))
    mean, sd = GP(warp=warp).fit(Z, np.array(y)).predict(np.full((3, 2), 0.5))
    assert np.isfinite(mean).all()
    assert (sd > 0).all()


def test_equal_rows_are_no_trouble() -> None:
    Z = np.full((30, 2), 0.3)
    mean, _ = GP(noise=0.0).fit(Z, np.arange(30.0)).predict(Z[:1])
    assert np.isfinite(mean).all()


def test_of_many_observations_the_best_are_kept() -> None:
    rng = np.random.default_rng(0)
    Z, y = rng.random((2000, 2)), rng.normal(size=2000)
    kept = subset(Z, y, MOST)
    assert len(kept) == len(np.unique(kept)) == MOST
    assert set(np.argsort(y)[: MOST // 5]) <= set(kept)
    near = ((Z - Z[y.argmin()]) ** 2).sum(axis=1)
    assert set(np.argsort(near)[: MOST // 2]) <= set(kept)


@pytest.mark.parametrize("n", [0, 1, 2, 9, 10, 11, 59, 60, 61, 63, 64, 500, 10_000])
def test_hyperparameters_are_found_again_with_a_twentieth_more(n: int) -> None:
    sizes = _sizes(n)
    assert sizes == sorted(set(sizes))
    assert bool(sizes) == (n >= 2)
    if n >= 2:
        assert sizes[-1] <= n
        assert sizes[-1] == n if n <= 60 else np.ceil(sizes[-1] * 1.05) > n


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="one observation for each"):
        GP().fit(np.zeros((3, 2)), np.zeros(2))
    with pytest.raises(InvalidArgument, match="not NaN"):
        GP().fit(np.zeros((2, 2)), np.array([1.0, np.nan]))
    with pytest.raises(InvalidArgument, match="1 groups for 2 features"):
        GP(groups=(0,)).fit(np.zeros((2, 2)), np.zeros(2))


@FEW
@given(SEEDS)
def test_with_told_noise_the_evidence_has_the_gradient_of_finite_differences(seed: int) -> None:
    Z, y = observations(seed, p=4)
    told = np.random.default_rng(seed).exponential(0.1, len(y))
    evidence = Evidence(Z, y, np.arange(4), told=np.where(told > 0.2, np.nan, told))
    theta = evidence.centre + 0.5 * np.random.default_rng(seed).normal(size=7)
    _, gradient = evidence(theta)
    steps = 1e-5 * np.eye(len(theta))
    differences = [(evidence(theta + e)[0] - evidence(theta - e)[0]) / 2e-5 for e in steps]
    np.testing.assert_allclose(gradient, differences, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("warp", [False, True])
def test_an_observation_that_is_told_to_be_noisy_counts_less(warp: bool) -> None:
    rng = np.random.default_rng(0)
    Z = rng.random((40, 1))
    sd = np.where(np.arange(40) % 2, 1.0, 0.05)
    y = 7 + 3 * (np.sin(6 * Z[:, 0]) + sd * rng.normal(size=40))
    model = GP(warp=warp)
    plain, told = (model.fit(Z, y, variance=each) for each in (None, (3 * sd) ** 2))
    true = model.fit(Z, 7 + 3 * np.sin(6 * Z[:, 0])) if warp else None
    exact = 7 + 3 * np.sin(6 * Z[:, 0]) if true is None else true.fitted
    errors = [np.corrcoef(each.fitted, exact)[0, 1] for each in (plain, told)]
    assert errors[1] > errors[0]
    _, sds = told.predict(Z)
    assert sds.max() < plain.predict(Z)[1].max()


def test_noise_that_is_told_too_large_is_found_to_be_smaller() -> None:
    Z, y = observations(0, n=60)
    process = GP().fit(Z, y, variance=np.full(60, y.var()))
    assert process.sn2 < 0.05


def test_nothing_told_is_as_if_there_were_nothing_to_tell() -> None:
    Z, y = observations(0)
    one, other = GP().fit(Z, y), GP().fit(Z, y, variance=np.full(len(y), np.nan))
    np.testing.assert_array_equal(one.fitted, other.fitted)


def test_reported_variances_may_have_any_size() -> None:
    Z, y = observations(1)
    expected = GP(warp=True).fit(Z, y, variance=np.full(len(y), np.nan)).mean(Z)
    for unit, variance in ((1e-300, 0.0), (1e-300, 1.0), (1e300, 1e300), (1.0, 1e308)):
        found = GP(warp=True).fit(Z, y * unit, variance=np.full(len(y), variance)).mean(Z)
        assert np.isfinite(found).all()
    nothing = GP(warp=True).fit(Z, y * 1e-300, variance=np.full(len(y), np.nan)).mean(Z)
    np.testing.assert_allclose(nothing, expected, atol=1e-6)


def test_drawn_hyperparameters_have_the_moments_of_their_posterior() -> None:
    Z, y = observations(0, 5, p=1)
    evidence = Evidence(Z, y - y.mean(), np.array([0]))
    rng = np.random.default_rng(0)
    # The reference: draws from the prior, weighted by the likelihood.
    sd = np.array([np.hypot(0.5, 0.7), 1.0, 1.5, 1.5])
    prior = evidence.centre + sd * rng.standard_normal((2500, 4))
    log_prior = -0.5 * (((prior - evidence.centre) / sd) ** 2).sum(axis=1)
    log_likelihood = np.array([-evidence(theta)[0] for theta in prior]) - log_prior
    w = np.exp(log_likelihood - log_likelihood.max())
    w /= w.sum()
    mean = w @ prior
    spread = np.sqrt(w @ (prior - mean) ** 2)
    drawn = np.array(draws(evidence, evidence.centre, 700, rng))
    np.testing.assert_allclose((drawn.mean(axis=0) - mean) / spread, 0, atol=0.2)
    np.testing.assert_allclose(drawn.std(axis=0) / spread, 1, atol=0.15)


def test_hyperparameters_are_drawn_within_their_bounds_from_any_start() -> None:
    Z, y = observations(0, 8, p=1)
    evidence = Evidence(Z, y - y.mean(), np.array([0]))
    low, high = np.array(evidence.bounds()).T
    for theta in draws(evidence, high + 1, 3, np.random.default_rng(0)):
        assert ((low <= theta) & (theta <= high)).all()
