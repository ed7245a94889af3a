"""The conformance checks catch what they are there to catch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from sparktune import testing
from sparktune.history import View
from sparktune.samplers import Sampler, random
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.testing import samplers

Suggest = Callable[[Space, View, int, np.random.Generator], Array]
calls: Iterator[int] = iter(range(10**9))


@dataclass(frozen=True)
class Broken:
    """A sampler that suggests what the function says, and says that it does not learn."""

    function: Suggest
    learns = False

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        return self.function(space, history, n, rng)


def too_many(space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
    return space.sample(rng, n + 1)


def too_few(space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
    return space.sample(rng, n // 2)


def single_precision(space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
    return space.sample(rng, n).astype(np.float32)


def off_the_grid(space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
    return space.sample(rng, n) + 0.001


def far_outside(space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
    return space.from_unit(np.full((n, len(space)), 0.5)) + 100


def all_active(space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
    return np.nan_to_num(space.sample(rng, n))


def counting_calls(space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
    return space.sample(np.random.default_rng(next(calls)), n)


def following_the_least_loss(
    space: Space, history: View, n: int, rng: np.random.Generator
) -> Array:
    if not np.isfinite(history.loss).any():
        return space.sample(rng, n)
    return np.repeat(history.X[[np.nanargmin(history.loss)]], n, axis=0)


def near_what_ended(space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
    return space.sample(np.random.default_rng(int((~history.pending).sum())), n)


def afraid_of_infinity(space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
    if np.isinf(history.loss).any():
        return np.full((n, len(space)), np.inf)
    return space.sample(rng, n)


def writing(space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
    history.X.flags.writeable = True
    history.X[:1] = 0.0
    return space.sample(rng, n)


def never_twice(space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
    return space.sample(rng, 0)


POINTS = samplers.check_rows_are_points_of_the_space
PURE = samplers.check_suggestions_depend_on_the_arguments_only

BROKEN: list[tuple[Callable[[Sampler], None], Suggest, str]] = [
    (POINTS, too_many, "shape"),
    (POINTS, too_few, "shape"),
    (POINTS, single_precision, "dtype"),
    (POINTS, off_the_grid, "cannot be"),
    (POINTS, far_outside, "cannot be"),
    (POINTS, all_active, "NaN at the wrong places"),
    (PURE, counting_calls, "two calls differ"),
    (PURE, writing, "X changed"),
    (samplers.check_losses_of_failed_trials_are_ignored, following_the_least_loss, "counted"),
    (samplers.check_one_that_does_not_learn_ignores_results, following_the_least_loss, "depends"),
    (samplers.check_one_that_does_not_learn_ignores_results, near_what_ended, "depends"),
    (samplers.check_infinite_losses_are_survived, afraid_of_infinity, "not a point"),
    (samplers.check_a_single_point_is_suggested_again, never_twice, "never suggested"),
    (samplers.check_a_single_point_is_suggested_again, off_the_grid, "wanted index 0"),
    (samplers.check_resumed_studies_go_on_the_same, counting_calls, "differs from trial"),
]


@pytest.mark.parametrize(("check", "function", "said"), BROKEN)
def test_a_check_fails_for_a_broken_sampler(
    check: Callable[[Sampler], None], function: Suggest, said: str
) -> None:
    with pytest.raises(AssertionError, match=said):
        check(Broken(function))


@dataclass(frozen=True)
class Forgetful:
    """A sampler that loses its offset in a pickle."""

    offset: int = 1

    def __reduce__(self) -> tuple[type[Forgetful], tuple[int]]:
        return Forgetful, (0,)

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        return space.sample(np.random.default_rng(self.offset), n)


def test_the_check_of_pickling_fails_for_a_forgetful_sampler() -> None:
    with pytest.raises(AssertionError, match="unpickled sampler differs"):
        PURE(Forgetful())


def test_every_check_has_a_sampler_that_fails_it() -> None:
    assert {check for check, *_ in BROKEN} == set(samplers.SAMPLER_CHECKS)


def test_the_spaces_have_the_shapes_they_are_named_after() -> None:
    spaces = testing.spaces()
    assert len(spaces["no parameter"]) == 0
    assert {column.distribution.size for column in spaces["one point"].columns} == {1}
    assert all(np.isfinite(column.distribution.size) for column in spaces["finite"].columns)
    assert any(len(column.conditions) > 1 for column in spaces["conditional"].columns)
    rows = random.suggest.suggest(
        spaces["conditional"],
        testing.mixed_history(spaces["conditional"], 0),
        200,
        np.random.default_rng(0),
    )
    assert np.isnan(rows).any(axis=0).sum() == len(spaces["conditional"]) - 2


def test_a_history_holds_what_it_is_made_of() -> None:
    space = testing.spaces()["one number"]
    history = testing.history_of(space, np.array([[0.5], [-0.5]]), [1.0, None])
    assert history.X.tolist() == [[0.5], [-0.5]]
    assert history.asked.tolist() == [0.0, 1.0]
    assert history.started.tolist() == [0.25, 1.25]
    assert history.finished.tolist() == [1.0, 2.0]
