"""Mixtures of samplers: who is asked for how many, and what each of them knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.samplers import mix, quasi, random, tpe
from sparktune.space import hp
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.testing import mixed_history

LINE = Space(hp.uniform("x", 0, 10))
NOTHING = mixed_history(LINE, 0)


@dataclass
class Constant:
    """Suggests one value, at most `most` times in all; notes what it was asked."""

    x: float
    most: int = 10**9
    asked: list[int] = field(default_factory=list)
    seen: list[View] = field(default_factory=list)

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        self.asked.append(n)
        self.seen.append(history)
        given = min(n, self.most)
        self.most -= given
        return np.full((given, 1), self.x)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


# Options


def test_the_default_is_half_tpe_half_random_search() -> None:
    assert mix.suggest == mix.Mix(p_suggest=((0.5, tpe.suggest), (0.5, random.suggest)))


def test_members_may_be_given_as_a_list_and_with_options() -> None:
    made = partial(
        mix.suggest, p_suggest=[(0.2, random.suggest), [0.8, partial(tpe.suggest, gamma=0.3)]]
    )()
    assert made == mix.Mix(((0.2, random.suggest), (0.8, tpe.TPE(gamma=0.3))))
    assert hash(made) == hash(mix.Mix(made.p_suggest))


def test_a_mixture_learns_if_a_member_that_is_asked_does() -> None:
    assert mix.suggest.learns
    assert not mix.Mix(((0.0, tpe.suggest), (0.5, random.suggest), (0.5, quasi.suggest))).learns


@pytest.mark.parametrize(
    ("p_suggest", "message"),
    [
        (tpe.suggest, "list of .probability, sampler. pairs"),
        ([tpe.suggest, random.suggest], "list of .probability, sampler. pairs"),
        ([(0.5, tpe.suggest, 1)], "list of .probability, sampler. pairs"),
        ([], "sum to 1, got \\[\\]"),
        ([(0.5, tpe.suggest), (0.4, random.suggest)], "sum to 1, got \\[0.5, 0.4\\]"),
        ([(1.5, tpe.suggest), (-0.5, random.suggest)], ">= 0 and sum to 1"),
        ([("1", tpe.suggest)], ">= 0 and sum to 1"),
        ([(1.0, tpe)], "a member of p_suggest must be .* got <module"),
        ([(1.0, tpe.TPE)], "a member of p_suggest must be .* got <class"),
        ([(1.0, print)], "a member of p_suggest must be .* got <built-in"),
    ],
)
def test_what_is_no_mixture_is_refused(p_suggest: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        mix.Mix(p_suggest)


# Shares


def test_points_are_shared_by_the_probabilities() -> None:
    sampler = mix.Mix(
        [(0.1, Constant(1)), (0.0, Constant(2)), (0.3, Constant(3)), (0.6, Constant(4))]
    )
    x = sampler.suggest(LINE, NOTHING, 10000, rng())[:, 0].astype(int)
    # Off by 0.03 with a probability below 2 exp(-2 * 10000 * 0.03^2) = 4e-8 (Hoeffding).
    assert_allclose(np.bincount(x) / 10000, [0, 0.1, 0, 0.3, 0.6], atol=0.03)
    assert 2 not in x


def test_one_point_is_suggested_by_one_member() -> None:
    members = Constant(1), Constant(2)
    sampler = mix.Mix([(0.5, members[0]), (0.5, members[1])])
    streams = [np.random.default_rng(seed) for seed in range(100)]
    x = [float(sampler.suggest(LINE, NOTHING, 1, stream)[0, 0]) for stream in streams]
    assert len(members[0].asked) + len(members[1].asked) == 100
    # Of 100, one has fewer than 20 with a probability below 2 exp(-2 * 100 * 0.3^2) = 4e-8.
    assert 20 < x.count(1) < 80


def test_each_member_is_asked_once() -> None:
    members = Constant(1), Constant(2)
    mix.Mix([(0.5, members[0]), (0.5, members[1])]).suggest(LINE, NOTHING, 50, rng())
    assert [len(member.asked) for member in members] == [1, 1]
    assert members[0].asked[0] + members[1].asked[0] == 50


# What members know


def test_a_member_knows_of_the_points_before_its_own_as_pending() -> None:
    history = mixed_history(LINE, 7)
    first, second = Constant(1), Constant(2)
    mix.Mix([(0.5, first), (0.5, second)]).suggest(LINE, history, 50, rng())
    assert len(first.seen[0]) == 7
    extended = second.seen[0]
    assert_array_equal(extended.X, np.vstack([history.X, [[1.0]] * first.asked[0]]))
    assert_array_equal(extended.pending, [False] * 7 + [True] * first.asked[0])
    assert extended.loss.shape == extended.status.shape == (len(extended),)
    assert extended.status.dtype == history.status.dtype


def test_the_others_go_on_where_a_member_has_no_more() -> None:
    short, other = Constant(1, most=3), Constant(2)
    x = mix.Mix([(0.5, short), (0.5, other)]).suggest(LINE, NOTHING, 50, rng())[:, 0]
    assert np.bincount(x.astype(int)).tolist() == [0, 3, 47]
    assert len(short.asked) == 1


def test_fewer_points_come_when_no_member_has_more() -> None:
    members = Constant(1, most=3), Constant(2, most=4)
    X = mix.Mix([(0.5, members[0]), (0.5, members[1])]).suggest(LINE, NOTHING, 50, rng())
    assert X.shape == (7, 1)
