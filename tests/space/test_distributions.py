"""The two kinds of distribution, against scipy."""

from __future__ import annotations

from math import exp, inf, log

import numpy as np
import pytest
from scipy import stats

from sparktune.space.distributions import Array, Categorical, Numeric

U = np.linspace(0, 1, 1001)[1:-1]

UNROUNDED = {
    "uniform": (Numeric(-1, 3), stats.uniform(-1, 4)),
    "loguniform": (Numeric(-3, 1, log=True), stats.loguniform(exp(-3), exp(1))),
    "normal": (Numeric(-inf, inf, normal=(2, 3)), stats.norm(2, 3)),
    "lognormal": (
        Numeric(-inf, inf, log=True, normal=(0.5, 2)),
        stats.lognorm(s=2, scale=exp(0.5)),
    ),
}
GRIDS = {
    "quniform": Numeric(1, 10, q=4),
    "uniformint": Numeric(1, 5, q=1, integer=True),
    "randint": Numeric(1.5, 5.5, q=1, integer=True),
    "fine quniform": Numeric(0, 1, q=0.1),
    "qloguniform": Numeric(-2, 3, log=True, q=0.5),
    "qnormal": Numeric(-inf, inf, q=0.5, normal=(2, 3)),
    "qlognormal": Numeric(-inf, inf, log=True, q=0.5, normal=(0, 1)),
}
EVERY = {name: prior for name, (prior, _) in UNROUNDED.items()} | GRIDS
grids = pytest.mark.parametrize("prior", GRIDS.values(), ids=GRIDS)
every = pytest.mark.parametrize("prior", EVERY.values(), ids=EVERY)


def cells(prior: Numeric, x: Array) -> Array:
    """Prior probability of the cells of grid values."""
    edges = prior.cell(x)
    if prior.normal:
        below, above = (stats.norm(*prior.normal).cdf(edge) for edge in edges)
    else:
        below, above = ((edge - prior.low) / (prior.high - prior.low) for edge in edges)
    return above - below


@pytest.mark.parametrize(("prior", "expected"), UNROUNDED.values(), ids=UNROUNDED)
def test_quantiles_are_scipys(prior: Numeric, expected: stats.rv_continuous) -> None:
    np.testing.assert_allclose(prior.ppf(U), expected.ppf(U), rtol=1e-12)


@grids
def test_grid_quantiles_are_the_multiple_of_q_nearest_to_the_unrounded_ones(prior: Numeric) -> None:
    unrounded = Numeric(prior.low, prior.high, prior.log, normal=prior.normal).ppf(U)
    assert prior.q is not None
    np.testing.assert_array_equal(prior.ppf(U), np.round(unrounded / prior.q) * prior.q)


@grids
def test_a_grid_value_is_as_likely_as_its_cell(prior: Numeric) -> None:
    points = 200_000
    values, counts = np.unique(prior.ppf((np.arange(points) + 0.5) / points), return_counts=True)
    # Equally spaced u count a cell's mass to within one point at either edge.
    np.testing.assert_allclose(counts / points, cells(prior, values), atol=2 / points)


@pytest.mark.parametrize(
    ("prior", "values"),
    [
        (Numeric(1, 10, q=4), [0, 4, 8]),
        (Numeric(1, 5, q=1, integer=True), [1, 2, 3, 4, 5]),
        (Numeric(1.5, 5.5, q=1, integer=True), [2, 3, 4, 5]),
        (Numeric(-2.5, 0.5, q=1, integer=True), [-2, -1, 0]),
        (Numeric(0, 1, q=0.25), [0, 0.25, 0.5, 0.75, 1]),
        (Numeric(0.6, 0.9, q=100), [0]),
        (Numeric(-0.5, 0.5, q=1), [0]),
        (Numeric(log(0.1), log(2), log=True, q=1), [0, 1, 2]),
    ],
    ids=repr,
)
def test_a_grid_has_these_values(prior: Numeric, values: list[float]) -> None:
    drawn = np.unique(prior.ppf(np.linspace(0, 1, 10_001)))
    assert drawn.tolist() == values
    assert prior.support == (values[0], values[-1])
    assert prior.size == len(values)


