"""Ladders that grow, and what a run says of its ladder."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sparktune import ASHA, Study, Threads, tune
from sparktune.history import View
from sparktune.schedulers import Hyperband
from sparktune.schedulers.growth import highest_rung
from sparktune.stopping import MaxBudget, MaxEvals
from sparktune.trial import Status, Trial
from tests.schedulers.test_asha import SPACE, begun, counts, loss


def grown(value: Any, n: int = 90, **more: Any) -> Study:
    study = begun(ASHA(1, 81, audit=0, grow=True, **more), n)
    while trials := study.ask(1):
        study.tell(trials[0], value(trials[0].values["x"], trials[0].budget))
    return study


def test_a_ladder_that_ranks_alike_does_not_grow_and_the_best_goes_on_to_its_end() -> None:
    assert counts(grown(lambda x, budget: x + 1 / budget)) == {1: 90, 3: 30, 9: 1, 27: 1, 81: 1}


def random_loss(x: float, budget: float) -> float:
    return float(np.random.default_rng([int(1e6 + 1e6 * x), int(budget)]).random())


def test_a_ladder_grows_while_its_upper_rungs_rank_differently() -> None:
    study = grown(lambda x, budget: x if budget > 1 else random_loss(x, budget))
    assert counts(study) == {1: 90, 3: 30, 9: 10, 27: 1, 81: 1}
    assert counts(grown(random_loss)) == {1: 90, 3: 30, 9: 10, 27: 3, 81: 1}


def test_pairs_that_change_places_and_back_are_noise() -> None:
    rungs = np.repeat([0, 1, 2], 4)
    losses = [0.0, 0.1, 5.0, 9.0, 0.1, 0.0, 5.0, 9.0, 0.0, 0.1, 5.0, 9.0]
    trials = [
        Trial(i, {"x": 0.0}, Status.OK, 3.0 ** rungs[i], value, parent=i - 4 if i > 3 else None)
        for i, value in enumerate(losses)
    ]
    history = View.of(trials, np.zeros((12, 1)))
    assert highest_rung(history, rungs, 4) == 2
    losses[8:] = [5.0, 0.1, 0.0, 9.0]
    trials = [replace(trial, loss=value) for trial, value in zip(trials, losses, strict=True)]
    assert highest_rung(View.of(trials, np.zeros((12, 1))), rungs, 4) == 3


def test_a_ladder_that_grows_depends_on_the_order_of_rows_alone() -> None:
    def objective(config: dict[str, float], budget: int) -> float:
        return random_loss(config["x"], budget)

    runs = [
        tune(
            objective,
            SPACE,
            scheduler=ASHA(1, 27, grow=True),
            max_trials=40,
            on=Threads(3),
            seed=2,
            deterministic=True,
            progress=False,
        )
        for _ in range(2)
    ]
    assert [t.values for t in runs[0].trials.values()] == [
        t.values for t in runs[1].trials.values()
    ]
    assert counts(runs[0]) == counts(runs[1])


def test_the_ladder_is_logged_once_with_what_it_takes(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "sparktune"):
        tune(loss, SPACE, scheduler=ASHA(1, 9), max_trials=18, seed=1, progress=False)
        tune(loss, SPACE, scheduler=ASHA(1, 9), stop=MaxBudget(2), seed=1, progress=False)
    said = [each.getMessage() for each in caplog.records if "budgets" in each.getMessage()]
    assert said == [
        "budgets 1, 3, 9: about 18, 6, 2 evaluations, which cost as much as 4.67 full ones if the "
        "objective continues from states",
        "budgets 1, 3, 9",
    ]


def test_a_run_that_ends_before_a_full_evaluation_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for stop, budget in ((MaxEvals(2), 1), (None, 9)):
        caplog.clear()
        study = tune(
            loss,
            SPACE,
            scheduler=ASHA(1, 9),
            max_trials=18,
            stop=stop,
            seed=1,
            progress=False,
        )
        assert study.best is not None
        assert study.best.budget == budget
        said = [each.getMessage() for each in caplog.records if "best trial" in each.getMessage()]
        assert said == (budget < 9) * [
            "the best trial has the budget 1, because no promoted configuration has a loss at the "
            "full budget 9 yet; to continue, repeat the call with a larger limit"
        ]


def test_what_a_ladder_takes_is_about_what_it_took() -> None:
    for scheduler in (ASHA(1, 27, audit=0), ASHA(1, 9, audit=0, finalists=2), Hyperband(1, 9)):
        study = begun(scheduler, 300)
        while trials := study.ask(1):
            study.tell(trials[0], trials[0].values["x"])
        for (_, told), expected in zip(
            sorted(counts(study).items()), scheduler.expected(300), strict=True
        ):
            assert abs(told - expected) <= 4 * np.sqrt(expected)
    assert ASHA(1, 9, grow=True).expected(300) == []


def test_the_guard_says_in_one_line_that_it_acts(caplog: pytest.LogCaptureFixture) -> None:
    def reversed_at_first(config: dict[str, float], budget: int) -> float:
        return -config["x"] if budget < 9 else config["x"]

    tune(
        reversed_at_first,
        SPACE,
        sampler="random",
        scheduler=ASHA(1, 27, audit=0.5),
        stop=MaxBudget(40),
        seed=1,
        progress=False,
    )
    said = [each.getMessage() for each in caplog.records if "new configurations" in each.message]
    assert said == [
        "losses at budget 1, 3 do not predict those at 27: new configurations start at 9"
    ]
