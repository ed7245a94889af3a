"""The mixture of kernels: bandwidths and weights by hand, densities by quadrature.

Quadrature runs over the unit cube of the prior: a density f over x is the integral of f(x(u)) times
dx/du, which is known for every prior.
"""

from __future__ import annotations

import itertools
from math import exp, inf, log, pi, sqrt
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from sparktune.samplers._parzen import Parzen, product
from sparktune.samplers._points import Points
from sparktune.space import hp
from sparktune.space.distributions import Array
from sparktune.space.space import Space


def fitted(space: Space, observations: list[dict[str, Any]], prior_weight: float = 1.0) -> Parzen:
    """The mixture over these configurations, of weight 1 each."""
    X = np.array([space.encode(values) for values in observations]).reshape(-1, len(space))
    return Parzen.fit(Points.of(space, X), np.ones(len(X)), prior_weight)


def widths(space: Space, observations: list[dict[str, Any]]) -> Array:
    """Bandwidths in units of the latent parameters, the prior's kernel last."""
    mixture = fitted(space, observations)
    return mixture.kernels.s * mixture.space.layout.scale


def normalised(mixture: Parzen, rows: Array) -> Array:
    """Densities of rows over the latent values of smooth parameters and probabilities of the values
    of others, with the constants that `log_density` leaves out.
    """
    layout = mixture.space.layout
    points = Points.of(mixture.space, rows)
    cells = np.where(points.h > 0, points.h, 1 / layout.scale) / np.sqrt(2 * pi)
    constants = np.prod(np.where(np.isnan(points.z), 1.0, cells), axis=1)
    density = np.exp(mixture.log_density(points.features())) / mixture.w.sum()
    return density * constants


# Bandwidths and weights


def test_bandwidths_follow_scotts_rule_with_the_prior_as_one_more_value() -> None:
    # Around the centre 5: -5, -3, 4 and the prior's 0. Mean -1, squares 16, 4, 25, 1, and the
    # prior's own 100 / 12.
    space = Space(hp.uniform("x", 0, 10))
    s = widths(space, [{"x": 0}, {"x": 2}, {"x": 9}])
    expected = sqrt((46 + 100 / 12) / 4) * 4 ** (-1 / 5)
    assert_allclose(s[:, 0], [expected, expected, expected, 10])


def test_bandwidths_of_a_logarithmic_parameter_are_those_of_its_logarithm() -> None:
    plain, logarithmic = Space(hp.uniform("x", 0, 10)), Space(hp.loguniform("x", 0, 10))
    values = (1, 2, 6)
    assert_allclose(
        widths(logarithmic, [{"x": exp(x)} for x in values]),
        widths(plain, [{"x": x} for x in values]),
    )


def test_bandwidths_of_a_normal_parameter_are_bounded_by_its_sigma() -> None:
    space = Space(hp.normal("x", 5, 2))
    assert_allclose(widths(space, [{"x": -20}, {"x": 4.5}]), 2.0)
    # Around the mean: -1, 1 and the prior's 0; squares 1 and 1, and the prior's own 4.
    s = widths(space, [{"x": 4}, {"x": 6}])
    assert_allclose(s[:-1, 0], sqrt(6 / 3) * 3 ** (-1 / 5))


def test_no_kernel_is_narrower_than_the_magic_clip() -> None:
    space = Space(hp.uniform("x", 0, 10))
    assert_allclose(widths(space, [{"x": 5}] * 30)[:-1, 0], 10 / 32)
    assert_allclose(widths(space, [{"x": 5}] * 5000)[:-1, 0], 10 / 100)


def test_no_kernel_on_a_grid_is_narrower_than_a_share_of_its_cell() -> None:
    space = Space(hp.quniform("x", 0, 4, 1))
    s = widths(space, [{"x": 2}] * 1000)
    assert_allclose(s[:-1, 0], 0.3)

    # 2 stands for [1, 3] of the range [1, e^6].
    s = widths(Space(hp.qloguniform("y", 0, 6, 2)), [{"y": 2}] * 1000)
    assert_allclose(s[:-1, 0], 0.3 * log(3))


def test_each_parameter_has_a_bandwidth_of_its_own() -> None:
    x, y = hp.uniform("x", 0, 10), hp.uniform("y", 0, 100)
    both = widths(Space([x, y]), [{"x": 0, "y": 90}, {"x": 2, "y": 30}, {"x": 9, "y": 40}])
    # -5, -3, 4, 0 and 40, -20, -10, 0 (mean 2.5), with two parameters.
    assert_allclose(both[0, 0], sqrt((46 + 100 / 12) / 4) * 4 ** (-1 / 6))
    assert_allclose(both[0, 1], sqrt((2075 + 10000 / 12) / 4) * 4 ** (-1 / 6))


