"""What a user believes of where good values are."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pytest

from sparktune import InvalidArgument, hp, tune
from sparktune.history import View
from sparktune.samplers import auto, gp, tpe
from sparktune.samplers.prior import Belief, with_prior
from sparktune.space.space import Space

SPACE = Space(
    {
        "lr": hp.loguniform("lr", log(1e-6), log(1.0)),
        "n": hp.uniformint("n", 1, 100),
        "x": hp.uniform("x", 0, 1),
        "kind": hp.choice("kind", ["a", {"deep": hp.uniform("deep", 0, 1)}, "c"]),
    }
)
PRIOR = {
    "lr": hp.lognormal("lr", log(1e-3), 0.5),
    "n": hp.normal("n", 40, 5),
    "deep": hp.uniform("deep", 0.2, 0.4),
    "kind": hp.pchoice("kind", [(0.1, "a"), (0.9, "b"), (0.0, "c")]),
}


def column(X: Any, label: str) -> Any:
    return X[:, SPACE.labels.index(label)]


def test_draws_follow_the_belief_and_stay_in_the_space() -> None:
    X = Belief.read(PRIOR).sample(SPACE, np.random.default_rng(0), 1000)
    for row in X:
        assert SPACE.check(SPACE.values(row))
    assert abs(np.median(np.log(column(X, "lr"))) - log(1e-3)) < 0.1
    assert abs(np.median(column(X, "n")) - 40) <= 1
    assert np.isclose(np.median(column(X, "x")), 0.5, atol=0.1)  # of which nothing is believed
    deep = column(X, "deep")
    assert np.nanmin(deep) >= 0.2
    assert np.nanmax(deep) <= 0.4
    assert 0.85 < (column(X, "kind") == 1).mean() < 0.95
    assert not (column(X, "kind") == 2).any()


def test_a_belief_beyond_the_range_is_kept_inside() -> None:
    X = Belief.read({"n": hp.normal("n", 500, 5)}).sample(SPACE, np.random.default_rng(0), 10)
    assert (column(X, "n") == 100).all()


def test_the_density_is_largest_at_the_centre_and_never_zero() -> None:
    belief = Belief.read(PRIOR)
    centre = belief.centre(SPACE)
    assert SPACE.values(centre) | {"lr": 0, "x": 0} == {
        "lr": 0, "n": 40, "x": 0, "kind": 1, "deep": pytest.approx(0.3)
    }  # fmt: skip
    X = SPACE.sample(np.random.default_rng(0), 100)
    density = belief.log_density(SPACE, X)
    assert np.isfinite(density).all()
    assert (density <= belief.log_density(SPACE, centre[None]) + 1e-9).all()
    assert belief.log_density(SPACE, centre[None])[0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        (3, "prior must be"),
        ({}, "prior must be"),
        ({"lr": hp.normal("rate", 0, 1)}, "each key must equal the label"),
        ({"lr": 3}, r"'lr' must be given by a parameter such as hp.normal\('lr', 0, 1\), got 3"),
        ({"rate": hp.normal("rate", 0, 1)}, "no parameter 'rate'; it has kind, lr, n, x, deep"),
        ({"lr": hp.choice("lr", [1, 2])}, "cannot describe"),
        ({"kind": hp.choice("kind", [1, 2])}, "cannot describe"),
        ({"kind": hp.normal("kind", 0, 1)}, "cannot describe"),
    ],
)
def test_what_is_no_belief_about_this_space_is_refused(prior: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        with_prior(auto.suggest, SPACE, prior)


def test_other_samplers_say_that_they_cannot_use_it() -> None:
    with pytest.raises(InvalidArgument, match=r'"auto" and sampler="gp"; tpe.suggest cannot'):
        tune(abs, hp.uniform("x", -1, 1), sampler=tpe.suggest, prior={"x": hp.normal("x", 0, 1)})


@pytest.mark.parametrize("sampler", [gp.suggest, auto.suggest], ids=["gp", "auto"])
def test_the_first_points_are_where_the_belief_is(sampler: Any) -> None:
    first = with_prior(sampler, SPACE, PRIOR)
    history = View.of([], np.empty((0, len(SPACE))))
    X = first.suggest(SPACE, history, 4, np.random.default_rng(0))
    np.testing.assert_array_equal(X[0], Belief.read(PRIOR).centre(SPACE))
    assert len(np.unique(X, axis=0)) == 4


def runs(sampler: Any, at: float, n: int) -> float:
    """The mean of the smallest losses of three runs with the smallest one at `at`."""
    losses = []
    for seed in range(3):
        study = tune(
            lambda c: (c["x"] - at) ** 2 + 0.3 * np.sin(9 * c["y"]) ** 2,
            {"x": hp.uniform("x", 0, 1), "y": hp.uniform("y", 0, 1)},
            sampler=sampler, max_trials=n, seed=seed, progress=False,
        )  # fmt: skip
        assert study.best is not None
        losses.append(study.best.loss or 0.0)
    return float(np.mean(losses))


def test_a_good_belief_helps_at_once_and_a_wrong_one_is_forgotten() -> None:
    believing = gp.suggest(prior={"x": hp.normal("x", 0.8, 0.05)})
    assert runs(believing, 0.8, 3) < runs(gp.suggest, 0.8, 3)
    assert runs(believing, 0.1, 40) < 1e-3


def test_a_space_of_one_point_can_have_a_belief() -> None:
    study = tune(
        lambda c: c, hp.choice("k", [1.0]), sampler="gp", prior={"k": hp.choice("k", [2.0])},
        max_trials=3, progress=False,
    )  # fmt: skip
    assert len(study.trials) == 1
