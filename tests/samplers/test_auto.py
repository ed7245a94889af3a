"""The sampler for those who do not want to choose one."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from sparktune import ThreadTrials, fmin
from sparktune.errors import InvalidArgument
from sparktune.samplers import auto, gp, tpe
from sparktune.samplers.algorithms import resolve
from sparktune.space import hp
from sparktune.space.space import Space
from sparktune.testing import history_of, mixed_history
from sparktune.trial import Status

SQUARE = Space([hp.uniform("x", 0, 1), hp.uniform("y", 0, 1)])


@pytest.mark.parametrize(
    ("trials", "sampler"),
    [(14, gp.suggest), (17, gp.suggest), (20, tpe.suggest), (30, gp.suggest), (32, tpe.suggest)],
)
def test_after_the_first_ones_the_third_suggestion_is_of_tpe(
    trials: int, sampler: gp.GaussianProcess | tpe.TPE
) -> None:
    history = mixed_history(SQUARE, trials)
    expected = sampler.suggest(SQUARE, history, 1, np.random.default_rng(0))
    found = auto.suggest.suggest(SQUARE, history, 1, np.random.default_rng(0))
    np.testing.assert_array_equal(found, expected)


def test_several_at_once_are_of_both() -> None:
    history = mixed_history(SQUARE, 30)
    X = auto.suggest.suggest(SQUARE, history, 9, np.random.default_rng(0))
    by_process = gp.suggest.suggest(SQUARE, history, 6, np.random.default_rng(0))
    np.testing.assert_array_equal(X[:6], by_process)
    assert len(np.unique(X, axis=0)) == 9


@pytest.mark.parametrize("trials", [10, 100, 1_000, 100_000])
@pytest.mark.parametrize("d", [1, 10, 50])
@pytest.mark.parametrize("slots", [1, 8, 32, 128, 1_000])
def test_the_driver_keeps_up_with_ten_second_trials(trials: int, d: int, slots: int) -> None:
    one_in = auto.turns(trials, d, slots, 1)
    share = auto.modelled(np.arange(300 * one_in), one_in).mean()
    # Slots ask for `slots` suggestions in ten seconds; that takes half of them, at most.
    assert share * auto.cost(trials, d, slots, 1) * slots <= 5_000 + 1e-6
    assert one_in == 1 or slots > 32


def test_with_few_slots_the_process_has_its_turns_whatever_the_number_of_trials() -> None:
    assert auto.turns(1_000_000, 50, 32, 1) == 1


def test_one_line_says_what_runs(caplog: pytest.LogCaptureFixture) -> None:
    def lines(trials: int, waiting: int) -> list[str]:
        caplog.clear()
        X = SQUARE.sample(np.random.default_rng(0), trials + waiting)
        losses = [0.5] * trials + [None] * waiting
        statuses = [Status.OK] * trials + [Status.RUNNING] * waiting
        history = history_of(SQUARE, X, losses, statuses)
        with caplog.at_level(logging.INFO, "sparktune"):
            auto.suggest.suggest(SQUARE, history, 1, np.random.default_rng(0))
        return [record.message for record in caplog.records]

    [first] = lines(0, 0)
    assert first == (
        "auto: a Gaussian process of 2 parameters makes the first 20 suggestions and then two of "
        "three, TPE the others"
    )
    assert lines(1, 0) == lines(20, 3) == []


def test_a_line_says_why_the_process_has_few_turns() -> None:
    assert auto.described(10, 200, 3) == (
        "auto: a Gaussian process of 10 parameters makes two of 9 suggestions, TPE the others, as "
        "more of them would keep 200 slots waiting"
    )


def test_a_finite_space_is_tried_once_and_then_the_run_ends() -> None:
    space = Space([hp.choice("c", "abc"), hp.randint("n", 4)])
    X = np.empty((0, 2))
    for i in range(4):
        history = history_of(space, X, X.sum(axis=1).tolist())
        X = np.vstack([X, auto.suggest.suggest(space, history, 4, np.random.default_rng(i))])
    assert len(X) == len(np.unique(X, axis=0)) == 12
    history = history_of(space, X, X.sum(axis=1).tolist())
    again = auto.suggest(repeats=True).suggest(space, history, 4, np.random.default_rng(0))
    assert again.shape == (4, 2)


def test_it_has_a_name_and_one_option() -> None:
    assert resolve("auto") is auto.suggest
    with pytest.raises(InvalidArgument, match="repeats must be True or False"):
        auto.suggest(repeats=2)


def test_fmin_runs_it_with_several_trials_at_once() -> None:
    space = {
        "x": hp.uniform("x", -3, 3),
        "kind": hp.choice("kind", ["a", {"y": hp.normal("y", 0, 1)}]),
    }

    def objective(point: dict[str, Any]) -> float:
        bonus = 0.0 if point["kind"] == "a" else 0.5 + float(point["kind"]["y"]) ** 2
        return float((point["x"] - 1) ** 2 + bonus)

    trials = ThreadTrials(parallelism=4)
    fmin(
        objective, space, "auto", 30, trials=trials, show_progressbar=False,
        rstate=np.random.default_rng(0),
    )  # fmt: skip
    assert trials.count_successful_trials() == 30
    assert len({tuple(record.values.items()) for record in trials.records.values()}) == 30
    assert trials.best_trial["result"]["loss"] < 0.2