def test_where_a_parameter_is_inactive_the_kernel_is_the_priors() -> None:
    space = Space(hp.choice("c", [hp.uniform("x", 0, 10), hp.normal("y", 3, 2)]))
    mixture = fitted(space, [{"c": 0, "x": 0}, {"c": 1, "y": 4}, {"c": 0, "x": 9}])
    mu = mixture.kernels.mu * mixture.space.layout.scale + mixture.space.layout.centre
    s = mixture.kernels.s * mixture.space.layout.scale
    assert space.labels == ("c", "x", "y")
    assert_allclose(mu, [[0, 3], [5, 4], [9, 3], [5, 3]])
    # x: -5, 4, and the prior's 0, mean -1/3; y: 1 and 0. Two of three parameters are active in
    # every row.
    x = sqrt((41 - 1 / 3 + 100 / 12) / 3) * 3 ** (-1 / 6)
    y = sqrt((0.5 + 4) / 2) * 2 ** (-1 / 6)
    expected: list[list[float]] = [[x, 2], [10, y], [x, 2], [10, 2]]
    assert_allclose(s, expected)


def test_the_prior_has_its_weight_among_the_observations() -> None:
    space = Space(hp.uniform("x", 0, 1))
    mixture = fitted(space, [{"x": 0.1}, {"x": 0.2}, {"x": 0.3}], prior_weight=0.5)
    assert_allclose(mixture.w, [1, 1, 1, 0.5])


def test_an_option_is_smoothed_by_its_prior() -> None:
    # An observation of option k: (1 at k + p * 3 * 4 * 0.5 / (n + 1)), here n = 2, scaled to sum 1.
    space = Space(hp.pchoice("c", [(0.5, "a"), (0.3, "b"), (0.2, "c")]))
    [P] = fitted(space, [{"c": 1}, {"c": 2}], prior_weight=0.5).kernels.P
    assert_allclose(P[0], np.array([1.0, 1.6, 0.4]) / 3)
    assert_allclose(P[1], np.array([1.0, 0.6, 1.4]) / 3)
    assert_allclose(P[2], [0.5, 0.3, 0.2])


# Densities


def test_without_observations_the_density_is_the_truncated_prior_kernel() -> None:
    mixture = fitted(Space(hp.uniform("x", 2, 4)), [])
    x = np.linspace(2, 4, 9)
    expected = stats.truncnorm(-0.5, 0.5, loc=3, scale=2).pdf(x)
    assert_allclose(normalised(mixture, x[:, None]), expected)


def test_the_density_is_the_weighted_sum_of_products_of_kernels() -> None:
    space = Space([hp.uniform("x", 0, 10), hp.normal("y", 0, 4), hp.choice("c", "ab")])
    mixture = fitted(space, [{"x": 1, "y": -2, "c": 0}, {"x": 9, "y": 3, "c": 1}])
    # x: -4, 4, 0 around the centre. y: -2, 3, 0, mean 1/3.
    sx = sqrt((32 + 100 / 12) / 3) * 3 ** (-1 / 7)
    sy = sqrt((38 / 3 + 16) / 3) * 3 ** (-1 / 7)
    kernels = [(1, sx, -2, sy), (9, sx, 3, sy), (5, 10, 0, 4)]
    options = np.array([[1 + 4 / 3, 4 / 3], [4 / 3, 1 + 4 / 3], [11 / 6, 11 / 6]]) / (11 / 3)
    rows = np.array([[2.0, 1.0, 0.0], [9.5, -3.0, 1.0], [0.0, 8.0, 0.0]])
    columns = {label: space.labels.index(label) for label in "xyc"}
    for x, y, c in rows:
        row = np.empty(3)
        row[[columns["x"], columns["y"], columns["c"]]] = x, y, c
        expected = sum(
            stats.truncnorm(-mx / sx, (10 - mx) / sx, loc=mx, scale=sx).pdf(x)
            * stats.norm(my, sy).pdf(y)
            * options[k, int(c)]
            for k, (mx, sx, my, sy) in enumerate(kernels)
        ) / len(kernels)
        assert_allclose(normalised(mixture, row[None]), expected)


