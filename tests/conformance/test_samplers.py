"""Every sampler does what samplers must."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from sparktune.history import View
from sparktune.samplers import (
    Sampler,
    anneal,
    auto,
    forest,
    gp,
    grid,
    learns,
    mix,
    quasi,
    random,
    tpe,
    tpe_hyperopt,
)
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.testing import SAMPLER_CHECKS


@dataclass(frozen=True)
class FineGrid:
    """Grid search with points enough for every check, in spaces that would have too many for it
    if all their parameters had the same number of values.
    """

    shuffle: bool = False
    learns = False

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        coarse = {"loguniform": [0.1], "normal": [0.5, 3.5], "lognormal": [1.0]}
        coarse |= {"qnormal": [2.0], "qlognormal": [0.0], "qloguniform": [0.5, 20.0]}
        grids = {label: values for label, values in coarse.items() if label in space.labels}
        sampler = grid.suggest(n_steps=17, grids=grids, shuffle=self.shuffle)
        return sampler.suggest(space, history, n, rng)


SAMPLERS: dict[str, Sampler] = {
    "random": random.suggest,
    "tpe": tpe.suggest,
    "auto": auto.suggest,
    "forest": forest.suggest(trees=4),
    "gp": gp.suggest,
    "gp, waves": gp.suggest(acquisition="ucb_pe"),
    "gp, draws": gp.suggest(acquisition="thompson"),
    "anneal": anneal.suggest,
    "mix": mix.suggest,
    "tpe_hyperopt": tpe_hyperopt.suggest,
    "sobol": quasi.suggest,
    "halton": quasi.suggest(kind="halton"),
    "lhs": quasi.suggest(kind="lhs", block=10),
    "grid": FineGrid(),
    "shuffled grid": FineGrid(shuffle=True),
}


def test_those_that_do_not_learn_say_so() -> None:
    silent = {name for name, sampler in SAMPLERS.items() if not learns(sampler)}
    assert silent == {"random", "sobol", "halton", "lhs", "grid", "shuffled grid"}
    assert not learns(grid.suggest)


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS.keys())
@pytest.mark.parametrize("check", SAMPLER_CHECKS, ids=lambda check: check.__name__)
def test_the_sampler_passes(check: Callable[[Sampler], None], sampler: Sampler) -> None:
    check(sampler)
