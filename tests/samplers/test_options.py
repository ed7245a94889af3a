"""Options of algorithms: what there is not is refused, in whatever way it is given."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest

from sparktune import hp, hyperopt, tune
from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.hyperopt._algorithms import sampler_of
from sparktune.samplers import anneal, auto, forest, gp, grid, mix, quasi, random, tpe, tpe_hyperopt
from sparktune.samplers._options import with_options
from sparktune.samplers.algorithms import ALGORITHMS, resolve
from sparktune.space.distributions import Array
from sparktune.space.space import Space

OURS: dict[str, Any] = {
    "random": random.suggest,
    "tpe": tpe.suggest,
    "tpe_hyperopt": tpe_hyperopt.suggest,
    "anneal": anneal.suggest,
    "quasi": quasi.halton,
    "grid": grid.suggest,
    "mix": mix.suggest,
    "gp": gp.suggest,
    "forest": forest.suggest,
    "auto": auto.suggest,
}


def mixed(member: Any) -> mix.Mix:
    return mix.Mix([(1.0, member)])


WAYS: dict[str, Callable[[Any], Any]] = {
    "a call": lambda sampler: sampler(nonsense=3),
    "a partial": lambda sampler: resolve(functools.partial(sampler, nonsense=3)),
    "a partial that is called": lambda sampler: functools.partial(sampler, nonsense=3)(),
    "partials": lambda sampler: resolve(
        functools.partial(functools.partial(sampler, nonsense=3), verbose=False)
    ),
    "a member": lambda sampler: mixed(functools.partial(sampler, nonsense=3)),
    "hyperopt": lambda sampler: sampler_of(
        functools.partial(sampler, nonsense=3), float, {}, hyperopt.Trials(), None, 1
    ),
}


@dataclass(frozen=True)
class Foreign:
    """A sampler of a user, with an option."""

    width: float = 1.0

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        return space.sample(rng, n)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("name", OURS)
def test_an_unknown_option_is_named_and_the_known_ones_listed(
    name: str, way: Callable[[Any], Any]
) -> None:
    sampler = OURS[name]
    known = ", ".join(repr(each.name) for each in fields(sampler))
    wanted = f"{name}.suggest has no option 'nonsense'; it has {known or 'no options'}"
    with pytest.raises(InvalidArgument) as caught:
        way(sampler)
    assert str(caught.value) == wanted


@pytest.mark.parametrize(
    "algo", [hyperopt.tpe.suggest, hyperopt.rand.suggest, hyperopt.anneal.suggest, hyperopt.mix]
)
def test_in_hyperopts_form_too(algo: Any) -> None:
    if algo is hyperopt.mix:
        algo = functools.partial(algo.suggest, p_suggest=[(1.0, hyperopt.rand.suggest)])
    with pytest.raises(InvalidArgument, match=r"suggest has no option 'nonsense'; it has "):
        hyperopt.fmin(float, hyperopt.hp.uniform("x", 0, 1), functools.partial(algo, nonsense=1), 1)


def test_verbose_is_accepted_of_every_algorithm() -> None:
    for sampler in OURS.values():
        assert with_options(sampler, verbose=False) is sampler


def test_a_users_sampler_has_the_options_of_its_class() -> None:
    assert with_options(Foreign(), width=2) == Foreign(2)
    with pytest.raises(InvalidArgument, match=r"Foreign has no option 'size'; it has 'width'"):
        with_options(Foreign(), size=2)


@dataclass(frozen=True)
class Shifted:
    """A sampler of a user around another one."""

    sampler: Any

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        return self.sampler.suggest(space, history, n, rng) + 100


def test_a_users_sampler_may_have_another_one_as_its_field() -> None:
    shifted = Shifted(random.suggest)
    assert resolve(shifted) is shifted
    study = tune(float, hp.uniform("x", 0, 1), sampler=shifted, max_trials=3, progress=False)
    assert min(trial.values["x"] for trial in study.trials.values()) >= 100


def test_a_users_algorithm_may_have_a_sampler_of_its_own_as_its_attribute() -> None:
    def algo(new_ids: Any, domain: Any, trials: Any, seed: Any) -> Any:
        docs = hyperopt.rand.suggest(new_ids, domain, trials, seed)
        for doc in docs:
            doc["misc"]["vals"]["x"] = [0.5]
        return docs

    algo.sampler = random.suggest  # type: ignore[attr-defined]
    trials = hyperopt.Trials()
    hyperopt.fmin(
        float, hyperopt.hp.uniform("x", 0, 1), algo, 3, trials=trials, show_progressbar=False
    )
    assert trials.vals["x"] == [0.5] * 3


def test_options_without_a_name_are_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"algo: give options by keyword"):
        resolve(functools.partial(tpe.suggest, 3))  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_name_stands_for_a_sampler(name: str) -> None:
    assert hasattr(resolve(name), "suggest")
    assert mixed(name).p_suggest == ((1.0, resolve(name)),)


def test_an_algorithm_is_imported_when_it_is_used() -> None:
    code = """
import sys, sparktune
from sparktune.samplers.algorithms import resolve
assert "sparktune.samplers.quasi" not in sys.modules
resolve("tpe")
assert not [name for name in sys.modules if name.startswith("scipy")]
resolve("halton")
assert "scipy.stats" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
