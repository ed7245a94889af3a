"""Runs whose trials do not depend on the timing."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sparktune import InvalidArgument, SparkTrials, ThreadTrials, fmin, hp, loop
from sparktune.executors.task import Task
from sparktune.history import View
from sparktune.samplers import Sampler, tpe
from sparktune.schedulers import FullBudget, InOrder
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.stopping import Never
from sparktune.study import Study
from sparktune.testing import Clock, SimulatedExecutor
from sparktune.trial import Status, Trial

SPACE = Space({"x": hp.uniform("x", -5, 5), "k": hp.choice("k", [hp.normal("y", 0, 1), "none"])})
quiet = functools.partial(fmin, show_progressbar=False)


def loss(trial: Trial) -> float:
    if trial.id % 11 == 5:
        raise ValueError("fails")
    return float(trial.values["x"] ** 2 + trial.values["k"])


def played(
    seconds: Callable[[Trial], float],
    lag: int | None,
    sampler: Sampler = tpe.suggest,
    records: dict[int, Trial] | None = None,
    n: int = 60,
) -> dict[int, Trial]:
    """The records of a run on four slots."""
    clock, records = Clock(), {} if records is None else records
    full = FullBudget(n)
    scheduler = full if lag is None else InOrder(full, lag)
    study = Study(SPACE, sampler, scheduler, 3, records, clock=clock)
    executor = SimulatedExecutor(Task(loss, lambda trial: trial), 4, seconds, clock)
    assert loop.run(study, executor, Never()) == loop.FINISHED
    return records


def shuffled(seed: int) -> Callable[[Trial], float]:
    """Durations that make trials end in another order for every seed."""
    durations = np.random.default_rng(seed).exponential(10.0, size=100)
    return lambda trial: float(durations[trial.id])


def values(records: dict[int, Trial]) -> dict[int, Any]:
    return {id: dict(records[id].values) for id in sorted(records)}


def test_trials_are_the_same_in_whatever_order_they_end() -> None:
    runs = [played(shuffled(seed), lag=4) for seed in range(5)]
    orders = [sorted(run, key=lambda id: run[id].finished or 0.0) for run in runs]
    assert len({tuple(order) for order in orders}) == 5
    assert all(values(run) == values(runs[0]) for run in runs)


def test_without_it_they_differ() -> None:
    assert values(played(shuffled(0), None)) != values(played(shuffled(1), None))


def test_with_a_lag_of_one_they_are_those_of_a_run_one_after_the_other() -> None:
    assert values(played(shuffled(0), lag=1)) == values(played(lambda trial: 1.0, lag=1))


def test_a_suggestion_knows_the_results_up_to_the_lag_and_no_more() -> None:
    heard: list[tuple[int, list[int], list[int]]] = []

    class Listening:
        def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
            ended = np.flatnonzero(~history.pending).tolist()
            usable = np.flatnonzero(np.isfinite(history.loss)).tolist()
            heard.append((len(history), ended, usable))
            assert np.isnan(history.finished[history.pending]).all()
            return space.sample(rng, n)

    played(shuffled(0), 4, Listening(), n=20)
    expected = [
        (k, list(range(k - 3)), [id for id in range(k - 3) if id % 11 != 5]) for k in range(20)
    ]
    assert heard == expected


def test_slots_are_used_as_far_as_the_lag_allows() -> None:
    running: list[int] = []

    class Watched(SimulatedExecutor):
        def collect(self, timeout: float | None) -> Any:
            running.append(self.running)
            return super().collect(timeout)

    clock = Clock()
    study = Study(SPACE, tpe.suggest, InOrder(FullBudget(40), 4), 3, clock=clock)
    task = Task(lambda trial: trial.values["x"], lambda trial: trial)
    executor = Watched(task, 4, lambda trial: 1.0, clock)
    loop.run(study, executor, Never())
    assert clock.now == 10.0
    assert max(running) == 4


def test_a_run_goes_on_as_it_would_have() -> None:
    whole = played(shuffled(0), 4)
    for cut in (1, 7, 30):
        kept = {id: whole[id] for id in range(cut)}
        kept[cut - 1] = Trial(cut - 1, kept[cut - 1].values, Status.RUNNING)
        assert values(played(shuffled(9), 4, records=kept)) == values(whole)


def test_points_of_the_user_come_first_and_need_no_results() -> None:
    points = {i: Trial(i, {"x": float(i), "k": 1}) for i in range(6)}
    runs = [played(shuffled(seed), 4, records=dict(points)) for seed in range(3)]
    assert all(values(run) == values(runs[0]) for run in runs)
    assert [runs[0][i].values["x"] for i in range(6)] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


# The user's side


def test_threads_give_the_same_trials_again() -> None:
    space = {"x": hp.uniform("x", -5, 5)}
    found = []
    for _ in range(3):
        trials = ThreadTrials(parallelism=4, deterministic=True)
        quiet(lambda c: c["x"] ** 2, space, max_evals=40, trials=trials, seed=5)
        found.append(trials.vals)
    assert found[0] == found[1] == found[2]


def test_it_survives_pickling() -> None:
    trials = ThreadTrials(parallelism=3, deterministic=True)
    assert pickle.loads(pickle.dumps(trials)).lag == 3


def test_it_is_off_unless_asked_for() -> None:
    assert ThreadTrials(parallelism=3).lag is None


def test_it_must_be_a_bool() -> None:
    with pytest.raises(InvalidArgument, match="deterministic must be True or False, got 4"):
        ThreadTrials(parallelism=3, deterministic=4)  # type: ignore[arg-type]


@pytest.mark.parametrize("parallelism", [None, 0])
def test_without_parallelism_it_is_refused(parallelism: int | None) -> None:
    with pytest.raises(InvalidArgument, match="deterministic=True needs parallelism"):
        SparkTrials(parallelism, deterministic=True)