def test_the_ends_of_uniformint_have_half_the_mass_of_the_others() -> None:
    mass = cells(GRIDS["uniformint"], np.arange(1.0, 6.0))
    np.testing.assert_allclose(mass, [1 / 8, 1 / 4, 1 / 4, 1 / 4, 1 / 8])


def test_all_values_of_randint_have_the_same_mass() -> None:
    np.testing.assert_allclose(cells(GRIDS["randint"], np.arange(2.0, 6.0)), [1 / 4] * 4)


def test_zero_is_never_negative() -> None:
    x = GRIDS["qnormal"].ppf(U)
    assert 0.0 in x
    assert not np.signbit(x[x == 0]).any()


@every
def test_the_corners_of_the_unit_cube_give_finite_values(prior: Numeric) -> None:
    x = prior.ppf(np.array([0.0, 1.0]))
    assert np.isfinite(x).all()
    assert prior.support[0] <= x[0] < x[1] <= prior.support[1]


@every
def test_latent_values_lead_back_to_the_value(prior: Numeric) -> None:
    x = prior.ppf(U)
    z = prior.to_latent(x)
    assert ((prior.low <= z) & (z <= prior.high)).all()
    np.testing.assert_allclose(prior.from_latent(z), x, rtol=1e-12, atol=1e-300)


@every
def test_values_outside_the_range_are_taken_to_its_edge(prior: Numeric) -> None:
    far = np.array([-1e6, 0.0, 1e6])
    z = prior.to_latent(far)
    assert np.isfinite(z).all()
    assert ((prior.low <= z) & (z <= prior.high)).all()


@grids
def test_neighbouring_cells_touch_and_cover_the_range(prior: Numeric) -> None:
    values = np.unique(prior.ppf(U))
    assert prior.q is not None
    below, above = prior.cell(np.arange(values[0], values[-1] + prior.q / 2, prior.q))
    np.testing.assert_allclose(above[:-1], below[1:], rtol=1e-9)
    if np.isfinite(prior.low):
        assert (below[0], above[-1]) == pytest.approx((prior.low, prior.high))


@pytest.mark.parametrize(
    ("prior", "centre", "scale"),
    [
        (Numeric(-1, 3), 1, 4),
        (Numeric(-2, 3, log=True, q=1), 0.5, 5),
        (Numeric(-inf, inf, normal=(2, 3)), 2, 3),
    ],
    ids=repr,
)
def test_centre_and_scale_are_those_of_the_latent_prior(
    prior: Numeric, centre: float, scale: float
) -> None:
    assert (prior.centre, prior.scale) == (centre, scale)


@pytest.mark.parametrize("name", UNROUNDED)
def test_a_prior_without_a_grid_has_infinitely_many_values(name: str) -> None:
    assert EVERY[name].size == inf


def test_numbers_become_python_scalars() -> None:
    real, whole = Numeric(0, 9, q=1).scalar(np.float64(3)), GRIDS["uniformint"].scalar(3.0)
    assert (type(real), real) == (float, 3.0)
    assert (type(whole), whole) == (int, 3)


# Categorical


def test_options_are_as_likely_as_their_probabilities_say() -> None:
    prior = Categorical((0.5, 0.2, 0.3))
    points = 10_000
    counts = np.bincount(prior.ppf((np.arange(points) + 0.5) / points).astype(int))
    np.testing.assert_allclose(counts / points, prior.p, atol=1 / points)


@pytest.mark.parametrize("p", [(0.0, 0.4, 0.0, 0.6, 0.0), (1.0, 0.0), (0.0, 1.0)])
def test_options_of_probability_zero_never_occur(p: tuple[float, ...]) -> None:
    drawn = Categorical(p).ppf(np.linspace(0, 1, 1001))
    assert set(drawn.tolist()) == set(np.flatnonzero(p).astype(float).tolist())


def test_rounding_errors_of_probabilities_lose_no_option() -> None:
    prior = Categorical((0.1,) * 10)
    assert prior.ppf(np.array([0.0, 1 - 1e-16, 1.0])).tolist() == [0, 9, 9]


def test_a_categorical_is_its_index() -> None:
    prior = Categorical((0.5, 0.5))
    assert (prior.size, prior.support) == (2, (0.0, 1.0))
    assert type(prior.scalar(1.0)) is int
