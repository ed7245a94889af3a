"""The columns of a space as arrays."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sparktune import Trials, fmin
from sparktune.samplers import tpe
from sparktune.space import hp
from sparktune.space.space import Space
from sparktune.testing import mixed_history, spaces


class Data:
    """What a user has in the options of a space."""


def test_a_space_and_what_is_in_it_live_no_longer_than_their_users() -> None:
    data = Data()
    space = Space(hp.choice("c", [data, hp.uniform("x", 0, 1)]))
    tpe.suggest.suggest(space, mixed_history(space, 20), 2, np.random.default_rng(0))
    trials = Trials()
    fmin(
        lambda config: 1.0,
        hp.choice("c", [data, None]),
        max_evals=12,
        trials=trials,
        show_progressbar=False,
    )
    known = weakref.ref(space), weakref.ref(data)
    del space, data, trials
    gc.collect()
    assert [each() for each in known] == [None, None]


def test_a_space_has_one_layout() -> None:
    space = Space(hp.uniform("x", 0, 1))
    assert space.layout is space.layout


@pytest.mark.parametrize("space", spaces().values(), ids=spaces().keys())
def test_numbers_of_the_prior_are_even_in_the_unit_cube(space: Space) -> None:
    X = space.sample(np.random.default_rng(0), 2000)
    U = space.layout.unit(X)
    assert_array_equal(np.isnan(U), np.isnan(X[:, space.layout.numeric]))
    for column, u in zip(space.layout.priors, U.T, strict=True):
        u = u[~np.isnan(u)]
        assert ((u >= 0) & (u <= 1)).all()
        if not column.q:  # Kolmogorov's bound for one failure in a million
            assert np.abs(np.sort(u) - np.linspace(0, 1, len(u))).max() < 2.7 / np.sqrt(len(u))


@pytest.mark.parametrize("space", spaces().values(), ids=spaces().keys())
def test_latent_values_lead_back_to_the_values(space: Space) -> None:
    X = space.sample(np.random.default_rng(1), 200)
    numbers = X[:, space.layout.numeric]
    assert_allclose(space.layout.values(space.layout.latent(X)), numbers, rtol=1e-12, atol=1e-12)


def test_places_in_the_unit_cube_are_probabilities_those_of_the_priors() -> None:
    space = Space([hp.loguniform("x", 0, 4), hp.normal("y", 1, 2)])
    U = space.layout.unit(np.array([[np.e, 1.0], [np.e**3, 3.0]]))
    assert_allclose(U, [[0.25, 0.5], [0.75, 0.8413447460685429]])
