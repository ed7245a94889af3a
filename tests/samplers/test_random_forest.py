"""Bayesian optimisation with a random forest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sparktune.errors import InvalidArgument
from sparktune.samplers import forest
from sparktune.samplers.algorithms import resolve
from sparktune.space import hp
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.study import Study
from sparktune.surrogates.forest import Trees
from sparktune.testing import history_of

SQUARE = Space([hp.uniform("x", 0, 1), hp.uniform("y", 0, 1)])


def test_it_gets_near_the_minimum_of_a_bowl() -> None:
    X, y = np.empty((0, 2)), np.empty(0)
    for i in range(40):
        history = history_of(SQUARE, X, y.tolist())
        row = forest.suggest.suggest(SQUARE, history, 1, np.random.default_rng(i))
        X, y = np.vstack([X, row]), np.append(y, ((row - [0.3, 0.8]) ** 2).sum())
    # An area of 0.006 has a loss below 0.002; 40 random points hit it with probability 0.22.
    assert y.min() < 0.002


def test_several_at_once_keep_apart() -> None:
    rng = np.random.default_rng(0)
    X = SQUARE.sample(rng, 40)
    history = history_of(SQUARE, X, ((X - [0.3, 0.8]) ** 2).sum(axis=1).tolist())
    found = forest.suggest.suggest(SQUARE, history, 8, np.random.default_rng(0))
    distance = np.abs(found[:, None] - found[None]).max(axis=2) + np.eye(8)
    assert distance.min() > 1e-3


def test_a_suggestion_costs_the_same_however_many_are_made_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []
    leaves = Trees.leaves

    def counted(self: Trees, Z: Array) -> Any:
        seen.append(len(Z))
        return leaves(self, Z)

    monkeypatch.setattr(Trees, "leaves", counted)
    rows = {}
    for n in (100, 200):
        study = Study({"x": hp.uniform("x", 0, 1), "y": hp.uniform("y", 0, 1)}, "forest", seed=1)
        for trial in study.ask(20):
            study.tell(trial, trial.values["x"])
        seen.clear()
        assert len(study.ask(n)) == n
        rows[n] = sum(seen)
    assert rows[200] == rows[100] + 100


def test_one_of_five_is_drawn_from_the_prior() -> None:
    space = Space(hp.normal("x", 0, 1))
    X = space.sample(np.random.default_rng(0), 40)
    history = history_of(space, X, (X[:, 0] ** 2).tolist())
    drawn = [
        forest.suggest(trees=2).suggest(space, history, 5, np.random.default_rng(seed))[0]
        for seed in range(40)
    ]
    # The first of five after 40 trials is the drawn one: all over the prior.
    assert np.std(drawn) > 0.6


def test_its_names() -> None:
    assert resolve("forest") is resolve("smac") is forest.suggest


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"trees": 0}, "trees must be an integer >= 1"),
        ({"n_startup_jobs": -1}, "n_startup_jobs must be an integer >= 0"),
        ({"repeats": None}, "repeats must be True or False"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], wanted: str) -> None:
    with pytest.raises(InvalidArgument, match=wanted):
        forest.suggest(**options)