ONE = {
    "uniform": (hp.uniform("x", -1, 3), [-1.0, 0.4, 3.0]),
    "loguniform": (hp.loguniform("x", -3, 1), [exp(-3), 0.4, exp(1)]),
    "normal": (hp.normal("x", 1, 2), [-3.0, 1.5]),
    "lognormal": (hp.lognormal("x", 0, 1), [0.2, 3.0]),
    "quniform": (hp.quniform("x", 1, 10, 4), [0.0, 4.0, 4.0]),
    "uniformint": (hp.uniformint("x", 1, 5), [1, 2, 5]),
    "randint": (hp.randint("x", -2, 4), [-2, 3]),
    "qloguniform": (hp.qloguniform("x", -2, 3, 0.5), [0.0, 0.5, 20.0]),
    "qnormal": (hp.qnormal("x", 2, 3, 0.5), [-1.0, 2.0]),
    "qlognormal": (hp.qlognormal("x", 0, 1, 0.5), [0.0, 1.0]),
    "choice": (hp.choice("x", "abc"), [0, 2]),
    "pchoice": (hp.pchoice("x", [(0.2, "a"), (0.8, "b")]), [0, 1]),
}


def support(space: Space, j: int, cells: int = 4000) -> tuple[Array, Array]:
    """Points of column j and the weight of each in a sum over its values: 1 on a grid, else the
    width of the latent cell it is the middle of.
    """
    prior: Any = space.columns[j].distribution
    low, high = prior.support
    if np.isfinite(prior.size):
        x = np.linspace(low, high, round(prior.size))
        return x, np.ones(len(x))
    if prior.q:
        x = np.arange(low if np.isfinite(low) else -30.0, 300.0, prior.q)
        return x, np.ones(len(x))
    ends = np.clip(prior.centre + np.array([-9, 9]) * prior.scale, prior.low, prior.high)
    edges = np.linspace(ends[0], ends[1], cells + 1)
    return prior.from_latent((edges[1:] + edges[:-1]) / 2), np.diff(edges)


@pytest.mark.parametrize(("node", "observed"), ONE.values(), ids=ONE)
def test_the_density_of_one_parameter_integrates_to_one(node: Any, observed: list[float]) -> None:
    space = Space(node)
    x, weight = support(space, 0)
    for observations in ([], [{"x": value} for value in observed]):
        density = normalised(fitted(space, observations), x[:, None])
        # On a grid the mass of a cell is approximate, least exact where it has no lower end.
        assert_allclose(density @ weight, 1.0, atol=0.06 if weight[0] == 1.0 else 1e-6)


def test_the_density_of_several_parameters_integrates_to_one() -> None:
    space = Space(
        {
            "numbers": [hp.uniform("x", 0, 1), hp.loguniform("y", -2, 0)],
            "others": [hp.quniform("q", 0, 2, 1), hp.choice("c", "ab")],
        }
    )
    observations = [
        {"x": 0.1, "y": 0.5, "q": 1, "c": 0},
        {"x": 0.9, "y": 0.2, "q": 2, "c": 1},
        {"x": 0.4, "y": 0.9, "q": 0, "c": 1},
    ]
    points = [support(space, j, 100) for j in range(4)]
    rows = np.array(list(itertools.product(*(x for x, _ in points))))
    weights = np.prod(list(itertools.product(*(weight for _, weight in points))), axis=1)
    density = normalised(fitted(space, observations), rows)
    assert_allclose(density @ weights, 1.0, atol=0.01)


def test_the_density_of_a_conditional_space_integrates_to_one() -> None:
    inner = hp.choice("inner", [hp.quniform("q", 0, 2, 1), "none"])
    space = Space(hp.choice("outer", [hp.uniform("x", 0, 1), inner, "none"]))
    mixture = fitted(
        space,
        [
            {"outer": 0, "x": 0.2},
            {"outer": 0, "x": 0.3},
            {"outer": 1, "inner": 0, "q": 2},
            {"outer": 1, "inner": 1},
            {"outer": 2},
        ],
    )
    x, weight = support(space, space.labels.index("x"))
    total = normalised(mixture, np.array([space.encode({"outer": 0, "x": v}) for v in x])) @ weight
    others = [{"outer": 1, "inner": 0, "q": q} for q in (0, 1, 2)]
    others += [{"outer": 1, "inner": 1}, {"outer": 2}]
    total += normalised(mixture, np.array([space.encode(values) for values in others])).sum()
    assert_allclose(total, 1.0, atol=0.01)


# Draws


