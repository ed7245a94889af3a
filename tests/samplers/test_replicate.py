"""The best points again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from sparktune import InvalidArgument, Study, hp, tune
from sparktune.history import View
from sparktune.samplers import random
from sparktune.samplers.replicate import Replicate
from sparktune.schedulers import FullBudget, InOrder
from sparktune.space.space import Space
from sparktune.trial import Status

SPACE = Space({"x": hp.uniform("x", 0, 1), "kind": hp.choice("kind", ["a", "b"])})


def noisy(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    return lambda c: (c["x"] - 0.5) ** 2 + (c["kind"] == "a") + 0.2 * rng.normal()


def points(study: Study) -> Counter[Any]:
    return Counter(tuple(sorted(trial.values.items())) for trial in study.trials.values())


def test_the_last_trials_are_the_best_points_again() -> None:
    study = tune(noisy(0), SPACE, sampler="gp", max_trials=40, replicate=15, seed=0, progress=False)
    counts = points(study)
    assert (len(counts), counts.total()) == (25, 40)
    assert study.recommended is not None
    assert study.recommended.values["kind"] == 1
    assert abs(study.recommended.values["x"] - 0.5) < 0.25
    assert max(counts.values()) > 2
    assert type(study.sampler).__name__ == "GaussianProcess"  # as it was


def asked_again(*counts: int) -> list[Any]:
    """The points that are asked for in groups of these sizes, after 20 random trials."""
    study = tune(noisy(3), SPACE, sampler="random", max_trials=20, seed=3, progress=False)
    study.sampler = Replicate(study.sampler, 20)
    asked = [sorted(trial.values.items()) for n in counts for trial in study.ask(n)]
    tried = [sorted(t.values.items()) for t in study.trials.values() if t.status is Status.OK]
    assert all(point in tried for point in asked)
    return asked


def test_points_that_run_again_are_not_forgotten() -> None:
    at_once = asked_again(11)
    assert asked_again(5, 6) == at_once
    assert asked_again(5) + asked_again(6) != at_once


def test_a_new_run_goes_on_with_new_points() -> None:
    study = tune(noisy(0), SPACE, max_trials=10, replicate=4, seed=0, progress=False)
    tune(noisy(1), SPACE, study=study, max_trials=20, replicate=4, progress=False)
    assert (len(study.trials), len(points(study))) == (20, 12)


def test_where_the_sampler_has_no_more_points_the_best_follow() -> None:
    space = {"k": hp.choice("k", [0.0, 1.0, 2.0])}
    study = tune(lambda c: c["k"], space, max_trials=6, replicate=1, seed=0, progress=False)
    assert len(study.trials) == 6
    assert len(points(study)) == 3


def test_nothing_is_repeated_before_there_is_a_result() -> None:
    empty = View.of([], np.empty((0, 2)))
    again = Replicate(random.suggest, 2)
    assert again.suggest(SPACE, empty, 5, np.random.default_rng(0)).shape == (2, 2)


def test_new_points_follow_if_all_trials_have_failed() -> None:
    results = iter([{"status": "fail"}] * 7 + [1.0] * 3)
    study = tune(lambda c: next(results), SPACE, max_trials=10, replicate=5, seed=0, progress=False)
    assert (len(points(study)), len(study.trials)) == (8, 10)
    assert study.stop_reason == "all trials done"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replicate": -1, "max_trials": 5}, "replicate must be"),
        ({"replicate": 2.5, "max_trials": 5}, "replicate must be"),
        ({"replicate": 3}, "less than max_trials"),
        ({"replicate": 5, "max_trials": 5}, "less than max_trials"),
        (
            {"replicate": 2, "max_trials": 5, "scheduler": InOrder(FullBudget(), 2)},
            "cannot be combined",
        ),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        tune(noisy(0), SPACE, **options)
