"""The sampler for those who do not want to choose one."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from sparktune import ASHA, Study, ThreadTrials, fmin, tune
from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.samplers import auto, gp, tpe
from sparktune.samplers.algorithms import resolve
from sparktune.space import hp
from sparktune.space.space import Space
from sparktune.testing import history_of, mixed_history
from sparktune.trial import Status

SQUARE = Space([hp.uniform("x", 0, 1), hp.uniform("y", 0, 1)])
DISTANCES = gp.suggest(trend=False)


@pytest.mark.parametrize(
    ("trials", "sampler"),
    [(14, gp.suggest), (17, gp.suggest), (20, DISTANCES), (30, gp.suggest), (32, DISTANCES)],
)
def test_after_the_first_ones_the_third_suggestion_is_of_a_process_without_a_trend(
    trials: int, sampler: gp.GaussianProcess
) -> None:
    history = mixed_history(SQUARE, trials)
    expected = sampler.suggest(SQUARE, history, 1, np.random.default_rng(0))
    found = auto.suggest.suggest(SQUARE, history, 1, np.random.default_rng(0))
    np.testing.assert_array_equal(found, expected)


def test_with_many_slots_the_others_are_of_tpe() -> None:
    X = SQUARE.sample(np.random.default_rng(1), 1_100)
    history = history_of(
        SQUARE, X, [*X[:100].sum(axis=1).tolist(), *[None] * 1_000],
        [Status.OK] * 100 + [Status.RUNNING] * 1_000,
    )  # fmt: skip
    expected = tpe.suggest.suggest(SQUARE, history, 1, np.random.default_rng(0))
    found = auto.suggest.suggest(SQUARE, history, 1, np.random.default_rng(0))
    np.testing.assert_array_equal(found, expected)


def test_of_many_at_once_the_others_are_of_tpe() -> None:
    history = valley(30)
    X = auto.suggest.suggest(SQUARE, history, 24, np.random.default_rng(0))
    rng = np.random.default_rng(0)
    by_process = gp.suggest.suggest(SQUARE, history, 16, rng)
    rest = tpe.suggest.suggest(SQUARE, history.with_pending(by_process), 8, rng)
    np.testing.assert_array_equal(X, np.vstack([by_process, rest]))


def valley(n: int) -> View:
    """A history of n trials without noise."""
    X = SQUARE.sample(np.random.default_rng(n), n)
    return history_of(SQUARE, X, ((X - 0.3) ** 2).sum(axis=1).tolist())


def test_several_at_once_are_of_both() -> None:
    X = auto.suggest.suggest(SQUARE, valley(30), 9, np.random.default_rng(0))
    by_process = gp.suggest.suggest(SQUARE, valley(30), 6, np.random.default_rng(0))
    np.testing.assert_array_equal(X[:6], by_process)
    assert len(np.unique(X, axis=0)) == 9


def tried(X: np.ndarray, history: View) -> list[bool]:
    """Which rows of X a history has."""
    found: list[bool] = (X[:, None] == history.X).all(axis=2).any(axis=1).tolist()
    return found


@pytest.mark.parametrize("trials", [22, 30, 94])
def test_with_noise_every_fifth_suggestion_is_a_point_again(trials: int) -> None:
    history = mixed_history(SQUARE, trials)
    X = auto.suggest.suggest(SQUARE, history, 9, np.random.default_rng(0))
    n = sum(place % 5 == 4 for place in range(trials, trials + 9))
    assert tried(X, history) == [False] * (9 - n) + [True] * n
    again = history.with_pending(X[9 - n :])
    mine = sum(place % 5 < 4 and place % 3 < 2 for place in range(trials, trials + 9))
    by_process = gp.suggest.suggest(SQUARE, again, mine, np.random.default_rng(0))
    np.testing.assert_array_equal(X[:mine], by_process)


def test_losses_of_several_evaluations_do_not_tell_the_noise_of_one() -> None:
    summed = replace(mixed_history(SQUARE, 30), repeatable=False)
    assert not any(tried(auto.suggest.suggest(SQUARE, summed, 9, np.random.default_rng(0)), summed))


def repeats(study: Study) -> list[int]:
    """The trials at points that had been tried before."""
    points = [trial.values for trial in study.trials.values()]
    return [i for i, values in enumerate(points) if values in points[:i]]


def rough(point: dict[str, float]) -> float:
    """A loss that looks like noise, but is the same each time."""
    return float(np.sin(1e4 * point["x"]) * np.cos(1e4 * point["y"]))


def test_no_point_is_repeated_for_long_if_the_same_loss_comes_back() -> None:
    space = {name: hp.uniform(name, 0, 1) for name in "xy"}
    noise = np.random.default_rng(0)
    run = partial(tune, space=space, sampler="auto", max_trials=55, seed=0, progress=False)
    again = repeats(run(lambda point: point["x"] + rough(point)))
    assert again
    assert again[-1] < 44  # none of the 45th, 50th and 55th
    assert repeats(run(lambda point: point["x"] + point["y"])) == []
    noisy = run(lambda point: point["x"] + point["y"] + noise.normal())
    assert repeats(noisy) == [24, 29, 34, 39, 44, 49, 54]


def test_points_that_are_running_again_count() -> None:
    x = np.linspace(0, 1, 40)
    losses = (x - 0.3) ** 2 + np.random.default_rng(4).normal(0, 0.05, 40)
    history = history_of(SQUARE, np.column_stack([x, x]), losses.tolist())
    at_once = auto.repeated(SQUARE, history, 6)
    for _ in range(3):
        history = history.with_pending(auto.repeated(SQUARE, history, 2))
    np.testing.assert_array_equal(history.X[40:], at_once)
    assert len(np.unique(at_once, axis=0)) > 1


def test_repeated_points_do_not_end_a_finite_space_early() -> None:
    noise = np.random.default_rng(0)
    space = {"c": hp.choice("c", list("abcde")), "n": hp.randint("n", 8)}
    study = tune(
        lambda point: noise.normal(), space, sampler="auto", max_trials=100, seed=0, progress=False
    )
    again = repeats(study)
    assert again[:2] == [24, 29]
    assert len(study.trials) - len(again) == 40
    assert len(study.trials) <= 51  # it ends once all 40 points have been tried


def test_a_scheduler_of_budgets_has_no_repeated_points() -> None:
    study = tune(
        lambda point, budget: point["x"] + np.random.default_rng(int(1e6 * point["x"])).normal(),
        {"x": hp.uniform("x", 0, 1)}, sampler="auto", scheduler=ASHA(1, 9), max_trials=60, seed=0,
        progress=False,
    )  # fmt: skip
    roots = [trial for trial in study.trials.values() if trial.parent is None]
    assert len(roots) == len({tuple(trial.values.items()) for trial in roots})


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
        "three, one without a trend the others; if losses are noisy, one of 5 repeats a good point"
    )
    assert lines(1, 0) == lines(20, 3) == []


def test_a_line_says_why_the_process_has_few_turns() -> None:
    assert auto.described(10, 200, 3) == (
        "auto: a Gaussian process of 10 parameters makes two of 9 suggestions, TPE the others, as "
        "more of them would keep 200 slots waiting; if losses are noisy, one of 15 repeats a good "
        "point"
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
