"""Cross-validation fold by fold, as a scheduler."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sparktune import InvalidArgument, Serial, hp, tune
from sparktune.history import View
from sparktune.schedulers import Folds, New, Promote
from sparktune.trial import Status, Trial

SPACE = {"x": hp.uniform("x", 0, 1)}


def view(*configurations: list[float], k: int = 5) -> View:
    """The history of configurations with these losses of folds."""
    trials: list[Trial] = []
    for losses in configurations:
        for n in range(1, len(losses) + 1):
            parent = None if n == 1 else len(trials) - 1
            mean = float(np.mean(losses[:n]))
            at = dict.fromkeys(("asked", "started", "finished"), float(len(trials)))
            trials.append(
                Trial(len(trials), {"x": 0.5}, Status.OK, n, mean, parent=parent, **at)  # type: ignore[arg-type]
            )
    return View.of(trials, np.full((len(trials), 1), 0.5))


BEST = [1.5, 2.0, 3.0, 2.0, 1.5]


@pytest.mark.parametrize(
    ("losses", "more"),
    [
        ([9.0], True),  # two folds for everyone
        ([9.0, 9.0], False),  # worse than the worst fold of the best
        ([3.0, 2.9], True),  # in the middle of the folds of the best
        ([1.6, 2.1, 3.1], False),  # on each fold a little worse
        ([1.5, 2.1, 3.2], False),  # worse by 1.7 standard errors
        ([1.3, 2.1, 3.4], True),  # worse by 0.6
        ([1.6, 1.6, 3.2], True),  # sometimes better
        (BEST, False),  # it has all folds
    ],
)
def test_what_is_clearly_worse_gets_no_more_folds(losses: list[float], more: bool) -> None:
    work = Folds(5).schedule(view(BEST, losses), 2)
    last = len(BEST) + len(losses) - 1
    goes_on: list[New | Promote] = [Promote(last, len(losses) + 1.0), New(1.0)]
    assert work == (goes_on if more else [New(1.0), New(1.0)])


def test_the_first_one_needs_no_opponent() -> None:
    work = Folds(4).schedule(view([9.0, 9.0, 9.0], [1.0]), 3)
    assert work == [Promote(2, 4.0), Promote(3, 2.0), New(1.0)]


def test_a_hard_fold_does_not_count_against_those_that_had_it() -> None:
    seen = Folds(3).scores(view([1.0, 1.0, 7.0], [1.1, 1.1]))
    assert len(seen) == 2
    assert seen.loss[0] < seen.loss[1]  # though its mean is 3


def test_hopeless_configurations_cost_few_folds() -> None:
    noise = np.random.default_rng(0).normal(size=5)

    def objective(config: Any, budget: int) -> float:
        return float(np.mean(config["x"] + 0.1 * noise[:budget]))

    race: dict[str, Any] = {"scheduler": Folds(5), "max_trials": 40, "on": Serial()}
    study = tune(objective, SPACE, sampler="random", seed=0, progress=False, **race)
    xs = {trial.values["x"] for trial in study.records.values()}
    assert len(xs) == 40
    assert study.best_params == {"x": min(xs)}
    assert study.best is not None
    assert study.best.budget == 5
    assert {type(trial.budget) for trial in study.records.values()} == {float}
    assert len(study.records) < 0.6 * 200


def test_one_fold_is_no_race() -> None:
    with pytest.raises(InvalidArgument, match="k must be"):
        Folds(1)
