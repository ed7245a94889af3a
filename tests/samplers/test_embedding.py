"""Rows of a space as vectors."""

from __future__ import annotations

import numpy as np
import pytest

from sparktune.samplers._embedding import Embedding
from sparktune.space import hp
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.testing.situations import spaces

SPACES = {name: space for name, space in spaces().items() if len(space)}
MODELS = Space(
    hp.choice(
        "model",
        [
            {"rate": hp.loguniform("rate", -5, 0), "kind": hp.choice("kind", "ab")},
            {"depth": hp.uniformint("depth", 1, 9)},
        ],
    )
)


def squared_distances(space: Space, X: Array) -> Array:
    """Between all rows, by column of the space; shape (d, n, n)."""
    embedding = Embedding.of(space)
    Z = embedding.features(X)
    each = (Z[:, None] - Z[None]) ** 2
    return np.array([each[:, :, embedding.groups == j].sum(axis=2) for j in range(len(space))])


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())
def test_values_survive_the_unit_interval_and_back(space: Space) -> None:
    X = space.sample(np.random.default_rng(0), 200)
    embedding = Embedding.of(space)
    numeric = embedding.layout.numeric
    np.testing.assert_allclose(embedding.values(embedding.unit(X)), X[:, numeric], rtol=1e-9)


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())
def test_no_feature_is_nan(space: Space) -> None:
    embedding = Embedding.of(space)
    Z = embedding.features(space.sample(np.random.default_rng(0), 200))
    assert Z.shape == (200, len(embedding.groups))
    assert np.isfinite(Z).all()


def test_numbers_are_as_far_apart_as_in_their_range() -> None:
    space = Space(hp.loguniform("x", 0, 4))
    [d2] = squared_distances(space, np.exp([[1.0], [3.0]]))
    assert d2[0, 1] == pytest.approx(0.25)


def test_numbers_without_bounds_are_measured_in_standard_deviations() -> None:
    space = Space(hp.normal("x", 5, 2))
    [d2] = squared_distances(space, np.array([[5.0], [9.0]]))
    assert d2[0, 1] == pytest.approx(0.25)


def test_different_options_are_at_distance_one() -> None:
    space = Space(hp.choice("c", "abc"))
    [d2] = squared_distances(space, np.array([[0.0], [1.0], [2.0], [1.0]]))
    np.testing.assert_allclose(d2, [[0, 1, 1, 1], [1, 0, 1, 0], [1, 1, 0, 1], [1, 0, 1, 0]])


def test_what_is_inactive_is_equally_far_from_all_that_is_active() -> None:
    rows = [
        MODELS.encode(values)
        for values in (
            {"model": 0, "rate": np.exp(-5), "kind": 0},
            {"model": 0, "rate": 1.0, "kind": 1},
            {"model": 1, "depth": 2},
            {"model": 1, "depth": 8},
        )
    ]
    by_label = dict(zip(MODELS.labels, squared_distances(MODELS, np.array(rows)), strict=True))
    np.testing.assert_allclose(by_label["rate"][:2, 2:], 1.0)
    np.testing.assert_allclose(by_label["depth"][:2, 2:], 1.0)
    np.testing.assert_allclose(by_label["kind"][:2, 2:], 1.0)
    assert by_label["rate"][2, 3] == by_label["depth"][0, 1] == by_label["kind"][2, 3] == 0


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())
def test_the_way_along_continuous_parameters_has_the_derivatives_of_finite_differences(
    space: Space,
) -> None:
    embedding = Embedding.of(space)
    for row in space.sample(np.random.default_rng(1), 10):
        free = embedding.continuous(row)
        if not len(free):
            continue
        line, u = embedding.line(row, free), embedding.unit(row[None])[0, free]
        z, jacobian = line(u)
        np.testing.assert_allclose(z, embedding.features(row[None])[0], atol=1e-9)
        for k, e in enumerate(1e-6 * np.eye(len(free))):
            difference = (line(u + e)[0] - line(u - e)[0]) / 2e-6
            np.testing.assert_allclose(jacobian[:, k], difference, atol=1e-6)


def test_the_prior_is_that_of_the_parameters_without_bounds() -> None:
    space = Space([hp.normal("x", 1, 2), hp.uniform("y", 0, 1)])
    embedding = Embedding.of(space)
    u = embedding.unit(np.array([[1.0, 0.2], [5.0, 0.9]]))
    value, slopes = embedding.log_prior(u)
    np.testing.assert_allclose(value, [0.0, -2.0])
    e = np.array([[1e-6, 0.0]])
    expected = (embedding.log_prior(u + e)[0] - embedding.log_prior(u - e)[0]) / 2e-6
    np.testing.assert_allclose(slopes, np.column_stack([expected, [0, 0]]), atol=1e-6)
