"""Random search."""

from __future__ import annotations

import numpy as np
import pytest

from sparktune.samplers import random
from sparktune.testing import mixed_history, spaces


@pytest.mark.parametrize("name", spaces())
def test_random_search_draws_from_the_prior_whatever_the_history(name: str) -> None:
    space = spaces()[name]
    expected = space.sample(np.random.default_rng(1), 5)
    for n in (0, 40):
        history = mixed_history(space, n)
        drawn = random.suggest.suggest(space, history, 5, np.random.default_rng(1))
        np.testing.assert_array_equal(drawn, expected)


def test_random_search_has_no_options() -> None:
    assert random.suggest() == random.suggest == random.Random()