@pytest.mark.parametrize(("node", "observed"), ONE.values(), ids=ONE)
def test_draws_have_the_density_of_the_mixture(node: Any, observed: list[float]) -> None:
    space, n = Space(node), 4000
    mixture = fitted(space, [{"x": value} for value in observed])
    drawn = mixture.sample(np.random.default_rng(0), n)[:, 0]
    x, weight = support(space, 0)
    mass = normalised(mixture, x[:, None]) * weight
    cdf = np.cumsum(mass)
    empirical = np.searchsorted(np.sort(drawn), x, side="right") / n
    # x is the middle of its cell, so cdf is off by at most the cell's mass. By the inequality of
    # Dvoretzky, Kiefer and Wolfowitz the rest exceeds 0.05 with probability 2 exp(-2 n 0.05^2)
    # = 4e-9. On a grid the mass of a cell is approximate.
    slack = 0.03 if weight[0] == 1.0 else mass.max()
    assert np.abs(cdf - empirical).max() < 0.05 + slack


def test_draws_from_a_conditional_space_are_nan_where_inactive() -> None:
    space = Space(hp.choice("c", [hp.uniform("x", 0, 1), hp.normal("y", 0, 1)]))
    mixture = fitted(space, [{"c": 0, "x": 0.2}, {"c": 1, "y": 1.0}])
    X = mixture.sample(np.random.default_rng(0), 100)
    np.testing.assert_array_equal(np.isnan(X), ~space.active(X))
    assert {0.0, 1.0} == set(X[:, space.labels.index("c")])


def test_all_numbers_of_a_draw_come_from_one_kernel_and_every_other_time_the_options_too() -> None:
    space = Space([hp.uniform("x", 0, 100), hp.uniform("y", 0, 100), hp.choice("c", "ab")])
    corners = [{"x": 2, "y": 98, "c": 0}, {"x": 98, "y": 2, "c": 1}]
    mixture = fitted(space, corners * 60, prior_weight=1e-9)
    columns = [space.labels.index(label) for label in "xyc"]
    x, y, c = mixture.sample(np.random.default_rng(0), 400)[:, columns].T
    # But for two kernels of 120, all are 1 wide and stay in their corner. 80 draws of 400 from the
    # two have a probability below C(400, 80) / 60^80 < 1e-50; independent ones would be about 200.
    assert ((x < 50) == (y > 50)).sum() > 320
    # So have 40 of 200. Of options from other kernels about 100 are of the other corner; below 60
    # or above 140 are they with a probability of 1e-8.
    same = (x < 50) == (c == 0)
    assert same[::2].sum() > 160
    assert 60 <= same[1::2].sum() <= 140


def test_draws_with_an_option_given_come_from_kernels_that_have_it() -> None:
    space = Space(
        {
            "s": hp.uniform("s", 0, 100),
            "c": hp.choice("c", [hp.uniform("x", 0, 1), hp.uniform("y", 0, 1)]),
        }
    )
    corners = [{"s": 2, "c": 0, "x": 0.5}, {"s": 98, "c": 1, "y": 0.5}]
    mixture = fitted(space, corners * 60, prior_weight=1e-9)
    j = space.labels.index("c")
    X = mixture.sample(np.random.default_rng(0), 200, {j: 1})
    assert (X[:, j] == 1).all()
    np.testing.assert_array_equal(np.isnan(X), ~space.active(X))
    # The kernels without it have next to no weight; the others but two of 120 are 1 wide and stay
    # at 98. 50 of 200 from those two have a probability below C(200, 50) / 60^50 < 1e-40.
    assert (X[:, space.labels.index("s")] < 50).sum() < 50


def test_one_more_kernel_is_on_the_scale_of_the_mixture() -> None:
    space = Space([hp.uniform("x", 0, 10), hp.choice("c", "ab")])
    mixture = fitted(space, [{"x": 1, "c": 0}, {"x": 9, "c": 1}])
    points = Points.of(mixture.space, np.array([space.encode({"x": 9, "c": 1})]))
    rows = Points.of(mixture.space, space.sample(np.random.default_rng(0), 20)).features()
    same = product(rows, mixture.coefficients[1:2])[:, 0]
    assert_allclose(mixture.log_kernels(points, rows), same)


def test_products_are_the_same_in_pieces() -> None:
    rng = np.random.default_rng(0)
    F, G = rng.random((64, 150)), rng.random((1000, 150))
    assert_allclose(product(F, G), F @ G.T)


def test_observations_outside_of_the_range_count_as_at_its_edge() -> None:
    space = Space(hp.uniform("x", 0, 10))
    outside, edge = fitted(space, [{"x": 1e6}]), fitted(space, [{"x": 10}])
    x = np.linspace(0, 10, 11)[:, None]
    assert_allclose(normalised(outside, x), normalised(edge, x))
    assert normalised(outside, x).max() < inf
