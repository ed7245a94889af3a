"""Quasi-random search: one sequence over all calls, and how evenly it fills the space."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sparktune import Trials, fmin
from sparktune.errors import InvalidArgument
from sparktune.samplers import quasi
from sparktune.space import hp
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.testing import mixed_history
from sparktune.trial import Status

SAMPLERS = {
    "sobol": quasi.suggest,
    "halton": quasi.suggest(kind="halton"),
    "lhs": quasi.suggest(kind="lhs", block=16),
}
PLANE = Space([hp.uniform("x", 0, 1), hp.uniform("y", 0, 1)])

every_kind = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS.keys())


def points(sampler: quasi.Quasi, n: int, start: int = 0, space: Space = PLANE) -> Array:
    """Points start to start + n of a study."""
    return sampler.suggest(space, mixed_history(space, start), n, np.random.default_rng([0, start]))


# Options


def test_options_make_another_sampler() -> None:
    assert quasi.suggest == quasi.Quasi(kind="sobol", seed=None)
    assert partial(quasi.suggest, kind="halton")() == quasi.Quasi("halton")
    assert quasi.suggest(seed=3)(kind="lhs") == quasi.Quasi("lhs", 3)


@pytest.mark.parametrize("option", [{"kind": "hammersley"}, {"seed": -1}, {"block": 0}], ids=repr)
def test_an_option_out_of_range_is_refused(option: dict[str, Any]) -> None:
    [(name, value)] = option.items()
    with pytest.raises(InvalidArgument, match=f"quasi.suggest: {name} must be .*, got {value!r}"):
        quasi.suggest(**option)


# The seed


@pytest.mark.parametrize("algo", ["sobol", "halton", "lhs"])
def test_without_a_seed_of_its_own_a_run_has_the_points_of_its_seed(algo: str) -> None:
    def tried(algo: Any, seed: int, *parts: int) -> list[Any]:
        trials = Trials()
        for n in parts:
            fmin(
                lambda x: x, hp.uniform("x", 0, 1), algo, n, trials=trials, seed=seed, verbose=False
            )
        return [trial.values["x"] for trial in trials.records.values()]

    assert tried(algo, 1, 12) == tried(algo, 1, 5, 12), "a run that is continued"
    assert not {*tried(algo, 1, 12)} & {*tried(algo, 2, 12)}
    seeded = quasi.suggest(kind=algo, seed=3)
    assert tried(seeded, 1, 12) == tried(seeded, 2, 12)


# The sequence


@every_kind
@pytest.mark.parametrize("sizes", [[1] * 40, [3, 1, 13, 16, 7], [39, 1]], ids=str)
def test_the_sequence_goes_on_over_calls(sampler: quasi.Quasi, sizes: list[int]) -> None:
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    parts = [points(sampler, n, start) for n, start in zip(sizes, starts, strict=True)]
    assert_array_equal(np.concatenate(parts), points(sampler, 40))


@every_kind
def test_trials_count_whatever_became_of_them(sampler: quasi.Quasi) -> None:
    history = mixed_history(PLANE, 3, 0, Status.RUNNING, Status.ERROR, Status.CANCELLED)
    next_point = sampler.suggest(PLANE, history, 1, np.random.default_rng([0, 6]))
    assert_array_equal(next_point, points(sampler, 7)[6:])


@every_kind
def test_another_seed_gives_other_points(sampler: quasi.Quasi) -> None:
    first, second = (points(sampler(seed=seed), 8) for seed in (0, 1))
    assert (first != second).all()


def test_no_two_hypercubes_are_the_same() -> None:
    X = points(SAMPLERS["lhs"], 32)
    assert (np.sort(X[:16], axis=0) != np.sort(X[16:], axis=0)).all()


# Evenness: with these numbers of points, each of as many equal parts of each range holds one. Those
# of the Halton sequence are powers of its bases, 2 and 3.


@pytest.mark.parametrize(
    ("kind", "sizes"), [("sobol", (64, 64)), ("halton", (64, 81)), ("lhs", (16, 16))]
)
def test_every_part_of_a_range_has_its_point(kind: str, sizes: tuple[int, int]) -> None:
    for j, n in enumerate(sizes):
        x = points(SAMPLERS[kind], n)[:, j]
        assert np.floor(np.sort(x) * n).tolist() == list(range(n))


def test_every_latin_hypercube_is_even() -> None:
    x = points(SAMPLERS["lhs"], 16, 32)[:, 0]
    assert np.floor(np.sort(x) * 16).tolist() == list(range(16))


def test_options_are_balanced() -> None:
    space = Space(
        [hp.choice("c", "abcd"), hp.pchoice("p", [(0.25, "a"), (0.75, "b")]), hp.randint("r", 8)]
    )
    X = points(quasi.suggest, 32, 0, space).astype(int)
    counts = [np.bincount(X[:, j]).tolist() for j in range(3)]
    assert counts == [[8, 8, 8, 8], [8, 24], [4] * 8]


def test_inactive_parameters_are_left_out() -> None:
    space = Space(hp.choice("c", [hp.uniform("x", 0, 1), None]))
    X = points(quasi.suggest, 64, 0, space)
    x = X[X[:, 0] == 0, 1]
    assert len(x) == 32
    assert np.isnan(X[X[:, 0] == 1, 1]).all()
    # Sobol' points are even in every half of the plane, too.
    assert np.bincount(np.floor(x * 16).astype(int)).tolist() == [2] * 16
