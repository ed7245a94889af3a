"""Branches of a conditional space: which are drawn, how often, and which trials are in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sparktune.samplers._branches import drawn, inside
from sparktune.samplers._parzen import Parzen
from sparktune.samplers._points import Points
from sparktune.space import hp
from sparktune.space.distributions import Array
from sparktune.space.space import Space

NESTED = Space(
    {
        "outer": hp.choice(
            "outer", [hp.uniform("x", 0, 1), hp.choice("inner", [hp.uniform("y", 0, 1), 0])]
        ),
        "free": hp.choice("free", "abc"),
    }
)
OUTER, INNER = (NESTED.labels.index(label) for label in ("outer", "inner"))


def rows(*values: dict[str, Any]) -> Array:
    return np.array([NESTED.encode(each) for each in values])


def mixture(X: Array) -> Parzen:
    return Parzen.fit(Points.of(NESTED, X), np.ones(len(X)), 1.0)


X = rows(
    {"outer": 0, "x": 0.5, "free": 2},
    {"outer": 1, "inner": 0, "y": 0.5, "free": 0},
    {"outer": 1, "inner": 1, "free": 1},
)


def test_a_branch_is_made_of_the_choices_that_others_depend_on() -> None:
    branches = drawn(mixture(X), mixture(X), 8, np.random.default_rng(0))
    expected = ({OUTER: 0}, {OUTER: 1, INNER: 0}, {OUTER: 1, INNER: 1})
    assert all(branch in expected for branch, _ in branches)
    assert len(branches) == len({tuple(branch.items()) for branch, _ in branches})


@pytest.mark.parametrize("n", [1, 7, 8, 32, 61])
def test_every_suggestion_has_a_branch(n: int) -> None:
    assert (
        sum(count for _, count in drawn(mixture(X), mixture(X), n, np.random.default_rng(0))) == n
    )


def test_suggestions_at_once_are_from_eight_branches_at_most() -> None:
    switches = {f"on{i}": hp.choice(f"on{i}", [hp.uniform(f"u{i}", 0, 1), 0]) for i in range(10)}
    space = Space(switches)
    prior = Parzen.fit(Points.of(space, np.empty((0, len(space)))), np.empty(0), 1.0)
    branches = drawn(prior, prior, 30, np.random.default_rng(0))
    # Of 1024 equally likely ones, that eight draws are all different has probability 0.97; two
    # pairs alike 3e-4.
    assert 7 <= len(branches) <= 8
    assert min(count for _, count in branches) >= 3


def test_the_branch_that_is_good_more_often_than_it_is_tried_is_drawn_most() -> None:
    good, bad = np.repeat(X[1:2], 20, axis=0), np.repeat(X[:1], 20, axis=0)
    found = 0
    for seed in range(50):
        [(branch, _)] = drawn(mixture(good), mixture(bad), 1, np.random.default_rng(seed))
        found += branch == {OUTER: 1, INNER: 0}
    # Its probability in one draw is above 0.6, in the better of two above 0.8: fewer than 25 of 50
    # have a probability of 1e-6.
    assert found >= 25


def test_the_trials_of_a_branch_are_those_with_its_options() -> None:
    assert inside({OUTER: 0}, X).tolist() == [True, False, False]
    assert inside({OUTER: 1, INNER: 1}, X).tolist() == [False, False, True]
    assert inside({}, X).all()
